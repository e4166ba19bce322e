package guard

// LoadMode is the sql_mode in which a dump is loaded: every value that the server held is taken as
// it is.
const LoadMode = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"

// Home are the settings in which tables are made and rows are loaded.
func Home() Settings {
	mode := LoadMode
	return Settings{Charset: "utf8mb4", SQLMode: &mode, TimeZone: "+00:00"}
}

// Settings are those of a session that an object keeps.
type Settings struct {
	Charset   string
	Collation string
	SQLMode   *string // nil: of no matter
	TimeZone  string  // "": of no matter
	Database  string  // the database's collation; "": of no matter
}

// Check holds settings that a server sent against their forms. Escaping would not do: how a session
// reads a string depends on settings.
func (s Settings) Check() error {
	err := MustBe(WordForm, "a character set", s.Charset)
	if err == nil && s.Collation != "" {
		err = MustBe(WordForm, "a collation", s.Collation)
	}
	if err == nil && s.SQLMode != nil {
		err = MustBe(modeForm, "a sql_mode", *s.SQLMode)
	}
	if err == nil && s.TimeZone != "" {
		err = MustBe(ZoneForm, "a time zone", s.TimeZone)
	}
	if err == nil && s.Database != "" {
		err = MustBe(WordForm, "a collation", s.Database)
	}
	return err
}

package settings

import (
	"slices"

	"github.com/spf13/pflag"
)

// FlagValue is what a flag, by its name without dashes, says for a variable.
type FlagValue struct{ Flag, Text string }

// AddFlags gives flags those of the groups' settings.
func (t Table) AddFlags(flags *pflag.FlagSet, groups []string) {
	for _, s := range t.Settings {
		if s.Flag == "" || !slices.Contains(groups, s.Group) {
			continue
		}
		flag := flags.VarPF(&textFlag{}, s.Flag, "", s.Usage())
		if s.Toggle {
			flag.NoOptDefVal = "true"
		}
	}
}

// FlagValues is the settings that a command line gives, by variable. Flags are those that AddFlags
// has added to, once they are parsed.
func (t Table) FlagValues(flags *pflag.FlagSet) map[string]FlagValue {
	values := map[string]FlagValue{}
	flags.Visit(func(flag *pflag.Flag) {
		for _, s := range t.Settings {
			if IsFlag(flag) && s.Flag == flag.Name {
				values[s.Env] = FlagValue{flag.Name, flag.Value.String()}
			}
		}
	})
	return values
}

// IsFlag reports whether a flag is a setting's.
func IsFlag(flag *pflag.Flag) bool {
	_, ours := flag.Value.(*textFlag)
	return ours
}

// textFlag is a flag's value as it was written: it is read with the variables, so that one place
// says what is wrong with it.
type textFlag struct{ text string }

func (f *textFlag) String() string     { return f.text }
func (f *textFlag) Set(s string) error { f.text = s; return nil }
func (f *textFlag) Type() string       { return "value" }

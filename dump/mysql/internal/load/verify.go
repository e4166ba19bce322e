package load

import (
	"iter"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/choice"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Verify takes a dump's items to their end and returns nil if the dump goes where Run would put it,
// and has the rows that its manifest says. It connects to nothing. What it has found is for a Run
// of the same dump, which then knows from the beginning which databases it makes, mysqldump's too,
// and how long a statement the server has to take.
func Verify(cfg Config, items iter.Seq2[dump.Item, error]) (Found, error) {
	cfg.Found = Found{}
	v := &verification{loading: newLoading(cfg, nil)}
	items, chosen := cfg.chosen(items, func(string) {})
	for item, err := range items {
		if err == nil {
			err = v.take(item)
		}
		switch {
		case err != nil:
			return Found{}, err
		case item.Contents != nil:
			v.found.Chosen = chosen()
			return v.found, nil
		}
	}
	return Found{}, dump.ErrTruncated
}

// chosen leaves of a dump's items those that are loaded, where no server is asked, and returns what
// tells in the end what they make.
func (c Config) chosen(items iter.Seq2[dump.Item, error], warn func(string)) (iter.Seq2[dump.Item, error], func() []choice.Object) {
	if c.Part == nil {
		return items, func() []choice.Object { return nil }
	}
	f := c.Part.Filter(choice.Target{Database: c.Database, Warn: warn})
	return f.Items(items), f.Chosen
}

// A verification is one Verify under way.
type verification struct {
	*loading
	of      script.Mode // how the dump's server reads text, but for the session's sql_mode
	session script.SessionMode
	found   Found
}

func (v *verification) take(item dump.Item) (err error) {
	switch {
	case item.Head != nil:
		if of, err := server.ParseNamed(item.Head.Server); err == nil {
			v.of = readsAs(of)
		}
		return v.begin(*item.Head)
	case v.plan == nil:
		return errHeadless
	case item.Contents != nil:
		v.found.Databases, err = v.plan.whole(item.Contents)
		return err
	}
	for st, err := range statements(item) {
		if err == nil {
			err = atLine(st.line, v.read(st))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) read(st statement) error {
	if err := v.plan.route(st.sql); err != nil {
		return err
	}
	v.plan.read(st.sql)
	v.found.Longest = max(v.found.Longest, unsplittable(st.sql, v.of|v.session.Mode()))
	if st.setsMode() {
		v.session.Set(string(st.sql))
	}
	return nil
}

// unsplittable is the length of the longest part of a statement that has to be one, in bytes, or 0
// where it is no longer than statements of several rows are.
func unsplittable(sql []byte, mode script.Mode) (longest int) {
	if len(sql) <= script.InsertLimit {
		return 0
	}
	for part := range script.Split(sql, script.InsertLimit, mode) {
		longest = max(longest, len(part))
	}
	return longest
}

// readsAs is how the server and its client read text, but for the session's sql_mode.
func readsAs(s server.Info) script.Mode { return script.ServerMode(s.IsMariaDB(), s.Version[0]) }

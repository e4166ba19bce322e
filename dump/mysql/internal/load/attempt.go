package load

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/quote"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/script"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// attempt does what one statement of the dump says, in a load that goes on behind what the server
// refuses. What is refused may be what others stand on, without which they would be done and be
// wrong: in another database, of text that is read in another way. These are passed over.
func (s *loading) attempt(ctx context.Context, st statement) error {
	name, uses := script.Used(st.sql)
	switch {
	case uses:
		err := s.run(ctx, st)
		passed := s.pass(st, err)
		s.nowhere = err != nil && passed == nil
		s.used = name
		return passed
	case !st.ours && (script.IsSetting(st.sql) || opensTransactions.Match(st.sql)): // which mysqldump writes in small letters
		return s.attemptSetting(ctx, st)
	case s.nowhere && !isAccounts(st.sql) && !script.TargetOf(st.sql).Whole:
		s.refusals.passed(1, dump.Refusal{})
		return nil
	case len(s.unset) > 0 && !st.rows:
		if err := s.plan.route(st.sql); err != nil {
			return err
		}
		s.refusals.ran()
		return s.pass(st, &statementError{script.Head(string(st.sql)), errUnset})
	}
	err := s.attemptRun(ctx, st)
	passed := s.pass(st, err)
	if view, ok := script.ReplacedView(string(st.sql)); ok && err != nil && passed == nil && !errors.Is(err, errOthers) {
		return s.removeStandIn(ctx, view)
	}
	return passed
}

// removeStandIn drops the view that the dump has made for others to stand on, and which it could
// not put the real one in the place of. What it shows is not what is in the database.
func (s *loading) removeStandIn(ctx context.Context, view string) error {
	err := s.conn.Exec(ctx, "DROP VIEW IF EXISTS "+view)
	if server.ErrorNumber(err) != 0 {
		s.cfg.Warn(fmt.Sprintf("view %s is there without what it should show, and cannot be dropped: %v", quote.Unquoted(view), err))
		return nil
	}
	return err
}

// errUnset is why a statement is passed over which the session would read in another way than it is
// meant.
var errUnset = errors.New("it is left out, as the server has refused the character set or the sql_mode that its text is to be read in")

// vital matches the settings without which the session reads text in another way.
var vital = regexp.MustCompile(`(?i)\b(NAMES\b|character_set_client\s*:?=|sql_mode\s*:?=)`)

// attemptSetting sets up the session, and where the server refuses a statement of several settings,
// those that it does not refuse.
func (s *loading) attemptSetting(ctx context.Context, st statement) error {
	err := s.run(ctx, st)
	if each := script.Settings(st.sql); err != nil && len(each) > 1 && s.isPassed(err) {
		for _, one := range each {
			if err := s.attemptSetting(ctx, statement{line: st.line, sql: one}); err != nil {
				return err
			}
		}
		return nil
	}
	passed := s.pass(st, err)
	if passed != nil {
		return passed
	}
	for _, m := range vital.FindAllSubmatch(st.sql, -1) {
		name := strings.ToLower(strings.TrimRight(string(m[1]), " \t:="))
		if name == "names" {
			name = "character_set_client"
		}
		if delete(s.unset, name); err != nil {
			s.unset[name] = true
		}
	}
	if err != nil {
		return nil
	}
	err = s.checkUnique(ctx, st)
	if err == nil && opensTransactions.Match(st.sql) { // each statement of rows is to count by itself
		err = s.run(ctx, statement{line: st.line, sql: []byte("SET autocommit = 1")})
	}
	return err
}

// checkUnique has the session look for rows that are there twice, where a setting has it not look.
func (s *loading) checkUnique(ctx context.Context, st statement) error {
	if !script.IsSetting(st.sql) || !unchecked.Match(st.sql) {
		return nil
	}
	return s.run(ctx, statement{line: st.line, sql: []byte("SET unique_checks = 1")})
}

// unchecked matches a setting by which rows that are there twice may come in, as InnoDB need not
// read an index's page then to add to it, or are noticed so late that others go with them: MariaDB
// then empties a table that it loads in bulk.
var unchecked = regexp.MustCompile(`(?i)\bunique_checks\s*:?=\s*(?:0|off|false)\b`)

// opensTransactions matches a setting of mysqldump's by which the rows of a table are committed
// together. It has been written in letters of either size, and beside others.
var opensTransactions = regexp.MustCompile(`(?i)^(?:/\*M?!\d*\s*)?SET\b.*\bautocommit\s*:?=\s*0`)

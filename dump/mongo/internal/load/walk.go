package load

import (
	"iter"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"
)

// walk goes through a dump's items to the end of a whole dump. What the dump announces is before
// all else: when that is planned ready is called, with why it cannot be, and unless that ends the
// walk then take with each of the other items. Run, Rehearse and Verify differ in these two.
//
// The end of what is announced is the first item that is something else, so that one has been asked
// for, and none of its documents, when ready is called.
func (s *loading) walk(items iter.Seq2[dump.Item, error], ready func(planned error) error, take func(dump.Item) error) error {
	var of version.Number
	var announced []collection
	planned := false
	for item, err := range items {
		switch {
		case err != nil:
			return err
		case item.Head != nil:
			of = version.Parse(item.Head.Server)
			continue
		case item.Kind == dump.Definitions:
			announced = append(announced, collectionOf(item, of))
			continue
		case !planned:
			if err := ready(s.makePlan(announced)); err != nil {
				return err
			}
			planned = true
		}
		if item.Contents != nil {
			return nil
		}
		if err := take(item); err != nil {
			return err
		}
	}
	return dump.ErrTruncated
}

package note

import (
	"strconv"
	"strings"
)

// A Head is what the comments at a dump's beginning say, but for what is a dump.Head's own: the
// server and the databases.
type Head struct {
	MachineZone string // see there; "": nothing is said
	Zone        string
	TimeZones   bool
	OwnName     OwnName
}

// Read takes note of a comment. One that is none of these says nothing.
func (h *Head) Read(comment string) (err error) {
	if rest, ok := strings.CutPrefix(comment, MachineZone); ok {
		h.MachineZone, err = strconv.Unquote(rest)
		return err
	}
	if rest, ok := strings.CutPrefix(comment, Zone); ok {
		h.Zone, err = strconv.Unquote(rest)
		return err
	}
	h.TimeZones = h.TimeZones || comment == TimeZones
	return h.OwnName.Read(comment)
}

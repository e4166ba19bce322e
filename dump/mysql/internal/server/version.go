package server

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// A Family is one of the two servers that have grown apart.
type Family string

const (
	MySQL   Family = "MySQL"
	MariaDB Family = "MariaDB"
)

// oldest are the oldest versions that this package has been held against.
var oldest = map[Family]Version{MySQL: {8, 0, 0}, MariaDB: {10, 6, 0}}

// A Version is a server's: major, minor, patch.
type Version [3]int

func (v Version) Less(w Version) bool {
	for i := range v {
		if v[i] != w[i] {
			return v[i] < w[i]
		}
	}
	return false
}

// String is the version as people say it: 10.11.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v[0], v[1]) }

// Info is what has to be known of a server before anything is read from it.
type Info struct {
	Family  Family
	Version Version
	folds   bool // names of databases and tables that differ only in case are one (lower_case_table_names)
}

func (s Info) IsMariaDB() bool { return s.Family == MariaDB }

// AtLeast tells whether the server is of the family, and of this version or newer.
func (s Info) AtLeast(f Family, v Version) bool {
	return s.Family == f && !s.Version.Less(v)
}

// parseVersion reads what SELECT VERSION() says: 8.0.36-28, 10.11.6-MariaDB-log.
func parseVersion(s string) (Info, error) {
	srv := Info{Family: MySQL}
	if strings.Contains(strings.ToLower(s), "mariadb") {
		srv.Family = MariaDB
	}
	digits := s
	if i := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); i >= 0 {
		digits = s[:i]
	}
	parts := strings.Split(digits, ".")
	if len(parts) < 2 {
		return srv, fmt.Errorf("the server's version %q is not understood", s)
	}
	for i := range min(len(parts), len(srv.Version)) {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return srv, fmt.Errorf("the server's version %q is not understood", s)
		}
		srv.Version[i] = n
	}
	return srv, nil
}

// ParseNamed reads how a dump names its server: as SELECT VERSION() says it, or the family first,
// as this program says it: MariaDB 10.11.14.
func ParseNamed(s string) (Info, error) {
	if family, number, ok := strings.Cut(s, " "); ok && (family == string(MySQL) || family == string(MariaDB)) {
		s = number + "-" + family
	}
	return parseVersion(s)
}

// HasTimeZones tells whether the server knows time zones by their names.
func (c *Conn) HasTimeZones(ctx context.Context) (bool, error) {
	var there bool
	err := c.Row(ctx, "SELECT CONVERT_TZ('2020-01-01', 'UTC', 'Europe/Berlin') IS NOT NULL", &there)
	return there, err
}

func (s Info) HasLibraries() bool { return s.AtLeast(MySQL, Version{9, 2, 0}) }

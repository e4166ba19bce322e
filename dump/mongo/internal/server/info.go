package server

import "github.com/breaking-backups/breaking-backups/dump/mongo/internal/version"

// Info is what a server says of itself.
type Info struct {
	Version version.Number
	Text    string // the version as the server writes it
	Mongod  bool   // MongoDB's own, or at least it says nothing else
	Mongos  bool   // the front of a sharded cluster
	Proxy   bool   // the front of Atlas's free and shared tiers, which keeps admin and the server's settings to itself
	Set     string // the replica set's name; empty without one
	me      string // the server's address as the replica set knows it
	session int64  // after how many minutes it ends a session of which it hears nothing; 0: it does not say
}

// Product is what the server is, with its version, for people.
func (s Info) Product() string {
	if !s.Mongod {
		return "FerretDB, as MongoDB " + s.Text
	}
	if s.Mongos {
		return "MongoDB " + s.Text + " (mongos)"
	}
	return "MongoDB " + s.Text
}

// TakesEmptyTimestamps tells whether the server can be told to leave a timestamp of zero in a new
// document as it is: from 8.0 on, and in later patches of 5.0, 6.0 and 7.0. Otherwise it puts the
// present there.
func (s Info) TakesEmptyTimestamps() bool {
	v := s.Version
	if !s.Mongod || v[0] < 8 && v[1] != 0 {
		return false
	}
	patches := map[int]int{5: 29, 6: 17, 7: 13}
	patch, ok := patches[v[0]]
	return v.AtLeast(version.Number{8}) || ok && v[2] >= patch
}

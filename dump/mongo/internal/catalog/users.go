package catalog

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
)

// Users says whether users and roles are dumped.
type Users string

const (
	UsersAuto Users = "auto" // with all databases
	UsersOn   Users = "on"   // also those of the one database
	UsersOff  Users = "off"
)

// wantsUsers tells whether users and roles of all databases are dumped.
func (c Choice) wantsUsers() bool {
	return c.Users != UsersOff && (c.Database == "" || c.Database == "admin")
}

// authFirst puts users and roles before all else.
func authFirst(all []*Collection) []*Collection {
	slices.SortStableFunc(all, func(a, b *Collection) int {
		return namespace.AuthRank(a.DB, a.Name) - namespace.AuthRank(b.DB, b.Name)
	})
	return all
}

// UsersOfOne is the users and roles of the one database, under the names that mongodump
// --dumpDbUsersAndRoles gives them.
func (ch Choice) UsersOfOne() []*Collection {
	if ch.Users != UsersOn || ch.Database == "" || ch.Database == "admin" {
		return nil
	}
	var all []*Collection
	for _, name := range namespace.AuthCollections {
		c := &Collection{Collection: archive.Collection{DB: ch.Database, Name: "$admin." + name}, FromDB: "admin", From: name, Before: -1}
		if name != "system.version" {
			c.Filter = bson.D{{Key: "db", Value: ch.Database}}
		}
		all = append(all, c)
	}
	return all
}

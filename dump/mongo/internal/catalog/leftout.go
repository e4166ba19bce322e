package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// warnOfUsers tells of users and roles that are not in a dump and that nobody said should not be.
func (q *Inquiry) warnOfUsers(ctx context.Context) {
	if !q.Conn.Info.Mongod {
		q.warnOfOtherUsers(ctx)
		return
	}
	if q.Users != UsersAuto || q.Database == "" || q.Database == "admin" || q.Conn.Info.Proxy {
		return
	}
	db := shown.Name(q.Database)
	const how = "MONGO_DUMP_USERS=on has them dumped, off says that they are not wanted"
	found := false
	for _, name := range []string{"system.users", "system.roles"} {
		command := bson.D{
			{Key: "find", Value: name},
			{Key: "filter", Value: bson.D{{Key: "db", Value: q.Database}}},
			{Key: "projection", Value: bson.D{{Key: "_id", Value: 1}}},
			{Key: "limit", Value: 1},
			{Key: "singleBatch", Value: true},
		}
		err := q.Conn.Each(ctx, "admin", command, func(bson.Raw) error { found = true; return nil })
		if server.HasCode(err, server.CodeUnauthorized) {
			q.Warn(fmt.Sprintf("users and roles of %s are not in the dump, and whether there are any this user may not see: %s", db, how))
			return
		}
	}
	if found {
		q.Warn(fmt.Sprintf("users and roles of %s are not in the dump: %s", db, how))
	}
}

// warnOfOtherUsers tells of users of a server that keeps them where nobody reads them, as FerretDB
// 2 keeps them as roles of PostgreSQL.
func (q *Inquiry) warnOfOtherUsers(ctx context.Context) {
	if q.Users == UsersOff || q.Users == UsersAuto && q.Database != "" {
		return
	}
	var answer bson.Raw
	err := q.Conn.Run(ctx, "admin", bson.D{{Key: "usersInfo", Value: 1}}, &answer)
	users, _ := answer.Lookup("users").ArrayOK()
	found, _ := bson.RawArray(users).Values()
	if q.Users == UsersOn || err == nil && len(found) > 0 {
		q.Warn("users and roles are not in the dump, as the server keeps them elsewhere: MONGO_DUMP_USERS=off says that this is known")
	}
}

// ownOfLocal are a member's own collections of the database local.
var ownOfLocal = []string{"startup_log", "oplog.rs", "oplog.$main", "clustermanager", "me", "slaves", "sources"}

// warnOfLocal tells of what users keep in local. Nobody dumps that, as it is of one member; but it
// may be meant to be safe.
func (q *Inquiry) warnOfLocal(ctx context.Context) {
	if q.Database != "" || !q.Filter.All() || !q.Conn.Info.Mongod || q.Conn.Info.Mongos || q.Conn.Info.Proxy {
		return
	}
	names, err := collectionNames(ctx, q.Conn, "local")
	if err != nil {
		q.Debug("what is in local is not known: " + err.Error())
		return
	}
	var users []string
	for name := range names {
		if !slices.Contains(ownOfLocal, name) && !strings.HasPrefix(name, "system.") && !strings.HasPrefix(name, "replset.") {
			users = append(users, name)
		}
	}
	if len(users) > 0 {
		slices.Sort(users)
		q.Warn("collections of the database local are left out, as by mongodump: " + shown.Names(users))
	}
}

// warnOfClusterParameters tells of a cluster's own settings, query settings among them, which no
// restore can put back where they are.
func (q *Inquiry) warnOfClusterParameters(ctx context.Context) {
	if q.Database != "" || !q.Filter.All() || !q.Conn.Info.Mongod || q.Conn.Info.Proxy {
		return
	}
	var names []string
	command := bson.D{{Key: "find", Value: "clusterParameters"}, {Key: "projection", Value: bson.D{{Key: "_id", Value: 1}}}}
	err := q.Conn.Each(ctx, "config", command, func(doc bson.Raw) error {
		if name, ok := doc.Lookup("_id").StringValueOK(); ok && name != "shardedClusterCardinalityForDirectConns" { // which the cluster sets itself
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		q.Debug("which cluster parameters are set is not known: " + err.Error())
	}
	if len(names) > 0 {
		slices.Sort(names)
		q.Warn("cluster parameters are left out, as by mongodump: " + shown.Names(names) + "; set them anew after a restore (setClusterParameter)")
	}
}

// WarnOfMissing tells what of all that a server has is not in the dump, and what is not as it
// seems.
func (q *Inquiry) WarnOfMissing(ctx context.Context, listed []*Collection) {
	q.warnOfVersion()
	q.warnOfUnmatched(listed)
	q.warnOfUsers(ctx)
	q.warnOfLocal(ctx)
	q.warnOfClusterParameters(ctx)
	q.holdAgainstStats(ctx, listed)
}

package load

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/namespace"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/server"
)

// users is what a dump brings of users and roles. The server takes them from collections that they
// are put into for that: what it keeps them in is closed.
type users struct {
	db          string // whose they are; empty: all databases'
	users       *target
	roles       *target
	version     source // of the version of their form
	versionSeen int64
	copied      bool // there may be copies of them in the collections that the server takes them from
}

// authName returns the name in admin of what a collection of the dump holds of users and roles;
// empty for any other collection.
func authName(c collection) string {
	name, ofOne := strings.CutPrefix(c.name, "$admin.")
	if namespace.IsAuth("admin", name) && (ofOne || c.db == "admin") {
		return name
	}
	return ""
}

// planUsers takes note of a collection that holds users and roles.
func (s *loading) planUsers(c collection) {
	if s.users == nil {
		s.users = &users{}
		if c.db != "admin" {
			s.users.db = c.db
		}
	}
	switch authName(c) {
	case "system.users":
		s.users.users = &target{from: c, db: "admin", name: "tempusers", kind: targetAuth}
		s.targets[c.source] = s.users.users
	case "system.roles":
		s.users.roles = &target{from: c, db: "admin", name: "temproles", kind: targetAuth}
		s.targets[c.source] = s.users.roles
	default:
		s.users.version = c.source
	}
}

func (u *users) temporary() []*target {
	var all []*target
	for _, t := range []*target{u.users, u.roles} {
		if t != nil {
			all = append(all, t)
		}
	}
	return all
}

// readVersion reads the version of the form of users.
func (s *loading) readVersion(item dump.Item) error {
	for doc, err := range item.Rows() {
		if err != nil {
			return err
		}
		if id, _ := bson.Raw(doc).Lookup("_id").StringValueOK(); id == "authSchema" {
			s.users.versionSeen, _ = bson.Raw(doc).Lookup("currentVersion").AsInt64OK()
		}
	}
	return nil
}

// placeUsers tells whether users and roles are loaded, which some servers do not take.
func (s *loading) placeUsers() bool {
	if s.users == nil {
		return false
	}
	if !s.conn.Info.Mongod || s.conn.Info.Proxy {
		s.cfg.Warn("users and roles are left out: the server does not take them")
		for _, t := range s.users.temporary() {
			delete(s.targets, t.from.source)
		}
		s.users = nil
		return false
	}
	return true
}

func (s *loading) dropTemporary(ctx context.Context) error {
	for _, t := range s.users.temporary() {
		err := s.run(ctx, t.db, bson.D{{Key: "drop", Value: t.name}}, &bson.Raw{})
		if err != nil && !server.HasCode(err, server.CodeNamespaceNotFound) {
			return fmt.Errorf("drop %s: %w", t.namespace(), err)
		}
	}
	s.users.copied = false
	return nil
}

// dropCopies drops what users and roles were copied into, if anything was, also where ctx has
// ended: who may read all databases may read that, and not the original.
func (s *loading) dropCopies(ctx context.Context) {
	if s.users == nil || !s.users.copied {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), server.EndTime)
	defer cancel()
	if err := s.dropTemporary(ctx); err != nil {
		s.users.copied = false // it is said once
		s.cfg.Warn("copies of users and roles, with what their passwords are checked by, are left behind: " + err.Error())
	}
}

// loadUsers has the server take users and roles over. With Clean it replaces its own.
func (s *loading) loadUsers(ctx context.Context) error {
	defer s.dropCopies(ctx) // at once, though who restores may be another user now, with other rights
	command := bson.D{{Key: "_mergeAuthzCollections", Value: 1}}
	if u := s.users.users; u != nil && u.inserted > 0 {
		command = append(command, bson.E{Key: "tempUsersCollection", Value: u.namespace()})
	}
	if r := s.users.roles; r != nil && r.inserted > 0 {
		command = append(command, bson.E{Key: "tempRolesCollection", Value: r.namespace()})
	}
	if len(command) == 1 {
		return nil
	}
	if err := s.checkVersion(ctx); err != nil {
		return fmt.Errorf("users and roles: %w", err)
	}
	command = append(command, bson.E{Key: "drop", Value: s.cfg.Clean}, bson.E{Key: "db", Value: s.users.db})
	if err := s.run(ctx, "admin", command, &bson.Raw{}); err != nil {
		return fmt.Errorf("users and roles: %w", err)
	}
	return nil
}

// errOtherForm is a refusal in the server's stead, which would take users that it cannot read.
var errOtherForm = errors.New("they are of another form than the server's")

// checkVersion refuses users of a form that the server does not read.
func (s *loading) checkVersion(ctx context.Context) error {
	var answer struct {
		Version int64 `bson:"authSchemaVersion"`
	}
	if err := s.run(ctx, "admin", bson.D{{Key: "getParameter", Value: 1}, {Key: "authSchemaVersion", Value: 1}}, &answer); err != nil {
		return fmt.Errorf("ask for the version of their form: %w", err)
	}
	dumped := s.users.versionSeen
	if dumped == 0 {
		dumped = 3 // as mongorestore takes it
	}
	if dumped != answer.Version && (dumped != 3 || answer.Version != 5) {
		return fmt.Errorf("%w: its version in the dump is %d, the server's is %d", errOtherForm, dumped, answer.Version)
	}
	return nil
}

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// TestMongoScripts runs testdata/mongo: the same road as TestScripts', on an embedded FerretDB. A
// script has a server of its own.
func TestMongoScripts(t *testing.T) {
	restic := servers.Restic(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/mongo",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			ferret, err := servers.StartFerret()
			if err != nil {
				return err
			}
			env.Defer(func() {
				if err := ferret.Stop(); err != nil {
					t.Error(err)
				}
			})
			client, err := mongo.Connect(options.Client().ApplyURI(ferret.URI("")))
			if err != nil {
				return err
			}
			env.Defer(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
			env.Values[scriptMongo{}] = client
			env.Vars = append(
				env.Vars,
				"MONGO_URI="+ferret.URI(""), "DB_TYPE=mongo", "RESTIC_HOST=db",
			)
			env.Vars = append(env.Vars, repositoryVars(env.WorkDir, restic)...)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     cmdExits,
			"oldest":    cmdOldest,
			"fill":      cmdFill,
			"documents": cmdDocuments,
			"update":    cmdUpdate,
			"gzip":      cmdGzip,
		},
	})
}

type scriptMongo struct{}

func scriptCollection(ts *testscript.TestScript, namespace string) *mongo.Collection {
	db, name, _ := strings.Cut(namespace, ".")
	return ts.Value(scriptMongo{}).(*mongo.Client).Database(db).Collection(name)
}

// fill db.collection n inserts n documents.
func cmdFill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fill db.collection n")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	var docs []any
	for i := range n {
		docs = append(docs, bson.D{{Key: "_id", Value: i}, {Key: "text", Value: strings.Repeat(strconv.Itoa(i*i), 10)}})
	}
	_, err = scriptCollection(ts, args[0]).InsertMany(context.Background(), docs)
	ts.Check(err)
}

// update db.collection id text changes a document.
func cmdUpdate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: update db.collection id text")
	}
	id, err := strconv.Atoi(args[1])
	ts.Check(err)
	change := bson.D{{Key: "$set", Value: bson.D{{Key: "text", Value: args[2]}}}}
	_, err = scriptCollection(ts, args[0]).UpdateByID(context.Background(), id, change)
	ts.Check(err)
}

// documents db.collection [db.collection] wants both to hold the same; one alone is wanted to hold
// nothing.
func cmdDocuments(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: documents db.collection [db.collection]")
	}
	var all [2][]bson.Raw
	for i, namespace := range args {
		cursor, err := scriptCollection(ts, namespace).Find(context.Background(), bson.D{})
		ts.Check(err)
		ts.Check(cursor.All(context.Background(), &all[i]))
	}
	if !slices.EqualFunc(all[0], all[1], func(a, b bson.Raw) bool { return bytes.Equal(a, b) }) || len(args) == 2 && len(all[0]) == 0 {
		ts.Fatalf("%v: %d and %d documents, not the same", args, len(all[0]), len(all[1]))
	}
}

// gzip file compresses a file into file.gz.
func cmdGzip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gzip file")
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".gz"), b.Bytes(), 0o600))
}

package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// MostInserted is how many bytes of documents Insert takes: a command is a document itself, of no
// more than a server's largest, and those lie in it.
const MostInserted = 8 << 20

// Insert inserts documents by one command, as they are, and returns those that the server refuses.
// It asks for it once, and so is for servers behind which no other is. The fields are those of the
// command.
func (c *Conn) Insert(ctx context.Context, coll *mongo.Collection, docs []any, fields bson.D) (refused []mongo.WriteError, err error) {
	command, err := insertCommand(coll.Name(), docs, fields)
	if err != nil {
		return nil, err
	}
	var answer struct {
		N int `bson:"n"`
	}
	err = coll.Database().RunCommand(ctx, command).Decode(&answer)
	if some, ok := errors.AsType[mongo.WriteException](err); ok && len(some.WriteErrors) > 0 && some.WriteConcernError == nil {
		return some.WriteErrors, nil
	}
	if err == nil && answer.N != len(docs) {
		err = fmt.Errorf("of %d documents the server says that it has inserted %d", len(docs), answer.N)
	}
	return nil, err
}

func insertCommand(name string, docs []any, fields bson.D) (bson.Raw, error) {
	const perDocument = 8 // its type and its place
	room := 1 << 10
	for _, doc := range docs {
		room += len(doc.(bson.Raw)) + perDocument
	}
	more, err := bson.Marshal(fields)
	if err != nil {
		return nil, err
	}
	start, command := bsoncore.AppendDocumentStart(make([]byte, 0, room))
	command = bsoncore.AppendStringElement(command, "insert", name)
	command = append(command, more[4:len(more)-1]...)
	array, command := bsoncore.AppendArrayElementStart(command, "documents")
	for i, doc := range docs {
		command = bsoncore.AppendDocumentElement(command, strconv.Itoa(i), bsoncore.Document(doc.(bson.Raw)))
	}
	if command, err = bsoncore.AppendArrayEnd(command, array); err != nil {
		return nil, err
	}
	command, err = bsoncore.AppendDocumentEnd(command, start)
	return bson.Raw(command), err
}

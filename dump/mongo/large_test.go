package mongo

import (
	"bytes"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// How much is read ahead of a collection, and what one answer has, more or less: as rows has it.
const readAhead, answerSize = 4 << 20, 4 << 20

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// While one collection of large documents is written, no more than the first answer is held of the
// next, however slow the writer is.
func TestLargeDocumentsAreNotReadAhead(t *testing.T) {
	const documents = 3
	f := startFake(t)
	f.batch = 1
	for _, name := range []string{"a", "b"} {
		c := f.add(t, "app", name, "collection", "")
		for i := range documents {
			doc, err := bson.Marshal(bson.D{{Key: "_id", Value: i}, {Key: "text", Value: strings.Repeat(name, 5<<20)}})
			if err != nil {
				t.Fatal(err)
			}
			c.docs = append(c.docs, doc)
		}
	}
	begun := make(chan struct{})
	f.handle("find", func(_ string, command bson.Raw) any {
		if name, _ := command.Lookup("find").StringValueOK(); name == "b" {
			close(begun)
		}
		return nil
	})
	var b bytes.Buffer
	var written int
	src, err := NewSource(Config{Server: f.server(), Database: "app", Oplog: OplogOff, Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	err = src.Dump(t.Context(), writerFunc(func(p []byte) (int, error) {
		if len(p) > answerSize {
			<-begun
			if written++; written <= documents {
				for _, command := range f.sent("getMore") {
					if strings.Contains(command, `"collection":"b"`) {
						t.Errorf("with %d documents of a written: %s", written-1, command)
					}
				}
			}
		}
		return b.Write(p)
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(&b); err != nil || written != 2*documents {
		t.Errorf("%d documents written, %v", written, err)
	}
}

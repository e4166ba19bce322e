package catalog

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/archive"
)

func TestViewsInOrder(t *testing.T) {
	view := func(name, on string, pipeline ...any) *Collection {
		raw, err := bson.Marshal(bson.D{{Key: "viewOn", Value: on}, {Key: "pipeline", Value: bson.A(pipeline)}})
		if err != nil {
			t.Fatal(err)
		}
		return &Collection{Collection: archive.Collection{DB: "app", Name: name, Type: "view"}, Options: raw}
	}
	stage := func(name string, v any) bson.D { return bson.D{{Key: name, Value: v}} }
	var names []string
	for _, v := range viewsInOrder([]*Collection{
		view("a", "d"),
		view("b", "table", stage("$lookup", bson.D{{Key: "from", Value: "e"}, {Key: "as", Value: "x"}})),
		view("c", "table", stage("$facet", bson.D{{Key: "f", Value: bson.A{stage("$unionWith", "g")}}})),
		view("d", "b"),
		view("e", "table"),
		view("f", "table", stage("$graphLookup", bson.D{{Key: "from", Value: "f"}})),
		view("g", "table", stage("$unionWith", bson.D{{Key: "coll", Value: "h"}})),
		view("h", "table"),
	}) {
		names = append(names, v.Name)
	}
	if got := strings.Join(names, " "); got != "e b d a h g c f" {
		t.Errorf("order %s", got)
	}
}

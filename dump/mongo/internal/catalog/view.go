package catalog

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// viewsInOrder puts the views of one database, which come by name, behind those that they read
// from. The server allows no circle; one that is there all the same, as by a view's replacement
// meanwhile, is cut anywhere.
func viewsInOrder(views []*Collection) []*Collection {
	byName := make(map[string]*Collection, len(views))
	for _, v := range views {
		byName[v.Name] = v
	}
	var ordered []*Collection
	seen := map[string]bool{}
	var visit func(v *Collection)
	visit = func(v *Collection) {
		if v == nil || seen[v.Name] {
			return
		}
		seen[v.Name] = true
		for _, name := range readBy(v.Options) {
			visit(byName[name])
		}
		ordered = append(ordered, v)
	}
	for _, v := range views {
		visit(v)
	}
	return ordered
}

// readBy returns the names of the collections that a view reads from: its own, and those of
// $lookup, $graphLookup and $unionWith at any depth.
func readBy(options bson.Raw) []string {
	var names []string
	if on, ok := options.Lookup("viewOn").StringValueOK(); ok {
		names = append(names, on)
	}
	var look func(v bson.RawValue)
	look = func(v bson.RawValue) {
		var elements []bson.RawElement
		if doc, ok := v.DocumentOK(); ok {
			elements, _ = doc.Elements()
		} else if array, ok := v.ArrayOK(); ok {
			elements, _ = bson.Raw(array).Elements()
		}
		for _, e := range elements {
			if text, ok := e.Value().StringValueOK(); ok && slices.Contains([]string{"from", "coll", "$unionWith"}, e.Key()) {
				names = append(names, text)
			}
			look(e.Value())
		}
	}
	if pipeline, err := options.LookupErr("pipeline"); err == nil {
		look(pipeline)
	}
	return names
}

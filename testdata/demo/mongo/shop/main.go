// Command shop is the demo's client of MongoDB, which has none that can be had everywhere.
//
//	shop fill DATABASE         makes a small shop: every run makes the same documents, from hashes of their numbers
//	shop run DATABASE FILE     runs the commands of a file, one of Extended JSON a line
//	shop about DATABASE        says what there is, in one line
//	shop fingerprint DATABASE  prints a line for each collection: its name, its documents and a sum of their hashes
//	shop schema DATABASE       prints collections with their options, and indexes, as the server lists them
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: shop fill|about|fingerprint|schema DATABASE, shop run DATABASE FILE")
	}
	client, err := mongo.Connect(options.Client().ApplyURI(os.Getenv("MONGO_URI")))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(ctx) }()
	db := client.Database(args[1])
	switch {
	case args[0] == "fill":
		return fill(ctx, db)
	case args[0] == "about":
		return about(ctx, db)
	case args[0] == "fingerprint":
		return fingerprint(ctx, db)
	case args[0] == "schema":
		return schema(ctx, db)
	case args[0] == "run" && len(args) == 3:
		return runFile(ctx, db, args[2])
	}
	return fmt.Errorf("what is %s?", args[0])
}

const customers, products, orders, events = 500, 300, 4_000, 4_000

func fill(ctx context.Context, db *mongo.Database) error {
	for _, c := range []struct {
		name string
		n    int
		make func(int) bson.D
		keys []mongo.IndexModel
	}{
		{"customers", customers, customer, []mongo.IndexModel{{Keys: bson.D{{Key: "mail", Value: 1}}, Options: options.Index().SetUnique(true)}, index("name")}},
		{"products", products, product, nil},
		{"orders", orders, order, []mongo.IndexModel{index("customer", "placed")}},
		{"events", events, event, []mongo.IndexModel{index("at")}},
	} {
		collection := db.Collection(c.name)
		if len(c.keys) > 0 {
			if _, err := collection.Indexes().CreateMany(ctx, c.keys); err != nil {
				return err
			}
		}
		for from := 1; from <= c.n; from += 1000 {
			var batch []bson.D
			for i := from; i < min(from+1000, c.n+1); i++ {
				batch = append(batch, c.make(i))
			}
			if _, err := collection.InsertMany(ctx, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

func index(fields ...string) mongo.IndexModel {
	var keys bson.D
	for _, f := range fields {
		keys = append(keys, bson.E{Key: f, Value: 1})
	}
	return mongo.IndexModel{Keys: keys}
}

// hash is a hash of n, another for each seed.
func hash(n int, seed string) [32]byte { return sha256.Sum256(fmt.Append(nil, seed, n)) }

// spread is a hash of n in 0 .. below-1, another for each seed.
func spread(n int, seed string, below int) int {
	h := hash(n, seed)
	return int(binary.BigEndian.Uint32(h[:]) % uint32(below))
}

func day(n int, seed string) bson.DateTime {
	return bson.NewDateTimeFromTime(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(spread(n, seed, 500*24*3600)) * time.Second))
}

func sku(n int) string { return fmt.Sprintf("%cX-%05d", 'A'+n%26, n) }

// noise is some hashes of n.
func noise(n int, seed string, hashes int) []byte {
	list := make([]byte, 0, hashes*sha256.Size)
	for i := range hashes {
		h := hash(n*hashes+i, seed)
		list = append(list, h[:]...)
	}
	return list
}

func customer(i int) bson.D {
	first := []string{"Aaltje", "Bram", "Chloé", "Dirk", "Élise", "Fenna", "Güven", "Hanneke"}[spread(i, "first", 8)]
	last := []string{"de Vries", "van 't Hof", "Jansen", "Øster", "Dupont", "Yıldız", "Ó Briain"}[spread(i, "last", 7)]
	return bson.D{
		{Key: "_id", Value: i},
		{Key: "name", Value: first + " " + last},
		{Key: "mail", Value: fmt.Sprintf("customer%d@example.org", i)},
		{Key: "home", Value: bson.D{{Key: "street", Value: "Oudegracht"}, {Key: "number", Value: spread(i, "number", 400)}, {Key: "city", Value: "Utrecht"}}},
		{Key: "wishes", Value: bson.D{{Key: "newsletter", Value: i%3 == 0}, {Key: "size", Value: []any{"S", "M", nil, 42.5}[i%4]}}},
		{Key: "joined", Value: day(i, "joined")},
	}
}

func product(i int) bson.D {
	return bson.D{
		{Key: "_id", Value: sku(i)},
		{Key: "price", Value: 100 + spread(i, "price", 20_000)},
		{Key: "tags", Value: bson.A{"blauw", "café-bruin"}},
		{Key: "stock", Value: bson.D{{Key: "Utrecht", Value: int64(spread(i, "stock", 90))}, {Key: "Gent", Value: int64(i % 7)}}},
		{Key: "picture", Value: noise(i, "picture", 16)},
	}
}

func order(i int) bson.D {
	var lines bson.A
	for line := range 1 + spread(i, "lines", 5) {
		lines = append(lines, bson.D{
			{Key: "sku", Value: sku(1 + spread(i*10+line, "sku", products))},
			{Key: "quantity", Value: 1 + spread(i*10+line, "quantity", 4)},
			{Key: "note", Value: fmt.Sprintf("%x", hash(i*10+line, "note"))},
		})
	}
	return bson.D{
		{Key: "_id", Value: i},
		{Key: "customer", Value: 1 + spread(i, "customer", customers)},
		{Key: "status", Value: []string{"paid", "packed", "sent", "returned"}[spread(i, "status", 4)]},
		{Key: "placed", Value: day(i, "placed")},
		{Key: "lines", Value: lines},
	}
}

func event(i int) bson.D {
	id := hash(i, "event")
	return bson.D{
		{Key: "_id", Value: bson.ObjectID(id[:12])},
		{Key: "at", Value: day(i, "at")},
		{Key: "customer", Value: spread(i, "visitor", customers)},
		{Key: "page", Value: "/products/" + sku(1+spread(i, "page", products))},
		{Key: "trace", Value: noise(i, "trace", 64)},
	}
}

func runFile(ctx context.Context, db *mongo.Database, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var command bson.D
		if err := bson.UnmarshalExtJSON(lines.Bytes(), false, &command); err != nil {
			return fmt.Errorf("%s: %w", lines.Text(), err)
		}
		if err := db.RunCommand(ctx, command).Err(); err != nil {
			return fmt.Errorf("%s: %w", lines.Text(), err)
		}
	}
	return lines.Err()
}

func about(ctx context.Context, db *mongo.Database) error {
	var info struct{ Version string }
	if err := db.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&info); err != nil {
		return err
	}
	fmt.Printf("FerretDB, which speaks MongoDB %s's protocol, for this demo only: %d customers, %d orders, %d events.\n", info.Version, customers, orders, events)
	return nil
}

func names(ctx context.Context, db *mongo.Database) ([]string, error) {
	list, err := db.ListCollectionNames(ctx, bson.D{})
	slices.Sort(list)
	return list, err
}

func fingerprint(ctx context.Context, db *mongo.Database) error {
	list, err := names(ctx, db)
	if err != nil {
		return err
	}
	for _, name := range list {
		cursor, err := db.Collection(name).Find(ctx, bson.D{})
		if err != nil {
			return err
		}
		var n int
		var sum uint64 // does not depend on the order
		for cursor.Next(ctx) {
			h := sha256.Sum256(cursor.Current)
			sum += binary.BigEndian.Uint64(h[:])
			n++
		}
		if err := cursor.Err(); err != nil {
			return err
		}
		fmt.Println(name, n, sum)
	}
	return nil
}

func schema(ctx context.Context, db *mongo.Database) error {
	list, err := names(ctx, db)
	if err != nil {
		return err
	}
	for _, name := range list {
		specs, err := db.ListCollectionSpecifications(ctx, bson.D{{Key: "name", Value: name}})
		if err != nil {
			return err
		}
		for _, s := range specs {
			fmt.Println(s.Name, s.Type, s.Options)
		}
		cursor, err := db.Collection(name).Indexes().List(ctx)
		if err != nil {
			return err
		}
		for cursor.Next(ctx) {
			fmt.Println(name, cursor.Current)
		}
		if err := cursor.Err(); err != nil {
			return err
		}
	}
	return nil
}

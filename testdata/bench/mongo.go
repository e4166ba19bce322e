package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/breaking-backups/breaking-backups/stream"
)

// A mongoBench is what is measured of MongoDB: a collection of so many documents in the database
// bb_bench.
type mongoBench struct {
	uri       string
	docs      *mongo.Collection
	documents int
	restored  int // in the database bb_restore, which restores are of
}

// runMongo holds the program against mongodump and zstd. The server is that of MONGO_BENCH_URI,
// where the database bb_bench is made anew and dropped, and a million documents are dumped; else
// the embedded FerretDB at MONGO_URI, which takes long and so gets few. Restores are of 200,000
// there and of 40,000 here: of fewer the start of the programs is what is measured.
// MONGO_BENCH_DOCUMENTS is another number for all. The sizes to be reached by second backups are
// those for a million.
func runMongo() error {
	b := mongoBench{uri: os.Getenv("MONGO_URI"), documents: 10_000, restored: 40_000}
	if own := os.Getenv("MONGO_BENCH_URI"); own != "" {
		b.uri, b.documents, b.restored = own, 1_000_000, 200_000
	}
	if own := os.Getenv("MONGO_BENCH_DOCUMENTS"); own != "" {
		n, err := strconv.Atoi(own)
		if err != nil || n < 10_000 {
			return fmt.Errorf("MONGO_BENCH_DOCUMENTS: %q, expected a number from 10000", own)
		}
		b.documents, b.restored = n, n
	}
	parts, err := only([]part{{"dump", b.dumping}, {"memory", b.memory}, {"frames", compressing}, {"second", b.backups}, {"restore", b.restoring}})
	if err != nil {
		return err
	}
	dir := os.Getenv("TMPDIR")
	for name, value := range map[string]string{
		"DB_TYPE": "mongo", "MONGO_URI": b.uri, "MONGO_DATABASE": "bb_bench", "MONGO_OPLOG": "off",
		"RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": filepath.Join(dir, "cache"),
	} {
		os.Setenv(name, value)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(b.uri))
	if err != nil {
		return err
	}
	ctx := context.Background()
	db := client.Database("bb_bench")
	defer func() {
		_ = db.Drop(ctx)
		_ = client.Disconnect(ctx)
	}()
	if err := db.Drop(ctx); err != nil {
		return err
	}
	b.docs = db.Collection("docs")
	if err := fillMongo(ctx, b.docs, b.documents); err != nil {
		return err
	}
	fmt.Printf("%d processors, %s; medians of %d pairs; %d documents\n\n", runtime.NumCPU(), time.Now().Format("2006-01-02"), pairs, b.documents)
	fmt.Println("| MongoDB | target | ours | theirs | ratio |")
	fmt.Println("|---|---|---|---|---|")
	for _, part := range parts {
		if err := part.make(dir); err != nil {
			return err
		}
	}
	return nil
}

func sum(i int) string { return fmt.Sprintf("%x", md5.Sum(strconv.AppendInt(nil, int64(i), 10))) }

func fillMongo(ctx context.Context, docs *mongo.Collection, n int) error {
	batch := make([]any, 0, 1000)
	for i := range n {
		batch = append(batch, bson.D{
			{Key: "_id", Value: i},
			{Key: "name", Value: fmt.Sprint("user ", i)},
			{Key: "body", Value: sum(i) + " " + sum(i*7) + " " + sum(i*13) + sum(i*13)},
			{Key: "doc", Value: bson.D{{Key: "id", Value: i}, {Key: "tags", Value: bson.A{i % 7, i % 11}}, {Key: "note", Value: sum(i * 3)}}},
			{Key: "at", Value: bson.DateTime(1_704_067_200_000 + int64(i)*1000)},
			{Key: "notes", Value: "the quick brown fox jumps over the lazy dog, for the " + strconv.Itoa(i) + "th time"},
		})
		if len(batch) == cap(batch) || i == n-1 {
			if _, err := docs.InsertMany(ctx, batch, options.InsertMany().SetOrdered(false)); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}

// theirMongodump ends in the options that both of its uses have.
func theirMongodump(uri string) string {
	return "mongodump --quiet --archive --db bb_bench --uri " + quote(uri)
}

func (b *mongoBench) dumping(string) error {
	ours, theirs, err := compare("MONGO_COMPRESSION=none breaking-backups dump >/dev/null", theirMongodump(b.uri)+" >/dev/null", "")
	if err != nil {
		return err
	}
	rows("dump to /dev/null, uncompressed", "1", "0.7", ours, theirs)
	return nil
}

// restoring loads a collection into another database, with two indexes where the server is not the
// embedded one: that refuses what mongorestore sends for an index.
func (b *mongoBench) restoring(dir string) error {
	ctx := context.Background()
	client := b.docs.Database().Client()
	from := client.Database("bb_restore")
	defer func() {
		_ = from.Drop(ctx)
		_ = client.Database("bb_target").Drop(ctx)
	}()
	if err := from.Drop(ctx); err != nil {
		return err
	}
	if err := fillMongo(ctx, from.Collection("docs"), b.restored); err != nil {
		return err
	}
	what, keys := fmt.Sprintf("restore of %d documents", b.restored), []string{}
	if os.Getenv("MONGO_BENCH_URI") != "" {
		what, keys = what+", indexes included", []string{"name", "at"}
	}
	for _, key := range keys {
		if _, err := from.Collection("docs").Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: key, Value: 1}}}); err != nil {
			return fmt.Errorf("index on %s: %w", key, err)
		}
	}
	file := filepath.Join(dir, "bench.archive")
	if _, err := sh("MONGO_DATABASE=bb_restore MONGO_COMPRESSION=none breaking-backups dump --output " + quote(file)); err != nil {
		return err
	}
	// --clean and --drop: neither side has another way to begin with an empty database here.
	ours := "exec breaking-backups restore --clean --database bb_target --file " + quote(file)
	for _, theirs := range []peer{
		{"mongorestore", "", "1"},
		{"mongorestore with 4 insertion workers", " --numInsertionWorkersPerCollection=4", "1"},
	} {
		command := "exec mongorestore --quiet --drop --nsFrom 'bb_restore.*' --nsTo 'bb_target.*' --uri " + quote(b.uri) + theirs.command + " --archive=" + quote(file)
		x, y, err := compare(ours, command, "")
		if err != nil {
			return err
		}
		row(what+", against "+theirs.name+", wall", theirs.wall, x, y, wall)
		fmt.Printf("| the same, peak memory | 128 MiB | %.0f MiB | %.0f MiB | |\n", peak(x), peak(y))
	}
	return nil
}

func (b *mongoBench) memory(string) error {
	u, err := sh("exec breaking-backups dump >/dev/null")
	if err == nil {
		fmt.Printf("| peak memory, compressed | 96 MiB | %.0f MiB | | |\n", u.peak)
	}
	return err
}

// compressing holds the frames against one stream of zstd, on rows of text.
func compressing(dir string) error {
	file := filepath.Join(dir, "rows")
	if err := writeRows(file); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ours, theirs := quote(self)+" compress <"+quote(file), "zstd -q -3 -T1 -c <"+quote(file)
	a, b, err := compare(ours+" >/dev/null", theirs+" >/dev/null", "")
	if err != nil {
		return err
	}
	row("440 MB of rows through frames, against zstd -3 -T1: processor time", "1.1", a, b, cpu)
	row("the same, wall", "0.65", a, b, wall)
	if _, err := sh(ours + " >" + quote(file+".ours") + "; " + theirs + " >" + quote(file+".theirs")); err != nil {
		return err
	}
	x, err := os.Stat(file + ".ours")
	if err != nil {
		return err
	}
	y, err := os.Stat(file + ".theirs")
	if err != nil {
		return err
	}
	fmt.Printf("| the same, size | 1 | %.1f MB | %.1f MB | %.3f |\n", float64(x.Size())/1e6, float64(y.Size())/1e6, float64(x.Size())/float64(y.Size()))
	for _, name := range []string{file, file + ".ours", file + ".theirs"} {
		os.Remove(name)
	}
	return nil
}

// writeRows writes 440 MB that look like a table's.
func writeRows(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, n := 1, 0; n < 440_000_000; i++ {
		b := sum(i * 13)
		m, _ := fmt.Fprintf(w, "%d\tuser %d\t%s %s %s%s\t{\"id\": %d, \"note\": \"%s\", \"tags\": [%d, %d]}\t%s\n", // the writer keeps its error
			i, i, sum(i), sum(i*7), b, b, i, sum(i*3), i%7, i%11, at.Add(time.Duration(i)*time.Second).Format("2006-01-02 15:04:05+00"))
		n += m
	}
	return cmp.Or(w.Flush(), f.Close())
}

// compress is the program under test in compressing: standard input to standard output.
func compress() error {
	_, err := stream.Compress(context.Background(), os.Stdout, stream.CompressOptions{}, func(_ context.Context, w io.Writer) error {
		_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{os.Stdin}, make([]byte, 64<<10))
		return err
	})
	return err
}

// backups backs up in three ways, changes adjacent documents, and backs up again: into as many
// repositories of each way as there are pairs, as each repository cuts the stream elsewhere.
func (b *mongoBench) backups(dir string) error {
	ways := []struct{ name, script string }{
		{"ours", "RESTIC_REPOSITORY=%s breaking-backups run-once"},
		{"zstd", theirMongodump(b.uri) + " | zstd -q -3 | RESTIC_REPOSITORY=%s restic backup -q --compression off --stdin --stdin-filename x"},
		{"gzip", theirMongodump(b.uri) + " --gzip | RESTIC_REPOSITORY=%s restic backup -q --compression off --stdin --stdin-filename x"},
	}
	sizes := make([][]float64, len(ways))
	for turn := range pairs {
		for _, way := range ways {
			repository := quote(filepath.Join(dir, way.name))
			if _, err := sh(fmt.Sprintf("rm -rf %s; RESTIC_REPOSITORY=%s restic init -q; ", repository, repository) + fmt.Sprintf(way.script, repository)); err != nil {
				return err
			}
		}
		if err := b.change(b.documents/(pairs+1)*(turn+1), fmt.Sprint("name ", turn)); err != nil {
			return err
		}
		for i, way := range ways {
			repository := filepath.Join(dir, way.name)
			if _, err := sh(fmt.Sprintf(way.script, quote(repository))); err != nil {
				return err
			}
			size, err := added(repository)
			if err != nil {
				return err
			}
			sizes[i] = append(sizes[i], size)
		}
	}
	for i, theirs := range []string{"through zstd", "with --gzip"} {
		x, y := median(sizes[0]), median(sizes[i+1])
		fmt.Printf("| second backup after 1,501 adjacent documents changed, added; theirs %s | 3 MB | %.1f MB | %.1f MB | %.3f |\n", theirs, x, y, x/y)
	}
	fmt.Printf("| ours, least and most | | %.1f to %.1f MB | | |\n", slices.Min(sizes[0]), slices.Max(sizes[0]))
	return nil
}

// change gives 1,501 documents another name.
func (b *mongoBench) change(from int, name string) error {
	which := bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: from}, {Key: "$lte", Value: from + 1500}}}}
	changed, err := b.docs.UpdateMany(context.Background(), which, bson.D{{Key: "$set", Value: bson.D{{Key: "name", Value: name}}}})
	if err == nil && changed.ModifiedCount != 1501 {
		err = fmt.Errorf("%d of 1501 were changed", changed.ModifiedCount)
	}
	if err != nil {
		return fmt.Errorf("change documents: %w", err)
	}
	return nil
}

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo"
	"github.com/breaking-backups/breaking-backups/stream"
)

func mongoEngine() engine {
	return engine{
		variables: "MONGO_*",
		source:    newMongoSource,
		loader:    newMongoLoader,
		compared:  comparedCollections,
		dumped: func(_ *config, src source) string {
			name := src.Database()
			if checkJobName(name) != nil {
				name = url.PathEscape(name)
			}
			return cmp.Or(name, "all")
		},
		extension: ".archive", // compressed or not, so that a job stays the same job
		compression: func(cfg *config) string {
			if cfg.MongoCompression == "zstd" {
				return "off"
			}
			return ""
		},
	}
}

// comparedCollections tells what was compared of an archive.
func comparedCollections(c dump.Comparison) string {
	return fmt.Sprintf("compared %s, %s with the archive's checksums", number(c.Tables, "collection"), number(c.Rows, "document"))
}

// mongoSource compresses what it dumps.
type mongoSource struct {
	*mongo.Source
	options *stream.CompressOptions // nil: not at all
}

func newMongoSource(cfg *config, warn, debug func(string)) (source, error) {
	src, err := mongo.NewSource(mongo.Config{
		Server:   mongoServer(cfg),
		Database: cfg.MongoDatabase,
		Include:  mongo.SplitPatterns(cfg.MongoInclude),
		Exclude:  mongo.SplitPatterns(cfg.MongoExclude),
		Users:    mongo.Users(cfg.MongoUsers),
		UUIDs:    cfg.MongoUUIDs,
		Oplog:    mongo.Oplog(cfg.MongoOplog),

		AllowEmpty: cfg.AllowEmpty,
		Order:      mongo.Order(cfg.MongoOrder),
		Jobs:       int(cfg.DumpJobs),
		Warn:       warn,
		Debug:      debug,
	})
	if err != nil {
		return nil, err
	}
	s := mongoSource{Source: src}
	if cfg.MongoCompression == "zstd" {
		s.options = &stream.CompressOptions{Level: int(cfg.MongoCompressionLevel)}
	}
	return s, nil
}

func (s mongoSource) Dump(ctx context.Context, w io.Writer) error {
	if s.options == nil {
		return s.Source.Dump(ctx, w)
	}
	_, err := stream.Compress(ctx, w, *s.options, s.Source.Dump)
	return err
}

// mongoLoader loads dumps that are compressed, mongodump's too, and those that are not.
type mongoLoader struct{ *mongo.Loader }

func newMongoLoader(cfg *config, opt restoreOptions, tell listener) (destination, error) {
	l, err := mongo.NewLoader(mongo.LoadConfig{
		Server:   mongoServer(cfg),
		Database: cmp.Or(opt.database, cfg.MongoDatabase),
		Include:  mongoPatterns(opt.nsInclude),
		Exclude:  mongoPatterns(opt.nsExclude),
		From:     mongoPatterns(opt.nsFrom),
		To:       mongoPatterns(opt.nsTo),
		Clean:    opt.clean,
		Into:     tell.into,
		Compared: tell.compared,
		Warn:     tell.warn,
	})
	return mongoLoader{l}, err
}

func (l mongoLoader) Load(ctx context.Context, r io.Reader) error {
	return unpacked(r, func(r io.Reader) error { return l.Loader.Load(ctx, r) })
}

func (l mongoLoader) Verify(r io.Reader) error { return unpacked(r, l.Loader.Verify) }

// unpacked has use read what r holds, which may be compressed by zstd or, as mongodump does it, by gzip.
func unpacked(r io.Reader, use func(io.Reader) error) (err error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := buffered.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	var z io.ReadCloser
	switch {
	case stream.Compressed(head):
		z, err = stream.Decompress(buffered)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		z, err = gzip.NewReader(buffered)
	default:
		return use(buffered)
	}
	if err != nil {
		return fmt.Errorf("decompress: %w", err)
	}
	defer z.Close()
	return use(z)
}

// mongoPatterns are those of a flag, which may be given several times.
func mongoPatterns(lists []string) (all []string) {
	for _, list := range lists {
		all = append(all, mongo.SplitPatterns(list)...)
	}
	return all
}

func mongoServer(cfg *config) mongo.Server {
	return mongo.Server{
		URI: cfg.mongoURI, Host: cfg.MongoHost, Port: cfg.MongoPort,
		User: cfg.MongoUser, Password: cfg.MongoPassword, AuthDatabase: cfg.MongoAuthDB,
		ConnectTimeout: time.Duration(cfg.ConnectTimeout),
	}
}

// splitList reads a list separated by commas. Blanks around its items do not count.
func splitList(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/description"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/shown"
)

// unreachable makes of the driver's account of all it knows of the servers what stood in the way of
// each, with its likely cause.
func unreachable(ctx context.Context, opts *options.ClientOptions, err error) error {
	var selection topology.ServerSelectionError
	if ctx.Err() != nil || !errors.As(err, &selection) {
		return err
	}
	if len(selection.Desc.Servers) == 0 && opts.ReplicaSet != nil { // the driver forgets those of another set
		return wrongSet(ctx, opts)
	}
	var why []error
	for _, s := range selection.Desc.Servers {
		var timeout net.Error
		switch {
		case s.LastError == nil && s.Kind == description.Unknown:
			why = append(why, fmt.Errorf("%s: %w", s.Addr, dump.ErrNoAnswer))
		case errors.Is(s.LastError, context.DeadlineExceeded), errors.As(s.LastError, &timeout) && timeout.Timeout():
			why = append(why, fmt.Errorf("%w: %w", dump.ErrNoAnswer, s.LastError))
		case s.LastError != nil:
			why = append(why, withTLSHint(s.LastError, opts.TLSConfig != nil))
		}
	}
	if len(why) == 0 {
		return noMember(selection.Desc, opts.ReadPreference)
	}
	return errors.Join(why...)
}

// noMember is the error of servers that can be reached, of which none is as it is wanted, as where
// no primary is elected.
func noMember(known description.Topology, wanted *readpref.ReadPref) error {
	if wanted == nil {
		wanted = readpref.Primary()
	}
	var kinds []string
	for _, s := range known.Servers {
		kinds = append(kinds, fmt.Sprintf("%s is %s", s.Addr, s.Kind))
	}
	return &dump.NotReadyError{Err: fmt.Errorf("no server is as the read preference %s wants it: %s", wanted, strings.Join(kinds, ", "))}
}

// withTLSHint says of a connection that the other side has ended without a word what is the likely
// cause: one of the two speaks TLS, and the other does not.
func withTLSHint(err error, ours bool) error {
	ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case ours && (ended || noTLS):
		return fmt.Errorf("%w; the connection is to be encrypted (tls=true, ssl=true or mongodb+srv://): does the server do without?", err)
	case !ours && ended:
		return fmt.Errorf("%w; the connection is not encrypted: does the server want it to be (tls=true)?", err)
	}
	return err
}

// wrongSet is the error of a replica set that none of the servers is of. It asks one of them for
// the name of its own.
func wrongSet(ctx context.Context, opts *options.ClientOptions) error {
	const what = "no server that answers is of the replica set that the option replicaSet names"
	const patience = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, host := range opts.Hosts {
		alone := options.Client().SetHosts([]string{host}).SetDirect(true).SetTLSConfig(opts.TLSConfig) // and without a user: hello needs none
		client, err := mongo.Connect(alone)
		if err != nil {
			continue
		}
		var hello struct {
			SetName string `bson:"setName"`
			Member  bool   `bson:"isreplicaset"` // of a set that was not made yet
		}
		err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
		(&Conn{client: client}).Close(ctx)
		switch {
		case err != nil:
		case hello.Member:
			return &dump.NotReadyError{Err: fmt.Errorf("%s: %s is of none yet: its set has not been initiated", what, host)}
		case hello.SetName == "":
			return fmt.Errorf("%s: %s is of none", what, host)
		default:
			return fmt.Errorf("%s: %s is of %s", what, host, shown.Name(hello.SetName))
		}
	}
	return errors.New(what)
}

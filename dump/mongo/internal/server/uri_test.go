package server

import (
	"errors"
	"strings"
	"testing"

	"github.com/breaking-backups/breaking-backups/dump"
)

func TestCheckURI(t *testing.T) {
	tests := []struct{ uri, err string }{
		{"mongodb://h", ""},
		{"mongodb://u:p%40%2F@a:1,[::1]:2/db?replicaSet=rs0&tls=true", ""},
		{"mongodb://%2Ftmp%2Fmongodb-27017.sock/app", ""},
		{"mongodb://u:p@h/?appName=x@y", ""},
		{"mongodb+srv://u:p@cluster.example.org/?retryWrites=true&srvMaxHosts=2&srvServiceName=x&w=majority", ""},
		{"mongodb+srv://u:p@cluster.example.org/?srvMaxHosts=2", ""},
		{"postgres://h", "the scheme: want mongodb://"},
		{"mongodb://", "the URI has no host"},
		{"mongodb://u:p@ss@h/", "character 17: an @ that ends no user and password"},
		{"mongodb://u:12/34@h/", "character 18: an @ that ends no user and password"},
		{"mongodb://u:1?word=x@h/", ""}, // the driver takes it
		{"mongodb://u:pa:ss@h/", "character 15: a : within the password: write %3A"},
		{"mongodb://u:p%zz@h/", "character 14: a % that begins no escape"},
		{"mongodb://h?tls=true", "character 12: want a / before the ?"},
		{"mongodb://h/?connectTimeoutMS=s3cret", "character 14: the option connectTimeoutMS: not a value that it takes"},
		{"mongodb://h/?tls=true&tlsCAFile=/nowhere/s3cret", "character 23: the option tlsCAFile: the file cannot be read: no such file"},
		{"mongodb+srv://a,b/", "mongodb+srv:// takes one host, without a port"},
		{"mongodb+srv://h/?w=s3cret&w=-1", "character 27: the option w: not a value"},
		{"mongodb://h/?w=0", "character 14: the option w: 0 has the server answer no insert"},
		{"mongodb://h/?tls=true&W=00", "character 23: the option w: 0 has the server answer no insert"},
		{"mongodb+srv://u:p@cluster.example.org/?w=0", "character 40: the option w: 0"},
		{"mongodb://h/?readConcernLevel=s3cret", "character 14: the option readConcernLevel: want local, "},
		{"mongodb://h/?readConcernLevel=majority&w=dc1", ""},
		{"mongodb://h/?uuidRepresentation=standard", ""},
		{"mongodb://a,b/?directConnection=true", "a direct connection cannot be made if multiple hosts are specified"},
	}
	for _, tt := range tests {
		err := CheckURI(tt.uri, nil)
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.err)) {
			t.Errorf("%s: %v, want %s", tt.uri, err, tt.err)
		}
		if err != nil && (!errors.As(err, new(*dump.AddressError)) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%s: %v", tt.uri, err)
		}
	}
}

// What the driver does not know is told of, all of it, and may be refused.
func TestUnknownOptionsOfAURI(t *testing.T) {
	var told []dump.AddressOption
	const uri = "mongodb://h/?appname=x&uuidRepresentation=standard&TLS=true&replicaSett=rs0"
	if err := CheckURI(uri, func(o dump.AddressOption) error { told = append(told, o); return nil }); err != nil || len(told) != 2 || told[0].Name != "uuidRepresentation" || told[1].Name != "replicaSett" {
		t.Errorf("%v, told of %v", err, told)
	}
	no := errors.New("no")
	if err := CheckURI(uri, func(dump.AddressOption) error { return no }); !errors.Is(err, no) {
		t.Errorf("%v, want %v", err, no)
	}
}

package server

import (
	"errors"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/breaking-backups/breaking-backups/dump"
)

// The driver's errors about a URI quote pieces of it, and a URI that is written wrongly is cut into
// pieces wrongly: a password with a ? in it is an option to the driver, one with a / a host. So
// what is wrong is found here, and told by its place.

// CheckURI finds what is wrong with a URI without contacting anything. Its error is a
// *dump.AddressError. unknown is told of each option that the driver does not know, and which it
// would pass over; its error ends the check. nil: they are passed over.
func CheckURI(uri string, unknown func(dump.AddressOption) error) error {
	if !strings.HasPrefix(uri, "mongodb://") && !isSRV(uri) {
		return &dump.AddressError{Why: "the scheme: want mongodb:// or mongodb+srv://"}
	}
	a, err := dump.ParseAddress(uri, isURIOption)
	if err != nil {
		return err
	}
	start := strings.Index(uri, "://") + len("://")
	end := start
	if i := strings.IndexAny(uri[start:], "@/"); i >= 0 && uri[start+i] == '@' {
		end = start + i
	}
	if user, password, _ := strings.Cut(uri[start:end], ":"); strings.Contains(password, ":") {
		return dump.AddressMistake(uri, start+len(user)+1+strings.Index(password, ":"), "a : within the password: write %3A")
	}
	if !slices.ContainsFunc(a.Hosts, func(h dump.HostPort) bool { return h.Host != "" }) {
		return &dump.AddressError{Why: "the URI has no host"}
	}
	if i := strings.IndexAny(uri[end:], "/?"); i >= 0 && uri[end+i] == '?' {
		return dump.AddressMistake(uri, end+i, "want a / before the ?")
	}
	plain := uri
	if rest, srv := strings.CutPrefix(uri, srvScheme); srv { // the driver asks the name server as soon as it reads one
		plain = "mongodb://" + rest
		if len(a.Hosts) > 1 || a.Hosts[0].Port != "" {
			return &dump.AddressError{Why: "mongodb+srv:// takes one host, without a port"}
		}
		for _, o := range slices.Backward(a.Options) {
			if name := strings.ToLower(o.Name); name == "srvmaxhosts" || name == "srvservicename" {
				i := o.At - len(srvScheme) + len("mongodb://")
				plain = plain[:i] + strings.TrimPrefix(plain[i+optionEnd(plain[i:]):], "&")
			}
		}
	}
	if err := apply(plain); err != nil {
		return uriError(uri, a.Options, err)
	}
	for _, o := range a.Options {
		if err := checkOption(uri, o); err != nil {
			return err
		}
		if unknown != nil && !isURIOption(o.Name) {
			if err := unknown(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkOption refuses what the driver takes, and what would not do as it says.
func checkOption(uri string, o dump.AddressOption) error {
	switch strings.ToLower(o.Name) {
	case "w":
		if n, err := strconv.Atoi(o.Value); err == nil && n == 0 { // nobody would hear whether documents were restored
			return dump.AddressMistake(uri, o.At, "the option w: 0 has the server answer no insert: want 1 or more, or majority")
		}
	case "readconcernlevel":
		levels := []string{"local", "available", "majority", "linearizable", "snapshot"}
		if !slices.Contains(levels, o.Value) {
			return dump.AddressMistake(uri, o.At, "the option readConcernLevel: want "+strings.Join(levels, ", "))
		}
	}
	return nil
}

const srvScheme = "mongodb+srv://"

func isSRV(uri string) bool { return strings.HasPrefix(uri, srvScheme) }

// optionEnd is the length of the option with which text begins.
func optionEnd(text string) int {
	if i := strings.IndexByte(text, '&'); i >= 0 {
		return i
	}
	return len(text)
}

func apply(uri string) error { return options.Client().ApplyURI(uri).Validate() }

// uriError is what can be told of the driver's error about a URI that has been taken apart rightly:
// which of the options it is, if one by itself gives the same. None are given for a URI that
// CheckURI found right.
func uriError(uri string, given []dump.AddressOption, err error) error {
	var dns *net.DNSError
	if errors.As(err, &dns) { // of a service record; it names the host
		return dns
	}
	for _, o := range given {
		alone := uri[o.At : o.At+optionEnd(uri[o.At:])]
		wrong := apply("mongodb://host/?" + alone)
		if wrong == nil || wrong.Error() != err.Error() || !isURIOption(o.Name) {
			continue
		}
		why := "the option " + o.Name + ": not a value that it takes"
		var file *fs.PathError
		if errors.As(wrong, &file) {
			why = "the option " + o.Name + ": the file cannot be read: " + file.Err.Error()
		}
		return dump.AddressMistake(uri, o.At, why)
	}
	// Words of the driver's own, unless they quote something.
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "error parsing uri: "), "error validating uri: ")
	if strings.ContainsAny(text, "\"'`%/@") {
		text = "options that contradict each other, or lack another"
		if given == nil {
			text = "what the name server says of the URI's host cannot be used"
		}
	}
	return &dump.AddressError{Why: text}
}

func isURIOption(name string) bool {
	return slices.ContainsFunc(URIOptions, func(known string) bool { return strings.EqualFold(name, known) })
}

// URIOptions are the driver's, which does not tell their cases apart.
var URIOptions = []string{
	"appName", "authMechanism", "authMechanismProperties", "authSource", "compressors", "connect", "connectTimeoutMS", "directConnection",
	"enableOverloadRetargeting", "heartbeatFrequencyMS", "heartbeatIntervalMS", "journal", "loadBalanced", "localThresholdMS",
	"maxAdaptiveRetries", "maxConnecting", "maxIdleTimeMS", "maxPoolSize", "maxStaleness", "maxStalenessSeconds", "minPoolSize",
	"readConcernLevel", "readPreference", "readPreferenceTags", "replicaSet", "retryReads", "retryWrites", "serverMonitoringMode",
	"serverSelectionTimeoutMS", "socketTimeoutMS", "srvMaxHosts", "srvServiceName", "ssl", "sslCertificateAuthorityFile",
	"sslClientCertificateKeyFile", "sslClientCertificateKeyPassword", "sslInsecure", "timeoutMS", "tls", "tlsCAFile",
	"tlsCertificateFile", "tlsCertificateKeyFile", "tlsCertificateKeyFilePassword", "tlsDisableCertificateRevocationCheck",
	"tlsDisableOCSPEndpointCheck", "tlsInsecure", "tlsPrivateKeyFile", "w", "wTimeoutMS", "zlibCompressionLevel", "zstdCompressionLevel",
}

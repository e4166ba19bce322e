package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// restic's environment is that of whatever it starts: rclone, ssh, the password command. None of
// them has any business with the database's secrets or the webhook's, so they get what they are
// known to read, and what RESTIC_ENV names.

// readByRestic names the variables that restic, its backends and the programs that it starts read;
// with a * at its end all that begin so. It follows restic 0.19's sources and manual, and for the
// credentials of the stores the libraries that restic is built with.
var readByRestic = slices.Concat(readOfStores, []string{
	// ssh, of the sftp store
	"SSH_*", "DISPLAY", "KRB5CCNAME",
	// the machine
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "HOSTNAME", "TERM", "TMPDIR", "XDG_*", "TZ", "TZDIR", "LANG", "LANGUAGE", "LC_*", "LD_*", "DYLD_*",
	"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK",
})

// readOfStores are those of them that say where the store is and how it is reached: each of several
// jobs may have its own.
var readOfStores = []string{
	"RESTIC_*",
	// S3 (minio-go), Azure (azidentity; the last five in App Service and Arc), Google, B2, Swift,
	// rclone
	"AWS_*", "MINIO_*",
	"AZURE_*", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET",
	"GOOGLE_*", "GCE_METADATA_*", "CLOUDSDK_*", "STORAGE_EMULATOR_HOST",
	"B2_*", "OS_*", "ST_*", "RCLONE_*",
	// the way out
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
}

// ownInRestic are variables of ours whose names are restic's. It would take RESTIC_HOST for a
// filter where the snapshots of every host are listed.
var ownInRestic = []string{"RESTIC_HOST", "RESTIC_BINARY", "RESTIC_TAGS", "RESTIC_ENV"}

// withheld names what restic gets only where RESTIC_ENV names it in full: the databases' variables,
// the webhook's.
var withheld = []string{"PG*", "MYSQL_*", "MONGO*", "DATABASE_URL*", "WEBHOOK_*", "HTTP_TOKEN*", "HTTP_BASIC_AUTH*", "PUSHGATEWAY_*", "VERIFY_*"}

// named reports whether a list of names, some of which may end in *, holds name.
func named(list []string, name string) bool {
	return slices.ContainsFunc(list, func(pattern string) bool {
		prefix, many := strings.CutSuffix(pattern, "*")
		return pattern == name || many && strings.HasPrefix(name, prefix)
	})
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\*?$|^\*$`)

// parseNames reads RESTIC_ENV. What is no name is not repeated: somebody may have written a value
// there.
func parseNames(text string) ([]string, error) {
	names := splitList(text)
	for i, name := range names {
		if !variableName.MatchString(name) {
			return nil, fmt.Errorf("want names of variables, e.g. VAULT_ADDR,VAULT_TOKEN or OP_*; part %d is none", i+1)
		}
	}
	return names, nil
}

// childEnv is the environment of restic and of what it starts: values from flags and secrets from
// files in place of what came, but for the two files that restic reads itself.
func (l *configLoader) childEnv(further []string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(l.Environ)) {
		switch {
		case slices.Contains(ownInRestic, name):
		case (name == "RESTIC_REPOSITORY" || name == "RESTIC_PASSWORD") && l.Environ[name+"_FILE"] != "":
		case named(readByRestic, name), slices.Contains(further, name), named(further, name) && !named(withheld, name):
			list = append(list, name+"="+l.Environ[name])
		}
	}
	return list
}

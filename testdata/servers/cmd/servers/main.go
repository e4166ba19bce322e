// Command servers gives the Makefile and the demo what package servers gives tests.
//
//	servers restic              builds the pinned restic where it is missing, prints its path
//	servers s3                  the same for the S3 server of the tests
//	servers ferret              and for FerretDB, the tests' server for MongoDB's protocol
//	servers ferret2             and for FerretDB v2, which takes a PostgreSQL with the extension documentdb
//	servers mongodump           and for mongodump; likewise mongorestore, bsondump
//	servers versions            fetches all versions of PostgreSQL, prints each with its programs' folder
//	servers postgres COMMAND    runs COMMAND beside a private PostgreSQL, found by PG* variables
//	servers mariadb COMMAND     runs COMMAND beside a private MariaDB, found by MYSQL_* variables
//	servers ferret COMMAND      runs COMMAND beside a private FerretDB, found by MONGO_URI
package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	var code int
	var path string
	var err error
	switch {
	case len(args) == 1 && args[0] == "restic":
		path, err = servers.BuildRestic()
	case len(args) == 1 && args[0] == "s3":
		path, err = servers.BuildS3()
	case len(args) == 1 && args[0] == "ferret":
		path, err = servers.BuildFerret()
	case len(args) == 1 && args[0] == "ferret2":
		path, err = servers.BuildFerret2()
	case len(args) == 1 && slices.Contains([]string{"mongodump", "mongorestore", "bsondump"}, args[0]):
		path, err = servers.BuildMongoTool(args[0])
	case len(args) == 1 && args[0] == "versions":
		err = versions()
	case len(args) > 1 && args[0] == "ferret":
		code, err = servers.RunWithFerret(args[1:])
	case len(args) > 1 && args[0] == "postgres":
		code, err = servers.RunWithPostgres(args[1:])
	case len(args) > 1 && args[0] == "mariadb":
		code, err = servers.RunWithMariaDB(args[1:])
	default:
		fmt.Fprintln(os.Stderr, "usage: servers restic | s3 | ferret | ferret2 | mongodump | mongorestore | bsondump\n       servers versions\n       servers postgres|mariadb|ferret COMMAND [ARGUMENT]...")
		return 2
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
		return max(code, 1)
	}
	if path != "" {
		fmt.Println(path)
	}
	return code
}

func versions() error {
	for _, major := range servers.PostgresVersions() {
		bin, version, err := servers.FetchPostgres(major)
		if err != nil {
			return err
		}
		fmt.Println(version, bin)
	}
	return nil
}

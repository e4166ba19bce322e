package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/exit"
)

// hardSecrets are values that break parsers: pieces of random letters, which are found again
// wherever they get to, and between them what means something in a URI, a connection string, a
// header, a shell, a line.
func hardSecrets(n int) (values []string, pieces [][]string) {
	random := rand.New(rand.NewPCG(13, 4))
	hard := []string{
		"@", ":", "/", "?", "#", "%", "[", "]", `\`, "'", `"`, "$", "\n", " ", "&", "=", ";", ",", "`", "{", "}", "<", ">", "|", "(", "*", "~", "+", "!",
		"\x01", "\x1b[31m", "\x7f", "\xff\xfe", "é", "\u2028", "😀", "%zz", "%4", "%00", "://", "@host", ":1/", "$(", "\r\n", "\t",
	}
	for range n {
		var value strings.Builder
		var of []string
		for i := range 2 + random.IntN(3) {
			if i > 0 || random.IntN(4) == 0 {
				for range 1 + random.IntN(2) {
					value.WriteString(hard[random.IntN(len(hard))])
				}
			}
			piece := make([]byte, 5)
			for i := range piece { // neither words nor hexadecimal numbers
				piece[i] = "GHJKLMNPQRSTVWXYZghjkmnpqrstvwxyz"[random.IntN(33)]
			}
			of = append(of, string(piece))
			value.Write(piece)
		}
		values, pieces = append(values, value.String()), append(pieces, of)
	}
	return values, pieces
}

// findPieces returns what of a secret is in text: four letters of one of its pieces, as they are,
// in base64 or hexadecimal.
func findPieces(text string, pieces []string) []string {
	var found []string
	for _, piece := range pieces {
		for i := range len(piece) - 3 {
			part := piece[i : i+4]
			if strings.Contains(text, part) || strings.Contains(text, hex.EncodeToString([]byte(part))) {
				found = append(found, part)
			}
		}
		for shift := range 3 { // of base64, without the letters that depend on what stands before and behind
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + piece))
			if part := encoded[(shift*8+5)/6 : (shift+len(piece))*8/6]; strings.Contains(text, part) {
				found = append(found, part)
			}
		}
	}
	return found
}

func TestFindPieces(t *testing.T) {
	for _, text := range []string{"GHJKL", "xHJKLx", base64.StdEncoding.EncodeToString([]byte("user:GHJKL@")), base64.URLEncoding.EncodeToString([]byte("aGHJKL")), "48484a4b4c"} {
		if findPieces(text, []string{"GHJKL"}) == nil {
			t.Errorf("%s: nothing found", text)
		}
	}
}

// No value of a secret, whatever is in it, gets out: not into the log, text or JSON, not into an
// error on stderr, not into what the webhook is told. Every variable is given 200 values, alone and
// in the place of the password in addresses; the program then runs into mistakes of the
// configuration, and into a server that is not there.
func TestSecretsStayInside(t *testing.T) {
	var mu sync.Mutex
	var told bytes.Buffer
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		io.Copy(&told, r.Body)
	}))
	defer hook.Close()
	receiver := strings.TrimPrefix(hook.URL, "http://")
	t.Setenv("HOME", t.TempDir())
	const pg, my, mongo = "DB_TYPE=postgres", "DB_TYPE=mysql", "DB_TYPE=mongo"
	const nobody = "@127.0.0.1:1/app"
	const atOnce = "/?serverSelectionTimeoutMS=1"
	tests := []struct {
		engine, variable string
		forms            []string // with the value in the place of $
	}{
		{pg, "PGPASSWORD", []string{"$"}},
		{pg, "PGSSLPASSWORD", []string{"$"}},
		{pg, "PGDATABASE", []string{"postgres://app:$" + nobody, "postgresql://app:$" + nobody + "?sslmode=disable", "host=127.0.0.1 port=1 user=app password=$ dbname=app", "host=127.0.0.1 port=1 password='$'", "postgres://127.0.0.1:1/app?password=$&sslmode=disable"}},
		{"", "DATABASE_URL", []string{"postgres://app:$" + nobody, "mysql://app:$" + nobody, "mariadb://app:$" + nobody + "?ssl-mode=disabled", "mongodb://app:$@127.0.0.1:1" + atOnce, "$", "$://app"}},
		{my, "MYSQL_PASSWORD", []string{"$"}},
		{my, "DATABASE_URL", []string{"mysql://app:$" + nobody, "$", "postgres://app:$" + nobody}},
		{mongo, "MONGO_URI", []string{"mongodb://app:$@127.0.0.1:1" + atOnce, "$", "mongodb://127.0.0.1:1" + atOnce + "&tlsCertificateKeyFilePassword=$", "mongodb://127.0.0.1:1" + atOnce + "&authMechanismProperties=$"}},
		{mongo, "MONGODB_URI", []string{"mongodb://app:$@127.0.0.1:1" + atOnce, "$"}},
		{mongo, "MONGO_PASSWORD", []string{"$"}},
		{pg, "RESTIC_REPOSITORY", []string{"rest:http://app:$@127.0.0.1:1/", "s3:http://app:$@127.0.0.1:1/", "sftp://app:$@127.0.0.1:1/", "sftp:app:$@127.0.0.1:/srv", "rest:app:$@127.0.0.1"}},
		{pg, "RESTIC_PASSWORD", []string{"$"}},
		{pg, "WEBHOOK_URL", []string{"http://app:$@" + receiver + "/", "http://" + receiver + "/$", "http://" + receiver + "/?token=$", "$"}},
		{pg, "WEBHOOK_AUTH_HEADER", []string{"$", "Bearer $", "Authorization: Bearer $"}},
		{pg, "WEBHOOK_EXTRA_HEADERS", []string{"$", "X-Key=$", "X-Key: $"}},
		{pg, "HTTP_PROXY", []string{"http://app:$@127.0.0.1:1", "app:$@127.0.0.1:1", "$"}},
		{pg, "https_proxy", []string{"http://app:$@127.0.0.1:1"}},
		{pg, "RESTIC_ENV", []string{"$"}},
	}
	for _, name := range secretNames() {
		tests = append(tests, struct {
			engine, variable string
			forms            []string
		}{pg, name + "_FILE", []string{"$", "/$"}}) // the value where its file belongs
	}
	tests = append(tests, struct {
		engine, variable string
		forms            []string
	}{pg, strings.Join(backendSecrets(), ","), []string{"$"}}) // which nobody parses: all at once
	values, pieces := hardSecrets(200)
	for _, tt := range tests {
		t.Run(strings.TrimPrefix(tt.engine, "DB_TYPE=")+"/"+tt.variable, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "secret")
			for i, value := range values {
				if strings.HasSuffix(tt.variable, "_FILE") && i == 20 { // one function reads them all
					break
				}
				form := tt.forms[i%len(tt.forms)]
				env := []string{
					"PGHOST=127.0.0.1", "PGPORT=1", "PGUSER=app", "PGSSLMODE=disable", "MYSQL_HOST=127.0.0.1", "MYSQL_PORT=1", "MYSQL_TLS=disabled",
					"RESTIC_REPOSITORY=/nowhere", "RESTIC_PASSWORD=none", "RESTIC_BINARY=/nowhere/restic", "WEBHOOK_URL=" + hook.URL, "WEBHOOK_TIMEOUT_SECONDS=1",
					"LOG_LEVEL=debug", "LOG_FORMAT=" + []string{"text", "json"}[i%2],
				}
				if tt.variable == "DATABASE_URL" || tt.variable == "PGDATABASE" {
					env = env[4:]
				}
				if tt.variable == "DATABASE_URL" {
					env = env[3:]
				}
				if tt.variable == "MONGO_PASSWORD" {
					env = append(env, "MONGO_USER=app", "MONGO_URI=mongodb://127.0.0.1:1"+atOnce)
				}
				if tt.engine != "" {
					env = append(env, tt.engine)
				}
				secret := strings.ReplaceAll(form, "$", value)
				for name := range strings.SplitSeq(tt.variable, ",") {
					env = append(env, name+"="+secret)
				}
				if i%3 == 0 && slices.Contains(secretNames(), tt.variable) {
					if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
						t.Fatal(err)
					}
					env[len(env)-1] = tt.variable + "="
					env = append(env, tt.variable+"_FILE="+file)
				}
				restore := setProcessEnv(t, env)
				var stdout, stderr bytes.Buffer
				a := &app{env: env, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
				c := []command{a.runOnce(), a.dump(), a.restore()}[i%7%3]
				err := a.runCommand(t.Context(), c, nil)
				if err != nil && !errors.As(err, new(exit.ReportedError)) {
					a.printError(err)
				}
				restore()
				mu.Lock()
				text := stdout.String() + stderr.String() + told.String()
				told.Reset()
				mu.Unlock()
				if err == nil || text == "" {
					t.Errorf("%s, %q: %v\n%s", c.use, secret, err, text)
				}
				if found := findPieces(text, pieces[i]); found != nil {
					t.Fatalf("%s with %q tells %q:\n%s", c.use, secret, found, text)
				}
			}
		})
	}
}

// setProcessEnv puts libpq's variables into the environment of this process, from which the driver
// takes them.
func setProcessEnv(t *testing.T, env []string) (restore func()) {
	t.Helper()
	var set []string
	for _, variable := range env {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "PG") && !strings.HasSuffix(name, "_FILE") && value != "" {
			if err := os.Setenv(name, value); err != nil {
				t.Fatal(err)
			}
			set = append(set, name)
		}
	}
	return func() {
		for _, name := range set {
			os.Unsetenv(name)
		}
	}
}

// What restic says passes through us. It quotes the repository's address, and what it cannot parse
// of it.
func TestSecretsInWhatResticSays(t *testing.T) {
	dir := t.TempDir()
	restic := filepath.Join(dir, "restic")
	script := `#!/bin/sh
[ "$1" = version ] && { echo '{"version":"0.19.1"}'; exit 0; }
printf 'Fatal: unable to open repository at %s: parse "%s": invalid, with %s\n' "$RESTIC_REPOSITORY" "$RESTIC_REPOSITORY" "$RESTIC_PASSWORD" >&2
exit 1
`
	if err := os.WriteFile(restic, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	values, pieces := hardSecrets(60)
	for i, value := range values {
		if strings.ContainsAny(value, "\r\n") { // which restic's messages have in lines of their own
			continue
		}
		var stdout, stderr bytes.Buffer
		env := []string{
			"PATH=" + os.Getenv("PATH"), "RESTIC_BINARY=" + restic, "RESTIC_PASSWORD=" + value, "LOG_FORMAT=" + []string{"text", "json"}[i%2],
			fmt.Sprintf("RESTIC_REPOSITORY=%sapp:%s@127.0.0.1:1/", []string{"rest:http://", "sftp://", "other:x://", "sftp:"}[i%4], value),
		}
		(&app{env: env, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}).execute(t.Context(), []string{"snapshots", "--all"})
		if found := findPieces(stdout.String()+stderr.String(), pieces[i]); found != nil {
			t.Errorf("%q: %q in\n%s%s", value, found, stdout.String(), stderr.String())
		}
	}
}

package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/breaking-backups/breaking-backups/dump/postgres"
)

// setting is one variable of ours, read off the tags of config.
type setting struct {
	env    string
	field  string
	flag   string // empty: none, because the value is a secret
	group  string
	help   string
	shown  string // the default in words
	secret bool   // also as env+"_FILE"
	toggle bool   // true or false
}

// settings is every variable of ours, in the order of config. It is read alone.
var settings = sync.OnceValue(readSettings)

func readSettings() []setting {
	var all []setting
	for field := range reflect.TypeFor[config]().Fields() {
		tag := field.Tag
		if tag.Get("env") == "" {
			continue
		}
		s := setting{
			env: tag.Get("env"), field: field.Name, flag: tag.Get("flag"), group: tag.Get("group"), help: tag.Get("help"),
			shown: tag.Get("default") + tag.Get("shown"), secret: tag.Get("secret") != "", toggle: field.Type.Kind() == reflect.Bool,
		}
		if s.flag == "" && !s.secret {
			s.flag = strings.ToLower(strings.ReplaceAll(s.env, "_", "-"))
		}
		all = append(all, s)
	}
	return all
}

func envOfField(name string) string {
	for _, s := range settings() {
		if s.field == name {
			return s.env
		}
	}
	return name
}

// backendSecrets are variables of restic's storage backends that hold secrets. restic reads them itself; from us they
// get their _FILE form.
func backendSecrets() []string {
	return []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AZURE_ACCOUNT_KEY", "AZURE_ACCOUNT_SAS", "B2_ACCOUNT_ID", "B2_ACCOUNT_KEY",
		"OS_PASSWORD", "OS_APPLICATION_CREDENTIAL_SECRET", "OS_AUTH_TOKEN", "ST_KEY",
		"RESTIC_REST_USERNAME", "RESTIC_REST_PASSWORD",
	}
}

// secretNames is every variable that has a _FILE form.
func secretNames() []string {
	var names []string
	for _, s := range settings() {
		if s.secret {
			names = append(names, s.env)
		}
	}
	return append(names, backendSecrets()...)
}

// flagValue is what a flag says for a variable.
type flagValue struct{ flag, text string }

// addFlags gives cmd the flags of the groups' settings.
func addFlags(cmd *cobra.Command, groups []string) {
	for _, s := range settings() {
		if s.flag == "" || !slices.Contains(groups, s.group) {
			continue
		}
		flag := cmd.Flags().VarPF(&textFlag{}, s.flag, "", s.help)
		if s.toggle {
			flag.NoOptDefVal = "true"
		}
	}
}

// textFlag is a flag's value as it was written: it is read with the variables, so that one place says what is wrong
// with it.
type textFlag struct{ text string }

func (f *textFlag) String() string     { return f.text }
func (f *textFlag) Set(s string) error { f.text = s; return nil }
func (f *textFlag) Type() string       { return "value" }

// flagValues is the settings that cmd's command line gives, by variable.
func flagValues(cmd *cobra.Command) map[string]flagValue {
	values := map[string]flagValue{}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		for _, s := range settings() {
			if _, ours := flag.Value.(*textFlag); ours && s.flag == flag.Name {
				values[s.env] = flagValue{flag.Name, flag.Value.String()}
			}
		}
	})
	return values
}

// misspelt are variables that look like one of ours, or of libpq's, and are none, as KEEP_DAILYS, and what is meant. What
// only resembles ours may well be another program's, so this is for warnings.
func misspelt(environ map[string]string) map[string]string {
	known := map[string]bool{}
	for _, s := range settings() {
		known[s.env] = true
	}
	for _, variable := range postgres.Variables {
		known[variable] = true
	}
	found := map[string]string{}
	for name, value := range environ {
		if value == "" || serviceLink(value) != "" || known[name] || known[strings.TrimSuffix(name, "_FILE")] || len(name) < 6 {
			continue
		}
		most := 2 // letters wrong
		if prefix, _, _ := strings.Cut(name, "_"); slices.Contains([]string{"KEEP", "WEBHOOK", "CRON"}, prefix) {
			most = 3
		}
		if meant := nearest(name, known, most); meant != "" {
			found[name] = meant
		}
	}
	return found
}

// questions asks about variables that are none of this program's, each with what may be meant.
func questions(found map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		all = append(all, fmt.Sprintf("%s is not a variable of this program; did you mean %s?", name, found[name]))
	}
	return all
}

// nearest is the known name that begins with name, or else is closest to it; it is empty if none is within most
// letters.
func nearest(name string, known map[string]bool, most int) string {
	best := ""
	for _, other := range slices.Sorted(maps.Keys(known)) {
		if strings.HasPrefix(other, name+"_") && strings.Contains(name, "_") {
			return other
		}
		if d := distance(name, other); d <= most {
			best, most = other, d-1
		}
	}
	return best
}

// distance is the number of letters to insert, remove or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package main

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// setting is one variable of ours, read off the tags of the struct of its subject.
type setting struct {
	env      string
	field    string
	index    []int  // of its field in config
	flag     string // empty: none, because the value is a secret
	group    string
	choices  []string // what it may be; empty: anything that its type takes
	help     string   // what it means, besides its choices
	initial  string   // the value where it is unset
	shown    string   // the same in words, where no value says it
	required string   // that it is required, and what else will do; empty: it is not
	unit     string   // empty: it has none
	secret   bool     // also as env+"_FILE"
	toggle   bool     // true or false

	checkedWhereUsed bool // its choices are looked at only where it counts
}

// subject is a struct of settings in config.
type subject struct {
	index    []int // of its field in config
	settings []setting
}

func (s subject) named(field string) setting {
	return s.settings[slices.IndexFunc(s.settings, func(s setting) bool { return s.field == field })]
}

// subjects is every variable of ours, in the order of config. It is read alone.
var subjects = sync.OnceValue(func() []subject { return readSubjects(reflect.TypeFor[config](), nil) })

// settings is the same without the subjects.
var settings = sync.OnceValue(func() []setting {
	var all []setting
	for _, s := range subjects() {
		all = append(all, s.settings...)
	}
	return all
})

// readSubjects finds the structs of settings in one that is at index in config: a field with a
// group is one.
func readSubjects(in reflect.Type, index []int) []subject {
	var all []subject
	for field := range in.Fields() {
		group := field.Tag.Get("group")
		if group == "" {
			continue
		}
		at := append(slices.Clone(index), field.Index...)
		found := subject{index: at}
		for field := range field.Type.Fields() {
			if s, ok := readSetting(field, group, at); ok {
				found.settings = append(found.settings, s)
			}
		}
		all = append(all, found)
		all = append(all, readSubjects(field.Type, at)...)
	}
	return all
}

func readSetting(field reflect.StructField, group string, index []int) (setting, bool) {
	tag := field.Tag
	s := setting{
		env: tag.Get("env"), field: field.Name, index: append(slices.Clone(index), field.Index...), flag: tag.Get("flag"), group: group,
		help: tag.Get("help"), initial: tag.Get("default"), shown: tag.Get("shown"), required: tag.Get("required"), unit: tag.Get("unit"),
		secret: tag.Get("secret") != "", toggle: field.Type.Kind() == reflect.Bool, checkedWhereUsed: tag.Get("checked") != "",
	}
	if s.env == "" {
		return setting{}, false
	}
	if choices := tag.Get("choices"); choices != "" {
		s.choices = strings.Split(choices, " | ")
	}
	if s.flag == "" && !s.secret {
		s.flag = flagName(s.env)
	}
	if field.Type == reflect.TypeFor[seconds]() {
		s.unit = "seconds"
	}
	return s, true
}

// flagName is the flag of a variable that has no other.
func flagName(env string) string { return strings.ToLower(strings.ReplaceAll(env, "_", "-")) }

// settingOf is the setting of a variable of ours.
func settingOf(env string) setting {
	all := settings()
	return all[slices.IndexFunc(all, func(s setting) bool { return s.env == env })]
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
		flag := cmd.Flags().VarPF(&textFlag{}, s.flag, "", s.usage())
		if s.toggle {
			flag.NoOptDefVal = "true"
		}
	}
}

// textFlag is a flag's value as it was written: it is read with the variables, so that one place
// says what is wrong with it.
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

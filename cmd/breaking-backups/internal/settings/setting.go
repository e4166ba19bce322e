// Package settings reads structs of settings from variables of the environment, from the flags that
// go before them and from the files that hold secrets. The tags of the fields are the one list of
// variables, from which flags, help and documentation are made as well. Which settings there are,
// which types they have and what follows from their values is whoever's who has the structs.
package settings

import (
	"reflect"
	"slices"
	"strings"
)

// Setting is one variable, read off the tags of its field.
type Setting struct {
	Env      string
	Flag     string // empty: none, because the value is a secret
	Group    string
	Choices  []string // what it may be; empty: anything that its type takes
	Help     string   // what it means, besides its choices
	Initial  string   // the value where it is unset
	Shown    string   // the same in words, where no value says it
	Required string   // that it is required, and what else will do; empty: it is not
	Unit     string   // empty: it has none
	Secret   bool     // also as Env+"_FILE"
	Toggle   bool     // true or false

	CheckedWhereUsed bool // its choices are looked at only where it counts

	field string
	index []int // of its field in the whole
}

// Table is all settings of a struct, in its order.
type Table struct {
	Settings []Setting
	subjects []subject
}

// subject is a struct of settings in the whole.
type subject struct {
	index    []int // of its field in the whole
	settings []Setting
}

func (s subject) named(field string) Setting {
	return s.settings[slices.IndexFunc(s.settings, func(s Setting) bool { return s.field == field })]
}

// Of is the settings of a struct of structs: a field with the tag group is one of settings, and of
// its fields those with the tag env are settings. A type that has a method Unit, without arguments,
// says the unit of its settings by it.
func Of(whole reflect.Type) Table {
	t := Table{subjects: readSubjects(whole, nil)}
	for _, s := range t.subjects {
		t.Settings = append(t.Settings, s.settings...)
	}
	return t
}

// Named is the setting of a variable, which has to be one of the table's.
func (t Table) Named(env string) Setting {
	return t.Settings[slices.IndexFunc(t.Settings, func(s Setting) bool { return s.Env == env })]
}

// readSubjects finds the structs of settings in one that is at index in the whole.
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

func readSetting(field reflect.StructField, group string, index []int) (Setting, bool) {
	tag := field.Tag
	s := Setting{
		Env: tag.Get("env"), Flag: tag.Get("flag"), Group: group,
		Help: tag.Get("help"), Initial: tag.Get("default"), Shown: tag.Get("shown"), Required: tag.Get("required"), Unit: tag.Get("unit"),
		Secret: tag.Get("secret") != "", Toggle: field.Type.Kind() == reflect.Bool, CheckedWhereUsed: tag.Get("checked") != "",
		field: field.Name, index: append(slices.Clone(index), field.Index...),
	}
	if s.Env == "" {
		return Setting{}, false
	}
	if choices := tag.Get("choices"); choices != "" {
		s.Choices = strings.Split(choices, " | ")
	}
	if s.Flag == "" && !s.Secret {
		s.Flag = strings.ToLower(strings.ReplaceAll(s.Env, "_", "-"))
	}
	if measured, ok := reflect.Zero(field.Type).Interface().(interface{ Unit() string }); ok {
		s.Unit = measured.Unit()
	}
	return s, true
}

// Usage is what a setting may be, what it means and what it is by default, in one line.
func (s Setting) Usage() string {
	text := strings.Join(s.Choices, " | ")
	if text != "" && s.Help != "" {
		text += "; "
	}
	text += s.Help
	switch {
	case s.Required != "":
		text += " (" + s.Required + ")"
	case s.Initial+s.Shown != "":
		text += " (default: " + s.Initial + s.Shown + ")"
	}
	return text
}

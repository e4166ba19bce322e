package settings

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Loader reads settings once, and collects what is wrong with them. An empty variable counts as
// unset.
type Loader struct {
	Environ  map[string]string // variables by name; a flag's value and what a file says stand in place of what came
	Mistakes []error           // each begins with the name under which its value was given
	// Own are the variables that an overlay gives, and the names under which they were given; nil:
	// there is none, and all are. Before are those that overlays before it gave.
	Own, Before map[string]string

	flags      map[string]string // variables whose value comes from a flag, and that flag
	overridden map[string]string // what flags and files say, by variable
	pipes      Pipes
}

// Pipes is what files said that can be read only once, by name. It is handed from loader to loader.
type Pipes map[string]string

// NewLoader makes a loader of environ and, before it, of flags by variable. It adds to pipes.
func NewLoader(environ []string, flags map[string]FlagValue, pipes Pipes) *Loader {
	l := &Loader{Environ: env.ToMap(environ), flags: map[string]string{}, overridden: map[string]string{}, pipes: pipes}
	for name, value := range flags {
		l.Environ[name], l.overridden[name] = value.Text, value.Text
		l.flags[name] = "--" + value.Flag
		delete(l.Environ, name+"_FILE")
	}
	return l
}

// Mistake notes what is wrong with a variable, by the name under which it was given.
func (l *Loader) Mistake(name string, err error) {
	if flag, ok := l.flags[name]; ok {
		name = flag
	} else if given := l.given(name); given != "" {
		name = given
	}
	l.Mistakes = append(l.Mistakes, fmt.Errorf("%s: %w", name, err))
}

// Given reports whether one of the variables is set, or its flag.
func (l *Loader) Given(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return l.Environ[name] != "" })
}

// Shared reports whether a variable is set for others as well: where there is an overlay, and it
// does not give it.
func (l *Loader) Shared(name string) bool {
	return l.Own != nil && l.Environ[name] != "" && l.Own[name] == "" && l.Own[name+"_FILE"] == "" && l.flags[name] == ""
}

// given is the name under which an overlay gave a variable, or the file of one; empty: none did.
func (l *Loader) given(name string) string {
	return cmp.Or(l.Own[name], l.Own[name+"_FILE"], l.Before[name], l.Before[name+"_FILE"])
}

// Unset has a variable count as unset.
func (l *Loader) Unset(name string) {
	delete(l.Environ, name)
	delete(l.overridden, name)
}

// Flagged reports whether a variable's value comes from a flag.
func (l *Loader) Flagged(name string) bool { return l.flags[name] != "" }

// Overridden is what a flag, a file or an overlay says for a variable, and whether one does.
func (l *Loader) Overridden(name string) (value string, ok bool) {
	if l.Environ[name] != "" && cmp.Or(l.Own[name], l.Before[name]) != "" {
		return l.Environ[name], true
	}
	value, ok = l.overridden[name]
	return value, ok
}

// ReadFiles puts in place the secrets that are given as files, those of the named variables. text
// is what the bytes of a file say. Those in trimmed lose all blanks at their ends, the others the
// end of their line alone.
func (l *Loader) ReadFiles(names, trimmed []string, text func([]byte) string) {
	for _, name := range names {
		file := l.Environ[name+"_FILE"]
		if file == "" {
			continue
		}
		if l.Environ[name] != "" {
			l.Mistake(name, fmt.Errorf("set as well as %s_FILE; want one of them", name))
			continue
		}
		value, err := l.readSecret(file, text)
		if slices.Contains(trimmed, name) {
			value = strings.TrimSpace(value)
		}
		if err != nil {
			l.Mistake(name+"_FILE", err)
			continue
		}
		l.Environ[name], l.overridden[name] = value, value
	}
}

// Parse fills the fields of the struct that whole points to, which t is of, from their variables.
// parsers read values whose types have need of it. What cannot be read is a mistake, and its field
// zero.
func (l *Loader) Parse(whole any, t Table, parsers map[reflect.Type]env.ParserFunc) {
	for _, subject := range t.subjects {
		given := map[string]string{}
		for _, s := range subject.settings {
			if value := l.Environ[s.Env]; value != "" {
				given[s.Env] = value
			}
		}
		into := reflect.ValueOf(whole).Elem().FieldByIndex(subject.index)
		err := env.ParseWithOptions(into.Addr().Interface(), env.Options{
			Environment: given, DefaultValueTagName: "default", FuncMap: parsers,
		})
		var all env.AggregateError
		if !errors.As(err, &all) {
			continue
		}
		for _, err := range all.Errors {
			var wrong env.ParseError
			if !errors.As(err, &wrong) {
				l.Mistake("environment", err)
				continue
			}
			l.Mistake(subject.named(wrong.Name).Env, wrong.Err)
			into.FieldByName(wrong.Name).SetZero()
		}
	}
}

// CheckChoice holds a setting with choices to them, in the struct that whole points to, and reports
// whether it is one. What is not is told, and unset: nobody else tells it.
func (l *Loader) CheckChoice(whole any, s Setting) bool {
	if len(s.Choices) == 0 {
		return true
	}
	value := reflect.ValueOf(whole).Elem().FieldByIndex(s.index)
	if value.String() == "" || slices.Contains(s.Choices, value.String()) {
		return true
	}
	l.Mistake(s.Env, fmt.Errorf("want %s, got %q", strings.Join(s.Choices, ", "), value.String()))
	value.SetString("")
	return false
}

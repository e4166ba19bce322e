package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// The README's tables hold every variable, with its default where that is a value.
func TestREADMEHoldsEveryVariable(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `.*$").FindAllString(string(text), -1)
	row := func(name string) string {
		for _, r := range rows {
			if first := strings.Split(r, "|")[1]; strings.Contains(first, "`"+name+"`") {
				return r
			}
		}
		return ""
	}
	for field := range reflect.TypeFor[config]().Fields() {
		name, value := field.Tag.Get("env"), field.Tag.Get("default")
		if name == "" {
			continue
		}
		switch r := row(name); {
		case r == "":
			t.Errorf("README has no row for %s", name)
		case value != "" && !strings.Contains(r, "`"+value+"`"):
			t.Errorf("README's row for %s does not show its default %s: %s", name, value, r)
		}
	}
	for _, name := range secretNames() {
		if !strings.Contains(string(text), "`"+name+"_FILE`") {
			t.Errorf("README does not name %s_FILE", name)
		}
	}
}

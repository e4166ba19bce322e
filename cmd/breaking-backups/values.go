package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/breaking-backups/breaking-backups/retention"
)

// seconds is a time given as a whole number of seconds.
type seconds time.Duration

// Unit is that of its settings.
func (seconds) Unit() string { return "seconds" }

// jobs is a number of connections.
type jobs int

// level is one of zstd's levels of compression.
type level int

// parsers read the values of settings by their types.
func parsers() map[reflect.Type]env.ParserFunc {
	return map[reflect.Type]env.ParserFunc{
		reflect.TypeFor[int]():     func(s string) (any, error) { return retention.ParseCount(s) },
		reflect.TypeFor[uint]():    parseUint,
		reflect.TypeFor[jobs]():    parseJobs,
		reflect.TypeFor[level]():   parseLevel,
		reflect.TypeFor[bool]():    parseBool,
		reflect.TypeFor[seconds](): parseSeconds,
	}
}

func parseSeconds(s string) (any, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("want a whole number of seconds, 0 or more, got %q", s)
	}
	return seconds(time.Duration(n) * time.Second), nil
}

func parseUint(s string) (any, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return nil, wrongPort(s, fmt.Errorf("want a whole number of 0 or more, got %q", s))
	}
	return uint(n), nil
}

func parseJobs(s string) (any, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("want a whole number of 1 or more, got %q", s)
	}
	return jobs(n), nil
}

func parseLevel(s string) (any, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 22 {
		return nil, fmt.Errorf("want 1 to 22, got %q", s)
	}
	return level(n), nil
}

func parseBool(s string) (any, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return nil, fmt.Errorf("want true or false, got %q", s)
	}
	return b, nil
}

// splitList reads a list separated by commas. Blanks around its items do not count.
func splitList(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

package main

import (
	"reflect"
	"sync"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/settings"
)

// ownSettings is every variable of this program, in the order of config. It is read alone.
var ownSettings = sync.OnceValue(func() settings.Table { return settings.Of(reflect.TypeFor[config]()) })

// secretNames is every variable that has a _FILE form.
func secretNames() []string {
	var names []string
	for _, s := range ownSettings().Settings {
		if s.Secret {
			names = append(names, s.Env)
		}
	}
	return append(names, backendSecrets()...)
}

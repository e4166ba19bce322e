package settings

import "strings"

// An Overlay is an environment in which variables of a prefix stand in the place of those without
// it: where APP_COLOUR is given to app, it reads that as COLOUR.
type Overlay struct {
	Prefix  string            // empty: it is no overlay
	Environ []string          // NAME=value
	Own     map[string]string // those that were given under the prefix, and the name under which they were
	Before  map[string]string // the same of those that an overlay before this one gave, and this one leaves
	Rest    map[string]string // what bears the prefix and is not known, by its name without it
}

// NewOverlay puts the variables with the prefix in the place of the others, as far as they are
// known without it. The file of a secret stands in the place of the secret, and the other way
// round. own are those of environ that an overlay before this one gave, or nil.
func NewOverlay(environ []string, prefix string, known func(name string) bool, own map[string]string) Overlay {
	o := Overlay{Prefix: prefix, Own: map[string]string{}, Before: own, Rest: map[string]string{}}
	values := map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		plain, ok := strings.CutPrefix(name, prefix)
		switch {
		case !ok || value == "":
		case known(plain):
			values[plain], o.Own[plain] = value, name
			if before, ok := own[name]; ok {
				o.Own[plain] = before
			}
		default:
			o.Rest[plain] = value
		}
	}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if values[name] == "" && values[name+"_FILE"] == "" && values[strings.TrimSuffix(name, "_FILE")] == "" {
			o.Environ = append(o.Environ, variable)
		}
	}
	for name, value := range values {
		o.Environ = append(o.Environ, name+"="+value)
	}
	return o
}

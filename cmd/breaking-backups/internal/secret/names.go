package secret

import (
	"regexp"
	"strings"
)

// InEnvironment are the values in an environment that by their names are secret.
func InEnvironment(environ []string) []string {
	var values []string
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if secretName.MatchString(name) && !publicName.MatchString(name) {
			values = append(values, value)
		}
	}
	return values
}

var (
	secretName = regexp.MustCompile(`(?i)(PASS|SECRET|TOKEN|KEY|SAS|AUTH)`)
	publicName = regexp.MustCompile(`(?i)(_FILE|_COMMAND|_HINT2?|_TYPE|_URL|_ID|_AUTH_SOCK|_METHOD|_ASKPASS.*|_VERSION)$`)
)

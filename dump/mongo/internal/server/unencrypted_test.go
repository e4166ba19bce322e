package server

import (
	"strings"
	"testing"
)

func TestWarnOfPlain(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://u:p@db.example.org/":                                                    "what the password is proved by",
		"mongodb://u:p@127.0.0.1,10.0.0.1:27018/":                                          "what the password is proved by",
		"mongodb://u:p@[2001:db8::1]:27017/":                                               "what the password is proved by",
		"mongodb://u:p@db.example.org/?authMechanism=PLAIN&authSource=$external":           "the password itself",
		"mongodb://u:p@db.example.org/?authMechanism=PLAIN&authSource=$external&tls=true":  "",
		"mongodb://db.example.org/":                                                        "",
		"mongodb://u:p@localhost,127.0.0.1:27018,[::1]:27019,%2Ftmp%2Fmongodb-27017.sock/": "",
	} {
		told := ""
		Config{URI: uri}.WarnUnencrypted(func(text string) { told += text })
		if want == "" && told != "" || !strings.Contains(told, want) {
			t.Errorf("%s: %q, want %q", uri, told, want)
		}
	}
}

package secret

import (
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	r := NewRedactor([]string{"s3cret", "p@ss/w rd", "app", "postgres", "", "longer s3cret"}, "postgres", "app")
	tests := []struct{ in, want string }{
		{"nothing here", "nothing here"},
		{"password s3cret is wrong", "password *** is wrong"},
		{"longer s3cret", "***"},
		{"p@ss/w rd, p%40ss%2Fw+rd, p%40ss%2Fw%20rd", "***, ***, ***"},
		{"dump app: role postgres", "dump app: role postgres"},
		{"rest:https://user:pass@host:8000/path", "rest:https://***@host:8000/path"},
		{"rest:http://user:pa/s@s@host/", "rest:http://***@host/"},
		{`open "sftp://backup@host//srv"`, `open "sftp://***@host//srv"`},
		{"s3:https://minio:9000/bucket", "s3:https://minio:9000/bucket"},
		{"postgres://u:p@one/db and postgres://u:p@two/db", "postgres://***@one/db and postgres://***@two/db"},
		{"/srv/backups", "/srv/backups"},
	}
	for _, tt := range tests {
		if got := r.String(tt.in); got != tt.want {
			t.Errorf("%q gives %q, want %q", tt.in, got, tt.want)
		}
	}
	if got := (Redactor{}).String("https://u:p@host/"); got != "https://***@host/" {
		t.Errorf("the zero redactor gives %q", got)
	}
}

// What honest text may hold by chance is not taken out: that it is missing would tell it.
func TestRedactTellsNothing(t *testing.T) {
	const text = "Fatal: wrong password or no key found, repository 1234 of postgres-app on db17: hunter2 no such file or directory"
	guesses := []string{"wrong", "password", "wrong password", "1234", "postgres-app", "db17", "hunter2", "a", "Fatal", "no such file", "12345678"}
	if got := NewRedactor(guesses).String(text); got != text {
		t.Errorf("%s", got)
	}
	for _, secret := range []string{"s3cret", "aZkQpWxY", "correct horse battery", "p@ssw0rd", "x7!", "0123456789abcdef", "ab\ncd\x01"} {
		got := NewRedactor([]string{secret}).String("it says " + secret + " and no more")
		if want := len(secret) >= 6; want == strings.Contains(got, secret) {
			t.Errorf("%q: %s", secret, got)
		}
	}
}

// What is learnt later is taken out as well as what was known.
func TestRedactLearns(t *testing.T) {
	r := NewRedactor([]string{"first s3cret"})
	shared := r
	shared.Learn([]string{"second s3cret"})
	if got := r.String("first s3cret, second s3cret"); got != "***, ***" {
		t.Errorf("%s", got)
	}
}

func TestWithoutCredentials(t *testing.T) {
	for in, want := range map[string]string{
		"/srv/b@ckups": "/srv/b@ckups", "s3:https://minio:9000/bucket": "s3:https://minio:9000/bucket", "sftp:backup@host:/srv": "sftp:backup@host:/srv",
		"rest:https://u:p'a \"ss@host/": "rest:https://***@host/", "rest:https://u:p@ss/w@rd@host/": "rest:https://***@host/", "sftp:u:p@ss@host:/srv": "sftp:***@host:/srv",
		"rest:u:p@host": "rest:***@host", "local:/srv/a:b@c": "local:/srv/a:b@c", "sftp:host:/srv/a@b": "sftp:***@b", "sftp:u:p://x@host:/srv": "sftp:***@host:/srv",
	} {
		if got := WithoutCredentials(in); got != want {
			t.Errorf("%s gives %s, want %s", in, got, want)
		}
	}
}

package process

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
)

// A store's refusal is why restic ended only where that is the last that it says.
func TestDeleteRefused(t *testing.T) {
	const data = "Remove(<data/0123456789>) failed: unexpected HTTP response (403): 403 Forbidden; unable to remove data/0123456789 from the repository"
	for said, refused := range map[string]bool{
		data: true,
		data + "; Remove(<index/0123456789>) failed: unexpected HTTP response (403): 403 Forbidden; unexpected HTTP response (403): 403 Forbidden": true,
		data + "; failed to remove one or more snapshots":                        true,
		data + "; Save(<index/0123456789>) failed: no space left; no space left": false,
	} {
		err := &Error{Op: "prune", Code: 1, Stderr: said, Err: &exec.ExitError{ProcessState: new(os.ProcessState)}}
		if got := errors.Is(err, ErrNoDelete); got != refused || !refused && err.Error() != "prune: restic: "+said {
			t.Errorf("%s: %t, %v", said, got, err)
		}
	}
}

// A store that refuses is taken at its word, one that has troubles is not.
func TestRefused(t *testing.T) {
	say := func(text string) string {
		return `trap "exit 130" INT; i=0; while [ $i -lt 5 ]; do echo 'Stat(<config/>) returned error, retrying after 1ms: ` + text + `' >&2; i=$((i+1)); sleep .05; done; sleep .2; echo '[]'`
	}
	for text, refused := range map[string]bool{
		"Stat: The request signature we calculated does not match the signature you provided.":   true,
		"Stat: The specified bucket does not exist.":                                             true,
		"unexpected HTTP response (403): 403 Forbidden":                                          true,
		"Get \"https://x/\": tls: failed to verify certificate: x509: certificate signed by ...": true,
		"Stat: We encountered an internal error. Please try again.":                              false,
		"dial tcp 127.0.0.1:17999: connect: connection refused":                                  false,
		"unexpected HTTP response (503): 503 Service Unavailable":                                false,
	} {
		program := &Program{Binary: restictest.Script(t, say(text)), refusedFor: 100 * time.Millisecond}
		err := program.Run(t.Context(), Command{Op: "snapshots", Args: []string{"snapshots"}})
		var e *RefusedError
		if errors.As(err, &e) != refused {
			t.Errorf("%s: error %v", text, err)
		}
		if refused && (e.Said != text || !strings.Contains(err.Error(), "refuses: "+text)) {
			t.Errorf("%s: error %v", text, err)
		}
	}
}

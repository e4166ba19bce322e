package retention

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// plan is what becomes of snapshots that are so many days old, newest first: + stays, - goes, > is
// of the future. A day before an e is an empty dump's, one before an m that of a snapshot that the
// run has made.
func plan(policy Policy, ages string) string {
	var snapshots []Snapshot
	for field := range strings.FieldsSeq(ages) {
		age := strings.TrimRight(field, "em")
		var days float64
		_, _ = fmt.Sscan(age, &days)
		snapshots = append(snapshots, Snapshot{
			Time: now.Add(-time.Duration(days * 24 * float64(time.Hour))), Empty: strings.Contains(field, "e"), Made: strings.Contains(field, "m"),
		})
	}
	var text strings.Builder
	for _, fate := range policy.Plan(snapshots, now) {
		switch {
		case fate.Future:
			text.WriteByte('>')
		case fate.Stays():
			text.WriteByte('+')
		default:
			text.WriteByte('-')
		}
	}
	return text.String()
}

func TestPlan(t *testing.T) {
	tests := []struct {
		name   string
		policy Policy
		ages   string // days, newest first
		want   string
	}{
		{"no policy keeps everything", Policy{}, "0 1 2", "+++"},
		{"no policy, and one of the future", Policy{}, "-365 0 1", ">++"},
		{"the last two", Policy{Last: new(2)}, "0 1 2", "++-"},
		{"in whatever order they are listed", Policy{Last: new(2)}, "2 0 1", "-++"},
		{"one of the future counts for nothing and stays", Policy{Last: new(1)}, "-365 0m 1", ">+-"},
		{"nor does it push present ones out of a span", Policy{Within: Span{Days: 7}}, "-365 0m 1 6 8", ">+++-"},
		{"a clock a little ahead is no future", Policy{Last: new(1)}, "-0.0005 1", "+-"},
		{"after the clock was set back everything is of the future", Policy{Last: new(1)}, "-3 -2 -1 0m", ">>>+"},
		{"what the run made stays though another is newer", Policy{Last: new(1)}, "0 0.1m 1", "++-"},
		{"an empty one pushes none out that has rows", Policy{Last: new(2)}, "0em 1 2 3", "+++-"},
		{"nor do many", Policy{Last: new(2)}, "0e 1e 2e 3 4 5", "++-++-"},
		{"an older empty one goes as others do", Policy{Last: new(2)}, "0 1 2e", "++-"},
		{"only empty ones", Policy{Last: new(1)}, "0e 1e", "+-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plan(tt.policy, tt.ages); got != tt.want {
				t.Errorf("keeping %s of %q: %s, want %s", tt.policy, tt.ages, got, tt.want)
			}
		})
	}
}

// The rules select what restic's own select, and give the same reasons.
func TestPlanIsRestics(t *testing.T) {
	folder := t.TempDir()
	repository := restictest.Repository{Restic: servers.Restic(t), Folder: filepath.Join(folder, "repository")}
	repository.Env = []string{
		"RESTIC_REPOSITORY=" + repository.Folder, "RESTIC_PASSWORD=x", "RESTIC_CACHE_DIR=" + filepath.Join(folder, "cache"),
		"TZ=Europe/Amsterdam", "HOME=" + folder, "PATH=" + os.Getenv("PATH"),
	}
	ask := func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command(repository.Restic, args...)
		cmd.Env = repository.Env
		cmd.Stdin = strings.NewReader("x")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("restic %s: %v", args, err)
		}
		return out
	}
	random := rand.New(rand.NewPCG(1, 2))
	ask("init")
	repository.CheapKey(t, "x")
	at := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC) // the day on which the clock was set
	for range 30 {
		ask("backup", "--stdin", "--time="+at.Format(time.DateTime))
		steps := []time.Duration{0, 20 * time.Minute, 5 * time.Hour, 24 * time.Hour, 9 * 24 * time.Hour, 200 * 24 * time.Hour}
		at = at.Add(-time.Duration(random.Int64N(int64(steps[random.IntN(len(steps))] + 1))))
	}
	count := func() *int {
		switch n := random.IntN(12); n {
		case 0, 1, 2, 3, 4:
			return nil
		case 5:
			return new(Unlimited)
		default:
			return new(n - 5)
		}
	}
	for range 25 {
		policy := Policy{Last: count(), Hourly: count(), Daily: count(), Weekly: count(), Monthly: count(), Yearly: count()}
		if random.IntN(3) == 0 {
			policy.Within = Span{Months: random.IntN(5), Days: random.IntN(20), Hours: 1 + random.IntN(30)}
		}
		if policy.IsZero() {
			continue
		}
		args := []string{"forget", "--json", "--dry-run"}
		for _, r := range policy.rules() {
			if r.count != nil {
				args = append(args, "--keep-"+r.name+"="+formatCount(*r.count))
			}
		}
		if !policy.Within.IsZero() {
			args = append(args, "--keep-within="+policy.Within.String())
		}
		type snapshot struct {
			ID   string    `json:"id"`
			Time time.Time `json:"time"`
		}
		var groups []struct {
			Reasons []struct {
				Snapshot snapshot `json:"snapshot"`
				Matches  []string `json:"matches"`
			} `json:"reasons"`
			Remove []snapshot `json:"remove"`
		}
		if err := json.Unmarshal(ask(args...), &groups); err != nil || len(groups) != 1 {
			t.Fatalf("%d groups, %v", len(groups), err)
		}
		var snapshots []Snapshot
		var want [][]string
		for _, kept := range groups[0].Reasons {
			snapshots = append(snapshots, Snapshot{Time: kept.Snapshot.Time})
			want = append(want, kept.Matches)
		}
		for _, gone := range groups[0].Remove {
			snapshots = append(snapshots, Snapshot{Time: gone.Time})
			want = append(want, nil)
		}
		var got [][]string
		for _, fate := range policy.Plan(snapshots, at.AddDate(50, 0, 0)) {
			got = append(got, fate.Reasons)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("keeping %s (-restic +ours):\n%s", policy, diff)
		}
	}
}

package restic

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/breaking-backups/breaking-backups/restic/restictest"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

// The promises hold where every answer takes its time, too.
func TestS3(t *testing.T) {
	s3 := servers.S3(t)
	client := &Client{
		Binary: servers.Restic(t),
		Env:    append(restictest.Environment(s3.Repository("ours")), s3.Env()...),
	}
	if created, err := client.Ensure(t.Context()); !created || err != nil {
		t.Fatalf("%v, %v", created, err)
	}
	if created, err := client.Ensure(t.Context()); created || err != nil {
		t.Errorf("again: %v, %v", created, err)
	}
	restictest.Repository{Restic: client.Binary, Env: client.Env, Folder: s3.Folder("ours")}.CheapKey(t, restictest.Password)
	if _, err := client.Backup(t.Context(), options, cut(20<<20)); !errors.Is(err, errCut) {
		t.Errorf("cut: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := client.Backup(ctx, options, &at{r: restictest.Noise(1<<40, 15), n: 20 << 20, do: cancel}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	wantUntouched(t, client, 0)

	text := strings.Repeat("insert into orders;\n", 100_000)
	summary := backUp(t, client, strings.NewReader(text))
	var got bytes.Buffer
	if err := client.Dump(t.Context(), summary.SnapshotID, "app.sql", &got); err != nil || got.String() != text {
		t.Errorf("%d bytes of %d came back, %v", got.Len(), len(text), err)
	}
}

// restic tries for 15 minutes to find a bucket that is not there. Whoever sets a deadline learns
// why it was missed.
func TestDeadlineTellsWhy(t *testing.T) {
	s3 := servers.S3(t)
	client := &Client{
		Binary: servers.Restic(t),
		Env:    append(restictest.Environment("s3:"+s3.Endpoint+"/no-such-bucket/x"), s3.Env()...),
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err := client.Ensure(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "bucket does not exist") {
		t.Errorf("ensure: %v", err)
	}
}

package repository

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/breaking-backups/breaking-backups/restic/internal/process"
	"github.com/breaking-backups/breaking-backups/restic/restictest"
	"github.com/breaking-backups/breaking-backups/testdata/servers"
)

func TestMain(m *testing.M) { restictest.Main(m) }

// newKeeper is one of a process that has just begun.
func newKeeper(binary string, env []string) *Keeper {
	return &Keeper{Program: process.Program{Binary: binary, Env: env}, History: new(LockHistory)}
}

// emptyRepository is an empty local repository, and its keeper.
func emptyRepository(t testing.TB) (*Keeper, restictest.Repository) {
	t.Helper()
	repository := restictest.New(t, servers.Restic(t))
	return newKeeper(repository.Restic, repository.Env), repository
}

// filesOf is the repository of a keeper, for what needs no folder.
func filesOf(keeper *Keeper) restictest.Repository {
	return restictest.Repository{Restic: keeper.Program.Binary, Env: keeper.Program.Env}
}

// backUp has restic store a text, as anybody would, and returns the snapshot's ID.
func backUp(t testing.TB, keeper *Keeper, text string) (id string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := keeper.Run(t.Context(), process.Command{Op: "backup", Args: []string{"backup", "--json", "--quiet", path}, Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	var summary struct {
		ID string `json:"snapshot_id"`
	}
	if err := json.Unmarshal(out.Bytes(), &summary); err != nil || summary.ID == "" {
		t.Fatalf("restic's summary: %s, %v", out.Bytes(), err)
	}
	return summary.ID
}

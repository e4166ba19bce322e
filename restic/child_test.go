package restic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
)

// childEnv names restic's path for a test binary that is started to be killed.
const childEnv = "RESTIC_TEST_CHILD"

// backupForever is that child: it backs up an endless stream and writes a line for every read from
// it.
func backupForever() int {
	client := &Client{Binary: os.Getenv(childEnv), Env: os.Environ()}
	stream := rand.NewChaCha8([32]byte{9})
	_, err := client.Backup(context.Background(), options, readerFunc(func(p []byte) (int, error) {
		fmt.Println(len(p))
		return stream.Read(p)
	}))
	fmt.Fprintln(os.Stderr, err)
	return 1
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

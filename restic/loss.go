package restic

import (
	"errors"
	"regexp"
)

// lossWords are what restic says of a repository that does not have what it ought to have, or has
// it otherwise (internal/repository, internal/crypto, internal/backend of 0.19): of a store that
// cannot be reached it says other things.
var lossWords = regexp.MustCompile(`ciphertext verification failed|not found in (the )?(index|repository)|does not exist|no such file or directory|key does not exist|NoSuchKey|BlobNotFound|404 Not Found|invalid data returned|wrong hash|hash does not match|unexpected end of|unable to (load|find) (blob|tree|index)|file is truncated|invalid (header|pack)`)

// IsLoss reports whether restic has found data to be missing or damaged, as far as its words tell.
func IsLoss(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && lossWords.MatchString(failed.Stderr)
}

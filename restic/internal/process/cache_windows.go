package process

// tryFolder: restic finds out by itself.
func tryFolder(string) error { return nil }

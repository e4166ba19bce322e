package script

import "bytes"

// commands are the clients' own. Of these words HELP and USE alone could begin a statement.
var commands = map[string]bool{
	"?": true, "charset": true, "clear": true, "connect": true, "costs": true, "delimiter": true, "edit": true, "ego": true,
	"exit": true, "go": true, "help": true, "nopager": true, "notee": true, "nowarning": true, "pager": true, "print": true,
	"prompt": true, "query_attributes": true, "quit": true, "rehash": true, "resetconnection": true, "sandbox": true,
	"source": true, "ssl_session_data_print": true, "status": true, "system": true, "tee": true, "use": true, "warnings": true,
}

const maxCommand = len("ssl_session_data_print")

// command returns the client's command with which the window begins, in lower case, or "".
func (r *Reader) command() (string, error) {
	w, err := r.peek(maxCommand + 1 + len(r.lx.delimiter))
	if err != nil {
		return "", err
	}
	var lower [maxCommand]byte
	n := 0
	for ; n < len(w) && !isBlank(w[n]) && !bytes.HasPrefix(w[n:], r.lx.delimiter); n++ {
		if n == maxCommand {
			return "", nil
		}
		lower[n] = w[n]
		if 'A' <= w[n] && w[n] <= 'Z' {
			lower[n] |= 0x20
		}
	}
	if !commands[string(lower[:n])] {
		return "", nil
	}
	return string(lower[:n]), nil
}

// isDelimiter says whether s begins with the command DELIMITER.
func isDelimiter(s []byte) bool {
	const n = len("delimiter")
	return len(s) >= n && bytes.EqualFold(s[:n], []byte("delimiter")) && (len(s) == n || isBlank(s[n]))
}

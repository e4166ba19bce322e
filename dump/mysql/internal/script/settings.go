package script

import "bytes"

// Settings parts SET a = x, b = y into one statement for each variable, for a SET that is written
// as it is in dumps. Anything else comes back alone.
func Settings(sql []byte) [][]byte {
	const set = "SET "
	if !bytes.HasPrefix(sql, []byte(set)) {
		return [][]byte{sql}
	}
	var list [][]byte
	begin, depth := len(set), 0
	var in byte // the quote that is open
	for i := begin; i <= len(sql); i++ {
		switch {
		case i == len(sql) || sql[i] == ',' && in == 0 && depth == 0:
			list = append(list, append([]byte(set), bytes.TrimSpace(sql[begin:i])...))
			begin = i + 1
		case in != 0:
			if sql[i] == in {
				in = 0
			}
		case isQuote(sql[i]):
			in = sql[i]
		case sql[i] == '(':
			depth++
		case sql[i] == ')':
			depth--
		}
	}
	return list
}

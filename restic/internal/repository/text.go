package repository

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// Text is a file's text in UTF-8, without the byte order mark that may say at its beginning what it
// is written in, as restic reads its own files, RESTIC_REPOSITORY_FILE and RESTIC_PASSWORD_FILE:
// Notepad puts one before UTF-8, PowerShell's > before UTF-16.
func Text(text []byte) string {
	var order binary.ByteOrder
	switch head := string(text[:min(len(text), 2)]); head {
	case "\xff\xfe":
		order = binary.LittleEndian
	case "\xfe\xff":
		order = binary.BigEndian
	default:
		return strings.TrimPrefix(string(text), "\ufeff")
	}
	if len(text)%2 != 0 { // a secret that begins so by chance
		return string(text)
	}
	var units []uint16
	for i := 2; i < len(text); i += 2 {
		units = append(units, order.Uint16(text[i:]))
	}
	return string(utf16.Decode(units))
}

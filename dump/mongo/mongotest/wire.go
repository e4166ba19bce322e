package mongotest

import (
	"bytes"
	"encoding/binary"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"
)

const (
	opReply = 1
	opQuery = 2004
	opMsg   = 2013

	headerSize = 16
	maxMessage = 48_000_000
	moreToCome = 2 // of an OP_MSG's flags: no answer is wanted
)

// A message is a command as it came: as OP_MSG, or, as a client's first may, as OP_QUERY.
type message struct {
	command Command
	id      int32
	legacy  bool
	silent  bool
}

func readMessage(r io.Reader) (*message, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	size := int(int32(binary.LittleEndian.Uint32(header)))
	if size < headerSize || size > maxMessage {
		return nil, errMessage
	}
	body := make([]byte, size-headerSize)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	m := &message{id: int32(binary.LittleEndian.Uint32(header[4:]))}
	switch binary.LittleEndian.Uint32(header[12:]) {
	case opMsg:
		return m, m.readMsg(body)
	case opQuery:
		return m, m.readQuery(body)
	}
	return nil, errMessage
}

func (m *message) readMsg(b []byte) error {
	if len(b) < 4 {
		return errMessage
	}
	m.silent = b[0]&moreToCome != 0
	for b = b[4:]; len(b) > 0; {
		kind := b[0]
		b = b[1:]
		switch kind {
		case 0:
			doc, rest, err := cutDocument(b)
			if err != nil {
				return err
			}
			m.command.Body, b = doc, rest
		case 1: // documents of one field, named before them
			if len(b) < 4 {
				return errMessage
			}
			size := int(binary.LittleEndian.Uint32(b))
			if size < 4 || size > len(b) {
				return errMessage
			}
			_, docs, ok := bytes.Cut(b[4:size], []byte{0})
			if !ok {
				return errMessage
			}
			for len(docs) > 0 {
				doc, rest, err := cutDocument(docs)
				if err != nil {
					return err
				}
				m.command.Docs, docs = append(m.command.Docs, doc), rest
			}
			b = b[size:]
		default:
			return errMessage
		}
	}
	return m.name()
}

func (m *message) readQuery(b []byte) error {
	m.legacy = true
	if len(b) < 4 {
		return errMessage
	}
	_, rest, ok := bytes.Cut(b[4:], []byte{0})
	if !ok || len(rest) < 8 {
		return errMessage
	}
	doc, _, err := cutDocument(rest[8:])
	if err != nil {
		return err
	}
	m.command.Body = doc
	return m.name()
}

func (m *message) name() error {
	if err := m.command.Body.Validate(); err != nil {
		return err
	}
	first, err := m.command.Body.IndexErr(0)
	if err != nil {
		return err
	}
	m.command.Name = first.Key()
	m.command.DB, _ = m.command.Body.Lookup("$db").StringValueOK()
	return nil
}

func cutDocument(b []byte) (doc bson.Raw, rest []byte, err error) {
	if len(b) < 5 {
		return nil, nil, errMessage
	}
	size := int(int32(binary.LittleEndian.Uint32(b)))
	if size < 5 || size > len(b) {
		return nil, nil, errMessage
	}
	return bson.Raw(b[:size]), b[size:], nil
}

// reply answers the message in its own form.
func (m *message) reply(w io.Writer, doc bson.Raw) error {
	var body []byte
	op := uint32(opMsg)
	if m.legacy {
		op = opReply
		body = binary.LittleEndian.AppendUint32(body, 8) // flags
		body = binary.LittleEndian.AppendUint64(body, 0) // cursor
		body = binary.LittleEndian.AppendUint32(body, 0) // first document
		body = binary.LittleEndian.AppendUint32(body, 1) // documents
	} else {
		body = append(body, 0, 0, 0, 0, 0) // flags, and the kind of section that is a document
	}
	body = append(body, doc...)
	b := binary.LittleEndian.AppendUint32(nil, uint32(headerSize+len(body)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.id))
	b = binary.LittleEndian.AppendUint32(b, op)
	_, err := w.Write(append(b, body...))
	return err
}

package oplog

import (
	"bytes"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/breaking-backups/breaking-backups/dump/mongo/internal/document"
)

// Transactions are those that an oplog has begun to tell of, each by the entries that are not
// committed yet.
type Transactions map[string][]bson.Raw

// Take takes note of the next entry, and returns those that are to be played now: itself, where it
// stands for itself, and else none, or all of its transaction when that is committed.
func (t Transactions) Take(entry bson.Raw) []bson.Raw {
	transaction, ok := transactionOf(entry)
	if !ok {
		return []bson.Raw{entry}
	}
	object, _ := entry.Lookup("o").DocumentOK()
	switch {
	case document.Has(object, "abortTransaction"):
		delete(t, transaction)
		return nil
	case !document.Has(object, "commitTransaction"):
		t[transaction] = append(t[transaction], bytes.Clone(entry))
		if document.True(object, "partialTxn") || document.True(object, "prepare") {
			return nil
		}
	case t[transaction] == nil:
		return nil // it was prepared before the oplog begins and committed before the first document was read
	}
	entries := t[transaction]
	delete(t, transaction)
	return entries
}

// transactionOf tells the entries of a transaction, which may be several, from those that stand for
// themselves.
func transactionOf(entry bson.Raw) (string, bool) {
	session, err := entry.LookupErr("lsid")
	number, err2 := entry.LookupErr("txnNumber")
	op, _ := entry.Lookup("op").StringValueOK()
	if err != nil || err2 != nil || op != "c" {
		return "", false
	}
	if kind, ok := entry.Lookup("multiOpType").AsInt64OK(); ok && kind == 1 {
		return "", false // many inserts in one entry, and no transaction
	}
	object, _ := entry.Lookup("o").DocumentOK()
	if !document.Has(object, "applyOps") && !document.Has(object, "commitTransaction") && !document.Has(object, "abortTransaction") {
		return "", false
	}
	return string(session.Value) + string(number.Value), true
}

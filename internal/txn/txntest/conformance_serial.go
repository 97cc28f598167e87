package txntest

import (
	"testing"

	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

func (w *world) serializable() txn.Txn { return w.db.Begin(txn.Options{Serializable: true}) }

// entryKey is a key with encoded columns in an index of its own.
func entryKey(index keys.IndexID, columns ...int64) keys.Key {
	k := keys.AppendPrefix(nil, 8, index)
	for _, c := range columns {
		k = keys.AppendInt(k, c, false)
	}
	return k
}

func prefixSpan(k keys.Key) keys.Span { return keys.Span{Start: k, End: keys.PrefixEnd(k)} }

// serializableSkew: of two transactions that each read what the other writes, present or absent, one fails.
func serializableSkew(_ *testing.T, w *world) {
	w.load(put("a", "1"), put("b", "1"))
	for _, ks := range [][2]string{{"a", "b"}, {"m", "n"}} {
		x, y := w.serializable(), w.serializable()
		w.get(x, ks[0])
		w.get(y, ks[1])
		w.write(x, put(ks[1], "x"))
		w.write(y, put(ks[0], "y"))
		w.commit(x)
		w.conflict(y, "read/write dependencies")
	}
	// The guarantee is among serializable transactions.
	x, y := w.serializable(), w.begin()
	w.get(x, "a")
	w.get(y, "b")
	w.write(x, put("b", "x"))
	w.write(y, put("a", "y"))
	w.commit(y)
	w.commit(x)
}

// serializablePhantoms: a scan protects its span, whatever its shape, against what is written into it, and not against
// what lies elsewhere.
func serializablePhantoms(_ *testing.T, w *world) {
	index := keys.IndexSpan(8, 2)
	for i, c := range []struct {
		read    keys.Span
		written keys.Key
		clash   bool
	}{
		{index, entryKey(2, 5, 1), true},
		{index, entryKey(3, 5, 1), false},
		{keys.TableSpan(8), entryKey(3, 5, 2), true},
		{prefixSpan(entryKey(2, 7)), entryKey(2, 7, 1), true},
		{prefixSpan(entryKey(2, 7)), entryKey(2, 8, 1), false},
		{prefixSpan(entryKey(2, 7, 3)), entryKey(2, 7, 3, 9, 9, 9), true},
		{prefixSpan(entryKey(2, 7, 3)), entryKey(2, 7, 4), false},
		{keys.Span{Start: entryKey(2, 700, 3), End: entryKey(2, 700, 9)}, entryKey(2, 700, 5), true},
		{keys.Span{Start: keys.PrefixEnd(entryKey(2, 400)), End: index.End}, entryKey(2, 401), true},
		{keys.Span{Start: entryKey(2, 1, 2, 3, 4, 5), End: entryKey(2, 1, 2, 3, 4, 8)}, entryKey(2, 1, 2, 3, 4, 6), true},
		{keys.Span{Start: entryKey(4, 1), End: append(entryKey(4, 1), 0)}, entryKey(4, 1), true},
		{keys.Span{Start: entryKey(4, 3), End: append(entryKey(4, 3), 0)}, entryKey(4, 4), false},
		{prefixSpan(keys.AppendText(entryKey(5), "a\x00b", true)), keys.AppendInt(keys.AppendText(entryKey(5), "a\x00b", true), 1, false), true},
	} {
		x, y := w.serializable(), w.serializable()
		s, err := x.Scan(w.ctx, txn.ScanRequest{Span: c.read})
		if err != nil {
			w.Fatal(err)
		}
		s.Close()
		w.write(x, txn.Write{Key: entryKey(9, int64(i)), Value: []byte("x")})
		w.write(y, txn.Write{Key: c.written, Value: []byte("y"), Blind: true})
		w.commit(y)
		if c.clash {
			w.conflict(x, "read/write dependencies")
		} else {
			w.commit(x)
		}
	}
}

// serializableReads: what was read in a part that was rolled back counts; who only reads commits; who writes what another
// has read, and commits after it, does too.
func serializableReads(_ *testing.T, w *world) {
	w.load(put("a", "1"))
	x, y := w.serializable(), w.serializable()
	m := x.Mark()
	w.get(x, "a")
	w.write(x, put("c", "x"))
	x.RollbackTo(m)
	w.write(x, put("b", "x"))
	w.write(y, put("a", "2"))
	only := w.serializable()
	w.want(only, "a", "1")
	w.commit(y)
	w.commit(only)
	w.conflict(x, "read/write dependencies")

	x, y = w.serializable(), w.serializable()
	w.get(x, "a")
	w.get(y, "b")
	w.write(x, put("d", "x"))
	w.write(y, put("a", "3"))
	w.commit(x)
	w.commit(y) // x came first
}

// readOnlyAnomaly is the one of Fekete, O'Neil and O'Neil: a report sees a deposit but not the withdrawal that, in every
// serial order, came first.
func readOnlyAnomaly(_ *testing.T, w *world) {
	w.load(put("checking", "0"), put("savings", "0"))
	withdraw, deposit := w.serializable(), w.serializable()
	w.get(withdraw, "checking")
	w.get(withdraw, "savings")
	w.want(deposit, "savings", "0")
	w.write(deposit, put("savings", "20"))
	w.commit(deposit)
	report := w.serializable()
	w.want(report, "checking", "0")
	w.want(report, "savings", "20")
	w.commit(report)
	w.write(withdraw, put("checking", "-11"))
	w.conflict(withdraw, "read/write dependencies")
}

package txntest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// Conformance runs what every txn.DB must do. open returns an empty database.
func Conformance(t *testing.T, open func(t *testing.T) txn.DB) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"ReadYourWrites", readYourWrites},
		{"SnapshotIsStable", snapshotIsStable},
		{"FirstCommitterWins", firstCommitterWins},
		{"WriteSkewIsAllowed", writeSkewIsAllowed},
		{"SerializableSkew", serializableSkew},
		{"SerializablePhantoms", serializablePhantoms},
		{"SerializableReads", serializableReads},
		{"ReadOnlyAnomaly", readOnlyAnomaly},
		{"LockedRowsConflict", lockedRowsConflict},
		{"ForeignKeyChecks", foreignKeyChecks},
		{"SchemaChecks", schemaChecks},
		{"BlindWritesNeverConflict", blindWritesNeverConflict},
		{"Savepoints", savepoints},
		{"ScansMergeOwnWrites", scansMergeOwnWrites},
		{"ScansIgnoreLaterWrites", scansIgnoreLaterWrites},
		{"BigTransaction", bigTransaction},
		{"Outcomes", outcomes},
		{"ReadOnly", readOnly},
		{"AsOf", asOf},
		{"NotBefore", notBefore},
		{"EmptyValues", emptyValues},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, &world{T: t, ctx: t.Context(), db: open(t)}) })
	}
}

// world is a database under test with short words for what the tests do.
type world struct {
	*testing.T
	ctx context.Context
	db  txn.DB
}

func key(s string) keys.Key {
	return append(keys.AppendPrefix(nil, 7, keys.PrimaryIndex), s...)
}

func span(from, to string) keys.Span { return keys.Span{Start: key(from), End: key(to)} }

func put(k, v string) txn.Write { return txn.Write{Key: key(k), Value: []byte(v)} }

func (w *world) begin() txn.Txn { return w.db.Begin(txn.Options{}) }

func (w *world) write(x txn.Txn, ws ...txn.Write) {
	w.Helper()
	if err := x.Write(w.ctx, ws...); err != nil {
		w.Fatal(err)
	}
}

func (w *world) commit(x txn.Txn) {
	w.Helper()
	if _, err := x.Commit(w.ctx); err != nil {
		w.Fatalf("%v: %+v", err, failure.As(err))
	}
}

func (w *world) load(ws ...txn.Write) {
	w.Helper()
	x := w.begin()
	w.write(x, ws...)
	w.commit(x)
}

func (w *world) conflict(x txn.Txn, word string) *failure.Error {
	w.Helper()
	_, err := x.Commit(w.ctx)
	if !failure.Retryable(err) || !strings.Contains(err.Error(), word) {
		w.Fatalf("want a conflict %s, got %v", word, err)
	}
	return failure.As(err)
}

func (w *world) get(x txn.Txn, k string) string {
	w.Helper()
	v := make([][]byte, 1)
	if err := x.Get(w.ctx, []keys.Key{key(k)}, v); err != nil {
		w.Fatal(err)
	}
	if v[0] == nil {
		return "-"
	}
	return string(v[0])
}

func (w *world) want(x txn.Txn, k, v string) {
	w.Helper()
	if got := w.get(x, k); got != v {
		w.Fatalf("key %s: got %q, want %q", k, got, v)
	}
}

func (w *world) scan(x txn.Txn, req txn.ScanRequest) string {
	w.Helper()
	s, err := x.Scan(w.ctx, req)
	if err != nil {
		w.Fatal(err)
	}
	return w.drain(s)
}

func (w *world) drain(s txn.Scan) string {
	w.Helper()
	defer s.Close()
	var b strings.Builder
	for {
		kvs, err := s.Next(w.ctx)
		if err != nil {
			w.Fatal(err)
		}
		if len(kvs) == 0 {
			return strings.TrimSpace(b.String())
		}
		for _, kv := range kvs {
			fmt.Fprintf(&b, "%s=%s ", kv.Key[keys.PrefixLen:], kv.Value)
		}
	}
}

func (w *world) wantScan(x txn.Txn, req txn.ScanRequest, want string) {
	w.Helper()
	if got := w.scan(x, req); got != want {
		w.Fatalf("scan: got %q, want %q", got, want)
	}
}

func readYourWrites(t *testing.T, w *world) {
	w.load(put("a", "1"))
	x := w.begin()
	w.write(x, put("a", "2"), put("b", "3"))
	w.want(x, "a", "2")
	w.want(x, "b", "3")
	w.want(w.begin(), "a", "1")
	w.write(x, txn.Write{Key: key("a"), Delete: true})
	w.want(x, "a", "-")
	w.commit(x)
	y := w.begin()
	w.want(y, "a", "-")
	w.want(y, "b", "3")
}

func snapshotIsStable(t *testing.T, w *world) {
	w.load(put("a", "1"))
	x := w.begin()
	w.want(x, "a", "1")
	w.load(put("a", "2"), put("b", "2"))
	w.want(x, "a", "1")
	w.want(x, "b", "-")
	w.wantScan(x, txn.ScanRequest{Span: span("a", "z")}, "a=1")
	w.want(w.begin(), "a", "2")
}

func firstCommitterWins(t *testing.T, w *world) {
	w.load(put("a", "1"))
	x, y := w.begin(), w.begin()
	w.want(x, "a", "1")
	w.want(y, "a", "1")
	w.write(x, put("a", "x"))
	w.write(y, put("a", "y"))
	w.commit(x)
	e := w.conflict(y, "OC000")
	if e.RetryAfter == 0 {
		t.Fatal("a conflict must say how far a retry has to wait")
	}
	w.want(w.begin(), "a", "x")
}

func writeSkewIsAllowed(t *testing.T, w *world) {
	w.load(put("a", "1"), put("b", "1"))
	x, y := w.begin(), w.begin()
	w.want(x, "b", "1")
	w.want(y, "a", "1")
	w.write(x, put("a", "0"))
	w.write(y, put("b", "0"))
	w.commit(x)
	w.commit(y)
}

func lockedRowsConflict(t *testing.T, w *world) {
	for _, c := range []struct {
		name     string
		mode     txn.CheckMode
		identity bool
		conflict bool
	}{
		{"update", txn.CheckUpdate, false, true},
		{"no key update", txn.CheckNoKeyUpdate, false, true},
		{"share", txn.CheckShare, false, true},
		{"key share, row changed", txn.CheckKeyShare, false, false},
		{"key share, row deleted", txn.CheckKeyShare, true, true},
	} {
		w.load(put("a", c.name))
		x := w.begin()
		w.want(x, "a", c.name)
		if err := x.Check(w.ctx, txn.Check{Key: key("a"), Mode: c.mode}); err != nil {
			t.Fatal(err)
		}
		w.write(x, put("b", "b"))
		y := w.begin()
		w.write(y, txn.Write{Key: key("a"), Value: []byte("y"), Identity: c.identity})
		w.commit(y)
		if c.conflict {
			w.conflict(x, "OC000")
		} else {
			w.commit(x)
		}
	}
}

func foreignKeyChecks(t *testing.T, w *world) {
	parent := txn.Check{Key: key("parent"), Mode: txn.CheckKeyShare}
	w.load(put("parent", "1"))
	x, y, z := w.begin(), w.begin(), w.begin()
	for i, c := range []txn.Txn{x, y, z} {
		w.want(c, "parent", "1")
		if c != z {
			_ = c.Check(w.ctx, parent)
			w.write(c, put(fmt.Sprint("child", i), "1"))
		}
	}
	w.commit(x) // shared checks do not meet each other
	w.commit(y)
	w.write(z, txn.Write{Key: key("parent"), Delete: true, Identity: true})
	w.conflict(z, "OC000") // but meet a deletion from either side
}

func schemaChecks(t *testing.T, w *world) {
	schema := keys.SchemaKey(7)
	x := w.begin()
	before, err := x.SchemaTime(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = x.Check(w.ctx, txn.Check{Key: schema, Mode: txn.CheckSchema})
	w.write(x, put("a", "1"))
	w.load(txn.Write{Key: schema, Schema: true}, put("descriptor", "2"))
	w.conflict(x, "OC001")
	y := w.begin()
	after, err := y.SchemaTime(w.ctx)
	if err != nil || after <= before {
		t.Fatalf("schema time %v, before %v, error %v", after, before, err)
	}
	w.load(put("a", "2"))
	if again, _ := w.begin().SchemaTime(w.ctx); again != after {
		t.Fatalf("data moved the schema time from %v to %v", after, again)
	}
}

func blindWritesNeverConflict(t *testing.T, w *world) {
	blind := func(v string) txn.Write { return txn.Write{Key: key("i"), Value: []byte(v), Blind: true} }
	x, y := w.begin(), w.begin()
	w.want(x, "i", "-")
	w.want(y, "i", "-")
	w.write(x, blind("x"))
	w.write(y, blind("y"))
	w.commit(x)
	w.commit(y)
	w.want(w.begin(), "i", "y")
}

func savepoints(t *testing.T, w *world) {
	w.load(put("a", "0"))
	x := w.begin()
	w.write(x, put("a", "1"), put("b", "1"))
	m := x.Mark()
	w.write(x, put("a", "2"), put("c", "2"), txn.Write{Key: key("b"), Delete: true})
	_ = x.Check(w.ctx, txn.Check{Key: key("q"), Mode: txn.CheckUpdate})
	w.wantScan(x, txn.ScanRequest{Span: span("a", "z")}, "a=2 c=2")
	x.RollbackTo(m)
	w.wantScan(x, txn.ScanRequest{Span: span("a", "z")}, "a=1 b=1")
	w.want(x, "c", "-")
	if writes, checks, bytes := x.Stats(); writes != 2 || checks != 0 || bytes != 2*(keys.PrefixLen+2) {
		t.Fatal(writes, checks, bytes)
	}
	w.write(x, put("d", "3"))
	w.commit(x)
	w.wantScan(w.begin(), txn.ScanRequest{Span: span("a", "z")}, "a=1 b=1 d=3")
}

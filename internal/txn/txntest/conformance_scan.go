package txntest

import (
	"fmt"
	"testing"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/pushdown"
	"github.com/meridiandb/meridian/internal/txn"
)

func scansMergeOwnWrites(t *testing.T, w *world) {
	w.load(put("a", "1"), put("c", "1"), put("e", "1"), put("g", "1"))
	x := w.begin()
	w.write(x, put("b", "2"), put("c", "2"), txn.Write{Key: key("e"), Delete: true}, put("h", "2"))
	for _, c := range []struct {
		req  txn.ScanRequest
		want string
	}{
		{txn.ScanRequest{Span: span("a", "z")}, "a=1 b=2 c=2 g=1 h=2"},
		{txn.ScanRequest{Span: span("a", "z"), Reverse: true}, "h=2 g=1 c=2 b=2 a=1"},
		{txn.ScanRequest{Span: span("b", "g")}, "b=2 c=2"},
		{txn.ScanRequest{Span: span("b", "g"), Reverse: true}, "c=2 b=2"},
		{txn.ScanRequest{Span: span("d", "f")}, ""},
		{txn.ScanRequest{Span: span("a", "z"), Limit: 3}, "a=1 b=2 c=2"},
		{txn.ScanRequest{Span: span("d", "z"), Limit: 1}, "g=1"},
		{txn.ScanRequest{Span: span("a", "f"), Reverse: true, Limit: 2}, "c=2 b=2"},
		{txn.ScanRequest{Span: span("a", "z"), Program: &pushdown.Program{KeysOnly: true}}, "a= b= c= g= h="},
		{txn.ScanRequest{Span: keys.Span{Start: key("g")}}, "g=1 h=2"},
	} {
		w.wantScan(x, c.req, c.want)
	}
}

func scansIgnoreLaterWrites(t *testing.T, w *world) {
	w.load(put("a", "1"), put("b", "1"))
	x := w.begin()
	w.write(x, put("c", "2"))
	s, err := x.Scan(w.ctx, txn.ScanRequest{Span: span("a", "z")})
	if err != nil {
		t.Fatal(err)
	}
	w.write(x, put("a", "3"), put("c", "3"), put("d", "3"))
	if got := w.drain(s); got != "a=1 b=1 c=2" {
		t.Fatal(got)
	}
	w.wantScan(x, txn.ScanRequest{Span: span("a", "z")}, "a=3 b=1 c=3 d=3")
}

func bigTransaction(t *testing.T, w *world) {
	const n = 20000
	x := w.begin()
	for i := range n {
		w.write(x, put(fmt.Sprintf("%05d", i*7919%n), fmt.Sprint(i)))
		if i%1000 == 0 {
			w.scan(x, txn.ScanRequest{Span: span("00000", "00010")})
		}
	}
	m := x.Mark()
	for i := range 100 {
		w.write(x, txn.Write{Key: key(fmt.Sprintf("%05d", i)), Delete: true})
	}
	x.RollbackTo(m)
	w.commit(x)
	y := w.begin()
	s, err := y.Scan(w.ctx, txn.ScanRequest{Span: span("", "z")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows := 0
	for {
		kvs, err := s.Next(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(kvs) == 0 {
			break
		}
		for _, kv := range kvs {
			if want := fmt.Sprintf("%05d", rows); string(kv.Key[keys.PrefixLen:]) != want {
				t.Fatalf("row %d is %s", rows, kv.Key[keys.PrefixLen:])
			}
			rows++
		}
	}
	if rows != n {
		t.Fatalf("%d rows", rows)
	}
}

func outcomes(t *testing.T, w *world) {
	x := w.begin()
	id := x.ID()
	check := func(want txn.Outcome) {
		t.Helper()
		if got, err := w.db.Outcome(w.ctx, id); got != want || err != nil {
			t.Fatalf("outcome %v, want %v, error %v", got, want, err)
		}
	}
	check(txn.OutcomeInProgress)
	w.write(x, put("a", "1"))
	w.commit(x)
	check(txn.OutcomeCommitted)
	y := w.begin()
	id = y.ID()
	w.write(y, put("a", "2"))
	y.Rollback()
	check(txn.OutcomeAborted)
}

func readOnly(t *testing.T, w *world) {
	x := w.db.Begin(txn.Options{ReadOnly: true})
	if err := x.Write(w.ctx, put("a", "1")); failure.CodeOf(err) != failure.ReadOnlySQLTransaction {
		t.Fatal(err)
	}
	w.want(x, "a", "-")
	w.commit(x)
	if _, err := x.Commit(w.ctx); err == nil {
		t.Fatal("a transaction ends once")
	}
	x.Rollback()
}

func asOf(t *testing.T, w *world) {
	x := w.begin()
	w.write(x, put("a", "1"))
	at, err := x.Commit(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.load(put("a", "2"))
	w.want(w.db.Begin(txn.Options{AsOf: at}), "a", "1")
	w.want(w.db.Begin(txn.Options{AsOf: at - 1}), "a", "-")
}

func notBefore(t *testing.T, w *world) {
	at, err := w.begin().Snapshot(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	at += 1 << 20 // a tenth of a millisecond
	if got, err := w.db.Begin(txn.Options{NotBefore: at}).Snapshot(w.ctx); err != nil || got < at {
		t.Fatalf("snapshot %v, want at least %v, error %v", got, at, err)
	}
}

func emptyValues(t *testing.T, w *world) {
	w.load(txn.Write{Key: key("a")}, txn.Write{Key: key("b"), Value: []byte{}})
	x := w.begin()
	w.want(x, "a", "")
	w.want(x, "b", "")
	w.write(x, txn.Write{Key: key("c")})
	w.want(x, "c", "")
}

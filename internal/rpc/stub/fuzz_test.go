package stub

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

func sampleCommit() *txn.CommitRequest {
	id := txn.MakeID(77, 99)
	c := txn.Conflicts{Exclusive: []keys.Hash{1, 2}, Shared: []keys.Hash{3}, Schema: []keys.Hash{4}, SchemaWrites: []keys.Hash{5}, Marks: []keys.Hash{6}}
	return &txn.CommitRequest{ID: id, Attempt: 3, Start: 70, Conflicts: c,
		Votes: []txn.Vote{{From: 2, Gen: 9, Yes: true, Lower: 80, Upper: 90}, {From: 4, Reason: txn.ReasonBusy, Conflicting: 12}},
		Record: &txn.Record{Kind: txn.RecordTx, ID: id, Start: 70, Attempt: 3, Participants: []txn.JournalID{1, 2, 4}, Conflicts: c,
			Images: []txn.Image{{Key: keys.Key("a"), Value: []byte("b")}, {Key: keys.Key("c"), Delete: true}}}}
}

// TestRoundTrips: what is written is read.
func TestRoundTrips(t *testing.T) {
	q := sampleCommit()
	op, in := newReader(encodeCommit(1, q))
	if j := in.journal(); op != opCommit || j != 1 {
		t.Fatal(op, j)
	}
	got, rec := decodeCommit(in)
	if in.err != nil {
		t.Fatal(in.err)
	}
	if rec.Participants() != 3 || !bytes.Equal(got.Encoded, q.Record.AppendTo(nil)) {
		t.Fatal("record")
	}
	got.Encoded, got.Record = nil, q.Record
	if !reflect.DeepEqual(got, q) {
		t.Fatalf("%+v\n%+v", got, q)
	}
	p := &txn.PrepareRequest{ID: q.ID, Attempt: 1, Start: 5, Leader: 8, Conflicts: q.Conflicts}
	_, in = newReader(encodePrepare(7, p))
	if j := in.journal(); j != 7 || !reflect.DeepEqual(in.prepare(), p) || in.err != nil {
		t.Fatal("prepare")
	}
	images := []txn.Image{{Key: keys.Key("k"), Value: []byte{}}, {Key: keys.Key("l"), Delete: true}}
	_, in = newReader(encodeBulk(7, q.ID, 3, images))
	in.journal()
	if id, seq, got := in.bulk(); id != q.ID || seq != 3 || !reflect.DeepEqual(got, images) || in.err != nil {
		t.Fatalf("%v %d %+v %v", id, seq, got, in.err)
	}
	res := txn.CommitResult{Time: 1 << 60, Reason: txn.ReasonTooOld, Conflicting: clock.MaxTimestamp}
	if _, in = newReader(encodeResult(res)); in.result() != res || in.err != nil {
		t.Fatal("result")
	}
	v, _, err := txn.ParseRecord(q.Record.AppendTo(nil))
	if err != nil {
		t.Fatal(err)
	}
	entries := []txn.Entry{{Index: 5, Record: v}, {Index: 9, Record: v}}
	if got, next, err := decodeEntries(encodeEntries(entries, 12), 4); err != nil || next != 12 || !reflect.DeepEqual(got, entries) {
		t.Fatal(got, next, err)
	}
	for _, from := range []uint64{6, 12} {
		if _, _, err := decodeEntries(encodeEntries(entries, 12), from); err == nil {
			t.Fatalf("an item from elsewhere was taken for one from %d", from)
		}
	}
}

// FuzzDecode: no bytes make a decoder fail in any other way than by an error, or take memory beyond their size.
func FuzzDecode(f *testing.F) {
	q := sampleCommit()
	f.Add(encodeCommit(1, q))
	f.Add(encodePrepare(1, &txn.PrepareRequest{ID: q.ID, Conflicts: q.Conflicts}))
	f.Add(encodeBulk(1, q.ID, 1, q.Record.Images))
	f.Add(encodeVote(q.Votes[0]))
	v, _, _ := txn.ParseRecord(q.Record.AppendTo(nil))
	f.Add(encodeEntries([]txn.Entry{{Index: 5, Record: v}}, 12))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, decode := range []func(*reader){
			func(r *reader) {
				r.journal()
				if q, rec := decodeCommit(r); r.err == nil {
					for i := range rec.Participants() {
						rec.Participant(i)
					}
					again := encodeCommit(1, q)
					_, in := newReader(again)
					in.journal()
					if p, _ := decodeCommit(in); in.err != nil || !reflect.DeepEqual(p, q) {
						t.Fatal("a request changed", in.err)
					}
				}
			},
			func(r *reader) { r.journal(); r.prepare() },
			func(r *reader) { r.journal(); r.bulk() },
			func(r *reader) { r.vote() },
			func(r *reader) { r.result() },
			func(r *reader) {
				for r.err == nil && len(r.b) > 0 {
					r.watermark()
				}
			},
			func(r *reader) {
				c := remoteScan{limit: -1}
				_ = c.take(b)
			},
		} {
			_, in := newReader(b)
			decode(in)
		}
		_, _, _ = decodeEntries(b, 3)
	})
}

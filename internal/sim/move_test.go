package sim

import (
	"context"
	"testing"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/journal"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// pair is two journals with their adjudicators, each owning half of the hashes.
type pair struct {
	t     *testing.T
	log   *raftgroup.Log
	clock *clock.Local
	js    [2]*journal.Journal
	as    [2]*adjudicator.Adjudicator
	n     uint64
}

const middle = keys.Hash(1 << 63)

func openPair(t *testing.T, fs *memhost.FS) *pair {
	t.Helper()
	machine := oshost.New()
	p := &pair{t: t, clock: clock.New(machine, 0), n: uint64(machine.Now().UnixNano())}
	var err error
	if p.log, err = raftgroup.OpenLog(fs, "j", raftgroup.LogConfig{SegmentBytes: 128 << 10}); err != nil {
		t.Fatal(err)
	}
	for i := range p.js {
		if p.js[i], err = journal.Open(p.log, fs, "j", journal.Config{ID: txn.JournalID(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	p.log.Start()
	halves := []txn.HashRange{{First: 0, Last: middle - 1}, {First: middle, Last: ^keys.Hash(0)}}
	for i := range p.as {
		p.as[i] = adjudicator.New(adjudicator.Config{Journal: txn.JournalID(i + 1), Ranges: halves[i : i+1]}, p.clock, machine, p.js[i])
		if err := p.as[i].Start(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *pair) close() {
	for _, a := range p.as {
		if err := a.Close(context.Background()); err != nil {
			p.t.Error(err)
		}
	}
	if err := p.log.Close(); err != nil {
		p.t.Error(err)
	}
}

func (p *pair) now() clock.Timestamp {
	i, _ := p.clock.Now()
	return i.Latest
}

// write commits a write of one hash at an adjudicator.
func (p *pair) write(at int, start clock.Timestamp, h keys.Hash) adjudicator.Result {
	p.t.Helper()
	p.n++
	req := &adjudicator.CommitRequest{ID: txn.MakeID(start, p.n), Start: start}
	req.Conflicts.Exclusive = []keys.Hash{h}
	req.Record = &txn.Record{Kind: txn.RecordTx, ID: req.ID, Start: start, Conflicts: req.Conflicts}
	res, err := p.as[at].Commit(context.Background(), req)
	if err != nil {
		p.t.Fatal(err)
	}
	return res
}

func (p *pair) want(at int, start clock.Timestamp, h keys.Hash, reason txn.Reason) adjudicator.Result {
	p.t.Helper()
	r := p.write(at, start, h)
	if r.Reason != reason {
		p.t.Fatalf("%x at %d: reason %d, want %d", uint64(h), at+1, r.Reason, reason)
	}
	return r
}

// TestMoveRange moves a range from one journal to another and back: at no time do two own it, no snapshot from before the
// fence commits behind it, and restarts and repetitions change nothing.
func TestMoveRange(t *testing.T) {
	ctx := context.Background()
	fs := memhost.New()
	p := openPair(t, fs)
	moved := txn.HashRange{First: middle / 4, Last: middle / 2}
	in, out := middle/3, middle/2+1

	old := p.now()
	before := p.want(0, old, in, txn.ReasonNone)
	fence, err := p.as[0].Cede(ctx, moved, 2)
	if err != nil || fence < before.Time {
		t.Fatal(fence, before.Time, err)
	}
	p.want(0, p.now(), in, txn.ReasonWrongOwner)
	p.want(1, p.now(), in, txn.ReasonWrongOwner)
	p.want(0, p.now(), out, txn.ReasonNone)
	if again, err := p.as[0].Cede(ctx, moved, 2); err != nil || again != fence {
		t.Fatal(again, err)
	}
	if _, err := p.as[0].Cede(ctx, txn.HashRange{First: 0, Last: in}, 2); failure.CodeOf(err) != failure.ObjectNotInPrerequisiteState {
		t.Fatal(err)
	}

	// A crash here leaves the range to nobody, until somebody adopts it with the fence that the log still knows.
	p.close()
	p = openPair(t, fs)
	p.want(0, p.now(), in, txn.ReasonWrongOwner)
	p.want(1, p.now(), in, txn.ReasonWrongOwner)
	if fence, err = p.as[0].Cede(ctx, moved, 2); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.as[1].Adopt(ctx, moved, 1, fence); err != nil {
			t.Fatal(err)
		}
	}
	p.want(1, old, in, txn.ReasonTooOld) // I6: the new owner does not know what was written before the fence
	p.clock.WaitPast(fence, nil)
	first := p.want(1, p.now(), in, txn.ReasonNone)
	p.want(1, first.Time-1, in, txn.ReasonConflict)
	p.want(0, p.now(), in, txn.ReasonWrongOwner)
	p.want(0, p.now(), out, txn.ReasonNone)
	if err := p.as[1].Adopt(ctx, txn.HashRange{First: in, Last: middle}, 1, fence); failure.CodeOf(err) != failure.ObjectInUse {
		t.Fatal(err)
	}

	// The moves are in the checkpoint when the log is trimmed.
	for range 400 {
		p.want(0, p.now(), out, txn.ReasonNone)
		p.want(1, p.now(), in, txn.ReasonNone)
	}
	for _, j := range p.js {
		if err := j.Trim(j.Committed()); err != nil {
			t.Fatal(err)
		}
	}
	if m := p.js[0].Moves(); len(m) != 1 || m[0] != (txn.Move{Range: moved, Fence: fence, Peer: 2}) {
		t.Fatalf("%+v", m)
	}
	p.close()
	p = openPair(t, fs)
	defer p.close()
	if _, _, err := p.js[0].Read(1, 1); failure.CodeOf(err) != failure.SnapshotTooOld {
		t.Fatal("nothing was trimmed")
	}
	p.want(0, p.now(), in, txn.ReasonWrongOwner)
	p.clock.WaitPast(p.now(), nil)
	p.want(1, p.now(), in, txn.ReasonNone)

	// And back.
	if fence, err = p.as[1].Cede(ctx, moved, 1); err != nil {
		t.Fatal(err)
	}
	if err := p.as[0].Adopt(ctx, moved, 2, fence); err != nil {
		t.Fatal(err)
	}
	p.clock.WaitPast(fence, nil)
	p.want(1, p.now(), in, txn.ReasonWrongOwner)
	p.want(0, p.now(), in, txn.ReasonNone)
}

package journal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// TestRules runs the apply-time checks on a script: "kind gen=… time=… id=… start=…", one record a line.
func TestRules(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		c := &core{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			kinds := map[string]txn.RecordKind{"own": txn.RecordOwn, "grant": txn.RecordGrant, "tx": txn.RecordTx,
				"bulk": txn.RecordBulk, "cede": txn.RecordCede, "adopt": txn.RecordAdopt,
				"tombstone": txn.RecordTombstone, "retire": txn.RecordRetire}
			arg := func(name string) (v uint64) {
				if d.HasArg(name) {
					d.ScanArgs(t, name, &v)
				}
				return v
			}
			if d.Cmd == "outcome" {
				o, at := c.outcome(txn.MakeID(clock.Timestamp(arg("era"))<<eraBits, arg("id")))
				return fmt.Sprintln([]string{"unknown", "in progress", "committed", "aborted"}[o], uint64(at))
			}
			rec := txn.Record{Kind: kinds[d.Cmd], Gen: txn.Generation(arg("gen")), Peer: txn.JournalID(arg("peer")),
				Range: txn.HashRange{First: keys.Hash(arg("first")), Last: keys.Hash(arg("last"))},
				Time:  clock.Timestamp(arg("time") + arg("era")<<eraBits),
				Start: clock.Timestamp(arg("start")), ID: txn.MakeID(clock.Timestamp(arg("era"))<<eraBits, arg("id"))}
			v, _, err := txn.ParseRecord(rec.AppendTo(nil))
			if err != nil {
				return err.Error()
			}
			fate := c.apply(v)
			l := c.lease
			era := ""
			if l.Last>>eraBits > 0 {
				era = fmt.Sprintf(" era %d", uint64(l.Last>>eraBits))
			}
			retired := map[bool]string{true: " retired"}[l.Retired]
			moves := ""
			for _, m := range c.moves {
				verb := map[bool]string{true: "owns", false: "gave"}[m.Owned]
				moves += fmt.Sprintf("\n   %s %d to %d: fence %d, journal %d", verb, m.Range.First, m.Range.Last, uint64(m.Fence), m.Peer)
			}
			if d.Cmd != "cede" && d.Cmd != "adopt" {
				moves = ""
			}
			return fmt.Sprintf("%d %s: gen %d (%d, %d] last %d%s%s%s\n", c.seq, []string{"effective", "refused", "settled"}[fate],
				l.Gen, uint64(l.Lo)&(1<<eraBits-1), uint64(l.Hi)&(1<<eraBits-1), uint64(l.Last)&(1<<eraBits-1), era, retired, moves)
		})
	})
}

// owner appends to a journal as an adjudicator would.
type owner struct {
	t    testing.TB
	fs   *memhost.FS
	log  *raftgroup.Log
	j    *Journal
	gen  txn.Generation
	last clock.Timestamp
	n    uint64
}

type fates chan txn.Fate

func (f fates) Appended(_ uint64, fate txn.Fate) { f <- fate }

func openJournal(t testing.TB, fs *memhost.FS, cfg Config) *owner {
	t.Helper()
	o, err := tryOpen(t, fs, cfg, 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func tryOpen(t testing.TB, fs *memhost.FS, cfg Config, segment int64) (*owner, error) {
	t.Helper()
	o := &owner{t: t, fs: fs}
	var err error
	if o.log, err = raftgroup.OpenLog(fs, "j", raftgroup.LogConfig{SegmentBytes: segment}); err != nil {
		return nil, err
	}
	cfg.ID = 1
	if o.j, err = Open(o.log, fs, "j", cfg); err != nil {
		return nil, errors.Join(err, o.log.Close())
	}
	o.log.Start()
	if o.gen, err = o.j.WaitLeader(context.Background()); err != nil {
		return nil, errors.Join(err, o.log.Close())
	}
	lo := max(o.j.Lease().Hi, 1)
	o.last = lo
	for _, r := range []txn.Record{{Kind: txn.RecordOwn, Time: lo}, {Kind: txn.RecordGrant, Time: lo + 1_000_000}} {
		if f := o.append(&r); f != txn.FateEffective {
			return nil, errors.Join(fmt.Errorf("kind %d: fate %d", r.Kind, f), o.log.Close())
		}
	}
	return o, nil
}

func (o *owner) append(r *txn.Record) txn.Fate {
	o.t.Helper()
	r.Gen = o.gen
	done := make(fates, 1)
	if _, err := o.j.Append(r.AppendTo(nil), done); err != nil {
		return txn.FateDropped
	}
	return <-done
}

func (o *owner) must(r *txn.Record) {
	o.t.Helper()
	if f := o.append(r); f != txn.FateEffective {
		o.t.Fatalf("kind %d: fate %d", r.Kind, f)
	}
}

func (o *owner) tx(id txn.ID, value string) txn.Fate {
	o.t.Helper()
	o.last++
	return o.append(&txn.Record{Kind: txn.RecordTx, Time: o.last, Start: 1, ID: id,
		Images: []txn.Image{{Key: keys.Key(fmt.Sprint(id)), Value: []byte(value)}}})
}

func (o *owner) id() txn.ID {
	o.n++
	return txn.MakeID(o.last, o.n)
}

// values reads the whole journal from an index on.
func (o *owner) values(from uint64, maxBytes int) (out []string) {
	o.t.Helper()
	for from <= o.j.Committed() {
		entries, next, err := o.j.Read(from, maxBytes)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, e := range entries {
			if e.Index < from || e.Index >= next {
				o.t.Fatalf("entry %d outside [%d, %d)", e.Index, from, next)
			}
			if e.Record.Kind() == txn.RecordTx {
				out = append(out, string(e.Record.Image(0).Value))
			}
		}
		from = next
	}
	return out
}

func same(t testing.TB, got, want []string) {
	t.Helper()
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Fatalf("%d values, want %d\n%.200q\n%.200q", len(got), len(want), got, want)
	}
}

func TestReadFromMemoryAndFile(t *testing.T) {
	o := openJournal(t, memhost.New(), Config{RecentBytes: 4 << 10})
	defer o.log.Close()
	var want []string
	var ids []txn.ID
	for i := range 300 {
		id := o.id()
		ids = append(ids, id)
		want = append(want, fmt.Sprint(i, strings.Repeat("x", 300)))
		if f := o.tx(id, want[i]); f != txn.FateEffective {
			t.Fatal(f)
		}
		if i%10 == 0 && o.tx(id, "twice") != txn.FateSettled {
			t.Fatal("I8: committed twice")
		}
	}
	for _, size := range []int{1, 1000, 1 << 20} {
		same(t, o.values(1, size), want)
	}
	if out, c := o.j.Outcome(ids[7]); out != txn.OutcomeCommitted || c == 0 {
		t.Fatal(out, c)
	}
	if f := o.append(&txn.Record{Kind: txn.RecordTombstone, ID: ids[3]}); f != txn.FateSettled {
		t.Fatal("I8: tombstone over a commit")
	}
	dead := o.id()
	o.must(&txn.Record{Kind: txn.RecordTombstone, ID: dead})
	if f := o.tx(dead, "risen"); f != txn.FateSettled {
		t.Fatal("I8: commit over a tombstone")
	}
	if out, _ := o.j.Resolve(o.id(), o.last-5); out != txn.OutcomeAborted {
		t.Fatal("time has passed its bound")
	}
	if out, _ := o.j.Resolve(o.id(), o.last+5); out != txn.OutcomeInProgress {
		t.Fatal("it may still come")
	}
}

// TestTrimAndRestart trims behind the feed, crashes, and finds everything else again: values, ids, lease.
func TestTrimAndRestart(t *testing.T) {
	fs := memhost.New()
	var want []string
	var ids []txn.ID
	from := uint64(1)
	for round := range 4 {
		o := openJournal(t, fs, Config{RecentBytes: 8 << 10})
		o.n = uint64(round) * 10_000
		same(t, o.values(from, 10_000), want)
		for i := range 300 {
			v := fmt.Sprintf("%d-%d%s", round, i, strings.Repeat("y", 500))
			id := o.id()
			if f := o.tx(id, v); f != txn.FateEffective {
				t.Fatal(f)
			}
			if i%50 == 0 {
				o.tx(id, "twice")
			}
			want, ids = append(want, v), append(ids, id)
		}
		for _, id := range ids {
			if out, _ := o.j.Outcome(id); out != txn.OutcomeCommitted {
				t.Fatalf("I8: %s is forgotten", id)
			}
		}
		// Trim all but the last 40 records.
		from = o.j.Committed() - 40
		want = o.values(from, 1000)
		before := segments(fs)
		if err := o.j.Trim(from - 1); err != nil {
			t.Fatal(err)
		}
		o.tx(o.id(), "z")
		want = append(want, "z")
		o.tx(o.id(), "zz")
		want = append(want, "zz")
		if after := segments(fs); after >= before {
			t.Fatalf("nothing was freed: %d files, %d before", after, before)
		}
		if _, _, err := o.j.Read(2, 1); failure.CodeOf(err) != failure.SnapshotTooOld {
			t.Fatal(err)
		}
		fs = fs.Crash(nil)
		_ = o.log.Close()
	}
}

// TestTrimTwiceAtOneEntry trims again when a reader has gone on, but nothing was appended: the second checkpoint is of the
// same entry as the first.
func TestTrimTwiceAtOneEntry(t *testing.T) {
	fs := memhost.New()
	o := openJournal(t, fs, Config{})
	var ids []txn.ID
	for range 600 {
		ids = append(ids, o.id())
		if f := o.tx(ids[len(ids)-1], strings.Repeat("y", 500)); f != txn.FateEffective {
			t.Fatal(f)
		}
	}
	for _, behind := range []uint64{300, 0} {
		if err := o.j.Trim(o.j.Committed() - behind); err != nil {
			t.Fatal(err)
		}
	}
	fs = fs.Crash(nil)
	_ = o.log.Close()
	o = openJournal(t, fs, Config{})
	for _, id := range ids {
		if out, _ := o.j.Outcome(id); out != txn.OutcomeCommitted {
			t.Fatalf("I8: %s is forgotten", id)
		}
	}
	_ = o.log.Close()
}

func segments(fs *memhost.FS) (n int) {
	names, _ := fs.List("j")
	for _, name := range names {
		if strings.HasPrefix(name, "0") {
			n++
		}
	}
	return n
}

// TestCrash crashes at random, between appends and in the middle of trimming, and checks that what was acknowledged is
// there, once, or trimmed and still remembered by its id.
func TestCrash(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		fs := memhost.New()
		acked := map[string]txn.ID{}
		n, from := uint64(0), uint64(1)
		for range 6 {
			o := openJournal(t, fs, Config{RecentBytes: 4 << 10})
			o.n = n
			found := map[string]int{}
			for _, v := range o.values(from, 1<<20) {
				found[v]++
			}
			for v, id := range acked {
				out, _ := o.j.Outcome(id)
				if out != txn.OutcomeCommitted || found[v] > 1 || found[v] == 0 && from == 1 {
					t.Fatalf("seed %d: I7: %.10q is there %d times, outcome %d", seed, v, found[v], out)
				}
			}
			done := make(chan struct{})
			before := o.j.Committed() // read before the writer starts, which makes 200 more
			go func() {
				defer close(done)
				for range 200 {
					id := o.id()
					v := fmt.Sprint(id, strings.Repeat("z", 900))
					if o.tx(id, v) != txn.FateEffective {
						return
					}
					acked[v] = id
				}
			}()
			if _, err := o.j.Wait(context.Background(), before+uint64(r.IntN(190))); err != nil {
				t.Fatal(err)
			}
			if r.IntN(2) == 0 {
				from = o.j.Committed()
				trimmed := make(chan struct{})
				go func() { defer close(trimmed); _ = o.j.Trim(from - 1) }()
				if r.IntN(2) == 0 {
					<-trimmed
				}
				fs = fs.Crash(r)
				<-trimmed
			} else {
				fs = fs.Crash(r)
			}
			_ = o.log.Close()
			<-done
			n = o.n + 1000
		}
	}
}

func TestStopped(t *testing.T) {
	fs := memhost.New()
	o := openJournal(t, fs, Config{})
	fs.SetFaults(memhost.Faults{SyncErr: errors.New("broken disk")})
	if f := o.tx(o.id(), "a"); f != txn.FateUnknown {
		t.Fatalf("fate %d", f)
	}
	if f := o.tx(o.id(), "b"); f != txn.FateDropped {
		t.Fatalf("fate %d", f)
	}
	if _, err := o.j.Wait(context.Background(), 1<<40); failure.CodeOf(err) != failure.IOError {
		t.Fatal(err)
	}
	_ = o.log.Close()
}

// TestForgetsBySize fills the index of ids over its bound.
func TestForgetsOldEras(t *testing.T) {
	var o outcomes
	for era := range uint64(30) {
		last := clock.Timestamp(era << eraBits)
		for i := range uint64(100) {
			if !o.add(txn.MakeID(last, i), last+1, false, last) {
				t.Fatal("new id refused")
			}
		}
	}
	if o.count != 100*(erasKept+1) || len(o.eras) != erasKept+1 {
		t.Fatalf("%d ids in %d eras", o.count, len(o.eras))
	}
	old := txn.MakeID(clock.Timestamp(5<<eraBits), 3)
	if !o.forgotten(old) || o.add(old, 1, false, clock.Timestamp(29<<eraBits)) {
		t.Fatal("I8: a forgotten id may be settled again")
	}
}

func FuzzBatch(f *testing.F) {
	rec := txn.Record{Kind: txn.RecordTombstone, Gen: 1}
	f.Add(rec.AppendTo(appendBatchHead(nil, 1, 7)))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = splitBatch(b, func(uint64, txn.RecordView) error { return nil })
		_ = (&Journal{}).decode(b)
	})
}

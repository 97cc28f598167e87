package sim

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/journal"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// troupe is a journal on three machines that crash and are cut off, while owners append.
type troupe struct {
	t   *testing.T
	mu  sync.RWMutex // held for writing while a machine goes down or comes up
	ms  [3]*machine
	cut [3]atomic.Bool // cut off from the others

	acked   map[txn.ID]clock.Timestamp // told to be effective
	open    []txn.ID                   // whose outcome nobody was told
	ackedMu sync.Mutex
	next    uint64
}

type machine struct {
	fs  *memhost.FS
	log *raftgroup.Log
	j   *journal.Journal
}

// line is the network as one machine sees it.
type line struct {
	w    *troupe
	from int
}

func (l line) Send(to uint64, batch []raftgroup.Envelope) {
	if l.w.cut[l.from].Load() || l.w.cut[to-1].Load() || rand.IntN(50) == 0 {
		return
	}
	body := raftgroup.EncodeMessages(nil, batch)
	go func() { // any order
		batch, err := raftgroup.DecodeMessages(body)
		if err != nil {
			l.w.t.Error(err)
			return
		}
		l.w.mu.RLock()
		defer l.w.mu.RUnlock()
		if m := l.w.ms[to-1]; m.log != nil {
			m.log.Step(uint64(l.from+1), batch)
		}
	}()
}

func (w *troupe) up(i int) {
	w.t.Helper()
	m := w.ms[i]
	log, err := raftgroup.OpenLog(m.fs, "j", raftgroup.LogConfig{SegmentBytes: 256 << 10, Transport: line{w, i}, Time: oshost.New(), Tick: 10 * time.Millisecond})
	if err != nil {
		w.t.Fatal(err)
	}
	j, err := journal.Open(log, m.fs, "j", journal.Config{ID: 1, Node: uint64(i + 1), Voters: []uint64{1, 2, 3}, LocalLearning: true})
	if err != nil {
		w.t.Fatal(err)
	}
	log.Start()
	w.mu.Lock()
	m.log, m.j = log, j
	w.mu.Unlock()
}

func (w *troupe) down(i int, r *rand.Rand) {
	w.mu.Lock()
	m := w.ms[i]
	log := m.log
	m.log = nil
	m.fs = m.fs.Crash(r)
	w.mu.Unlock()
	_ = log.Close()
}

// leader waits for somebody who leads, and is not cut off.
func (w *troupe) leader(ctx context.Context) (int, *journal.Journal) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	found := make(chan int, len(w.ms))
	var wg sync.WaitGroup
	for i, m := range w.ms {
		if m.log != nil && !w.cut[i].Load() {
			wg.Go(func() {
				if _, err := m.j.WaitLeader(ctx); err == nil {
					found <- i
					cancel()
				}
			})
		}
	}
	wg.Wait()
	if len(found) == 0 {
		w.t.Fatal("no leader")
	}
	i := <-found
	return i, w.ms[i].j
}

// reign owns a journal and appends from several goroutines until it is told to go, or the journal does not take any more.
// Ids whose fate is open are tried again, as a coordinator does that was not answered.
func (w *troupe) reign(j *journal.Journal, begun func(acks int)) {
	l := &txn.Lease{Gen: txn.Generation(j.Leadership().Term), Lo: max(j.Lease().Hi, 1)}
	l.Hi, l.Last = l.Lo+1_000_000, l.Lo
	for _, rec := range []txn.Record{{Kind: txn.RecordOwn, Gen: l.Gen, Time: l.Lo}, {Kind: txn.RecordGrant, Gen: l.Gen, Time: l.Hi}} {
		done := make(fate, 1)
		if _, err := j.Append(rec.AppendTo(nil), done); err != nil {
			return
		}
		if f := <-done; f != txn.FateEffective {
			return
		}
	}
	var acks atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				id := w.pick()
				rec := txn.Record{Kind: txn.RecordTx, Gen: l.Gen, Start: 1, ID: id, Images: []txn.Image{{Key: keys.Key("k"), Value: make([]byte, 200)}}}
				mu.Lock()
				l.Last++
				rec.Time = l.Last
				done := make(fate, 1)
				_, err := j.Append(rec.AppendTo(nil), done)
				mu.Unlock()
				if err != nil {
					w.settle(id, 0, txn.FateUnknown)
					return
				}
				f := <-done
				w.settle(id, rec.Time, f)
				if f == txn.FateUnknown || f == txn.FateDropped {
					return
				}
				begun(int(acks.Add(1)))
			}
		})
	}
	wg.Wait()
}

func (w *troupe) pick() txn.ID {
	w.ackedMu.Lock()
	defer w.ackedMu.Unlock()
	if n := len(w.open); n > 0 {
		id := w.open[n-1]
		w.open = w.open[:n-1]
		return id
	}
	w.next++
	return txn.MakeID(1, w.next)
}

func (w *troupe) settle(id txn.ID, t clock.Timestamp, f txn.Fate) {
	w.ackedMu.Lock()
	defer w.ackedMu.Unlock()
	switch f {
	case txn.FateEffective:
		if old, ok := w.acked[id]; ok {
			w.t.Errorf("I8: transaction committed at %d and at %d", old, t)
		}
		w.acked[id] = t
	case txn.FateUnknown, txn.FateDropped, txn.FateRefused:
		w.open = append(w.open, id)
	}
}

// TestFailover lets owners come and go, through crashes that lose and tear what was not synced and through partitions in
// which a deposed owner goes on, and compares what the replicas hold afterwards: the same records (I10), times that increase
// (I2), every acknowledged transaction (I7), none twice (I8).
func TestFailover(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 11))
		w := &troupe{t: t, acked: map[txn.ID]clock.Timestamp{}}
		for i := range w.ms {
			w.ms[i] = &machine{fs: memhost.New()}
		}
		for i := range w.ms {
			w.up(i)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		for round := range 8 {
			i, j := w.leader(ctx)
			enough := make(chan struct{})
			var once sync.Once
			after := 20 + r.IntN(60)
			var wg sync.WaitGroup
			wg.Go(func() {
				w.reign(j, func(acks int) {
					if acks >= after {
						once.Do(func() { close(enough) })
					}
				})
				once.Do(func() { close(enough) })
			})
			<-enough
			victim := (i + round%2) % 3 // the leader, or a follower of it
			if round%3 == 0 {
				w.cut[victim].Store(true)
				if victim != i {
					wg.Wait()
				} else {
					other, oj := w.leader(ctx) // while the deposed one goes on
					w.reign(oj, func(int) {})
					_ = other
				}
				w.cut[victim].Store(false)
				wg.Wait()
				continue
			}
			w.down(victim, r)
			wg.Wait()
			w.up(victim)
		}
		w.compare(ctx)
		cancel()
		for _, m := range w.ms {
			if err := m.log.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func (w *troupe) compare(ctx context.Context) {
	_, lead := w.leader(ctx)
	w.reign(lead, func(int) {}) // its own records are behind all others
	end := lead.Committed()
	var first []txn.Entry
	for i, m := range w.ms {
		if n, err := m.j.Wait(ctx, end-1); err != nil {
			w.t.Fatalf("machine %d holds %d of %d records: %v", i, n, end, err)
		}
		var all []txn.Entry
		for from := uint64(1); from <= end; {
			entries, next, err := m.j.Read(from, 1<<20)
			if err != nil {
				w.t.Fatal(err)
			}
			all, from = append(all, entries...), next
		}
		if first == nil {
			first = all
		}
		for k, e := range all {
			if k >= len(first) || e.Index != first[k].Index || !bytes.Equal(e.Record.Bytes(), first[k].Record.Bytes()) {
				w.t.Fatalf("I10: machine %d holds another record %d", i, e.Index)
			}
		}
		if len(all) != len(first) {
			w.t.Fatalf("I10: machine %d holds %d records, not %d", i, len(all), len(first))
		}
	}
	w.judge(first)
}

func (w *troupe) judge(all []txn.Entry) {
	var last clock.Timestamp
	seen := map[txn.ID]clock.Timestamp{}
	for _, e := range all {
		if e.Record.Kind() != txn.RecordTx {
			continue
		}
		if e.Record.Time() <= last {
			w.t.Errorf("I2: time %d follows %d", e.Record.Time(), last)
		}
		last = e.Record.Time()
		id := e.Record.ID()
		if _, ok := seen[id]; ok {
			w.t.Errorf("I8: %x took effect twice", id)
		}
		seen[id] = last
	}
	for id, at := range w.acked {
		if seen[id] != at {
			w.t.Errorf("I7: %x was acknowledged at %d and is at %d", id, at, seen[id])
		}
	}
	if testing.Verbose() {
		fmt.Printf("%d transactions, %d acknowledged\n", len(seen), len(w.acked))
	}
}

package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/journal"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

// parts is the number of conflict ranges of a cluster; hash h belongs to part h/2^62.
const parts = 4

// cluster is a node with several journals on one log, as a real one has.
type cluster struct {
	log      *raftgroup.Log
	clock    *clock.Local
	journals []*journal.Journal
	adjs     []*adjudicator.Adjudicator
}

func openCluster(fs *memhost.FS) (*cluster, error) {
	machine := oshost.New()
	c := &cluster{clock: clock.New(machine, 0)}
	var err error
	if c.log, err = raftgroup.OpenLog(fs, "j", raftgroup.LogConfig{SegmentBytes: 64 << 10}); err != nil {
		return nil, err
	}
	for i := range parts {
		j, err := journal.Open(c.log, fs, "j", journal.Config{ID: txn.JournalID(i + 1), RecentBytes: 16 << 10})
		if err != nil {
			return nil, errors.Join(err, c.log.Close())
		}
		c.journals = append(c.journals, j)
	}
	c.log.Start()
	for i, j := range c.journals {
		own := txn.HashRange{First: keys.Hash(i) << 62, Last: keys.Hash(i)<<62 | (1<<62 - 1)}
		a := adjudicator.New(adjudicator.Config{Journal: j.ID(), Ranges: []txn.HashRange{own}}, c.clock, machine, j)
		if err := a.Start(context.Background()); err != nil {
			return nil, errors.Join(err, c.log.Close())
		}
		c.adjs = append(c.adjs, a)
	}
	return c, nil
}

func (c *cluster) now() clock.Timestamp {
	i, _ := c.clock.Now()
	return i.Latest
}

// outcome of one transaction, as its client saw it.
type seen struct {
	id     txn.ID
	start  clock.Timestamp
	time   clock.Timestamp // when acknowledged
	leader int
}

// run makes one transaction over a few of a small number of keys, through prepare and commit, with retries of busy
// attempts.
func (c *cluster) run(r *rand.Rand, id txn.ID, start clock.Timestamp) (seen, bool) {
	var hs []keys.Hash
	for range 1 + r.IntN(3) {
		if h := keys.Hash(r.IntN(parts))<<62 | keys.Hash(r.IntN(8)); !slices.Contains(hs, h) {
			hs = append(hs, h)
		}
	}
	out := seen{id: id, start: start, leader: int(hs[0] >> 62)}
	ctx := context.Background()
	for attempt := range uint32(30) {
		req := &adjudicator.CommitRequest{ID: id, Attempt: attempt, Start: start}
		byPart := map[int]*txn.Conflicts{}
		for _, h := range hs {
			p := int(h >> 62)
			if byPart[p] == nil {
				byPart[p] = &txn.Conflicts{}
			}
			byPart[p].Exclusive = append(byPart[p].Exclusive, h)
		}
		ok := true
		for p, conflicts := range byPart {
			if p == out.leader {
				req.Conflicts = *conflicts
				continue
			}
			v, err := c.adjs[p].Prepare(ctx, &adjudicator.PrepareRequest{ID: id, Attempt: attempt, Start: start,
				Leader: txn.JournalID(out.leader + 1), Conflicts: *conflicts})
			if err != nil {
				return out, false
			}
			ok = ok && v.Yes
			req.Votes = append(req.Votes, v)
		}
		rec := txn.Record{Kind: txn.RecordTx, ID: id, Attempt: attempt, Start: start, Conflicts: txn.Conflicts{Exclusive: hs}}
		req.Record = &rec
		req.Proposed = func(at clock.Timestamp) {
			for p := range byPart {
				if p != out.leader && r.IntN(4) > 0 { // some get lost
					c.adjs[p].GoAhead(id, at)
				}
			}
		}
		res, err := c.adjs[out.leader].Commit(ctx, req)
		if err != nil {
			return out, false
		}
		if res.Reason == txn.ReasonNone {
			out.time = res.Time
			return out, true
		}
		for p := range byPart {
			if p != out.leader {
				c.adjs[p].GoAbort(id, attempt)
			}
		}
		if res.Reason != txn.ReasonBusy && res.Reason != txn.ReasonExpired && res.Reason != txn.ReasonNotReady {
			return out, false
		}
	}
	return out, false
}

// history is what the clients of all lives of the cluster saw.
type history struct {
	mu    sync.Mutex
	acked []seen
	marks []txn.Watermark
}

// check reads all journals and compares.
func (c *cluster) check(h *history) error {
	type commit struct {
		start, time clock.Timestamp
		journal     int
	}
	byKey := map[keys.Hash][]commit{}
	byID := map[txn.ID]commit{}
	for p, j := range c.journals {
		last := clock.Timestamp(0)
		for from := uint64(1); from <= j.Committed(); {
			entries, next, err := j.Read(from, 4000)
			if err != nil {
				return err
			}
			from = next
			for _, e := range entries {
				v := e.Record
				if v.Kind() != txn.RecordTx {
					continue
				}
				if v.Time() <= last {
					return fmt.Errorf("I2: %s after %s", v.Time(), last)
				}
				last = v.Time()
				for _, m := range h.marks {
					if int(m.Journal) == p+1 && m.Gen >= v.Gen() && v.Time() <= m.Time && e.Index > m.Index {
						return fmt.Errorf("I4: entry %d at %s, though %+v", e.Index, v.Time(), m)
					}
				}
				if _, twice := byID[v.ID()]; twice {
					return fmt.Errorf("I8: %s committed twice", v.ID())
				}
				cm := commit{v.Start(), v.Time(), p}
				byID[v.ID()] = cm
				for i := range v.Hashes(txn.HashExclusive) {
					k := v.Hash(txn.HashExclusive, i)
					byKey[k] = append(byKey[k], cm)
				}
			}
		}
	}
	for k, cs := range byKey {
		slices.SortFunc(cs, func(a, b commit) int { return cmp.Compare(a.time, b.time) })
		for i := 1; i < len(cs); i++ {
			if cs[i-1].time > cs[i].start {
				return fmt.Errorf("I6: key %x: committed at %s, the next one started at %s", uint64(k), cs[i-1].time, cs[i].start)
			}
		}
	}
	for _, s := range h.acked {
		if cm, ok := byID[s.id]; !ok || cm.time != s.time || cm.journal != s.leader {
			return fmt.Errorf("I7: %s acknowledged at %s, found %+v", s.id, s.time, cm)
		}
	}
	return nil
}

// TestClusterCrashes runs clients against a node that loses power again and again.
func TestClusterCrashes(t *testing.T) {
	for seed := range uint64(6) {
		total, err := clusterCrashes(seed, 4, memhost.Faults{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if total < 20 {
			t.Fatalf("seed %d: only %d commits", seed, total)
		}
		t.Logf("seed %d: %d commits", seed, total)
	}
}

// TestPlantedBugs shows that TestClusterCrashes can fail: a disk that claims to have synced is found out.
func TestPlantedBugs(t *testing.T) {
	for name, faults := range map[string]memhost.Faults{"data": {LoseData: true}, "names": {LoseNames: true}} {
		// What a crash leaves is a matter of chance: one of a few seeds must show it.
		var err error
		total := 0
		for seed := uint64(1); err == nil && seed <= 12; seed++ {
			var n int
			n, err = clusterCrashes(seed, 2, faults)
			total += n
		}
		if err == nil {
			t.Errorf("%d commits on a disk that does not sync %s, and nobody noticed", total, name)
		}
		t.Logf("%s: %v", name, err)
	}
}

// clusterCrashes returns how many commits were acknowledged, and what the checks said. The faults are those of every life.
func clusterCrashes(seed uint64, lives int, faults memhost.Faults) (int, error) {
	fs, h := memhost.New(), &history{}
	for life := range lives + 1 {
		fs.SetFaults(faults)
		c, err := openCluster(fs)
		if err != nil {
			return len(h.acked), fmt.Errorf("life %d does not open: %w", life, err)
		}
		if err := c.check(h); err != nil || life == lives {
			return len(h.acked), errors.Join(err, c.log.Close())
		}
		r := rand.New(rand.NewPCG(seed, uint64(life)))
		var wg sync.WaitGroup
		for w := range 6 {
			wr := rand.New(rand.NewPCG(seed, uint64(life*100+w)))
			wg.Go(func() { c.client(h, wr, uint64(life)<<40|uint64(w)<<20) })
		}
		_, _ = c.journals[0].Wait(context.Background(), c.journals[0].Committed()+20+uint64(r.IntN(60)))
		fs = fs.Crash(r)
		wg.Wait()
		for _, a := range c.adjs {
			_ = a.Close(context.Background())
		}
		_ = c.log.Close()
	}
	return len(h.acked), nil
}

// client makes transactions whose ids count from a number, and asks for promises in between.
func (c *cluster) client(h *history, r *rand.Rand, first uint64) {
	for n := range uint64(200) {
		start := c.now()
		s, ok := c.run(r, txn.MakeID(start, first|n), start)
		if m, issued := c.adjs[r.IntN(parts)].Promise(c.now()); issued {
			h.mu.Lock()
			h.marks = append(h.marks, m)
			h.mu.Unlock()
		}
		if ok {
			h.mu.Lock()
			h.acked = append(h.acked, s)
			h.mu.Unlock()
		}
	}
}

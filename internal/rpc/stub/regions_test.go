package stub_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// regions are two places 6 ms apart, and a third 20 ms from both.
func regions(from, to rpc.NodeID) time.Duration {
	switch {
	case from == to:
		return 0
	case from == 3 || to == 3:
		return 20 * time.Millisecond
	default:
		return 6 * time.Millisecond
	}
}

// moved makes a node the leader of a journal.
func (c *cluster) moved(ctx context.Context, j txn.JournalID, to rpc.NodeID) {
	host := oshost.New()
	c.until(ctx, func() bool {
		for _, m := range c.nodes {
			if l := m.js[j].Leadership(); l.Leading && rpc.NodeID(l.Leader) != to {
				_ = m.js[j].TransferLeader(uint64(to))
				_ = host.Sleep(ctx, 100*time.Millisecond)
			}
		}
		return c.nodes[to].adjs.Of(j).Local() != nil
	})
}

// in returns a key whose conflict hash belongs to a journal.
func (c *cluster) in(j txn.JournalID, n int) string {
	for i := 0; ; i++ {
		k := strconv.Itoa(n) + "-" + strconv.Itoa(i)
		if c.hashes(j).Contains(keys.ConflictHash(0, key(k), keys.PartRow)) {
			return k
		}
	}
}

// TestRegions: a commit from one region costs one round trip to the other, wherever the key is owned, and fresh data is
// read in both without asking anybody.
func TestRegions(t *testing.T) {
	c := newCluster(t, 2, regions)
	ctx := within(t)
	c.moved(ctx, 1, 1)
	c.moved(ctx, 2, 2)
	const rtt = 12 * time.Millisecond
	host := oshost.New()
	took := func(f func() error) time.Duration {
		began := host.Monotonic()
		if err := f(); err != nil {
			t.Fatal(err)
		}
		return host.Monotonic() - began
	}
	median := func(what string, most time.Duration, f func(i int) error) {
		var all []time.Duration
		for i := range 25 {
			all = append(all, took(func() error { return f(i) }))
		}
		slices.Sort(all)
		m := all[len(all)/2]
		t.Logf("%s: median %v, 90%% %v", what, m.Round(100*time.Microsecond), all[22].Round(100*time.Microsecond))
		if m > most {
			t.Errorf("%s: %v, at most %v expected", what, m, most)
		}
	}
	for _, m := range []*member{c.nodes[1], c.nodes[2]} {
		for j := txn.JournalID(1); j <= 2; j++ {
			median("commit on node "+strconv.Itoa(int(m.id))+" in journal "+strconv.Itoa(int(j)), 2*rtt, func(i int) error {
				return m.put(ctx, c.in(j, i), "v")
			})
		}
		median("commit on node "+strconv.Itoa(int(m.id))+" in both journals", 2*rtt+rtt/2, func(i int) error {
			return m.put(ctx, c.in(1, i), "v", c.in(2, i), "w")
		})
		median("read on node "+strconv.Itoa(int(m.id)), rtt/2, func(i int) error {
			_, err := m.get(ctx, c.in(1, i))
			return err
		})
	}
	for i := range 20 {
		w, r := c.nodes[rpc.NodeID(i%2+1)], c.nodes[rpc.NodeID((i+1)%2+1)]
		v := strconv.Itoa(i)
		if err := w.put(ctx, c.in(1, 1), v, c.in(2, 1), v); err != nil {
			t.Fatal(err)
		}
		for j := txn.JournalID(1); j <= 2; j++ {
			if got, err := r.get(ctx, c.in(j, 1)); err != nil || got != v {
				t.Fatalf("I1: node %d wrote %s, node %d reads %q, %v", w.id, v, r.id, got, err)
			}
		}
	}
	c.same(ctx, 1, 2, 3)
}

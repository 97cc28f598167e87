package sim

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/crossbar"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/node"
	"github.com/meridiandb/meridian/internal/txn"
)

// sabotage is a planted bug. What cannot find it would find no bug of that kind.
type sabotage struct {
	name string
	// within is how many seeds it takes at most.
	within int
	faults []fault
	tamper *node.Tamper
	disk   *memhost.Faults
	// clock is how far the first machine's clock is off at its start, which says that it is not.
	clock time.Duration
	// found is what a run must complain of.
	found string
}

func sabotages() []*sabotage {
	return []*sabotage{
		{name: "disks that lose what was synced", within: 5, faults: []fault{blackout, power}, disk: &memhost.Faults{LoseData: true},
			found: `I6|I7|(list-append|registers) at node \d+: [^r]|does not start again`},
		{name: "a clock that lies", within: 1, clock: 3 * time.Second, found: `the clock of .* ahead of this one`},
		{name: "a clock that begins to lie", within: 10, faults: []fault{lie, kill}, found: `(list-append|registers) at node \d+: [^r]|I\d`},
		{name: "a storage that does not wait for watermarks", within: 5, tamper: &node.Tamper{Owner: func(o crossbar.Owner) crossbar.Owner { return &hasty{Owner: o} }},
			found: `I4|I5|(list-append|registers) at node \d+: [^r]`},
		// Nobody can follow what it writes below a promise of its predecessor: reads stand still.
		{name: "an adjudicator that ignores the floor", within: 20, tamper: &node.Tamper{Journal: func(j adjudicator.Journal) adjudicator.Journal { return floorless{j} }},
			found: `I\d|(list-append|registers) at node|liveness`},
	}
}

// hasty is an owner that has promised once, and is believed ever after.
type hasty struct {
	crossbar.Owner
	mu   sync.Mutex
	once txn.Watermark
}

func (h *hasty) Promise(at clock.Timestamp) (txn.Watermark, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.once.Index == 0 {
		return h.Owner.Promise(at)
	}
	h.once.Time = max(h.once.Time, at)
	return h.once, true
}

func (h *hasty) PromiseWait(ctx context.Context, at clock.Timestamp) (txn.Watermark, error) {
	m, err := h.Owner.PromiseWait(ctx, at)
	if err == nil {
		h.mu.Lock()
		h.once = m
		h.mu.Unlock()
	}
	return m, err
}

// floorless hides from an adjudicator up to where its predecessor was allowed to go: it goes on after the last commit.
type floorless struct{ adjudicator.Journal }

func (f floorless) Lease() txn.Lease {
	l := f.Journal.Lease()
	l.Lo, l.Hi = min(l.Lo, l.Last), l.Last
	return l
}

func (s *sabotage) parts() *node.Tamper {
	if s == nil {
		return nil
	}
	return s.tamper
}

// before prepares a machine that starts, after one that has started.
func (s *sabotage) before(w *world, i int) {
	if s != nil && s.clock != 0 && i == 0 {
		w.Machine(i).SetClock(s.clock, 1)
	}
}

func (s *sabotage) after(w *world, i int) {
	if s != nil && s.disk != nil {
		w.Machine(i).Disk().SetFaults(*s.disk)
	}
}

// lie sets a clock wrong by far more than it admits, for a while.
func lie(w *world, ctx context.Context, i int, last time.Duration) {
	w.Note("lie %d", i)
	w.Machine(i).SetClock(time.Duration(w.rng.IntN(2)*2-1)*time.Second/5, 1)
	w.pause(ctx, last)
	w.Machine(i).SetClock(0, 1)
}

func sabotageNamed(t *testing.T, name string) *sabotage {
	if name == "" {
		return nil
	}
	for _, s := range sabotages() {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no sabotage is called %q", name)
	return nil
}

// TestSabotage runs worlds with planted bugs until they are found. Each runs in a process of its own, since a broken node may
// end its process, as it should.
func TestSabotage(t *testing.T) {
	if !*sabotageAll {
		t.Skip("runs with -sabotages")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sabotages() {
		t.Run(s.name, func(t *testing.T) {
			for seed := 1; seed <= s.within; seed++ {
				out, err := exec.Command(self, "-test.run", "^TestTrouble$", "-test.timeout", "2m", "-seed", fmt.Sprint(seed), "-sabotage", s.name).CombinedOutput()
				if err == nil {
					continue
				}
				if line := regexp.MustCompile(`(?m)^.*(` + s.found + `).*$`).Find(out); line != nil {
					t.Logf("found with seed %d: %s", seed, line)
					return
				}
				t.Fatalf("seed %d fails for another reason:\n%.4000s", seed, out)
			}
			t.Errorf("not found with %d seeds", s.within)
		})
	}
}

package control

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/txn"
)

// TestForm starts three nodes, one of them late, and has them forget nothing over a restart of all.
func TestForm(t *testing.T) {
	simulate(t, 3, 1, func(w *world) {
		w.nodes[2].start(addresses(3))
		w.nodes[0].start(addresses(3))
		w.w.Sleep(5 * time.Second)
		for _, n := range w.nodes {
			if n.service() != nil {
				t.Fatal("a cluster was formed without one of its nodes")
			}
		}
		w.nodes[1].start(addresses(3))
		w.eventually("a cluster of three", 20*time.Second, w.settled(0, 1, 2))
		m := w.nodes[0].service().Map()
		for i, n := range m.Nodes {
			if n.ID != meta.NodeID(i+1) || n.Region != fmt.Sprintf("r%d", i) || n.SQLAddress != fmt.Sprintf("m%d:5432", i) {
				t.Errorf("node %d is %+v", i, n)
			}
		}
		if len(m.Journals) != 3 || m.Journals[0].Preferred == m.Journals[1].Preferred {
			t.Errorf("journals %+v", m.Journals)
		}
		for i := range 3 {
			w.nodes[i].crash(true)
		}
		for i := range 3 {
			w.nodes[i].start(addresses(3))
		}
		w.eventually("the same cluster again", 20*time.Second, w.settled(0, 1, 2))
		again := w.nodes[2].service().Map()
		if again.Cluster != m.Cluster || len(again.Nodes) != 3 {
			t.Errorf("another cluster: %s", again)
		}
	})
}

// TestFormCrashes crashes nodes at random moments while they form their cluster, and their restarts too.
func TestFormCrashes(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		simulate(t, 3, uint64(seed), func(w *world) {
			w.founders(3)
			for range 6 {
				w.w.Sleep(time.Duration(w.w.Rand(400)) * time.Millisecond)
				n := w.nodes[w.w.Rand(3)]
				n.crash(w.w.Rand(2) == 0)
				w.w.Sleep(time.Duration(w.w.Rand(300)) * time.Millisecond)
				n.start(addresses(3))
			}
			w.eventually("one cluster", 60*time.Second, w.settled(0, 1, 2))
			for i, n := range w.nodes {
				m := n.service().Map()
				if m.Cluster != w.nodes[0].service().Map().Cluster || len(m.Nodes) != 3 || n.service().self != meta.NodeID(i+1) {
					t.Errorf("seed %d: node %d is in %s", seed, i, m)
				}
			}
		})
	}
}

// TestReplace has a fourth node join, kills one for good, and has the fourth take its seats. The dead one is removed, and is
// not let in again.
func TestReplace(t *testing.T) {
	simulate(t, 4, 3, func(w *world) {
		w.founders(3)
		w.eventually("a cluster of three", 20*time.Second, w.settled(0, 1, 2))
		w.nodes[3].region = "r1"
		w.nodes[3].start(addresses(3))
		w.eventually("a fourth node", 20*time.Second, w.settled(0, 1, 2, 3))

		w.nodes[1].crash(true)
		w.eventually("the dead node's seats have moved", 60*time.Second, func() bool {
			m := w.nodes[0].service().Map()
			return m.Seats(2) == 0 && m.Seats(4) == 4
		})
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		s := w.nodes[3].service()
		if _, err := s.carryOut(ctx, &Admin{Do: "remove", Node: 2}); err != nil {
			t.Fatal(err)
		}
		w.eventually("all is well without it", 20*time.Second, w.settled(0, 2, 3))
		w.nodes[1].start(addresses(3))
		w.eventually("the removed node is told", 20*time.Second, func() bool { return w.nodes[1].failure() != nil })
		if err := w.nodes[1].failure(); !strings.Contains(err.Error(), "was removed") || failure.As(err).Hint == "" {
			t.Errorf("the removed node: %v", err)
		}
		// With an empty folder the machine is a new node.
		w.nodes[1].stop()
		w.w.Machine(1).Wipe()
		w.nodes[1].start(addresses(2))
		w.eventually("a new node on the old machine", 20*time.Second, w.settled(0, 1, 2, 3))
		if id := w.nodes[1].service().self; id != 5 {
			t.Errorf("number %d was given again", id)
		}
	})
}

// TestDrain takes a node out in good order, while it leads everything it can.
func TestDrain(t *testing.T) {
	simulate(t, 4, 4, func(w *world) {
		w.founders(3)
		w.eventually("a cluster of three", 20*time.Second, w.settled(0, 1, 2))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		s := w.nodes[2].service()
		if _, err := s.carryOut(ctx, &Admin{Do: "remove", Node: 1}); failure.CodeOf(err) != failure.ObjectInUse {
			t.Errorf("removing a node that is in use: %v", err)
		}
		if _, err := s.carryOut(ctx, &Admin{Do: "drain", Node: 1}); err != nil {
			t.Fatal(err)
		}
		w.eventually("nobody can take its place", 20*time.Second, func() bool {
			return strings.Contains(strings.Join(s.Status(ctx).Problems, "\n"), "no node can take the place of node 1")
		})
		w.nodes[3].start(addresses(3)[1:])
		w.eventually("its seats have moved", 40*time.Second, func() bool { return s.Map().Seats(1) == 0 })
		if _, err := s.carryOut(ctx, &Admin{Do: "remove", Node: 1}); err != nil {
			t.Fatal(err)
		}
		w.eventually("it stops itself", 20*time.Second, func() bool {
			return w.nodes[0].failure() != nil && strings.Contains(w.nodes[0].failure().Error(), "was removed")
		})
		w.eventually("all is well", 20*time.Second, w.settled(1, 2, 3))
	})
}

// TestPartition cuts the control leader off: the others go on, it does not, and it follows when it is back.
func TestPartition(t *testing.T) {
	simulate(t, 3, 5, func(w *world) {
		w.founders(3)
		w.eventually("a cluster of three", 20*time.Second, w.settled(0, 1, 2))
		lost := int(w.nodes[0].service().Leader()) - 1
		other := w.nodes[(lost+1)%3].service()
		w.w.Isolate(lost)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if _, err := other.Propose(ctx, meta.Command{Setting: &meta.Setting{Name: SettingReplicas, Value: "3"}}); err != nil {
			t.Fatal(err)
		}
		alone, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := w.nodes[lost].service().Propose(alone, meta.Command{Setting: &meta.Setting{Name: SettingReplicas, Value: "5"}}); failure.CodeOf(err) != failure.CannotConnectNow {
			t.Errorf("the minority's proposal: %v", err)
		}
		if st := w.nodes[lost].service().Status(context.Background()); st.Leader != 0 || len(st.Problems) == 0 {
			t.Errorf("the minority's status: %+v", st)
		}
		w.w.HealAll()
		w.eventually("one map again", 30*time.Second, w.settled(0, 1, 2))
		if v := w.nodes[lost].service().Map().Settings[SettingReplicas]; v != "3" && v != "5" {
			t.Errorf("setting %q", v)
		}
	})
}

// TestRefusals: who may not come in is told why.
func TestRefusals(t *testing.T) {
	simulate(t, 5, 6, func(w *world) {
		w.founders(3)
		w.eventually("a cluster of three", 20*time.Second, w.settled(0, 1, 2))
		refused := func(i int, word string) {
			t.Helper()
			w.eventually("refused: "+word, 20*time.Second, func() bool { return w.nodes[i].failure() != nil })
			if err := w.nodes[i].failure(); !strings.Contains(err.Error(), word) || failure.As(err).Hint == "" {
				t.Errorf("want %q, got %v", word, err)
			}
			w.nodes[i].stop()
		}
		// A wrong token.
		w.nodes[3].token = "wrong"
		w.nodes[3].start(addresses(3))
		refused(3, "join token")
		w.nodes[3].token = ""
		// A clock that is far off.
		w.w.Machine(3).SetClock(3*time.Second, 1)
		w.nodes[3].start(addresses(3))
		refused(3, "clock")
		w.w.Machine(3).SetClock(0, 1)
		// A protocol that the cluster does not speak.
		w.tune = func(c *EnterConfig) { c.Self.MinProtocol, c.Self.MaxProtocol = 7, 9 }
		w.nodes[3].start(addresses(3))
		refused(3, "protocol")
		w.tune = nil
		// A founder whose disk was wiped.
		w.nodes[2].stop()
		w.w.Machine(2).Wipe()
		w.nodes[2].start(addresses(3))
		refused(2, "another data folder")
		// A member of another cluster.
		w.nodes[4].start([]string{addresses(5)[4]})
		w.eventually("a cluster of one", 20*time.Second, w.settled(4))
		w.nodes[4].stop()
		w.nodes[4].start(addresses(5)[:1])
		refused(4, "belongs to cluster")
		// Two clusters in one list.
		w.nodes[4].start([]string{addresses(5)[4]})
		w.eventually("a cluster of one", 20*time.Second, w.settled(4))
		w.nodes[3].start([]string{addresses(5)[0], addresses(5)[4]})
		refused(3, "and")
	})
}

// TestLostDisk replaces the disk of one of three nodes: there is no fourth that could take its place but itself, as a new node.
func TestLostDisk(t *testing.T) {
	simulate(t, 3, 7, func(w *world) {
		w.founders(3)
		w.eventually("a cluster of three", 20*time.Second, w.settled(0, 1, 2))
		w.nodes[1].crash(true)
		w.w.Machine(1).Wipe()
		w.nodes[1].start(addresses(3))
		w.eventually("it is refused", 20*time.Second, func() bool { return w.nodes[1].failure() != nil })
		if err := w.nodes[1].failure(); !strings.Contains(failure.As(err).Hint, "meridian node remove 2") {
			t.Errorf("the wiped node: %v", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		s := w.nodes[0].service()
		if _, err := s.carryOut(ctx, &Admin{Do: "drain", Node: 2}); err != nil {
			t.Fatal(err)
		}
		w.nodes[1].stop()
		w.nodes[1].start(addresses(3))
		w.eventually("a new node took its place", 60*time.Second, func() bool { return s.Map().Seats(2) == 0 && s.Map().Seats(4) == 4 })
		if _, err := s.carryOut(ctx, &Admin{Do: "remove", Node: 2}); err != nil {
			t.Fatal(err)
		}
		w.eventually("all is well", 20*time.Second, w.settled(0, 1, 2))
	})
}

// TestHandOver stops each node in turn in good order: what it leads is led by others before it goes, and again by it when it
// is back.
func TestHandOver(t *testing.T) {
	simulate(t, 3, 8, func(w *world) {
		w.founders(3)
		w.eventually("a cluster of three", 20*time.Second, w.settled(0, 1, 2))
		for i := range 3 {
			s := w.nodes[i].service()
			began := w.w.Elapsed()
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			s.HandOver(ctx)
			cancel()
			if took := w.w.Elapsed() - began; took > 300*time.Millisecond {
				t.Errorf("handing over took %s", took)
			}
			w.w.Sleep(2 * time.Second) // nobody gives it back
			for id := range txn.JournalID(4) {
				if g, ok := s.groupReport(id); ok && (g.Leader == s.self || g.Leader == 0) {
					t.Errorf("node %d: group %d is led by %d", i, id, g.Leader)
				}
			}
			w.nodes[i].stop()
			w.nodes[i].start(addresses(3))
			w.eventually("leaders in their places", 30*time.Second, w.settled(0, 1, 2))
		}
	})
}

// TestNemesis crashes, pauses and cuts off nodes at random, while one of five is drained and comes back. Nodes never
// disagree about a version of the map, versions never go back on a node, and in the end everything is in order.
func TestNemesis(t *testing.T) {
	seeds := 4
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		simulate(t, 5, uint64(100+seed), func(w *world) {
			w.founders(5)
			w.eventually("a cluster of five", 30*time.Second, w.settled(0, 1, 2, 3, 4))
			check := newWitness(t, w)
			for round := range 12 {
				victim := w.w.Rand(5)
				switch w.w.Rand(4) {
				case 0, 1:
					w.nodes[victim].crash(w.w.Rand(2) == 0)
					check.forgotten(victim)
					check.sleep(time.Duration(w.w.Rand(20_000)) * time.Millisecond)
					w.nodes[victim].start(addresses(5))
				case 2:
					w.w.Isolate(victim)
					check.sleep(time.Duration(w.w.Rand(20_000)) * time.Millisecond)
					w.w.HealAll()
				case 3:
					w.w.Machine(victim).Pause()
					check.sleep(time.Duration(w.w.Rand(15_000)) * time.Millisecond)
					w.w.Machine(victim).Resume()
				}
				if s := w.nodes[w.w.Rand(5)].service(); s != nil && round%3 == 0 {
					ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
					_, _ = s.carryOut(ctx, &Admin{Do: [...]string{"drain", "undrain"}[w.w.Rand(2)], Node: meta.NodeID(1 + w.w.Rand(5))})
					cancel()
				}
				check.sleep(time.Duration(w.w.Rand(5000)) * time.Millisecond)
			}
			for id := range meta.NodeID(5) {
				ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
				if _, err := w.nodes[0].service().carryOut(ctx, &Admin{Do: "undrain", Node: id + 1}); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
				cancel()
			}
			w.eventually(fmt.Sprintf("seed %d: all is well", seed), 3*time.Minute, w.settled(0, 1, 2, 3, 4))
			check.look()
		})
	}
}

// mapWitness remembers every map that any node has shown.
type mapWitness struct {
	t    *testing.T
	w    *world
	seen map[uint64]string
	last [5]uint64
}

func newWitness(t *testing.T, w *world) *mapWitness {
	return &mapWitness{t: t, w: w, seen: map[uint64]string{}}
}

func (c *mapWitness) forgotten(i int) { c.last[i] = 0 }

func (c *mapWitness) look() {
	for i, n := range c.w.nodes {
		s := n.service()
		if s == nil {
			continue
		}
		m := s.Map()
		if m.Version < c.last[i] {
			c.t.Errorf("node %d went from version %d back to %d", i, c.last[i], m.Version)
		}
		c.last[i] = m.Version
		text := m.String()
		if old, ok := c.seen[m.Version]; ok && old != text {
			c.t.Errorf("two maps of version %d:\n%s%s", m.Version, old, text)
		}
		c.seen[m.Version] = text
	}
}

func (c *mapWitness) sleep(d time.Duration) {
	for ; d > 0; d -= 100 * time.Millisecond {
		c.look()
		c.w.w.Sleep(min(d, 100*time.Millisecond))
	}
}

package raftgroup

import (
	"math/rand/v2"
	"testing"
)

// learnThenCrash lets the leader crash in the middle of its sync of an entry, while the entry may be on its way to one
// follower; the follower may learn of it. Then the other two go on without that follower.
func learnThenCrash(t *testing.T, unsafe bool, crashAt int) (learned bool, broken string) {
	w := newWorld(t, 7, 3)
	w.local, w.unsafe = true, unsafe
	w.all()
	lead := w.elected()
	lead.propose(10)
	w.converged()
	follower, third := w.nodes[lead.id%3+1], w.nodes[(lead.id+1)%3+1]
	before := follower.index
	cutOff := func(m *member) {
		for id := range w.nodes {
			w.cut[[2]uint64{id, m.id}], w.cut[[2]uint64{m.id, id}] = true, true
		}
	}
	cutOff(third)
	lead.fs.CrashAt(crashAt, rand.New(rand.NewPCG(uint64(crashAt), 3)))
	lead.propose(2000)
	for busy := true; busy; {
		busy = lead.turn() || follower.turn()
		net := w.net
		w.net = nil
		for _, p := range net {
			if p.to == follower.id {
				w.deliver(p)
				busy = true
			} // what the follower answers is lost
		}
	}
	learned = follower.index > before
	if lead.up() {
		lead.down(lead.fs.Crash(nil))
	}
	w.cut = map[[2]uint64]bool{}
	lead.must()
	cutOff(follower)
	for range 100 {
		if l := w.leader(); l != nil && l != follower && len(l.queue) == 0 && w.broken == "" {
			l.propose(20)
		}
		lead.log.Tick()
		third.log.Tick()
		for range 10 {
			lead.turn()
			third.turn()
			net := w.net
			w.net = nil
			for _, p := range net {
				w.deliver(p)
			}
		}
	}
	if w.broken == "" {
		w.converged()
	}
	return learned, w.broken
}

// TestLearn: a follower applies an entry as soon as it has synced it, without another word of the leader, and nothing goes
// wrong when the leader dies right then, at any point of its sync.
func TestLearn(t *testing.T) {
	learned := 0
	for at := 1; at <= 6; at++ {
		yes, broken := learnThenCrash(t, false, at)
		if broken != "" {
			t.Errorf("crash at %d: %s", at, broken)
		}
		if yes {
			learned++
		}
	}
	if learned == 0 {
		t.Error("the follower never learned of anything")
	}
}

// TestLearnFromLeaderThatHasNotSynced is why the leader syncs before it sends: if it did not, the follower's conclusion would
// be wrong, and this test says so.
func TestLearnFromLeaderThatHasNotSynced(t *testing.T) {
	if learned, broken := learnThenCrash(t, true, 1); !learned || broken == "" {
		t.Fatalf("learned %v, and nothing was noticed", learned)
	}
}

// TestLearnWithoutTheLeader counts messages: the followers apply what the leader proposed although nothing reaches them after
// the append itself.
func TestLearnWithoutTheLeader(t *testing.T) {
	for _, local := range []bool{false, true} {
		w := newWorld(t, 8, 3)
		w.local = local
		w.all()
		lead := w.elected()
		w.converged()
		before := lead.index
		lead.propose(10)
		for lead.turn() {
		}
		net := w.net
		w.net = nil
		for _, p := range net {
			w.deliver(p)
		}
		for id, m := range w.nodes {
			if m == lead {
				continue
			}
			for m.turn() {
			}
			if got := m.index > before; got != local {
				t.Fatalf("local learning %v: node %d applied up to %d, before %d", local, id, m.index, before)
			}
		}
		w.check()
	}
}

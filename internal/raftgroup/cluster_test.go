package raftgroup

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host/memhost"
)

// world is a cluster of nodes whose logs are driven by the test, turn by turn, over a network that loses, repeats,
// reorders and cuts. It judges what the machines are given: at every index, all of them apply the same entry (I7, I10).
type world struct {
	t      *testing.T
	r      *rand.Rand
	nodes  map[uint64]*member
	net    []packet
	cut    map[[2]uint64]bool
	loss   float64
	chosen map[uint64]string // by index: what some machine has applied there
	top    uint64            // highest index in chosen
	n      int               // payloads given out
	local  bool              // LocalLearning
	unsafe bool
	broken string // what is wrong
	trace  []string
}

type packet struct {
	from, to uint64
	body     []byte
}

// member is a node: its disk, and while it is up, its log and machine.
type member struct {
	w     *world
	id    uint64
	cfg   GroupConfig
	fs    *memhost.FS
	log   *Log
	group *Group

	mu      sync.Mutex // a snapshot is taken in a goroutine of its own; guards the next two
	state   []string   // what was applied, without Raft's own entries
	index   uint64
	queue   []string
	leads   uint64
	stopped error
}

func newWorld(t *testing.T, seed uint64, voters int) *world {
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 99)), nodes: map[uint64]*member{}, cut: map[[2]uint64]bool{}, chosen: map[uint64]string{}}
	var ids []uint64
	for i := range voters {
		ids = append(ids, uint64(i+1))
	}
	for _, id := range ids {
		w.add(id, GroupConfig{ID: 1, Node: id, Voters: ids})
	}
	return w
}

func (w *world) add(id uint64, cfg GroupConfig) *member {
	m := &member{w: w, id: id, cfg: cfg, fs: memhost.New()}
	w.nodes[id] = m
	return m
}

func (w *world) note(format string, args ...any) {
	if len(w.trace) > 4000 {
		w.trace = w.trace[2000:]
	}
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	if w.broken == "" {
		w.broken = fmt.Sprintf(format, args...)
		w.note("BROKEN: %s", w.broken)
	}
}

// start brings a node up. An error of opening is the test's to judge.
func (m *member) start() error {
	log, err := OpenLog(m.fs, "log", LogConfig{SegmentBytes: 16 << 10, Transport: m})
	if err != nil {
		return err
	}
	m.state, m.index, m.queue, m.leads, m.stopped = nil, 0, nil, 0, nil
	cfg := m.cfg
	cfg.LocalLearning, cfg.sendUnsynced = m.w.local, m.w.unsafe
	m.group, err = log.Group(cfg, func(checkpoint []byte) (Machine, error) {
		if checkpoint != nil {
			return m, m.load(checkpoint)
		}
		return m, nil
	})
	if err != nil {
		return errors.Join(err, log.Close())
	}
	m.log = log
	m.w.note("%d starts: base %d, last %d, commit %d", m.id, m.group.Base(), m.group.state.mu.last, m.group.state.mu.hard.commit)
	return nil
}

func (m *member) must() *member {
	m.w.t.Helper()
	if err := m.start(); err != nil {
		m.w.t.Fatalf("node %d: %v", m.id, err)
	}
	return m
}

func (m *member) up() bool { return m.log != nil }

// down ends a node's life; its disk keeps what it kept.
func (m *member) down(fs *memhost.FS) {
	if m.log == nil {
		return
	}
	m.w.note("%d goes down", m.id)
	m.log.tasks.Wait()
	m.fs = fs
	m.log.end(errors.New("down"))
	_ = m.log.Close()
	m.log, m.leads = nil, 0
}

// turn lets a log do what is queued. A crash of its disk ends the node.
func (m *member) turn() bool {
	if !m.up() {
		return false
	}
	l := m.log
	l.mu.Lock()
	queue := l.mu.queue
	l.mu.queue = nil
	l.mu.Unlock()
	if len(queue) == 0 {
		return false
	}
	err := l.cycle(queue)
	l.tasks.Wait() // a snapshot that was begun
	if m.fs.Dead() {
		m.down(m.fs.Crash(nil))
	} else if err != nil {
		m.w.fail("node %d: %v", m.id, err)
	}
	return true
}

// Send implements Transport.
func (m *member) Send(to uint64, batch []Envelope) {
	m.w.net = append(m.w.net, packet{m.id, to, EncodeMessages(nil, batch)})
}

func (m *member) Gather() []byte {
	if len(m.queue) == 0 {
		return nil
	}
	p := m.queue[0]
	if m.queue = m.queue[1:]; len(m.queue) > 0 {
		m.group.Wake()
	}
	return []byte(p)
}

func (m *member) Apply(index, term uint64, data []byte) {
	w := m.w
	if index != m.index+1 && !(m.index == 0 && index == 2) {
		w.fail("node %d applies %d behind %d", m.id, index, m.index)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.index = index
	what := fmt.Sprintf("%d:%s", term, data)
	if old, ok := w.chosen[index]; ok && old != what {
		w.fail("I7: entry %d is %.40q on node %d, and was %.40q", index, what, m.id, old)
	}
	w.chosen[index] = what
	w.top = max(w.top, index)
	if data != nil {
		m.state = append(m.state, string(data))
	}
}

func (m *member) Applied()                   {}
func (m *member) Lead(term uint64)           { m.leads = term; m.w.note("%d leads in %d", m.id, term) }
func (m *member) Follow()                    { m.leads, m.queue = 0, nil; m.w.note("%d follows", m.id) }
func (m *member) Stopped(err error)          { m.stopped = err }
func (m *member) Leader(term, leader uint64) {}

func (m *member) Snapshot() (uint64, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.index, m.save(), nil
}

func (m *member) Restore(index uint64, data []byte) error {
	m.w.note("%d restores %d", m.id, index)
	err := m.load(data)
	if m.index != index {
		m.w.fail("snapshot of %d passed as one of %d", m.index, index)
	}
	return err
}

func (m *member) save() []byte {
	return []byte(fmt.Sprint(m.index) + "\n" + strings.Join(m.state, "\n"))
}

func (m *member) load(b []byte) error {
	head, rest, _ := strings.Cut(string(b), "\n")
	_, err := fmt.Sscan(head, &m.index)
	m.state = nil
	if rest != "" {
		m.state = strings.Split(rest, "\n")
	}
	return err
}

// propose gives a leader something to do.
func (m *member) propose(size int) {
	m.w.n++
	m.queue = append(m.queue, fmt.Sprintf("p%d%s", m.w.n, strings.Repeat("x", size)))
	m.group.Wake()
}

// trim saves a checkpoint and lets the log go up to some entry before it.
func (m *member) trim(keep uint64) {
	if m.index < 2 {
		return
	}
	if err := m.group.Checkpoint(m.index, m.save()); err != nil {
		if !m.fs.Dead() {
			m.w.fail("node %d: checkpoint: %v", m.id, err)
		}
		return
	}
	if m.index > keep+1 {
		m.group.Trim(m.index - keep)
	}
}

// leader is the node that leads in the highest term.
func (w *world) leader() (lead *member) {
	for _, m := range w.nodes {
		if m.up() && m.leads != 0 && (lead == nil || m.leads > lead.leads) {
			lead = m
		}
	}
	return lead
}

// deliver hands one packet over.
func (w *world) deliver(p packet) {
	m := w.nodes[p.to]
	if m == nil || !m.up() || w.cut[[2]uint64{p.from, p.to}] {
		return
	}
	batch, err := DecodeMessages(p.body)
	if err != nil {
		w.fail("decode: %v", err)
		return
	}
	m.log.Step(p.from, batch)
}

// step does one random thing of the ordinary kind: a turn, a packet or a tick.
func (w *world) step() {
	ids := w.ids()
	switch k := w.r.IntN(10); {
	case k < 5 && len(w.net) > 0:
		i := 0
		if w.loss > 0 && w.r.IntN(4) == 0 {
			i = w.r.IntN(len(w.net))
		}
		p := w.net[i]
		if w.loss > 0 && w.r.Float64() < w.loss {
			if w.r.IntN(2) == 0 {
				w.deliver(p) // and once more later
				return
			}
			w.net = slices.Delete(w.net, i, i+1)
			return
		}
		w.net = slices.Delete(w.net, i, i+1)
		w.deliver(p)
	case k < 9:
		w.nodes[ids[w.r.IntN(len(ids))]].turn()
	case w.r.IntN(2) == 0:
		if m := w.nodes[ids[w.r.IntN(len(ids))]]; m.up() {
			m.log.Tick()
		}
	}
}

func (w *world) ids() []uint64 {
	var ids []uint64
	for id := range w.nodes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// quiet heals the network and lets the cluster come to rest: everything is delivered, in order, while time goes on, until a
// condition holds.
func (w *world) quiet(what string, until func() bool) {
	w.t.Helper()
	w.cut = map[[2]uint64]bool{}
	w.loss = 0
	for round := 0; round < 3000; round++ {
		if w.broken != "" {
			return
		}
		if until() {
			return
		}
		for _, id := range w.ids() {
			m := w.nodes[id]
			if !m.up() {
				continue
			}
			m.log.Tick()
		}
		for busy := true; busy && w.broken == ""; {
			busy = false
			for _, id := range w.ids() {
				busy = w.nodes[id].turn() || busy
			}
			net := w.net
			w.net = nil
			for _, p := range net {
				w.deliver(p)
				busy = true
			}
		}
	}
	w.dump()
	w.t.Fatalf("no rest: %s", what)
}

func (w *world) dump() {
	for _, line := range w.trace[max(0, len(w.trace)-80):] {
		w.t.Log(line)
	}
	for _, id := range w.ids() {
		if m := w.nodes[id]; m.up() {
			var s Status
			m.group.fillStatus(&s)
			w.t.Logf("%+v stopped %v", s, m.stopped)
		}
	}
}

// elected waits for a leader that has applied everything.
func (w *world) elected() *member {
	w.t.Helper()
	w.quiet("a leader", func() bool { return w.leader() != nil })
	w.check()
	return w.leader()
}

// converged waits until all nodes that are up have applied everything, and compares them.
func (w *world) converged() {
	w.t.Helper()
	w.quiet("all equal", func() bool {
		lead := w.leader()
		if lead == nil || lead.index < w.top || len(lead.queue) > 0 || lead.index < lead.group.state.mu.last {
			return false
		}
		for _, m := range w.nodes {
			if m.up() && m.stopped == nil && m.index != lead.index {
				return false
			}
		}
		return true
	})
	w.check()
	lead := w.leader()
	for _, m := range w.nodes {
		if m.up() && m.stopped == nil && !slices.Equal(m.state, lead.state) {
			w.t.Fatalf("I10: node %d holds %d entries, node %d %d", m.id, len(m.state), lead.id, len(lead.state))
		}
	}
}

func (w *world) check() {
	w.t.Helper()
	if w.broken != "" {
		w.dump()
		w.t.Fatal(w.broken)
	}
}

func (w *world) all() *world {
	for _, id := range w.ids() {
		w.nodes[id].must()
	}
	return w
}

func TestThreeVoters(t *testing.T) {
	w := newWorld(t, 1, 3).all()
	lead := w.elected()
	for range 20 {
		lead.propose(100)
	}
	w.converged()
	if len(lead.state) != 20 {
		t.Fatal(len(lead.state))
	}
	lead.down(lead.fs.Crash(nil))
	next := w.elected()
	next.propose(10)
	w.converged()
	lead.must()
	w.converged()
	if len(lead.state) != 21 {
		t.Fatal(len(lead.state))
	}
}

// chaos runs a cluster through everything that may go wrong, for some steps, and lets it recover.
func chaos(t *testing.T, seed uint64, local, unsafe bool, steps int) *world {
	w := newWorld(t, seed, 3)
	w.local, w.unsafe = local, unsafe
	w.all()
	w.loss = 0.05
	for i := 0; i < steps && w.broken == ""; i++ {
		w.step()
		w.disturb(i)
	}
	if w.broken != "" {
		return w
	}
	for _, id := range w.ids() {
		m := w.nodes[id]
		m.fs.CrashAt(1<<30, nil) // no more crashes that were planned before
		if !m.up() {
			m.must()
		}
	}
	return w
}

// disturb does, now and then, what does not belong to ordinary operation.
func (w *world) disturb(i int) {
	ids := w.ids()
	m := w.nodes[ids[w.r.IntN(len(ids))]]
	switch k := w.r.IntN(1000); {
	case k < 15:
		if lead := w.leader(); lead != nil {
			lead.propose(w.r.IntN(600))
		}
	case k < 19 && m.leads != 0: // perhaps one that does not know that it leads no more
		m.propose(w.r.IntN(600))
	case k == 20 && m.up():
		m.down(m.fs.Crash(w.r))
	case k == 21 && m.up():
		m.down(m.fs.Kill())
	case k == 22 && m.up():
		m.fs.CrashAt(1+w.r.IntN(6), w.r)
	case k >= 30 && k < 36 && !m.up():
		m.must()
	case k == 40:
		other := ids[w.r.IntN(len(ids))]
		w.cut[[2]uint64{m.id, other}] = true
		if w.r.IntN(2) == 0 {
			w.cut[[2]uint64{other, m.id}] = true
		}
	case k >= 50 && k < 54:
		w.cut = map[[2]uint64]bool{}
	case k == 60 && m.up():
		m.trim(uint64(w.r.IntN(5)))
	case k == 61 && m.up() && m.group.leading != 0:
		m.group.ask(request{kind: askTransfer, node: ids[w.r.IntN(len(ids))], done: make(chan error, 1)})
	}
}

func TestChaos(t *testing.T) {
	for _, local := range []bool{false, true} {
		total := 0
		for seed := range uint64(12) {
			w := chaos(t, seed, local, false, 20000)
			w.check()
			w.converged()
			total += len(w.leader().state)
		}
		t.Logf("local learning %v: %d entries", local, total)
		if total < 400 {
			t.Fatalf("only %d entries were applied", total)
		}
	}
}

// TestAmnesia: a voter whose disk was wiped is found out, by its own configuration or by its leader's next heartbeat.
func TestAmnesia(t *testing.T) {
	w := newWorld(t, 2, 3).all()
	lead := w.elected()
	for range 5 {
		lead.propose(10)
	}
	w.converged()
	var victim *member
	for _, m := range w.nodes {
		if m != lead {
			victim = m
		}
	}
	victim.down(victim.fs.Crash(nil))
	victim.fs = memhost.New()
	victim.cfg.Established = true
	if err := victim.start(); failure.CodeOf(err) != failure.DataCorrupted || !strings.Contains(err.Error(), "is a voter of group 1, but the log of that is gone") {
		t.Fatal(err)
	}
	victim.cfg.Established = false
	victim.must()
	w.quiet("the victim is found out", func() bool { return victim.stopped != nil })
	if !strings.Contains(victim.stopped.Error(), "has acknowledged entries of group 1") {
		t.Fatal(victim.stopped)
	}
	lead = w.elected()
	lead.propose(10)
	w.converged()
	// Nor can it pass for a new member, even in front of a leader that does not know what it has acknowledged.
	victim.down(victim.fs.Crash(nil))
	victim.fs, victim.cfg.Join = memhost.New(), true
	lead.down(lead.fs.Crash(nil))
	lead.must()
	victim.must()
	w.quiet("the victim is found out again", func() bool { return victim.stopped != nil })
	w.check()
	if !strings.Contains(victim.stopped.Error(), "node") || victim.index != 0 {
		t.Fatal(victim.stopped)
	}
	w.converged()
}

// change runs a change of membership to its end.
func (w *world) change(change Change, node uint64) error {
	w.t.Helper()
	done := make(chan error, 1)
	w.elected().group.ask(request{kind: askChange, change: change, node: node, done: done})
	var err error
	w.quiet("the change of membership", func() bool {
		select {
		case err = <-done:
			return true
		default:
			return false
		}
	})
	w.check()
	return err
}

// TestReplace replaces a lost node by a new one, on a log that was trimmed, so that it needs a snapshot of several pieces.
func TestReplace(t *testing.T) {
	w := newWorld(t, 3, 3).all()
	lead := w.elected()
	for range 60 {
		lead.propose(10 << 10)
		w.converged()
	}
	for _, m := range w.nodes {
		m.trim(3)
	}
	w.converged()
	var lost *member
	for _, m := range w.nodes {
		if m != lead {
			lost = m
		}
	}
	lost.down(lost.fs.Crash(nil))
	delete(w.nodes, lost.id)
	if err := w.change(Remove, lost.id); err != nil {
		t.Fatal(err)
	}
	if err := w.change(Promote, 4); failure.CodeOf(err) != failure.ObjectNotInPrerequisiteState {
		t.Fatal(err)
	}
	fresh := w.add(4, GroupConfig{ID: 1, Node: 4, Join: true}).must()
	for _, c := range []Change{AddLearner, AddLearner, Promote} {
		if err := w.change(c, 4); err != nil {
			t.Fatal(err)
		}
	}
	w.converged()
	if fresh.group.Base() < 50 || len(fresh.state) != 60 {
		t.Fatal(fresh.group.Base(), len(fresh.state))
	}
	if err := w.change(Remove, w.elected().id); failure.CodeOf(err) != failure.ObjectInUse {
		t.Fatal(err)
	}
	// The new one counts, and remembers who it is.
	fresh.down(fresh.fs.Crash(nil))
	fresh.must()
	if ok, _ := fresh.fs.Exists(path.Join("log", fresh.group.snapshotName())); ok {
		t.Fatal("the received snapshot is still there")
	}
	for id, m := range w.nodes {
		if id != 4 && m != w.elected() {
			m.down(m.fs.Crash(nil))
		}
	}
	w.elected().propose(5)
	w.converged()
	if conf := fresh.group.state.latestConf(); len(conf.Voters) != 3 || !slices.Contains(conf.Voters, 4) {
		t.Fatal(conf)
	}
}

func TestTransferLeader(t *testing.T) {
	w := newWorld(t, 4, 3).all()
	lead := w.elected()
	to := lead.id%3 + 1
	done := make(chan error, 1)
	lead.group.ask(request{kind: askTransfer, node: to, done: done})
	for range 5 {
		lead.propose(5)
	}
	w.quiet("the transfer", func() bool { l := w.leader(); return l != nil && l.id == to })
	w.converged()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestLeaderCrashesAtEveryChange ends the leader before every change it makes to its disk while it serves proposals, in turn
// losing all that was not synced, a part of it, and nothing. What was acknowledged stays, and the cluster goes on.
func TestLeaderCrashesAtEveryChange(t *testing.T) {
	for how := range 3 {
		at, crashed := 1, true
		for ; crashed; at++ {
			w := newWorld(t, uint64(at), 3)
			w.local = at%2 == 0
			w.all()
			lead := w.elected()
			victim := lead
			if at%3 == 2 {
				victim = w.nodes[lead.id%3+1]
			}
			r := rand.New(rand.NewPCG(uint64(at), 5))
			switch how {
			case 0:
				victim.fs.CrashAt(at, nil)
			case 1:
				victim.fs.CrashAt(at, r)
			case 2:
				victim.fs.KillAt(at)
			}
			for i := range 12 {
				if l := w.leader(); l != nil {
					l.propose(1500) // a segment holds about ten
				}
				for range 30 {
					w.step()
				}
				if i == 6 && victim.up() {
					victim.trim(2)
				}
			}
			w.check()
			if crashed = !victim.up(); crashed {
				victim.must()
			}
			victim.fs.CrashAt(1<<30, nil)
			w.converged()
		}
		if at < 20 {
			t.Fatalf("only %d changes", at)
		}
	}
}

// TestOldLeader: what a leader proposed that was cut off, and deposed without knowing, has no effect when it is back.
func TestOldLeader(t *testing.T) {
	w := newWorld(t, 9, 3).all()
	old := w.elected()
	for id := range w.nodes {
		w.cut[[2]uint64{id, old.id}], w.cut[[2]uint64{old.id, id}] = true, true
	}
	for range 5 {
		old.propose(10)
		for old.turn() {
		}
	}
	late := w.net
	w.net = nil
	if old.leads == 0 || old.group.state.mu.last < 7 {
		t.Fatal("the old leader did not take anything")
	}
	for round := 0; w.leader() == old; round++ {
		for id, m := range w.nodes {
			if id != old.id {
				m.log.Tick()
			}
			for m.turn() {
			}
		}
		net := w.net
		w.net = nil
		for _, p := range net {
			w.deliver(p)
		}
		if round > 1000 {
			t.Fatal("nobody else is elected")
		}
	}
	w.leader().propose(20)
	w.cut = map[[2]uint64]bool{}
	w.net = append(late, w.net...)
	w.converged()
	for _, s := range w.leader().state {
		if len(s) < 15 {
			t.Fatalf("%q of the old leader had effect", s)
		}
	}
	if old.leads != 0 || len(w.leader().state) != 1 {
		t.Fatal(old.leads, w.leader().state)
	}
}

// TestLag: a follower that comes back after the log was trimmed gets a snapshot, and crashes at every point of taking it.
func TestLag(t *testing.T) {
	at, crashed := 1, true
	for ; crashed; at++ {
		w := newWorld(t, uint64(at), 3).all()
		lead := w.elected()
		w.converged()
		lag := w.nodes[lead.id%3+1]
		lag.propose(0) // nobody asks for it
		lag.down(lag.fs.Crash(nil))
		for range 30 {
			lead.propose(1000)
		}
		w.converged()
		for _, m := range w.nodes {
			if m.up() {
				m.trim(0)
			}
		}
		w.converged()
		lag.must()
		lag.fs.CrashAt(at, rand.New(rand.NewPCG(uint64(at), 6)))
		for i := 0; i < 400 && lag.up(); i++ {
			w.step()
		}
		w.quiet("the lagging node", func() bool { return !lag.up() || lag.index == w.top })
		if crashed = !lag.up(); crashed {
			lag.must()
		}
		lag.fs.CrashAt(1<<30, nil)
		w.converged()
		if lag.group.Base() < 20 {
			t.Fatal(lag.group.Base())
		}
	}
	if at < 6 {
		t.Fatalf("only %d changes", at)
	}
}

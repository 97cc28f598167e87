package adjudicator

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/adjudicator/conflict"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// world is a cluster of three conflict ranges with a journal each, clients and a storage replica, driven by random
// events: lost messages, owners that crash and lose what was not durable, promises that run out, retries. At the end the
// history is checked: first committer wins (I6), order in a journal (I2), a transaction commits once (I8), and every
// read saw exactly what was committed at or below its snapshot (I4, I5).
type world struct {
	r       *rand.Rand
	ablate  ablation
	now     int64 // microseconds
	sites   []*place
	clients []*client
	reads   []*read
	commits []*commitment
	unique  uint64
	done    int
}

// place is one journal with its owner.
type place struct {
	w        *world
	id       txn.JournalID
	core     *core
	entries  []logged
	durable  int
	consumed int // by the storage replica
	mark     clock.Timestamp
	due      []txn.Watermark
}

type logged struct {
	kind  txn.RecordKind
	time  clock.Timestamp
	index uint64
	tx    *commitment
}

// commitment is a transaction that was proposed.
type commitment struct {
	id    txn.ID
	start clock.Timestamp
	time  clock.Timestamp
	keys  []keys.Hash
	lost  bool
}

// client runs one transaction after the other.
type client struct {
	id       txn.ID
	start    clock.Timestamp
	keys     []keys.Hash
	attempt  uint32
	leader   int
	votes    map[int]txn.Vote
	deadline int64
}

type read struct {
	at   clock.Timestamp
	key  keys.Hash
	got  txn.ID
	done bool
}

const keysOfWorld = 6

func stamp(us int64) clock.Timestamp { return clock.Timestamp(us << clock.FractionBits) }

// boundOfWorld is the clocks' error bound in microseconds.
const boundOfWorld = 100

// interval is what one of many clocks reads: it contains true time, and its middle is anywhere.
func (w *world) interval() clock.Interval {
	middle := w.now + int64(w.r.IntN(2*boundOfWorld+1)) - boundOfWorld
	return clock.Interval{Earliest: stamp(middle - boundOfWorld), Latest: stamp(middle + boundOfWorld)}
}

func siteOf(h keys.Hash) int { return int(h % 3) }

func newWorld(seed uint64, a ablation) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 7)), ablate: a, now: 1_000_000}
	for i := range 3 {
		p := &place{w: w, id: txn.JournalID(i + 1)}
		w.sites = append(w.sites, p)
		p.takeOver()
		p.durable = len(p.entries)
		p.refresh()
	}
	for range 5 {
		w.clients = append(w.clients, &client{})
	}
	return w
}

// takeOver starts a new owner from what the log holds.
func (p *place) takeOver() {
	gen, hi := txn.Generation(1), clock.Timestamp(1)
	for _, e := range p.entries {
		switch e.kind {
		case txn.RecordOwn:
			gen++
		case txn.RecordGrant:
			hi = max(hi, e.time)
		}
	}
	cfg := &Config{Journal: p.id, Grant: 3 * time.Millisecond, Promise: time.Duration(200+p.w.r.IntN(600)) * time.Microsecond,
		Window: conflict.Config{EntriesMin: 8, EntriesMax: 1 << 10}}
	cfg.ensureDefaults()
	p.core = newCore(cfg)
	p.core.ablate = p.w.ablate
	p.append(txn.RecordOwn, hi, nil)
	p.core.own(gen, hi, uint64(len(p.entries)))
	p.renew(0)
}

func (p *place) append(kind txn.RecordKind, t clock.Timestamp, tx *commitment) uint64 {
	index := uint64(len(p.entries) + 1)
	p.entries = append(p.entries, logged{kind, t, index, tx})
	return index
}

func (p *place) renew(need clock.Timestamp) {
	if hi := p.core.renewal(p.w.interval(), need); hi != 0 {
		p.core.asked(hi, p.append(txn.RecordGrant, hi, nil))
	}
}

func (p *place) refresh() { p.core.durable(uint64(p.durable)) }

// crash loses some of what was not durable and starts another owner.
func (p *place) crash() {
	keep := p.durable + p.w.r.IntN(len(p.entries)-p.durable+1)
	for _, e := range p.entries[keep:] {
		if e.tx != nil {
			e.tx.lost = true
		}
	}
	p.entries, p.durable = p.entries[:keep], keep
	p.takeOver()
}

// lost says whether a message gets lost.
func (w *world) lost() bool { return w.r.IntN(100) < 6 }

func (w *world) step() {
	w.now += int64(w.r.IntN(60))
	for _, p := range w.sites {
		if w.r.IntN(3) == 0 {
			p.durable += w.r.IntN(len(p.entries) - p.durable + 1)
			p.refresh()
		}
		if w.r.IntN(300) == 0 {
			p.crash()
		}
	}
	w.client(w.clients[w.r.IntN(len(w.clients))])
	if len(w.reads) == 0 || w.r.IntN(4) == 0 {
		w.reads = append(w.reads, &read{at: w.interval().Latest, key: keys.Hash(w.r.IntN(keysOfWorld))})
	}
	w.storage()
}

// client makes a step of one transaction.
func (w *world) client(c *client) {
	switch {
	case c.keys == nil:
		w.unique++
		c.start = w.interval().Latest
		c.id = txn.MakeID(c.start, w.unique)
		for range 1 + w.r.IntN(3) {
			if h := keys.Hash(w.r.IntN(keysOfWorld)); !slices.Contains(c.keys, h) {
				c.keys = append(c.keys, h)
			}
		}
		c.leader, c.attempt = siteOf(c.keys[0]), 0
		c.votes, c.deadline = map[int]txn.Vote{}, w.now+2000
	case w.now > c.deadline:
		c.keys = nil // given up, without a word to anybody
	default:
		w.advance(c)
	}
}

// part is what one site judges of a transaction.
func (c *client) part(site int) *request {
	r := &request{id: c.id, attempt: c.attempt, start: c.start, conflicts: &txn.Conflicts{}}
	for _, h := range c.keys {
		if siteOf(h) == site {
			r.conflicts.Exclusive = append(r.conflicts.Exclusive, h)
		}
	}
	return r
}

func (c *client) others() (sites []int) {
	for _, h := range c.keys {
		if s := siteOf(h); s != c.leader && !slices.Contains(sites, s) {
			sites = append(sites, s)
		}
	}
	return sites
}

func (w *world) advance(c *client) {
	for _, s := range c.others() {
		if _, voted := c.votes[s]; voted {
			continue
		}
		if w.lost() {
			return
		}
		p := w.sites[s]
		p.renew(0)
		vote, wait := p.core.prepare(w.interval(), c.part(s), txn.JournalID(c.leader+1))
		if wait == nil && !w.lost() {
			c.votes[s] = vote
		}
		return // one message a step: time passes in between
	}
	if w.lost() {
		return
	}
	var votes []txn.Vote
	for _, s := range c.others() {
		votes = append(votes, c.votes[s])
	}
	p := w.sites[c.leader]
	r := c.part(c.leader)
	for _, e := range p.entries {
		if e.tx != nil && e.tx.id == c.id {
			c.keys = nil // committed by an earlier copy of the request
			return
		}
	}
	at, v := p.core.decide(w.interval(), time.Duration(w.r.IntN(300))*time.Microsecond, r, votes)
	switch {
	case v.wait != nil:
	case v.reason == txn.ReasonNone:
		p.renew(at)
		tx := &commitment{id: c.id, start: c.start, time: at, keys: c.keys}
		p.core.proposed(r, at, p.append(txn.RecordTx, at, tx))
		w.commits = append(w.commits, tx)
		w.goAhead(c, at)
		c.keys = nil
	case v.reason == txn.ReasonBusy || v.reason == txn.ReasonExpired || v.reason == txn.ReasonNotReady:
		for _, s := range c.others() {
			if !w.lost() {
				w.sites[s].core.goAbort(c.id, c.attempt)
			}
		}
		c.attempt++
		clear(c.votes)
	default:
		c.keys = nil
	}
}

func (w *world) goAhead(c *client, at clock.Timestamp) {
	for _, s := range c.others() {
		if !w.lost() && w.r.IntN(3) > 0 {
			w.sites[s].core.goAhead(c.id, at)
		}
	}
}

// storage follows the journals and answers reads.
func (w *world) storage() {
	for _, p := range w.sites {
		p.consumed += w.r.IntN(p.durable - p.consumed + 1)
		open := w.reads[max(0, len(w.reads)-3):]
		for _, rd := range open {
			if !rd.done && rd.at > p.mark && !w.lost() {
				p.renew(rd.at)
				if m, ok := p.core.promise(rd.at); ok {
					p.due = append(p.due, m)
				}
			}
		}
		p.due = slices.DeleteFunc(p.due, func(m txn.Watermark) bool {
			if m.Index <= uint64(p.consumed) {
				p.mark = max(p.mark, m.Time)
				return true
			}
			return false
		})
	}
	for _, rd := range w.reads {
		if !rd.done && w.sites[0].mark >= rd.at && w.sites[1].mark >= rd.at && w.sites[2].mark >= rd.at {
			rd.done = true
			w.done++
			rd.got = w.newest(rd, func(p *place) []logged { return p.entries[:p.consumed] })
		}
	}
}

// newest returns the last writer of a key at or below a time.
func (w *world) newest(rd *read, of func(*place) []logged) (id txn.ID) {
	best := clock.Timestamp(0)
	for _, p := range w.sites {
		for _, e := range of(p) {
			if e.tx != nil && e.time <= rd.at && e.time > best && slices.Contains(e.tx.keys, rd.key) {
				best, id = e.time, e.tx.id
			}
		}
	}
	return id
}

// check returns what is wrong with the history.
func (w *world) check() error {
	seen := map[txn.ID]bool{}
	byKey := map[keys.Hash][]*commitment{}
	for _, p := range w.sites {
		last := clock.Timestamp(0)
		for _, e := range p.entries {
			if e.tx == nil {
				continue
			}
			if e.time <= last {
				return fmt.Errorf("I2: journal %d: %s after %s", p.id, e.time, last)
			}
			last = e.time
			if seen[e.tx.id] {
				return fmt.Errorf("I8: %s committed twice", e.tx.id)
			}
			seen[e.tx.id] = true
			for _, h := range e.tx.keys {
				byKey[h] = append(byKey[h], e.tx)
			}
		}
	}
	for h, txs := range byKey {
		slices.SortFunc(txs, func(a, b *commitment) int { return cmp.Compare(a.time, b.time) })
		for i := 1; i < len(txs); i++ {
			if txs[i-1].time > txs[i].start {
				return fmt.Errorf("I6: key %d: %s commits at %s, %s started at %s", h, txs[i-1].id, txs[i-1].time, txs[i].id, txs[i].start)
			}
		}
	}
	for _, rd := range w.reads {
		if rd.done {
			if want := w.newest(rd, func(p *place) []logged { return p.entries }); want != rd.got {
				return fmt.Errorf("I5: read of %d at %s saw %s instead of %s", rd.key, rd.at, rd.got, want)
			}
		}
	}
	return nil
}

// run makes steps and checks what came of them. A violated invariant inside the core is a finding like any other.
func (w *world) run(steps int) (err error) {
	defer func() {
		if v, ok := recover().(invariant.Violation); ok {
			err = v
		}
	}()
	for range steps {
		w.step()
	}
	return w.check()
}

func runWorlds(t *testing.T, a ablation, seeds uint64) (failures int, first error) {
	t.Helper()
	commits, reads := 0, 0
	for seed := range seeds {
		w := newWorld(seed, a)
		if err := w.run(3000); err != nil {
			if failures == 0 {
				first = fmt.Errorf("seed %d: %w", seed, err)
			}
			failures++
		}
		commits += len(w.commits)
		reads += w.done
	}
	t.Logf("%d worlds, %d commits, %d reads, %d failures: %v", seeds, commits, reads, failures, first)
	if commits < int(seeds)*20 || reads < int(seeds)*20 {
		t.Fatal("the world does not get anywhere")
	}
	return failures, first
}

func TestWorld(t *testing.T) {
	if n, err := runWorlds(t, ablation{}, 60); n > 0 {
		t.Fatal(err)
	}
}

// TestAblations drops one rule at a time: each must be missed, or the world is blind.
func TestAblations(t *testing.T) {
	for name, a := range map[string]ablation{
		"expired promise forgotten": {forgetExpired: true},
		"floor not raised":          {keepFloor: true},
		"upper bounds ignored":      {ignoreUpper: true},
		"watermark without index":   {noIndex: true},
		"watermark not remembered":  {forgetWatermark: true},
		"promises not checked":      {ignorePromises: true},
	} {
		t.Run(name, func(t *testing.T) {
			if n, _ := runWorlds(t, a, 60); n == 0 {
				t.Fatal("nobody noticed")
			}
		})
	}
}

package model

import "fmt"

// FailoverRules are the rules of one range that changes owners; each can be dropped.
type FailoverRules struct {
	NoFloor         bool // a new owner takes transactions that its predecessor may have promised against
	NoGeneration    bool // the journal applies entries of an old generation
	BeyondGrant     bool // an owner issues times that no durable grant covers
	WatermarkAtOnce bool // storage believes a watermark before it has consumed the log up to its index
}

const (
	foTime = 4 // times are 1 … foTime
	foGens = 2
	foTxns = 2
	foLog  = 6
)

type foKind int8

const (
	foNone foKind = iota
	foOwn
	foGrant
	foTx
)

type foEntry struct {
	kind      foKind
	gen, time int8
	txn       int8
}

// foOwner is what one generation believes.
type foOwner struct {
	exists                   bool
	lo, hi, last, floor, key int8 // key: when the key was written last
	queue                    [2]foEntry
	queued                   int8
}

// foState is the journal, two owners in turn (the first may go on as a zombie), two transactions that write the same key, and
// a storage replica.
type foState struct {
	log      [foLog]foEntry
	length   int8
	owners   [foGens]foOwner
	start    [foTxns]int8
	consumed int8 // by storage
	wm       int8
	mark     struct{ index, time int8 } // a watermark on its way
}

// effective replays the journal's rules over the log.
func (r FailoverRules) effective(s *foState) (ok [foLog]bool, gen, hi int8) {
	var last int8
	var done [foTxns]bool
	for i := range s.length {
		e := s.log[i]
		if e.kind == foOwn && e.gen > gen {
			gen, hi, last = e.gen, e.time, max(last, e.time)
			ok[i] = true
			continue
		}
		if e.gen != gen && !r.NoGeneration {
			continue
		}
		switch e.kind {
		case foGrant:
			if e.time > hi {
				hi, ok[i] = e.time, true
			}
		case foTx:
			if (e.time > last || r.NoGeneration) && (e.time <= hi || r.BeyondGrant || r.NoGeneration) && !done[e.txn] {
				last, done[e.txn], ok[i] = max(last, e.time), true, true
			}
		}
	}
	return ok, gen, hi
}

// Failover is the model of one conflict range whose owner is replaced while it goes on as a zombie.
func Failover(r FailoverRules) Spec[foState] {
	var init []foState
	for a := int8(1); a <= foTime; a++ {
		for b := int8(1); b <= foTime; b++ {
			s := foState{start: [foTxns]int8{a - 1, b - 1}}
			s.log[0] = foEntry{kind: foOwn, gen: 1}
			s.log[1] = foEntry{kind: foGrant, gen: 1, time: 2}
			s.length = 2
			s.owners[0] = foOwner{exists: true, hi: 2}
			init = append(init, s)
		}
	}
	return Spec[foState]{Init: init, Next: r.next, Broken: r.broken}
}

func (r FailoverRules) next(s foState, emit func(string, foState)) {
	for g := range int8(foGens) {
		if s.owners[g].exists {
			r.issue(s, g, emit)
			r.commit(s, g, emit)
		}
	}
	r.takeOver(s, emit)
	if s.consumed < s.length {
		to := s
		if ok, _, _ := r.effective(&s); ok[s.consumed] && s.log[s.consumed].kind == foOwn {
			to.wm = max(to.wm, s.log[s.consumed].time)
		}
		to.consumed++
		emit(fmt.Sprintf("storage consumes entry %d", to.consumed), to)
	}
	if s.mark.time > 0 && (s.consumed >= s.mark.index || r.WatermarkAtOnce) {
		to := s
		to.wm, to.mark.index, to.mark.time = max(to.wm, s.mark.time), 0, 0
		emit(fmt.Sprintf("storage believes watermark %d", to.wm), to)
	}
}

// issue is everything an owner may say: grants, commits, watermarks. It picks any time it is allowed to.
func (r FailoverRules) issue(s foState, g int8, emit func(string, foState)) {
	o := &s.owners[g]
	limit := o.hi
	if r.BeyondGrant {
		limit = foTime
	}
	for t := max(o.last, o.lo) + 1; t <= limit; t++ {
		if s.mark.time == 0 {
			to := s
			to.owners[g].last = t
			to.mark.index, to.mark.time = r.proposed(&s, g), t
			emit(fmt.Sprintf("owner %d: watermark %d up to entry %d", g+1, t, to.mark.index), to)
		}
		for x := range int8(foTxns) {
			if s.start[x] < o.floor || o.key > s.start[x] || int(o.queued) == len(o.queue) || t <= s.start[x] {
				continue
			}
			to := s
			to.owners[g].last, to.owners[g].key = t, t
			to.owners[g].push(foEntry{foTx, g + 1, t, x})
			emit(fmt.Sprintf("owner %d: transaction %d (start %d) commits at %d", g+1, x+1, s.start[x], t), to)
		}
	}
	if int(o.queued) < len(o.queue) && o.hi < foTime {
		to := s
		to.owners[g].push(foEntry{kind: foGrant, gen: g + 1, time: foTime})
		emit(fmt.Sprintf("owner %d: grant %d", g+1, foTime), to)
	}
}

func (o *foOwner) push(e foEntry) {
	o.queue[o.queued] = e
	o.queued++
}

// proposed is the index of an owner's last proposal: what is in the log and what it has queued behind that.
func (r FailoverRules) proposed(s *foState, g int8) int8 { return s.length + s.owners[g].queued }

// commit appends an owner's oldest proposal. A zombie's proposals, which Raft would not even let into the log, are let in here
// where they take nobody's place: behind its successor's Own, and when no proposal of the successor is on its way.
func (r FailoverRules) commit(s foState, g int8, emit func(string, foState)) {
	o := &s.owners[g]
	if o.queued == 0 || s.length == foLog {
		return
	}
	if g == 0 && s.owners[1].queued > 0 {
		return
	}
	to := s
	e := o.queue[0]
	to.owners[g].queue = [2]foEntry{o.queue[1]}
	to.owners[g].queued--
	to.log[to.length] = e
	to.length++
	if ok, _, _ := r.effective(&to); ok[to.length-1] && e.kind == foGrant {
		to.owners[g].hi = max(to.owners[g].hi, e.time)
	}
	emit(fmt.Sprintf("journal: entry %d is owner %d's", to.length, g+1), to)
}

// takeOver elects the second generation. It has read the log to its end, and inherits any number of its predecessor's
// proposals there (those that reached a quorum), which is the same as committing them first.
func (r FailoverRules) takeOver(s foState, emit func(string, foState)) {
	if s.owners[1].exists {
		return
	}
	_, _, hi := r.effective(&s)
	to := s
	o := foOwner{exists: true, lo: hi, hi: hi, last: hi, floor: hi}
	if r.NoFloor {
		o.floor = 0
	}
	o.push(foEntry{kind: foOwn, gen: 2, time: hi})
	to.owners[1] = o
	emit(fmt.Sprintf("owner 2 takes over above %d", hi), to)
}

func (r FailoverRules) broken(s foState) string {
	ok, _, _ := r.effective(&s)
	var last int8
	for i := range s.length {
		e := s.log[i]
		if !ok[i] || e.kind != foTx {
			continue
		}
		if e.time <= last {
			return "I2: commit times do not increase"
		}
		last = e.time
		if i >= s.consumed && e.time <= s.wm {
			return fmt.Sprintf("I5: storage is complete at %d without the commit at %d", s.wm, e.time)
		}
		for k := range i {
			if f := s.log[k]; ok[k] && f.kind == foTx && f.txn != e.txn && s.start[e.txn] < f.time {
				return fmt.Sprintf("I6: transaction %d (start %d, commit %d) has lost the write at %d", e.txn+1, s.start[e.txn], e.time, f.time)
			}
		}
	}
	return ""
}

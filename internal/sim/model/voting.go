package model

import "fmt"

// VotingRules are the rules of a commit over two ranges; each can be dropped.
type VotingRules struct {
	Forget     bool // a promise whose time has run out is simply forgotten
	IgnoreUB   bool // the leader commits above the votes' upper bounds
	NewLeader  bool // a repetition may choose another leader, which ignores its own promise
	NoTomb     bool // an outcome that was not found is called aborted without a tombstone, and the transaction starts again elsewhere
	AbortAhead bool // an attempt is declared abandoned while its leader may still decide it
}

const (
	voTime = 5
	voTxns = 2
	voTry  = 2
)

// voPromise is what a participant holds for a transaction; time bounds are inclusive.
type voPromise struct {
	txn    int8 // 0 none, else number+1
	lb, ub int8
	try    int8
}

// voTxn is a transaction that writes key 0 (range 0) and key 1 (range 1), or only its leader's.
type voTxn struct {
	start  int8
	single bool
	leader int8
	try    int8
	lb, ub int8 // the vote of the other range for this attempt; ub 0: none yet
	dead   bool // abandoned for good, or settled as aborted
	// An earlier attempt with another leader, whose request is still under way; only without the rule against that.
	oldLeader, oldLB, oldUB int8 // number+1, 0 none
}

type voRange struct {
	last, key int8 // last time issued; last write of the key
	promise   voPromise
	commit    [voTxns]int8 // commit time in this journal, 0 none
	tomb      [voTxns]bool
}

type voState struct {
	txns   [voTxns]voTxn
	ranges [2]voRange
	ahead  [voTxns]bool // a go-ahead is under way
}

// Voting is the model of two transactions that write the same two keys in two ranges, led by either, with repeated attempts,
// lost go-aheads and lost replies.
func Voting(r VotingRules) Spec[voState] {
	var init []voState
	for a := int8(0); a < 4; a++ {
		for b := a; b < 4; b++ {
			for leader := range int8(2) {
				for _, single := range []bool{false, true} {
					init = append(init, voState{txns: [voTxns]voTxn{{start: a, leader: 0, try: 1}, {start: b, leader: leader, try: 1, single: single}}},
						voState{txns: [voTxns]voTxn{{start: b, leader: 0, try: 1}, {start: a, leader: leader, try: 1, single: single}}})
				}
			}
		}
	}
	return Spec[voState]{Init: init, Next: r.next, Broken: r.broken}
}

func (r VotingRules) next(s voState, emit func(string, voState)) {
	for x := range int8(voTxns) {
		r.prepare(s, x, emit)
		t := s.txns[x]
		if t.single {
			t.lb, t.ub = 1, voTime
		}
		if !t.dead || r.AbortAhead {
			r.decide(s, x, t.leader, t.lb, t.ub, emit)
		}
		if t.oldLeader != 0 {
			r.decide(s, x, t.oldLeader-1, t.oldLB, t.oldUB, emit)
		}
		r.abandon(s, x, emit)
		r.settle(s, x, emit)
	}
	for g := range int8(2) {
		if p := s.ranges[g].promise; r.Forget && p.txn != 0 {
			to := s
			to.ranges[g].promise = voPromise{}
			emit(fmt.Sprintf("range %d forgets its promise", g), to)
		}
	}
}

// free says whether a range holds nothing against a transaction, folding a promise whose fate its snapshot has passed.
func (r VotingRules) free(s *voState, g, x int8) bool {
	v := &s.ranges[g]
	if p := v.promise; p.txn != 0 && p.txn != x+1 {
		if s.txns[x].start < p.ub {
			return false // busy
		}
		v.key, v.promise = max(v.key, p.ub), voPromise{}
	}
	return v.key <= s.txns[x].start
}

// prepare is the vote of the range that does not lead.
func (r VotingRules) prepare(s voState, x int8, emit func(string, voState)) {
	t := s.txns[x]
	g := 1 - t.leader
	if t.single || t.dead || t.ub != 0 || !r.free(&s, g, x) || s.ranges[g].promise.txn == x+1 && s.ranges[g].promise.try >= t.try {
		return
	}
	for lb := max(s.ranges[g].last, t.start) + 1; lb <= voTime; lb++ {
		for ub := lb; ub <= min(lb+1, voTime); ub++ {
			to := s
			to.ranges[g].promise = voPromise{x + 1, lb, ub, t.try}
			to.txns[x].lb, to.txns[x].ub = lb, ub
			emit(fmt.Sprintf("range %d votes [%d, %d] for transaction %d, attempt %d", g, lb, ub, x+1, t.try), to)
		}
	}
}

// decide is the append of leader g, with the other range's vote.
func (r VotingRules) decide(s voState, x, g, lb, ub int8, emit func(string, voState)) {
	t := s.txns[x]
	if ub == 0 || s.ranges[g].commit[x] != 0 || s.ranges[g].tomb[x] {
		return
	}
	if own := s.ranges[g].promise; own.txn == x+1 && !r.NewLeader {
		return // promised to the leader of an earlier attempt
	}
	if !r.free(&s, g, x) {
		return
	}
	limit := ub
	if r.IgnoreUB {
		limit = voTime
	}
	for c := max(lb, s.ranges[g].last+1, t.start+1); c <= limit; c++ {
		to := s
		v := &to.ranges[g]
		v.last, v.key, v.commit[x] = c, c, c
		if v.promise.txn == x+1 {
			v.promise = voPromise{}
		}
		to.ahead[x] = true
		emit(fmt.Sprintf("range %d commits transaction %d at %d", g, x+1, c), to)
	}
}

// abandon gives an attempt up, by its leader's word, and tries again or not; the participants hear of it or not.
func (r VotingRules) abandon(s voState, x int8, emit func(string, voState)) {
	t := s.txns[x]
	g := t.leader
	if t.single || t.dead || s.ranges[g].commit[x] != 0 {
		return
	}
	for _, heard := range []bool{true, false} {
		to := s
		other := &to.ranges[1-g]
		if heard && other.promise.txn == x+1 && other.promise.try <= t.try {
			other.promise = voPromise{}
		}
		if t.try == voTry {
			to.txns[x].dead = true
			emit(fmt.Sprintf("transaction %d gives up, heard %v", x+1, heard), to)
			continue
		}
		to.txns[x].try++
		if !r.AbortAhead {
			to.txns[x].lb, to.txns[x].ub = 0, 0
		}
		emit(fmt.Sprintf("transaction %d begins attempt %d, heard %v", x+1, t.try+1, heard), to)
		if r.NewLeader && !t.single {
			to.txns[x].oldLeader, to.txns[x].oldLB, to.txns[x].oldUB = g+1, t.lb, t.ub
			to.txns[x].leader = 1 - g
			emit(fmt.Sprintf("transaction %d begins attempt %d at another leader, heard %v", x+1, t.try+1, heard), to)
		}
	}
}

// settle is what happens after the decision, or when its reply was lost: go-ahead, tombstone.
func (r VotingRules) settle(s voState, x int8, emit func(string, voState)) {
	t := s.txns[x]
	g := t.leader
	c := s.ranges[g].commit[x]
	other := s.ranges[1-g].promise
	if c != 0 && s.ahead[x] {
		if other.txn == x+1 {
			to := s
			to.ranges[1-g].key, to.ranges[1-g].promise = max(s.ranges[1-g].key, c), voPromise{}
			to.ahead[x] = false
			emit(fmt.Sprintf("range %d hears of the commit at %d", 1-g, c), to)
		}
		to := s
		to.ahead[x] = false
		emit("a go-ahead is lost", to)
	}
	if c == 0 && !t.single && !t.dead && t.ub != 0 {
		to := s
		to.txns[x].dead = true
		if !r.NoTomb {
			to.ranges[g].tomb[x] = true
		} else {
			to.txns[x].dead, to.txns[x].leader = false, 1-g
			to.txns[x].lb, to.txns[x].ub = 0, 0
			to.ranges[0].promise, to.ranges[1].promise = dropOf(s.ranges[0].promise, x), dropOf(s.ranges[1].promise, x)
			late := to
			late.ranges[g].commit[x] = max(t.lb, s.ranges[g].last+1, t.start+1)
			if late.ranges[g].commit[x] <= t.ub && s.ranges[g].key <= t.start {
				late.ranges[g].last, late.ranges[g].key = late.ranges[g].commit[x], late.ranges[g].commit[x]
				emit(fmt.Sprintf("the old leader of transaction %d commits after all", x+1), late)
			}
		}
		emit(fmt.Sprintf("transaction %d is settled as aborted", x+1), to)
	}
}

func dropOf(p voPromise, x int8) voPromise {
	if p.txn == x+1 {
		return voPromise{}
	}
	return p
}

func (r VotingRules) broken(s voState) string {
	var at [voTxns]int8
	for x := range int8(voTxns) {
		a, b := s.ranges[0].commit[x], s.ranges[1].commit[x]
		if a != 0 && b != 0 {
			return fmt.Sprintf("I8: transaction %d is committed twice", x+1)
		}
		at[x] = max(a, b)
	}
	if at[0] == 0 || at[1] == 0 {
		return ""
	}
	first, second := 0, 1
	if at[1] < at[0] {
		first, second = 1, 0
	}
	// Equal times in different journals are ordered by journal; whoever comes second began below both.
	if s.txns[second].start < at[first] {
		return fmt.Sprintf("I6: transaction %d (start %d, commit %d) has lost the writes at %d", second+1, s.txns[second].start, at[second], at[first])
	}
	return ""
}

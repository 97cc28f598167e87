package model

import "fmt"

// MoveRules are the rules of moving a range from one adjudicator to another; each can be dropped.
type MoveRules struct {
	FenceWithoutPromises bool // the fence lies at the last time issued, below promises that are still open
	AdoptBeforeCede      bool // the new owner starts before the old one's Cede is in its journal
	KeepVoting           bool // the old owner goes on voting after its Cede
}

const moTime = 5

type moState struct {
	start  [2]int8
	ceded  bool
	fence  int8
	adopt  bool
	owner  [2]struct{ last, key int8 } // the old owner (journal 0) and the new one (journal 1)
	floor  int8
	ub, lb int8    // the old owner's open promise to transaction 0, led by a third range
	commit [2]int8 // commit times of the transactions
	by     [2]int8 // which journal, +1; the third range is 3
}

// Move is the model of one key whose range moves between two adjudicators while two transactions write it: one by a promise
// of the old owner to a leader elsewhere, one at whoever owns the key.
func Move(r MoveRules) Spec[moState] {
	var init []moState
	for a := range int8(4) {
		for b := range int8(4) {
			init = append(init, moState{start: [2]int8{a, b}})
		}
	}
	return Spec[moState]{Init: init, Next: r.next, Broken: func(s moState) string {
		if s.commit[0] == 0 || s.commit[1] == 0 {
			return ""
		}
		for x := range 2 {
			y := 1 - x
			if s.commit[x] < s.commit[y] && s.start[y] < s.commit[x] || s.commit[x] == s.commit[y] {
				return fmt.Sprintf("I6: transaction %d (start %d, commit %d) has lost the write at %d", y+1, s.start[y], s.commit[y], s.commit[x])
			}
		}
		return ""
	}}
}

func (r MoveRules) next(s moState, emit func(string, moState)) {
	old := s.owner[0]
	if (!s.ceded || r.KeepVoting) && s.ub == 0 && s.commit[0] == 0 && old.key <= s.start[0] {
		for lb := max(old.last, s.start[0]) + 1; lb <= moTime; lb++ {
			for ub := lb; ub <= min(lb+2, moTime); ub++ {
				to := s
				to.lb, to.ub = lb, ub
				emit(fmt.Sprintf("the old owner votes [%d, %d] for transaction 1", lb, ub), to)
			}
		}
	}
	if s.ub != 0 && s.commit[0] == 0 {
		for c := s.lb; c <= s.ub; c++ {
			to := s
			to.commit[0], to.by[0] = c, 3
			emit(fmt.Sprintf("a leader elsewhere commits transaction 1 at %d", c), to)
		}
	}
	r.second(s, 0, !s.ceded || r.KeepVoting, emit)
	r.second(s, 1, s.adopt, emit)
	if !s.ceded {
		to := s
		to.ceded, to.fence = true, max(old.last, s.ub)
		if r.FenceWithoutPromises {
			to.fence = old.last
		}
		emit(fmt.Sprintf("the old owner cedes with fence %d", to.fence), to)
	}
	if !s.adopt && (s.ceded || r.AdoptBeforeCede) {
		to := s
		to.adopt, to.floor = true, s.fence
		to.owner[1].last = max(s.owner[1].last, s.fence)
		emit(fmt.Sprintf("the new owner adopts above %d", s.fence), to)
	}
}

// second is transaction 2 at an owner that may decide it.
func (r MoveRules) second(s moState, o int8, may bool, emit func(string, moState)) {
	v := s.owner[o]
	if !may || s.commit[1] != 0 || v.key > s.start[1] || o == 1 && s.start[1] < s.floor {
		return
	}
	if o == 0 && s.ub != 0 {
		if s.start[1] < s.ub {
			return // busy: promised to transaction 1
		}
		v.key = max(v.key, s.ub)
	}
	for c := max(v.last, s.start[1]) + 1; c <= moTime; c++ {
		to := s
		to.owner[o].last, to.owner[o].key = c, c
		to.commit[1], to.by[1] = c, o+1
		emit(fmt.Sprintf("owner %d commits transaction 2 at %d", o+1, c), to)
	}
}

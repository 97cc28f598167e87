package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// mergeJoin joins two sorted inputs. It keeps the right rows of one key at a time.
type mergeJoin struct {
	joinOut
	left, right         puller
	leftKeys, rightKeys []evalFn
	cmps                []func(a, b datum.Datum) int

	acct     spill.Account
	arena    spill.Arena
	group    [][]datum.Datum
	matched  []bool
	groupKey []datum.Datum // nil before the first group
	pending  []datum.Datum // the right row after the group
	pendKey  []datum.Datum
	rightEnd bool

	row   []datum.Datum
	key   []datum.Datum
	at    int
	found bool
	ended bool
}

func (c *compiler) mergeJoin(n *plan.MergeJoin) operator {
	j := &mergeJoin{joinOut: c.joinOut(n.Kind, n.On, len(n.Left.Columns()), len(n.Right.Columns())),
		leftKeys: c.exprs(n.LeftKeys), rightKeys: c.exprs(n.RightKeys)}
	j.left.op, j.right.op = c.node(n.Left), c.node(n.Right)
	for _, k := range n.LeftKeys {
		j.cmps = append(j.cmps, c.comparer(k.Type()))
	}
	j.key, j.pendKey = make([]datum.Datum, len(j.cmps)), make([]datum.Datum, len(j.cmps))
	return j
}

func (j *mergeJoin) open(ctx context.Context, st *state) error {
	j.group, j.matched, j.groupKey, j.pending, j.row = nil, nil, nil, nil, nil
	j.rightEnd, j.ended = false, false
	j.out.reset()
	j.acct = st.mem().Account()
	if err := j.left.open(ctx, st); err != nil {
		return err
	}
	return j.right.open(ctx, st)
}

func (j *mergeJoin) close(st *state) {
	j.left.close(st)
	j.right.close(st)
	j.acct.Clear()
	j.group, j.matched, j.pending, j.row, j.arena = nil, nil, nil, nil, spill.Arena{}
	j.out.reset()
}

// compare orders two keys, NULLs last.
func (j *mergeJoin) compare(a, b []datum.Datum) int {
	for i, cmp := range j.cmps {
		an, bn := a[i].IsNull(), b[i].IsNull()
		switch {
		case an && bn:
			continue
		case an:
			return 1
		case bn:
			return -1
		}
		if c := cmp(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

func (j *mergeJoin) next(ctx context.Context, st *state) (Batch, error) {
	j.out.begin()
	for n := 1; !j.out.full(); n++ {
		if n%maxBatch == 0 && ctx.Err() != nil {
			return nil, canceled(ctx, ctx.Err())
		}
		if j.row != nil {
			if err := j.step(ctx, st); err != nil {
				return nil, err
			}
			continue
		}
		if j.ended {
			more, err := j.drainRight(ctx, st)
			if err != nil {
				return nil, err
			}
			if !more {
				break
			}
			continue
		}
		if err := j.advance(ctx, st); err != nil {
			return nil, err
		}
	}
	return j.out.batch(), nil
}

// advance takes the next left row and brings the right group up to its key.
func (j *mergeJoin) advance(ctx context.Context, st *state) error {
	row, err := j.left.next(ctx, st)
	if err != nil {
		return err
	}
	if row == nil {
		j.ended = true
		j.dropGroup()
		return nil
	}
	if err := evalInto(ctx, st, j.leftKeys, row, j.key); err != nil {
		return err
	}
	j.row, j.found, j.at = row, false, len(j.group)
	if hasNull(j.key) {
		return nil
	}
	for j.groupKey == nil || j.compare(j.groupKey, j.key) < 0 {
		ok, err := j.nextGroup(ctx, st)
		if err != nil {
			return err
		}
		if !ok {
			return nil
		}
	}
	if j.compare(j.groupKey, j.key) == 0 {
		j.at = 0
	} else {
		j.at = len(j.group)
	}
	return nil
}

func (j *mergeJoin) step(ctx context.Context, st *state) error {
	for j.at < len(j.group) {
		i := j.at
		j.at++
		ok, err := j.pair(ctx, st, j.row, j.group[i])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		j.found = true
		j.matched[i] = true
		if j.leftAlone() {
			j.at = len(j.group)
		} else if j.out.full() {
			return nil
		}
	}
	j.after(j.row, j.found)
	j.row = nil
	return nil
}

// dropGroup forgets the group, giving its rows without a match if they are part of the result.
func (j *mergeJoin) dropGroup() {
	if j.keepsRight() {
		for i, r := range j.group {
			if !j.matched[i] {
				j.emitRight(r)
			}
		}
	}
	j.group, j.matched, j.arena = j.group[:0], j.matched[:0], spill.Arena{}
	j.acct.Clear()
}

// nextGroup replaces the group by the next one; false when the right side has ended.
func (j *mergeJoin) nextGroup(ctx context.Context, st *state) (bool, error) {
	j.dropGroup()
	if j.pending == nil {
		if err := j.pull(ctx, st); err != nil {
			return false, err
		}
	}
	if j.pending == nil {
		// Nothing is above the end: later left rows find no group.
		j.groupKey = nil
		return false, nil
	}
	j.groupKey = append([]datum.Datum(nil), j.pendKey...)
	for j.pending != nil && j.compare(j.pendKey, j.groupKey) == 0 {
		if err := j.acct.Grow(spill.RowSize(j.pending)); err != nil {
			return false, err
		}
		j.group, j.matched = append(j.group, j.pending), append(j.matched, false)
		if err := j.pull(ctx, st); err != nil {
			return false, err
		}
	}
	return true, nil
}

// pull reads the next right row into pending.
func (j *mergeJoin) pull(ctx context.Context, st *state) error {
	j.pending = nil
	if j.rightEnd {
		return nil
	}
	r, err := j.right.next(ctx, st)
	if err != nil {
		return err
	}
	if r == nil {
		j.rightEnd = true
		return nil
	}
	j.pending = j.arena.Copy(r)
	return evalInto(ctx, st, j.rightKeys, r, j.pendKey)
}

// drainRight gives the right rows that are left when the left side has ended.
func (j *mergeJoin) drainRight(ctx context.Context, st *state) (bool, error) {
	if !j.keepsRight() {
		return false, nil
	}
	if j.pending == nil {
		if err := j.pull(ctx, st); err != nil || j.pending == nil {
			return false, err
		}
	}
	j.emitRight(j.pending)
	j.pending = nil
	return true, nil
}

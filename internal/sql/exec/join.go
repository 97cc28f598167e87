package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// joinOut makes the rows of a join.
type joinOut struct {
	kind   plan.JoinKind
	on     predFn
	lw, rw int
	out    rowBuf
	both   []datum.Datum // left ‖ right for semi and anti joins, whose output is the left row alone
}

func (c *compiler) joinOut(kind plan.JoinKind, on plan.Expr, lw, rw int) joinOut {
	j := joinOut{kind: kind, on: c.pred(on), lw: lw, rw: rw}
	j.out.width = lw + rw
	if j.leftAlone() {
		j.out.width = lw
		j.both = make([]datum.Datum, lw+rw)
	}
	return j
}

// leftAlone says that the output is the left row.
func (j *joinOut) leftAlone() bool {
	return j.kind == plan.JoinSemi || j.kind == plan.JoinAnti || j.kind == plan.JoinAntiNull
}

// keepsRight says that right rows without a match are part of the result.
func (j *joinOut) keepsRight() bool { return j.kind == plan.JoinRight || j.kind == plan.JoinFull }

// pair says whether left and right join, and gives the joined row unless the left row alone is the output.
func (j *joinOut) pair(ctx context.Context, st *state, l, r []datum.Datum) (bool, error) {
	if j.both != nil {
		if j.on == nil {
			return true, nil
		}
		copy(j.both, l)
		copy(j.both[j.lw:], r)
		return j.on(ctx, st, j.both)
	}
	row := j.out.row()
	copy(row, l)
	copy(row[j.lw:], r)
	if j.on == nil {
		return true, nil
	}
	ok, err := j.on(ctx, st, row)
	if !ok || err != nil {
		j.out.drop()
	}
	return ok, err
}

// emitLeft gives a left row by itself, with NULLs on the right if that is part of the output.
func (j *joinOut) emitLeft(l []datum.Datum) {
	row := j.out.row()
	copy(row, l)
	clear(row[j.lw:])
}

// emitRight gives a right row with NULLs on the left.
func (j *joinOut) emitRight(r []datum.Datum) {
	row := j.out.row()
	clear(row[:j.lw])
	copy(row[j.lw:], r)
}

// after gives what a left row without a (further) match asks for.
func (j *joinOut) after(l []datum.Datum, matched bool) {
	switch j.kind {
	case plan.JoinSemi:
		if matched {
			j.emitLeft(l)
		}
	case plan.JoinAnti, plan.JoinAntiNull, plan.JoinLeft, plan.JoinFull:
		if !matched {
			j.emitLeft(l)
		}
	}
}

// nestLoop joins by trying every pair.
type nestLoop struct {
	joinOut
	left     puller
	right    operator
	args     []evalFn
	slots    []int
	store    *spill.Store
	seen     []bool // right rows that had a match, for right and full joins
	row      []datum.Datum
	inner    rowReader
	at       int
	matched  bool
	tail     bool
	rightPos int
}

// rowReader gives rows one by one.
type rowReader interface {
	next(ctx context.Context, st *state) ([]datum.Datum, error)
}

type storeRows struct{ r *spill.StoreReader }

func (s storeRows) next(context.Context, *state) ([]datum.Datum, error) { return s.r.Next() }

func (c *compiler) nestLoop(n *plan.NestLoop) operator {
	j := &nestLoop{joinOut: c.joinOut(n.Kind, n.On, len(n.Left.Columns()), len(n.Right.Columns())), slots: n.ArgSlots}
	j.left.op = c.node(n.Left)
	j.right = c.node(n.Right)
	j.args = c.exprs(n.Args)
	return j
}

func (j *nestLoop) lateral() bool { return len(j.args) > 0 }

func (j *nestLoop) open(ctx context.Context, st *state) error {
	j.row, j.inner, j.tail, j.rightPos = nil, nil, false, 0
	j.out.reset()
	if err := j.left.open(ctx, st); err != nil {
		return err
	}
	if j.lateral() {
		return nil
	}
	j.store = spill.NewStore(st.mem())
	defer j.right.close(st)
	if err := j.right.open(ctx, st); err != nil {
		return err
	}
	if err := drain(ctx, st, j.right, j.store.Add); err != nil {
		return err
	}
	if j.keepsRight() {
		j.seen = make([]bool, j.store.Len())
	}
	return j.store.Finish()
}

func (j *nestLoop) close(st *state) {
	j.left.close(st)
	if p, ok := j.inner.(*puller); ok {
		p.close(st)
	}
	if j.store != nil {
		j.store.Close()
		j.store = nil
	}
	j.inner, j.row, j.seen = nil, nil, nil
	j.out.reset()
}

func (j *nestLoop) next(ctx context.Context, st *state) (Batch, error) {
	j.out.begin()
	for n := 1; !j.out.full(); n++ {
		if n%maxBatch == 0 && ctx.Err() != nil {
			return nil, canceled(ctx, ctx.Err())
		}
		if j.tail {
			more, err := j.unmatched(ctx, st)
			if err != nil {
				return nil, err
			}
			if !more {
				break
			}
			continue
		}
		if j.row == nil {
			if err := j.advance(ctx, st); err != nil {
				return nil, err
			}
			if j.row == nil {
				if !j.keepsRight() || j.store == nil {
					break
				}
				j.tail, j.inner = true, storeRows{j.store.Reader()}
			}
			continue
		}
		if err := j.step(ctx, st); err != nil {
			return nil, err
		}
	}
	return j.out.batch(), nil
}

// advance takes the next left row.
func (j *nestLoop) advance(ctx context.Context, st *state) error {
	row, err := j.left.next(ctx, st)
	if err != nil || row == nil {
		return err
	}
	j.row, j.matched, j.at = row, false, -1
	if !j.lateral() {
		j.inner = storeRows{j.store.Reader()}
		return nil
	}
	for i, a := range j.args {
		d, err := a(ctx, st, row)
		if err != nil {
			return err
		}
		st.slots[j.slots[i]] = d
	}
	p := &puller{op: j.right}
	j.inner = p
	return p.open(ctx, st)
}

// step tries the next right row with the current left row.
func (j *nestLoop) step(ctx context.Context, st *state) error {
	r, err := j.inner.next(ctx, st)
	if err != nil {
		return err
	}
	done := r == nil
	if !done {
		j.at++
		ok, err := j.pair(ctx, st, j.row, r)
		if err != nil {
			return err
		}
		if ok {
			j.matched = true
			if j.seen != nil {
				j.seen[j.at] = true
			}
			done = j.leftAlone()
		}
	}
	if done {
		j.after(j.row, j.matched)
		j.row = nil
		if p, ok := j.inner.(*puller); ok {
			p.close(st)
		}
		j.inner = nil
	}
	return nil
}

// unmatched gives the next right row without a match.
func (j *nestLoop) unmatched(ctx context.Context, st *state) (bool, error) {
	r, err := j.inner.next(ctx, st)
	if err != nil || r == nil {
		return false, err
	}
	if !j.seen[j.rightPos] {
		j.emitRight(r)
	}
	j.rightPos++
	return true, nil
}

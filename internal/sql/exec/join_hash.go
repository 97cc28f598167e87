package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// hashJoin builds a table of the right rows and probes it with the left ones. When the table does not fit, both sides are
// divided by hash into files and joined part by part.
type hashJoin struct {
	joinOut
	leftOp              operator
	rightOp             operator
	leftKeys, rightKeys []evalFn
	// keyCols are the positions of the keys in a stored right row: a key that is not a plain column is stored behind the
	// row's own columns.
	keyCols []int
	extra   []evalFn
	hasher  *hasher

	acct    spill.Account
	table   *spill.Table
	matched []bool
	wide    []datum.Datum // a right row with its extra columns
	key     []datum.Datum
	stored  []datum.Datum

	level  int
	work   []joinPart
	part   joinPart
	probe  rowReader
	pull   puller
	row    []datum.Datum // the current left row
	at     int           // the next right row to try, -1 for none
	found  bool
	tail   int // the next right row to look at when unmatched ones are given; -1 before that
	state  joinPhase
	noRows bool // AntiNull: a NULL on the right
}

// joinPart is a pair of files still to be joined.
type joinPart struct {
	left, right *spill.Run
	level       int
}

type joinPhase uint8

const (
	phaseBuild joinPhase = iota
	phaseProbe
	phaseTail
	phaseNextPart
	phaseDone
)

type runRows struct{ r *spill.RunReader }

func (s runRows) next(context.Context, *state) ([]datum.Datum, error) { return s.r.Next() }

func (c *compiler) hashJoin(n *plan.HashJoin) operator {
	j := &hashJoin{joinOut: c.joinOut(n.Kind, n.On, len(n.Left.Columns()), len(n.Right.Columns())),
		leftOp: c.node(n.Left), rightOp: c.node(n.Right), leftKeys: c.exprs(n.LeftKeys), rightKeys: c.exprs(n.RightKeys)}
	for i, k := range n.RightKeys {
		if col, ok := k.(*plan.Column); ok {
			j.keyCols = append(j.keyCols, col.Index)
			continue
		}
		j.keyCols = append(j.keyCols, j.rw+len(j.extra))
		j.extra = append(j.extra, j.rightKeys[i])
	}
	j.hasher = c.hasher(typesOf(n.RightKeys))
	j.wide = make([]datum.Datum, j.rw+len(j.extra))
	j.key, j.stored = make([]datum.Datum, len(j.keyCols)), make([]datum.Datum, len(j.keyCols))
	j.pull.op = j.leftOp
	return j
}

func (j *hashJoin) open(ctx context.Context, st *state) error {
	j.state, j.level, j.row, j.tail, j.noRows = phaseBuild, 0, nil, -1, false
	j.out.reset()
	j.acct = st.mem().Account()
	j.table = spill.NewTable(&j.acct)
	if err := j.build(ctx, st); err != nil {
		return err
	}
	return j.pull.open(ctx, st)
}

func (j *hashJoin) close(st *state) {
	j.pull.close(st)
	for _, p := range append(j.work, j.part) {
		p.left.Close()
		p.right.Close()
	}
	j.work, j.part = nil, joinPart{}
	j.acct.Clear()
	j.table, j.matched, j.row, j.probe = nil, nil, nil, nil
	j.out.reset()
	clear(j.wide)
	clear(j.key)
	clear(j.stored)
}

// rightKey puts the key of a stored right row into stored.
func (j *hashJoin) rightKey(row []datum.Datum) []datum.Datum {
	for i, c := range j.keyCols {
		j.stored[i] = row[c]
	}
	return j.stored
}

// build reads the right side. What does not fit goes to files, and with it all the rest of both sides.
func (j *hashJoin) build(ctx context.Context, st *state) error {
	defer j.rightOp.close(st)
	if err := j.rightOp.open(ctx, st); err != nil {
		return err
	}
	var parts *spill.Partitions
	err := drain(ctx, st, j.rightOp, func(row []datum.Datum) error {
		copy(j.wide, row)
		for i, e := range j.extra {
			d, err := e(ctx, st, row)
			if err != nil {
				return err
			}
			j.wide[j.rw+i] = d
		}
		return j.addRight(st, j.wide, &parts)
	})
	if err != nil {
		if parts != nil {
			parts.Close()
		}
		return err
	}
	if parts == nil {
		j.state = phaseProbe
		j.probe = &j.pull
		j.matched = j.flags()
		return nil
	}
	return j.divide(ctx, st, parts)
}

func (j *hashJoin) flags() []bool {
	if !j.keepsRight() {
		return nil
	}
	return make([]bool, j.table.Len())
}

// addRight puts a right row into the table, or into parts once the table is full.
func (j *hashJoin) addRight(st *state, row []datum.Datum, parts **spill.Partitions) error {
	key := j.rightKey(row)
	if hasNull(key) && !j.keepsRight() {
		j.noRows = j.noRows || j.kind == plan.JoinAntiNull
		return nil
	}
	h := j.hasher.hash(key)
	if *parts != nil {
		return (*parts).Add(h, row)
	}
	if j.table.Fits(row) {
		j.table.Add(h, row)
		return nil
	}
	if !st.mem().CanSpill() || j.level >= spill.MaxLevel {
		if err := j.acct.Grow(spill.RowSize(row)); err != nil {
			return err
		}
		j.table.Add(h, row)
		return nil
	}
	*parts = st.mem().NewPartitions(j.level)
	for i := range j.table.Len() {
		if err := (*parts).Add(j.table.Hash(i), j.table.Row(i)); err != nil {
			return err
		}
	}
	j.table.Reset()
	return (*parts).Add(h, row)
}

// divide spreads the left side over files like the right one.
func (j *hashJoin) divide(ctx context.Context, st *state, right *spill.Partitions) error {
	left := st.mem().NewPartitions(j.level)
	defer j.leftOp.close(st)
	if err := j.leftOp.open(ctx, st); err != nil {
		return err
	}
	err := drain(ctx, st, j.leftOp, func(row []datum.Datum) error {
		if err := evalInto(ctx, st, j.leftKeys, row, j.key); err != nil {
			return err
		}
		return left.Add(j.hasher.hash(j.key), row)
	})
	if err == nil {
		err = j.queue(left, right, 1)
	}
	if err != nil {
		left.Close()
		right.Close()
	}
	j.state = phaseNextPart
	return err
}

func (j *hashJoin) queue(left, right *spill.Partitions, level int) error {
	if err := left.Finish(); err != nil {
		return err
	}
	if err := right.Finish(); err != nil {
		return err
	}
	for i, l := range left.Runs() {
		j.work = append(j.work, joinPart{l, right.Runs()[i], level})
	}
	return nil
}

// nextPart loads the next pair of files, dividing it further if it does not fit.
func (j *hashJoin) nextPart(st *state) error {
	j.part.left.Close()
	j.part.right.Close()
	j.part = joinPart{}
	j.table.Reset()
	if len(j.work) == 0 {
		j.state = phaseDone
		return nil
	}
	j.part = j.work[len(j.work)-1]
	j.work = j.work[:len(j.work)-1]
	j.level = j.part.level
	var parts *spill.Partitions
	r := j.part.right.Reader()
	for {
		row, err := r.Next()
		if err == nil && row == nil {
			break
		}
		if err == nil {
			err = j.addRight(st, row, &parts)
		}
		if err != nil {
			if parts != nil {
				parts.Close()
			}
			return err
		}
	}
	if parts != nil {
		return j.subdivide(st, parts)
	}
	j.state, j.probe, j.matched = phaseProbe, runRows{j.part.left.Reader()}, j.flags()
	return nil
}

func (j *hashJoin) subdivide(st *state, right *spill.Partitions) error {
	left := st.mem().NewPartitions(j.level)
	r := j.part.left.Reader()
	for {
		row, err := r.Next()
		if err == nil && row == nil {
			break
		}
		if err == nil {
			if err = evalInto(context.Background(), st, j.leftKeys, row, j.key); err == nil {
				err = left.Add(j.hasher.hash(j.key), row)
			}
		}
		if err != nil {
			left.Close()
			right.Close()
			return err
		}
	}
	j.state = phaseNextPart
	return j.queue(left, right, j.level+1)
}

func (j *hashJoin) next(ctx context.Context, st *state) (Batch, error) {
	j.out.begin()
	for n := 1; !j.out.full() && j.state != phaseDone; n++ {
		if n%maxBatch == 0 && ctx.Err() != nil {
			return nil, canceled(ctx, ctx.Err())
		}
		var err error
		switch {
		case j.state == phaseNextPart:
			err = j.nextPart(st)
		case j.state == phaseTail:
			j.giveTail()
		case j.row == nil:
			err = j.advance(ctx, st)
		default:
			err = j.step(ctx, st)
		}
		if err != nil {
			return nil, err
		}
	}
	return j.out.batch(), nil
}

// advance takes the next left row and finds the first right row of its hash.
func (j *hashJoin) advance(ctx context.Context, st *state) error {
	row, err := j.probe.next(ctx, st)
	if err != nil {
		return err
	}
	if row == nil {
		j.tail = 0
		j.state = phaseTail
		return nil
	}
	if j.noRows {
		return nil
	}
	if err := evalInto(ctx, st, j.leftKeys, row, j.key); err != nil {
		return err
	}
	j.found, j.at = false, -1
	if !hasNull(j.key) {
		j.at = j.table.First(j.hasher.hash(j.key))
	} else if j.kind == plan.JoinAntiNull && (j.table.Len() > 0 || j.part.left != nil) {
		return nil
	}
	j.row = row
	return nil
}

// step tries the next right row with the current left row.
func (j *hashJoin) step(ctx context.Context, st *state) error {
	for j.at >= 0 {
		i := j.at
		j.at = j.table.Next(i)
		r := j.table.Row(i)
		if !j.hasher.equal(j.rightKey(r), j.key) {
			continue
		}
		ok, err := j.pair(ctx, st, j.row, r[:j.rw])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		j.found = true
		if j.matched != nil {
			j.matched[i] = true
		}
		if j.leftAlone() {
			j.at = -1
		} else if j.out.full() {
			return nil
		}
	}
	j.after(j.row, j.found)
	j.row = nil
	return nil
}

// giveTail gives right rows without a match.
func (j *hashJoin) giveTail() {
	if j.matched != nil {
		for j.tail < len(j.matched) && !j.out.full() {
			if !j.matched[j.tail] {
				j.emitRight(j.table.Row(j.tail)[:j.rw])
			}
			j.tail++
		}
		if j.tail < len(j.matched) {
			return
		}
	}
	j.state = phaseNextPart
	if j.part.left == nil {
		j.state = phaseDone
	}
}

package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// setOp is INTERSECT or EXCEPT. It counts the rows of each side under their hash. What does not fit is divided into
// files by hash, like a hash join.
type setOp struct {
	node        *plan.SetOp
	left, right operator
	hasher      *hasher
	acct        spill.Account
	table       *spill.Table
	counts      [][2]int64
	work        []joinPart
	parts       [2]*spill.Partitions
	level       int
	pos         int
	repeat      int64
	out         [][]datum.Datum
}

func (c *compiler) setOp(n *plan.SetOp) operator {
	s := &setOp{node: n, left: c.node(n.Left), right: c.node(n.Right)}
	cols := n.Left.Columns()
	types := make([]datum.Type, len(cols))
	for i := range cols {
		types[i] = cols[i].Type
	}
	s.hasher = c.hasher(types)
	return s
}

func (s *setOp) open(ctx context.Context, st *state) error {
	s.acct = st.mem().Account()
	s.table = spill.NewTable(&s.acct)
	s.counts, s.pos, s.repeat, s.level = nil, 0, 0, 0
	for side, op := range [2]operator{s.left, s.right} {
		if err := s.read(ctx, st, side, op); err != nil {
			return err
		}
	}
	return s.queue()
}

func (s *setOp) read(ctx context.Context, st *state, side int, op operator) error {
	defer op.close(st)
	if err := op.open(ctx, st); err != nil {
		return err
	}
	return drain(ctx, st, op, func(row []datum.Datum) error { return s.add(st, side, row) })
}

// add counts a row. Rows of the right side that the left does not have do not matter, unless the left has gone to
// files in part.
func (s *setOp) add(st *state, side int, row []datum.Datum) error {
	h := s.hasher.hash(row)
	for i := s.table.First(h); i >= 0; i = s.table.Next(i) {
		if s.hasher.equal(s.table.Row(i), row) {
			s.counts[i][side]++
			return nil
		}
	}
	if s.parts[0] != nil {
		return s.parts[side].Add(h, row)
	}
	if side == 1 {
		return nil
	}
	if !s.table.Fits(row) {
		if st.mem().CanSpill() && s.level < spill.MaxLevel && s.table.Len() > 0 {
			s.parts = [2]*spill.Partitions{st.mem().NewPartitions(s.level), st.mem().NewPartitions(s.level)}
			return s.parts[0].Add(h, row)
		}
		if err := s.acct.Grow(spill.RowSize(row)); err != nil {
			return err
		}
	}
	s.table.Add(h, row)
	s.counts = append(s.counts, [2]int64{1, 0})
	return nil
}

// queue makes the files written so far work to do.
func (s *setOp) queue() error {
	if s.parts[0] == nil {
		return nil
	}
	l, r := s.parts[0], s.parts[1]
	s.parts = [2]*spill.Partitions{}
	for i := range l.Runs() {
		s.work = append(s.work, joinPart{l.Runs()[i], r.Runs()[i], s.level + 1})
	}
	if err := l.Finish(); err != nil {
		return err
	}
	return r.Finish()
}

func (s *setOp) close(*state) {
	for _, w := range s.work {
		w.left.Close()
		w.right.Close()
	}
	for _, p := range s.parts {
		if p != nil {
			p.Close()
		}
	}
	s.work, s.parts = nil, [2]*spill.Partitions{}
	s.acct.Clear()
	s.table, s.counts, s.out = nil, nil, nil
}

// times returns how often a row with these counts is in the result.
func (s *setOp) times(n [2]int64) int64 {
	switch {
	case s.node.Op == plan.SetIntersect && s.node.All:
		return min(n[0], n[1])
	case s.node.Op == plan.SetIntersect:
		return min(n[0], n[1], 1)
	case s.node.All:
		return max(n[0]-n[1], 0)
	case n[1] > 0:
		return 0
	default:
		return min(n[0], 1)
	}
}

func (s *setOp) next(ctx context.Context, st *state) (Batch, error) {
	s.out = s.out[:0]
	for len(s.out) < maxBatch {
		if s.repeat > 0 {
			s.repeat--
			s.out = append(s.out, s.table.Row(s.pos-1))
			continue
		}
		if s.pos < s.table.Len() {
			s.repeat = s.times(s.counts[s.pos])
			s.pos++
			continue
		}
		if len(s.out) > 0 || len(s.work) == 0 {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, canceled(ctx, err)
		}
		if err := s.nextPart(st); err != nil {
			return nil, err
		}
	}
	return s.out, nil
}

func (s *setOp) nextPart(st *state) error {
	w := s.work[len(s.work)-1]
	s.work = s.work[:len(s.work)-1]
	defer w.left.Close()
	defer w.right.Close()
	s.table.Reset()
	s.counts, s.pos, s.level = s.counts[:0], 0, w.level
	for side, run := range [2]*spill.Run{w.left, w.right} {
		r := run.Reader()
		for {
			row, err := r.Next()
			if err != nil {
				return err
			}
			if row == nil {
				break
			}
			if err := s.add(st, side, row); err != nil {
				return err
			}
		}
	}
	return s.queue()
}

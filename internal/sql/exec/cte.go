package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// cteStore is a common table expression: its plan and, once it was run, its rows.
type cteStore struct {
	name    string
	op      operator
	store   *spill.Store
	run     uint64
	running bool
	// lazy says that rows are made as they are read; opened that the plan is under way.
	lazy, opened bool
}

// fill runs the plan if this execution has not yet.
func (c *cteStore) fill(ctx context.Context, st *state) error {
	if c.store != nil && c.run == st.run {
		return nil
	}
	if c.running {
		return failure.New(failure.InternalError, "CTE \"%s\" reads itself", c.name)
	}
	c.running = true
	defer func() { c.running = false }()
	c.end(st)
	c.run = st.run
	c.store = spill.NewStore(st.mem())
	st.kept = append(st.kept, c)
	c.opened = true
	if err := c.op.open(ctx, st); err != nil {
		return err
	}
	if c.lazy {
		return nil
	}
	return c.rest(ctx, st)
}

// rest runs the plan to its end.
func (c *cteStore) rest(ctx context.Context, st *state) error {
	if err := drain(ctx, st, c.op, c.store.Add); err != nil {
		return err
	}
	c.op.close(st)
	c.opened = false
	return c.store.Finish()
}

// more makes more rows for readers that have read all there are. It returns false when there are no more.
func (c *cteStore) more(ctx context.Context, st *state) (bool, error) {
	if !c.opened {
		return false, nil
	}
	if c.running {
		return false, failure.New(failure.InternalError, "CTE \"%s\" reads itself", c.name)
	}
	c.running = true
	defer func() { c.running = false }()
	n := c.store.Len()
	b, err := c.op.next(ctx, st)
	if err != nil {
		return false, err
	}
	for _, row := range b {
		if err := c.store.Add(row); err != nil {
			return false, err
		}
	}
	if _, memory := c.store.InMemory(); len(b) == 0 || !memory {
		// What is in a file can be read only when it is complete.
		if err := c.rest(ctx, st); err != nil {
			return false, err
		}
	}
	return c.store.Len() > n, nil
}

// end drops the rows and the plan's state.
func (c *cteStore) end(st *state) {
	if c.opened {
		c.opened = false
		c.op.close(st)
	}
	c.release()
}

func (c *cteStore) release() {
	if c.store != nil {
		c.store.Close()
		c.store = nil
	}
}

// withOp runs its input among CTEs.
type withOp struct {
	input     operator
	ctes      []*cteStore
	modifying []*cteStore
	ended     bool
}

func (c *compiler) with(n *plan.With) operator {
	w := &withOp{}
	if c.ctes == nil {
		c.ctes = map[int]*cteStore{}
	}
	for _, cte := range n.CTEs {
		s := &cteStore{name: cte.Name, lazy: c.lazy}
		c.ctes[cte.ID] = s
		w.ctes = append(w.ctes, s)
		if cte.Modifying {
			c.deferWrites = true
			w.modifying = append(w.modifying, s)
		}
	}
	for i, cte := range n.CTEs {
		w.ctes[i].op = c.node(cte.Plan)
	}
	w.input = c.node(n.Input)
	return w
}

func (w *withOp) open(ctx context.Context, st *state) error {
	w.ended = false
	if len(w.modifying) == 0 {
		// A correlated WITH is run anew each time it is opened.
		for _, c := range w.ctes {
			c.end(st)
		}
	}
	return w.input.open(ctx, st)
}

func (w *withOp) close(st *state) {
	w.input.close(st)
	for _, c := range w.ctes {
		if len(w.modifying) == 0 {
			c.end(st)
		} else if c.opened { // after an error
			c.opened = false
			c.op.close(st)
		}
	}
}

func (w *withOp) next(ctx context.Context, st *state) (Batch, error) {
	b, err := w.input.next(ctx, st)
	if err != nil || len(b) > 0 || w.ended {
		return b, err
	}
	w.ended = true
	for _, c := range w.modifying {
		if err := c.fill(ctx, st); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// cteScan reads a CTE.
type cteScan struct {
	cte    *cteStore
	filter predFn
	reader *spill.StoreReader
	out    [][]datum.Datum
}

func (c *compiler) cteScan(n *plan.CTEScan) operator {
	s := c.ctes[n.ID]
	if s == nil {
		c.fail(failure.New(failure.InternalError, "plan reads CTE %d before it is defined", n.ID))
	}
	return &cteScan{cte: s, filter: c.pred(n.Filter)}
}

func (s *cteScan) open(ctx context.Context, st *state) error {
	if err := s.cte.fill(ctx, st); err != nil {
		return err
	}
	s.reader = s.cte.store.Reader()
	return nil
}

func (s *cteScan) close(*state) { s.reader, s.out = nil, nil }

func (s *cteScan) next(ctx context.Context, st *state) (Batch, error) {
	for {
		b, err := readStore(s.reader, &s.out)
		if err == nil && len(b) == 0 {
			more, err := s.cte.more(ctx, st)
			if err != nil || !more {
				return nil, err
			}
			continue
		}
		if err != nil || s.filter == nil {
			return b, err
		}
		n := 0
		for _, row := range b {
			ok, err := s.filter(ctx, st, row)
			if err != nil {
				return nil, err
			}
			if ok {
				b[n] = row
				n++
			}
		}
		if n > 0 {
			return b[:n], nil
		}
		if err := ctx.Err(); err != nil {
			return nil, canceled(ctx, err)
		}
	}
}

// workTable is what a recursive term reads: the rows of the round before.
type workTable struct{ rows *spill.Store }

// recursiveUnion is WITH RECURSIVE.
type recursiveUnion struct {
	left, right operator
	work        *workTable
	all         bool
	seen        dedup
	hasher      *hasher
	fresh       *spill.Store // the rows of this round
	opened      operator     // what is open now
	out         [][]datum.Datum
}

func (c *compiler) recursiveUnion(n *plan.RecursiveUnion) operator {
	if c.works == nil {
		c.works = map[int]*workTable{}
	}
	w := &workTable{}
	c.works[n.ID] = w
	r := &recursiveUnion{work: w, all: n.All, left: c.node(n.Left), right: c.node(n.Right)}
	cols := n.Left.Columns()
	types := make([]datum.Type, len(cols))
	for i := range cols {
		types[i] = cols[i].Type
	}
	r.hasher = c.hasher(types)
	return r
}

func (r *recursiveUnion) open(ctx context.Context, st *state) error {
	r.drop()
	if !r.all {
		// Rows given out before must be known at once: this set stays in memory.
		r.seen.start(st.mem(), r.hasher, spill.MaxLevel)
	}
	r.fresh = spill.NewStore(st.mem())
	r.opened = r.left
	return r.left.open(ctx, st)
}

func (r *recursiveUnion) drop() {
	if r.fresh != nil {
		r.fresh.Close()
	}
	if r.work.rows != nil {
		r.work.rows.Close()
	}
	r.fresh, r.work.rows = nil, nil
	r.seen.close()
}

func (r *recursiveUnion) close(st *state) {
	if r.opened != nil {
		r.opened.close(st)
		r.opened = nil
	}
	r.drop()
	r.out = nil
}

func (r *recursiveUnion) next(ctx context.Context, st *state) (Batch, error) {
	for r.opened != nil {
		b, err := r.opened.next(ctx, st)
		if err != nil {
			return nil, err
		}
		if len(b) == 0 {
			if err := r.round(ctx, st); err != nil {
				return nil, err
			}
			continue
		}
		r.out = r.out[:0]
		for _, row := range b {
			if !r.all {
				isNew, err := r.seen.add(row, row)
				if err != nil {
					return nil, err
				}
				if !isNew {
					continue
				}
			}
			if err := r.fresh.Add(row); err != nil {
				return nil, err
			}
			r.out = append(r.out, row)
		}
		if len(r.out) > 0 {
			return r.out, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, canceled(ctx, err)
		}
	}
	return nil, nil
}

// round makes the rows just given out the working table and starts the recursive term on it.
func (r *recursiveUnion) round(ctx context.Context, st *state) error {
	if err := ctx.Err(); err != nil {
		return canceled(ctx, err)
	}
	r.opened.close(st)
	r.opened = nil
	if r.fresh.Len() == 0 {
		return nil
	}
	if r.work.rows != nil {
		r.work.rows.Close()
	}
	r.work.rows, r.fresh = r.fresh, spill.NewStore(st.mem())
	if err := r.work.rows.Finish(); err != nil {
		return err
	}
	r.opened = r.right
	return r.right.open(ctx, st)
}

// workScan reads the working table.
type workScan struct {
	work   *workTable
	reader *spill.StoreReader
	out    [][]datum.Datum
}

func (c *compiler) workScan(n *plan.WorkTableScan) operator {
	w := c.works[n.ID]
	if w == nil {
		c.fail(failure.New(failure.InternalError, "plan reads a working table outside its recursive query"))
	}
	return &workScan{work: w}
}

func (s *workScan) open(context.Context, *state) error {
	s.reader = s.work.rows.Reader()
	return nil
}

func (s *workScan) close(*state) { s.reader, s.out = nil, nil }

func (s *workScan) next(context.Context, *state) (Batch, error) { return readStore(s.reader, &s.out) }

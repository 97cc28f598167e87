package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// emptyOp gives nothing.
type emptyOp struct{}

func (emptyOp) open(context.Context, *state) error          { return nil }
func (emptyOp) next(context.Context, *state) (Batch, error) { return nil, nil }
func (emptyOp) close(*state)                                {}

// valuesOp gives rows of expressions.
type valuesOp struct {
	rows [][]evalFn
	out  rowBuf
	pos  int
}

func (c *compiler) values(n *plan.Values) operator {
	v := &valuesOp{}
	for _, r := range n.Rows {
		v.rows = append(v.rows, c.exprs(r))
		v.out.width = len(r)
	}
	return v
}

func (v *valuesOp) open(context.Context, *state) error {
	v.pos = 0
	return nil
}

func (v *valuesOp) close(*state) { v.out.reset() }

func (v *valuesOp) next(ctx context.Context, st *state) (Batch, error) {
	v.out.beginAtMost(len(v.rows) - v.pos)
	for v.pos < len(v.rows) && !v.out.full() {
		row := v.out.row()
		if err := evalInto(ctx, st, v.rows[v.pos], nil, row); err != nil {
			return nil, err
		}
		v.pos++
	}
	return v.out.batch(), nil
}

// evalInto evaluates a list of expressions into out.
func evalInto(ctx context.Context, st *state, fs []evalFn, row, out []datum.Datum) error {
	for i, f := range fs {
		d, err := f(ctx, st, row)
		if err != nil {
			return err
		}
		out[i] = d
	}
	return nil
}

// resultOp gives one row.
type resultOp struct {
	exprs  []evalFn
	filter predFn
	out    rowBuf
	done   bool
}

func (c *compiler) result(n *plan.Result) operator {
	r := &resultOp{exprs: c.exprs(n.Exprs), filter: c.pred(n.Filter)}
	r.out.width = len(n.Exprs)
	return r
}

func (r *resultOp) open(context.Context, *state) error {
	r.done = false
	return nil
}

func (r *resultOp) close(*state) { r.out.reset() }

func (r *resultOp) next(ctx context.Context, st *state) (Batch, error) {
	if r.done {
		return nil, nil
	}
	r.done = true
	if r.filter != nil {
		if ok, err := r.filter(ctx, st, nil); err != nil || !ok {
			return nil, err
		}
	}
	r.out.beginAtMost(1)
	if err := evalInto(ctx, st, r.exprs, nil, r.out.row()); err != nil {
		return nil, err
	}
	return r.out.batch(), nil
}

// filterOp passes rows.
type filterOp struct {
	input operator
	cond  predFn
	out   [][]datum.Datum
}

func (c *compiler) filter(n *plan.Filter) operator {
	return &filterOp{input: c.node(n.Input), cond: c.pred(n.Cond)}
}

func (f *filterOp) open(ctx context.Context, st *state) error { return f.input.open(ctx, st) }

func (f *filterOp) close(st *state) {
	f.input.close(st)
	if len(f.out) > keepBatch {
		f.out = nil
	}
}

func (f *filterOp) next(ctx context.Context, st *state) (Batch, error) {
	for {
		in, err := f.input.next(ctx, st)
		if err != nil || len(in) == 0 {
			return nil, err
		}
		f.out = f.out[:0]
		for _, row := range in {
			ok, err := f.cond(ctx, st, row)
			if err != nil {
				return nil, err
			}
			if ok {
				f.out = append(f.out, row)
			}
		}
		if len(f.out) > 0 {
			return f.out, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, canceled(ctx, err)
		}
	}
}

// projectOp computes columns.
type projectOp struct {
	input operator
	exprs []evalFn
	// cols are the input positions when every expression is a column.
	cols []int
	out  rowBuf
}

func (c *compiler) project(n *plan.Project) operator {
	p := &projectOp{input: c.node(n.Input), exprs: c.exprs(n.Exprs), cols: columnsOnly(n.Exprs)}
	p.out.width = len(n.Exprs)
	return p
}

func columnsOnly(es []plan.Expr) []int {
	cols := make([]int, 0, len(es))
	for _, e := range es {
		col, ok := e.(*plan.Column)
		if !ok {
			return nil
		}
		cols = append(cols, col.Index)
	}
	return cols
}

func (p *projectOp) open(ctx context.Context, st *state) error { return p.input.open(ctx, st) }

func (p *projectOp) close(st *state) {
	p.input.close(st)
	p.out.reset()
}

func (p *projectOp) next(ctx context.Context, st *state) (Batch, error) {
	in, err := p.input.next(ctx, st)
	if err != nil || len(in) == 0 {
		return nil, err
	}
	p.out.beginAtMost(len(in))
	for _, row := range in {
		out := p.out.row()
		if p.cols != nil {
			for i, c := range p.cols {
				out[i] = row[c]
			}
			continue
		}
		if err := evalInto(ctx, st, p.exprs, row, out); err != nil {
			return nil, err
		}
	}
	return p.out.batch(), nil
}

// appendOp gives the rows of its inputs one after the other.
type appendOp struct {
	inputs []operator
	at     int
	opened bool
}

func (c *compiler) appendOp(n *plan.Append) operator {
	a := &appendOp{}
	for _, in := range n.Inputs {
		a.inputs = append(a.inputs, c.node(in))
	}
	return a
}

func (a *appendOp) open(context.Context, *state) error {
	a.at, a.opened = 0, false
	return nil
}

func (a *appendOp) close(st *state) {
	if a.opened {
		a.inputs[a.at].close(st)
		a.opened = false
	}
}

func (a *appendOp) next(ctx context.Context, st *state) (Batch, error) {
	for a.at < len(a.inputs) {
		in := a.inputs[a.at]
		if !a.opened {
			a.opened = true
			if err := in.open(ctx, st); err != nil {
				return nil, err
			}
		}
		b, err := in.next(ctx, st)
		if err != nil || len(b) > 0 {
			return b, err
		}
		in.close(st)
		a.opened = false
		a.at++
	}
	return nil, nil
}

// limitOp skips and stops.
type limitOp struct {
	input         operator
	count, offset evalFn
	ties          bool
	order         func(a, b []datum.Datum) int
	skip, left    int64
	bounded, done bool
	last          []datum.Datum
}

func (c *compiler) limit(n *plan.Limit) operator {
	l := &limitOp{input: c.node(n.Input), count: c.optional(n.Count), offset: c.optional(n.Offset), ties: n.Ties}
	if n.Ties {
		l.order = c.order(n.TieKeys, n.Input.Columns())
	}
	return l
}

func (l *limitOp) open(ctx context.Context, st *state) error {
	l.skip, l.left, l.bounded, l.done, l.last = 0, 0, false, false, nil
	if err := l.input.open(ctx, st); err != nil {
		return err
	}
	if l.offset != nil {
		d, err := l.offset(ctx, st, nil)
		if err != nil {
			return err
		}
		if l.skip = intOr(d, 0); l.skip < 0 {
			return failure.New(failure.InvalidRowCountInResultOffsetClause, "OFFSET must not be negative")
		}
	}
	if l.count != nil {
		d, err := l.count(ctx, st, nil)
		if err != nil {
			return err
		}
		l.bounded = !d.IsNull()
		if l.left = intOr(d, 0); l.left < 0 {
			return failure.New(failure.InvalidRowCountInLimitClause, "LIMIT must not be negative")
		}
	}
	return nil
}

func intOr(d datum.Datum, def int64) int64 {
	if d.IsNull() {
		return def
	}
	return d.Int()
}

func (l *limitOp) close(st *state) { l.input.close(st) }

func (l *limitOp) next(ctx context.Context, st *state) (Batch, error) {
	for !l.done {
		if l.bounded && l.left == 0 && (!l.ties || l.last == nil) {
			break
		}
		b, err := l.input.next(ctx, st)
		if err != nil || len(b) == 0 {
			l.done = true
			return nil, err
		}
		if l.skip > 0 {
			n := min(l.skip, int64(len(b)))
			l.skip -= n
			b = b[n:]
		}
		if l.bounded {
			b = l.take(b)
		}
		if len(b) > 0 {
			return b, nil
		}
	}
	l.done = true
	return nil, nil
}

// take cuts a batch to what is left, with the ties of the last row.
func (l *limitOp) take(b Batch) Batch {
	n := int(min(l.left, int64(len(b))))
	l.left -= int64(n)
	if !l.ties || l.left > 0 {
		return b[:n]
	}
	if n > 0 {
		l.last = append([]datum.Datum(nil), b[n-1]...)
	}
	for n < len(b) && l.last != nil {
		if l.order(b[n], l.last) != 0 {
			l.done = true
			break
		}
		n++
	}
	return b[:n]
}

// materializeOp keeps its input's rows.
type materializeOp struct {
	input  operator
	deps   []int
	seen   []datum.Datum
	store  *spill.Store
	reader *spill.StoreReader
	run    uint64
	ready  bool
	out    [][]datum.Datum
}

func (c *compiler) materialize(n *plan.Materialize) operator {
	return &materializeOp{input: c.node(n.Input), deps: n.Deps, seen: make([]datum.Datum, len(n.Deps))}
}

func (m *materializeOp) open(ctx context.Context, st *state) error {
	m.reader = nil
	if m.ready && m.run == st.run && m.same(st) {
		return nil
	}
	m.release()
	m.run = st.run
	m.store = spill.NewStore(st.mem())
	st.kept = append(st.kept, m)
	for i, s := range m.deps {
		m.seen[i] = st.slots[s]
	}
	defer m.input.close(st)
	if err := m.input.open(ctx, st); err != nil {
		return err
	}
	if err := drain(ctx, st, m.input, m.store.Add); err != nil {
		return err
	}
	m.ready = true
	return m.store.Finish()
}

func (m *materializeOp) same(st *state) bool {
	for i, s := range m.deps {
		if !identical(st.slots[s], m.seen[i]) {
			return false
		}
	}
	return true
}

func (m *materializeOp) close(*state) { m.reader = nil }

func (m *materializeOp) release() {
	if m.store != nil {
		m.store.Close()
	}
	m.store, m.ready, m.out = nil, false, nil
}

func (m *materializeOp) next(context.Context, *state) (Batch, error) {
	if m.reader == nil {
		m.reader = m.store.Reader()
	}
	return readStore(m.reader, &m.out)
}

// readStore gives the next batch of a store.
func readStore(r *spill.StoreReader, out *[][]datum.Datum) (Batch, error) {
	rows := (*out)[:0]
	for len(rows) < maxBatch {
		row, err := r.Next()
		if err != nil {
			return nil, err
		}
		if row == nil {
			break
		}
		rows = append(rows, row)
	}
	*out = rows
	return rows, nil
}

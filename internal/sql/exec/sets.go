package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// setCall is a set-returning call, or a scalar expression that gives one row.
type setCall struct {
	impl   builtin.SetImpl
	call   *builtin.Call
	args   []evalFn
	vals   []datum.Datum
	strict bool
	scalar evalFn

	iter builtin.RowIter
	one  []datum.Datum
	left bool
}

// setCall compiles e. cols are the columns of a function that returns records.
func (c *compiler) setCall(e plan.Expr, cols []builtin.Column) *setCall {
	f, ok := e.(*plan.FuncCall)
	if !ok || !f.Fn.RetSet && f.Fn.Set == nil { // json_to_record returns one row, but as a set does
		return &setCall{scalar: c.expr(e), one: make([]datum.Datum, 1)}
	}
	s := &setCall{args: c.exprs(f.Args), strict: f.Fn.Strict, vals: make([]datum.Datum, len(f.Args))}
	s.call = &builtin.Call{Facts: c.facts, Func: f.Fn, Args: typesOf(f.Args), Ret: f.Typ, Variadic: f.Variadic,
		Consts: constsOf(f.Args), Columns: cols}
	impl, err := f.Fn.PrepareSet(s.call)
	if err != nil {
		impl = func(*builtin.Call, *builtin.Context, []datum.Datum) (builtin.RowIter, error) { return nil, err }
	}
	s.impl = impl
	return s
}

// start evaluates the arguments on row.
func (s *setCall) start(ctx context.Context, st *state, row []datum.Datum) error {
	s.iter, s.left = nil, false
	if s.scalar != nil {
		d, err := s.scalar(ctx, st, row)
		s.one[0], s.left = d, true
		return err
	}
	if err := evalInto(ctx, st, s.args, row, s.vals); err != nil {
		return err
	}
	if s.strict && hasNull(s.vals) {
		return nil
	}
	it, err := s.impl(s.call, st.bctx, s.vals)
	s.iter = it
	return err
}

// next returns the next row, nil at the end.
func (s *setCall) next(st *state) ([]datum.Datum, error) {
	if s.left {
		s.left = false
		return s.one, nil
	}
	if s.iter == nil {
		return nil, nil
	}
	row, err := s.iter.Next(st.bctx)
	if err != nil || row == nil {
		s.iter = nil
	}
	return row, err
}

// projectSetOp multiplies rows by their sets.
type projectSetOp struct {
	pull  puller
	exprs []evalFn
	sets  []*setCall
	isSet []bool

	row    []datum.Datum // the current input row, with the scalars' values in vals
	vals   []datum.Datum
	active bool
	types  []datum.Type
	out    rowBuf
}

func (c *compiler) projectSet(n *plan.ProjectSet) operator {
	p := &projectSetOp{isSet: n.Sets, vals: make([]datum.Datum, len(n.Exprs)), types: typesOf(n.Exprs)}
	p.pull.op = c.node(n.Input)
	p.exprs, p.sets = make([]evalFn, len(n.Exprs)), make([]*setCall, len(n.Exprs))
	for i, e := range n.Exprs {
		if n.Sets[i] {
			p.sets[i] = c.setCall(e, nil)
		} else {
			p.exprs[i] = c.expr(e)
		}
	}
	p.out.width = len(n.Exprs)
	return p
}

func (p *projectSetOp) open(ctx context.Context, st *state) error {
	p.active = false
	p.out.reset()
	return p.pull.open(ctx, st)
}

func (p *projectSetOp) close(st *state) {
	p.pull.close(st)
	for _, s := range p.sets {
		if s != nil {
			s.iter = nil
		}
	}
	p.row = nil
	p.out.reset()
}

func (p *projectSetOp) next(ctx context.Context, st *state) (Batch, error) {
	p.out.begin()
	for !p.out.full() {
		if !p.active {
			ok, err := p.startRow(ctx, st)
			if err != nil {
				return nil, err
			}
			if !ok {
				break
			}
		}
		if err := p.emit(st); err != nil {
			return nil, err
		}
	}
	return p.out.batch(), nil
}

func (p *projectSetOp) startRow(ctx context.Context, st *state) (bool, error) {
	row, err := p.pull.next(ctx, st)
	if err != nil || row == nil {
		return false, err
	}
	p.active = true
	for i := range p.exprs {
		if p.sets[i] != nil {
			err = p.sets[i].start(ctx, st, row)
		} else {
			p.vals[i], err = p.exprs[i](ctx, st, row)
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// emit gives the next row of the current input row, or ends it.
func (p *projectSetOp) emit(st *state) error {
	out := p.out.row()
	any := false
	for i, s := range p.sets {
		if s == nil {
			out[i] = p.vals[i]
			continue
		}
		r, err := s.next(st)
		if err != nil {
			return err
		}
		out[i] = datum.Null
		if r == nil {
			continue
		}
		any = true
		if len(r) == 1 {
			out[i] = r[0]
			continue
		}
		out[i] = recordOf(s.call, r)
	}
	if !any {
		p.out.drop()
		p.active = false
	}
	return nil
}

// recordOf makes a record of the columns that a function returned for one row.
func recordOf(call *builtin.Call, r []datum.Datum) datum.Datum {
	rec := &datum.Record{Values: append([]datum.Datum(nil), r...)}
	names, types := call.Func.OutParams()
	rec.Names = names
	for i := range r {
		t := datum.T(datum.OIDText)
		if i < len(types) {
			t = datum.T(types[i])
		}
		rec.Types = append(rec.Types, t)
	}
	return datum.NewRecord(rec)
}

// functionScan runs functions side by side.
type functionScan struct {
	funcs      []plan.ScanFunc
	calls      []*setCall
	ordinality bool
	filter     predFn
	count      int64
	done       []bool
	out        rowBuf
}

func (c *compiler) functionScan(n *plan.FunctionScan) operator {
	f := &functionScan{funcs: n.Funcs, ordinality: n.Ordinality, filter: c.pred(n.Filter), done: make([]bool, len(n.Funcs))}
	for i := range n.Funcs {
		fn := &n.Funcs[i]
		var cols []builtin.Column
		for j, t := range fn.Types {
			col := builtin.Column{Type: t}
			if j < len(fn.Names) {
				col.Name = fn.Names[j]
			}
			cols = append(cols, col)
		}
		f.calls = append(f.calls, c.setCall(fn.Call, cols))
		f.out.width += fn.Width
	}
	if n.Ordinality {
		f.out.width++
	}
	return f
}

func (f *functionScan) open(ctx context.Context, st *state) error {
	f.count = 0
	f.out.reset()
	for i, s := range f.calls {
		f.done[i] = false
		if err := s.start(ctx, st, nil); err != nil {
			return err
		}
	}
	return nil
}

func (f *functionScan) close(*state) {
	for _, s := range f.calls {
		s.iter = nil
	}
	f.out.reset()
}

func (f *functionScan) next(ctx context.Context, st *state) (Batch, error) {
	f.out.begin()
	for !f.out.full() {
		row := f.out.row()
		more, err := f.fill(st, row)
		if err != nil {
			return nil, err
		}
		if !more {
			f.out.drop()
			break
		}
		if f.filter != nil {
			ok, err := f.filter(ctx, st, row)
			if err != nil {
				return nil, err
			}
			if !ok {
				f.out.drop()
				if f.count%maxBatch == 0 && ctx.Err() != nil {
					return nil, canceled(ctx, ctx.Err())
				}
			}
		}
	}
	return f.out.batch(), nil
}

// fill makes one row; false when all functions have ended.
func (f *functionScan) fill(st *state, row []datum.Datum) (bool, error) {
	any, at := false, 0
	for i, s := range f.calls {
		fn := &f.funcs[i]
		out := row[at : at+fn.Width]
		at += fn.Width
		var r []datum.Datum
		if !f.done[i] {
			var err error
			if r, err = s.next(st); err != nil {
				return false, err
			}
		}
		if r == nil {
			f.done[i] = true
			clear(out)
			continue
		}
		any = true
		if err := spread(fn, r, out); err != nil {
			return false, err
		}
	}
	f.count++
	if f.ordinality {
		row[at] = datum.NewInt(f.count)
	}
	return any, nil
}

// spread puts a function's row into its columns, taking a record apart.
func spread(fn *plan.ScanFunc, r, out []datum.Datum) error {
	if len(r) == 1 && (fn.Composite || r[0].Kind() == datum.KindRecord && (fn.Width != 1 || len(fn.Types) > 0)) {
		if r[0].IsNull() {
			clear(out)
			return nil
		}
		r = r[0].Record().Values
	}
	if len(r) != len(out) {
		return failure.New(failure.DatatypeMismatch, "function return row and query-specified return row do not match").
			WithDetail("Returned row contains %d attributes, but query expects %d.", len(r), len(out))
	}
	copy(out, r)
	return nil
}

// systemScan reads a system table, whose rows are made all at once.
type systemScan struct {
	node   *plan.SystemScan
	eq     []evalFn
	filter predFn
	rows   *spill.Store
	reader *spill.StoreReader
	out    [][]datum.Datum
}

func (c *compiler) systemScan(n *plan.SystemScan) operator {
	s := &systemScan{node: n, filter: c.pred(n.Filter)}
	for _, e := range n.Eq {
		s.eq = append(s.eq, c.expr(e.Expr))
	}
	return s
}

func (s *systemScan) open(ctx context.Context, st *state) error {
	s.rows = spill.NewStore(st.mem())
	var eq []plan.SystemEq
	for i, f := range s.eq {
		d, err := f(ctx, st, nil)
		if err != nil {
			return err
		}
		if d.IsNull() {
			return s.finish()
		}
		eq = append(eq, plan.SystemEq{Column: s.node.Eq[i].Column, Value: d})
	}
	buf := make([]datum.Datum, len(s.node.Ordinals))
	n := 0
	err := s.node.Table.Rows(ctx, st.env.System, eq, func(row []datum.Datum) error {
		for i, o := range s.node.Ordinals {
			buf[i] = row[o]
		}
		if n++; n%maxBatch == 0 && ctx.Err() != nil {
			return canceled(ctx, ctx.Err())
		}
		if s.filter != nil {
			if ok, err := s.filter(ctx, st, buf); err != nil || !ok {
				return err
			}
		}
		return s.rows.Add(buf)
	})
	if err != nil {
		return err
	}
	return s.finish()
}

func (s *systemScan) finish() error {
	err := s.rows.Finish()
	s.reader = s.rows.Reader()
	return err
}

func (s *systemScan) close(*state) {
	if s.rows != nil {
		s.rows.Close()
	}
	s.rows, s.reader, s.out = nil, nil, nil
}

func (s *systemScan) next(context.Context, *state) (Batch, error) { return readStore(s.reader, &s.out) }

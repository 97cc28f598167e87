package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// windowOp computes window functions. It keeps one partition at a time in memory.
type windowOp struct {
	pull      puller
	partition *hasher
	partCols  []int
	order     func(a, b []datum.Datum) int // nil without ORDER BY: all rows are peers
	frame     *frameEval
	calls     []*windowCall
	width     int

	acct    spill.Account
	arena   spill.Arena
	rows    [][]datum.Datum // the partition; results are written behind the input columns
	pending []datum.Datum
	peers   []int32 // number of the peer group of each row
	groups  []int32 // first row of each peer group, and the end
	pos     int
	ended   bool
	started bool
}

// windowCall is one function over the window.
type windowCall struct {
	fn     builtin.WindowFunc
	agg    builtin.Aggregate
	args   []evalFn
	vals   []datum.Datum
	filter evalFn
	out    int // position of the result
}

func (c *compiler) window(n *plan.WindowAgg) operator {
	cols := n.Input.Columns()
	w := &windowOp{partCols: n.Partition, width: len(cols)}
	w.pull.op = c.node(n.Input)
	types := make([]datum.Type, len(n.Partition))
	for i, p := range n.Partition {
		types[i] = cols[p].Type
	}
	w.partition = c.hasher(types)
	if len(n.Order) > 0 {
		w.order = c.order(n.Order, cols)
	}
	w.frame = c.frame(n, cols)
	for i, call := range n.Calls {
		w.calls = append(w.calls, c.windowCall(call, len(cols)+i))
	}
	return w
}

func (c *compiler) windowCall(k *plan.WindowCall, out int) *windowCall {
	w := &windowCall{args: c.exprs(k.Args), vals: make([]datum.Datum, len(k.Args)), filter: c.optional(k.Filter), out: out}
	call := &builtin.Call{Facts: c.facts, Func: k.Fn, Args: typesOf(k.Args), Ret: k.Typ, Consts: constsOf(k.Args)}
	var err error
	if k.Agg {
		if w.agg, err = k.Fn.PrepareAggregate(call); err != nil {
			w.agg = failingAggregate{err}
		}
		return w
	}
	if w.fn, err = k.Fn.PrepareWindow(call); err != nil {
		w.fn = failingWindow{err}
	}
	return w
}

type failingWindow struct{ err error }

func (f failingWindow) Next(*builtin.Context, builtin.Window) (datum.Datum, error) {
	return datum.Null, f.err
}

func (w *windowOp) open(ctx context.Context, st *state) error {
	w.rows, w.pending, w.pos, w.ended, w.started = nil, nil, 0, false, false
	w.acct = st.mem().Account()
	return w.pull.open(ctx, st)
}

func (w *windowOp) close(st *state) {
	w.pull.close(st)
	w.acct.Clear()
	w.rows, w.pending, w.arena, w.peers, w.groups = nil, nil, spill.Arena{}, nil, nil
}

func (w *windowOp) next(ctx context.Context, st *state) (Batch, error) {
	if w.pos >= len(w.rows) {
		ok, err := w.load(ctx, st)
		if err != nil || !ok {
			return nil, err
		}
		if err := w.compute(ctx, st); err != nil {
			return nil, err
		}
		w.pos = 0
	}
	n := min(len(w.rows)-w.pos, maxBatch)
	b := w.rows[w.pos : w.pos+n]
	w.pos += n
	return b, nil
}

// keep copies an input row, with room for the results.
func (w *windowOp) keep(row []datum.Datum) ([]datum.Datum, error) {
	if err := w.acct.Grow(spill.RowSize(row) + int64(24*len(w.calls)+8)); err != nil {
		return nil, err
	}
	r := w.arena.Row(w.width + len(w.calls))
	copy(r, row)
	return r, nil
}

// load reads the next partition.
func (w *windowOp) load(ctx context.Context, st *state) (bool, error) {
	w.acct.Clear()
	w.rows, w.arena = w.rows[:0], spill.Arena{}
	if w.pending != nil {
		w.rows = append(w.rows, w.pending)
		w.pending = nil
	}
	for !w.ended {
		row, err := w.pull.next(ctx, st)
		if err != nil {
			return false, err
		}
		if row == nil {
			w.ended = true
			break
		}
		r, err := w.keep(row)
		if err != nil {
			return false, err
		}
		if len(w.rows) > 0 && !w.samePartition(w.rows[0], r) {
			w.pending = r
			break
		}
		w.rows = append(w.rows, r)
	}
	return len(w.rows) > 0, nil
}

func (w *windowOp) samePartition(a, b []datum.Datum) bool {
	for i, p := range w.partCols {
		x, y := a[p], b[p]
		if x.IsNull() || y.IsNull() {
			if x.IsNull() != y.IsNull() {
				return false
			}
		} else if w.partition.cmps[i](x, y) != 0 {
			return false
		}
	}
	return true
}

// findPeers numbers the peer groups.
func (w *windowOp) findPeers() {
	w.peers, w.groups = w.peers[:0], append(w.groups[:0], 0)
	g := int32(0)
	for i := range w.rows {
		if i > 0 && w.order != nil && w.order(w.rows[i-1], w.rows[i]) != 0 {
			g++
			w.groups = append(w.groups, int32(i))
		}
		w.peers = append(w.peers, g)
	}
	w.groups = append(w.groups, int32(len(w.rows)))
}

func (w *windowOp) compute(ctx context.Context, st *state) error {
	w.findPeers()
	if err := w.frame.start(ctx, st); err != nil {
		return err
	}
	for _, k := range w.calls {
		p := &partitionView{st: st, w: w, call: k,
			eval: func(f evalFn, row []datum.Datum) (datum.Datum, error) { return f(ctx, st, row) },
			stop: func() error {
				if err := ctx.Err(); err != nil {
					return canceled(ctx, err)
				}
				return nil
			}}
		if k.agg != nil {
			if err := p.aggregate(); err != nil {
				return err
			}
			continue
		}
		for i := range w.rows {
			if i%maxBatch == 0 {
				if err := p.stop(); err != nil {
					return err
				}
			}
			p.row, p.framed = i, false
			d, err := k.fn.Next(st.bctx, p)
			if err != nil {
				return err
			}
			w.rows[i][k.out] = d
		}
	}
	return nil
}

// partitionView is the builtin.Window of one call, for the computation of one partition. eval evaluates an expression
// on a row and stop says whether the statement was cancelled: both know the context, which the interface of window
// functions does not carry.
type partitionView struct {
	eval       func(f evalFn, row []datum.Datum) (datum.Datum, error)
	stop       func() error
	st         *state
	w          *windowOp
	call       *windowCall
	row        int
	framed     bool
	start, end int
}

// Rows implements builtin.Window.
func (p *partitionView) Rows() int { return len(p.w.rows) }

// Row implements builtin.Window.
func (p *partitionView) Row() int { return p.row }

// Arg implements builtin.Window.
func (p *partitionView) Arg(row, arg int) (datum.Datum, error) {
	return p.eval(p.call.args[arg], p.w.rows[row])
}

// Peers implements builtin.Window.
func (p *partitionView) Peers(row int) (start, end int, err error) {
	g := p.w.peers[row]
	return int(p.w.groups[g]), int(p.w.groups[g+1]), nil
}

// Frame implements builtin.Window.
func (p *partitionView) Frame() (start, end int, err error) {
	if !p.framed {
		p.framed = true
		p.start, p.end, err = p.w.frame.bounds(p.st, p.w, p.row)
	}
	return p.start, p.end, err
}

// Excluded implements builtin.Window.
func (p *partitionView) Excluded(row int) bool {
	switch p.w.frame.exclude {
	case plan.ExcludeCurrentRow:
		return row == p.row
	case plan.ExcludeGroup:
		return p.w.peers[row] == p.w.peers[p.row]
	case plan.ExcludeTies:
		return row != p.row && p.w.peers[row] == p.w.peers[p.row]
	}
	return false
}

// aggregate computes an aggregate over each row's frame. A frame that only grows is followed by adding; one that moves by
// adding and taking back, when the aggregate can; otherwise each frame is computed anew.
func (p *partitionView) aggregate() error {
	k := p.call
	var s builtin.AggState
	from, to := 0, 0 // rows in s
	var last datum.Datum
	have := false
	for i := range p.w.rows {
		if i%maxBatch == 0 {
			if err := p.stop(); err != nil {
				return err
			}
		}
		p.row, p.framed = i, false
		start, end, err := p.Frame()
		if err != nil {
			return err
		}
		end = max(start, end)
		if have && start == from && end == to && p.w.frame.exclude == plan.ExcludeNoOthers {
			p.w.rows[i][k.out] = last
			continue
		}
		if s == nil || p.w.frame.exclude != plan.ExcludeNoOthers || start < from || end < to || start > to {
			s, from, to = nil, start, start
		}
		if s != nil && start > from {
			ok, err := p.remove(s, from, start)
			if err != nil {
				return err
			}
			if ok {
				from = start
			} else {
				s = nil
			}
		}
		if s == nil {
			s, from, to = k.agg.New(), start, start
		}
		if err := p.add(s, to, end); err != nil {
			return err
		}
		to = end
		if last, err = s.Result(p.st.bctx, nil); err != nil {
			return err
		}
		have = true
		p.w.rows[i][k.out] = last
	}
	return nil
}

func (p *partitionView) add(s builtin.AggState, from, to int) error {
	k := p.call
	for r := from; r < to; r++ {
		if r%maxBatch == 0 {
			if err := p.stop(); err != nil {
				return err
			}
		}
		if p.Excluded(r) {
			continue
		}
		ok, err := p.input(r)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := s.Add(p.st.bctx, k.vals); err != nil {
			return err
		}
	}
	return nil
}

// input evaluates the arguments for a row; false when FILTER leaves it out.
func (p *partitionView) input(r int) (bool, error) {
	k := p.call
	row := p.w.rows[r]
	if k.filter != nil {
		if d, err := p.eval(k.filter, row); err != nil || !d.IsTrue() {
			return false, err
		}
	}
	for i, f := range k.args {
		d, err := p.eval(f, row)
		if err != nil {
			return false, err
		}
		k.vals[i] = d
	}
	return true, nil
}

// remove takes the rows [from, to) back; false when the state has to be made anew.
func (p *partitionView) remove(s builtin.AggState, from, to int) (bool, error) {
	inv, ok := s.(builtin.Inverter)
	if !ok {
		return false, nil
	}
	for r := from; r < to; r++ {
		in, err := p.input(r)
		if err != nil {
			return false, err
		}
		if !in {
			continue
		}
		if ok, err := inv.Remove(p.st.bctx, p.call.vals); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// frameEval computes frames.
type frameEval struct {
	mode               plan.FrameMode
	from, to           plan.FrameBoundKind
	startExpr, endExpr evalFn
	exclude            plan.FrameExclusion
	startRange         builtin.Impl
	endRange           builtin.Impl
	key                int // the ordering column, for offsets in range mode
	desc, nullsFirst   bool

	startVal, endVal datum.Datum
	args             []datum.Datum
}

func (c *compiler) frame(n *plan.WindowAgg, cols []plan.ColumnInfo) *frameEval {
	f := &n.Frame
	e := &frameEval{mode: f.Mode, from: f.Start, to: f.End, startExpr: c.optional(f.StartOffset), endExpr: c.optional(f.EndOffset),
		exclude: f.Exclude, args: make([]datum.Datum, 5)}
	if f.Mode == plan.FrameRange && len(n.Order) > 0 {
		k := n.Order[0]
		e.key, e.desc, e.nullsFirst = k.Index, k.Desc, k.NullsFirst
		boolean := datum.T(datum.OIDBool)
		t := cols[k.Index].Type
		if f.StartRange != nil {
			e.startRange = c.callFn(f.StartRange, boolean, t, t, f.StartOffset.Type(), boolean, boolean)
		}
		if f.EndRange != nil {
			e.endRange = c.callFn(f.EndRange, boolean, t, t, f.EndOffset.Type(), boolean, boolean)
		}
	}
	return e
}

// start evaluates the offsets, which are the same for all rows.
func (f *frameEval) start(ctx context.Context, st *state) error {
	var err error
	if f.startExpr != nil {
		if f.startVal, err = f.offset(ctx, st, f.startExpr, "starting"); err != nil {
			return err
		}
	}
	if f.endExpr != nil {
		f.endVal, err = f.offset(ctx, st, f.endExpr, "ending")
	}
	return err
}

func (f *frameEval) offset(ctx context.Context, st *state, e evalFn, which string) (datum.Datum, error) {
	d, err := e(ctx, st, nil)
	if err != nil {
		return d, err
	}
	if d.IsNull() {
		return d, failure.New(failure.NullValueNotAllowed, "frame %s offset must not be null", which)
	}
	if f.mode != plan.FrameRange && d.Int() < 0 {
		return d, failure.New(failure.InvalidPrecedingOrFollowingSize, "frame %s offset must not be negative", which)
	}
	return d, nil
}

// bounds returns the frame [start, end) of a row.
func (f *frameEval) bounds(st *state, w *windowOp, row int) (int, int, error) {
	start, err := f.edge(st, w, row, f.from, f.startVal, f.startRange, false)
	if err != nil {
		return 0, 0, err
	}
	end, err := f.edge(st, w, row, f.to, f.endVal, f.endRange, true)
	return start, end, err
}

// edge returns the start of the frame, or with end set the row after its end.
func (f *frameEval) edge(st *state, w *windowOp, row int, kind plan.FrameBoundKind, off datum.Datum, inRange builtin.Impl, end bool) (int, error) {
	n := len(w.rows)
	switch kind {
	case plan.UnboundedPreceding:
		return 0, nil
	case plan.UnboundedFollowing:
		return n, nil
	}
	switch f.mode {
	case plan.FrameRows:
		return rowsEdge(row, n, kind, off, end), nil
	case plan.FrameGroups:
		return groupsEdge(w, row, kind, off, end), nil
	}
	if kind == plan.CurrentRow {
		g := w.peers[row]
		if end {
			return int(w.groups[g+1]), nil
		}
		return int(w.groups[g]), nil
	}
	return f.rangeEdge(st, w, row, kind, off, inRange, end)
}

func rowsEdge(row, n int, kind plan.FrameBoundKind, off datum.Datum, end bool) int {
	at := int64(row)
	switch kind {
	case plan.OffsetPreceding:
		at -= min(off.Int(), int64(n))
	case plan.OffsetFollowing:
		at += min(off.Int(), int64(n))
	}
	if end {
		at++
	}
	return int(max(0, min(at, int64(n))))
}

func groupsEdge(w *windowOp, row int, kind plan.FrameBoundKind, off datum.Datum, end bool) int {
	last := int64(len(w.groups) - 1) // the number of groups
	g := int64(w.peers[row])
	switch kind {
	case plan.OffsetPreceding:
		g -= min(off.Int(), last+1)
	case plan.OffsetFollowing:
		g += min(off.Int(), last+1)
	}
	if end {
		g++
	}
	return int(w.groups[max(0, min(g, last))])
}

// rangeEdge finds the edge by the in_range function of the ordering column. Rows with NULL there are in range of each
// other only.
func (f *frameEval) rangeEdge(st *state, w *windowOp, row int, kind plan.FrameBoundKind, off datum.Datum, inRange builtin.Impl, end bool) (int, error) {
	base := w.rows[row][f.key]
	if base.IsNull() {
		g := w.peers[row]
		if end {
			return int(w.groups[g+1]), nil
		}
		return int(w.groups[g]), nil
	}
	if inRange == nil {
		return 0, failure.New(failure.InternalError, "window frame has no in_range function")
	}
	// sub: the bound is base - offset; less: values at or before the bound satisfy. Descending orders turn both round.
	sub := (kind == plan.OffsetPreceding) != f.desc
	less := end != f.desc
	// Binary search over peer groups: rows before the edge are those not yet inside (start) or still inside (end).
	lo, hi := 0, len(w.groups)-1
	for lo < hi {
		mid := (lo + hi) / 2
		v := w.rows[w.groups[mid]][f.key]
		var before bool
		if v.IsNull() {
			before = f.nullsFirst
		} else {
			f.args[0], f.args[1], f.args[2] = v, base, off
			f.args[3], f.args[4] = datum.NewBool(sub), datum.NewBool(less)
			d, err := inRange(st.bctx, f.args)
			if err != nil {
				return 0, err
			}
			before = d.IsTrue() == end
		}
		if before {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return int(w.groups[lo]), nil
}

package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// aggCall is one aggregate of an Agg, ready to run.
type aggCall struct {
	agg    builtin.Aggregate
	args   []evalFn
	direct []evalFn
	filter predFn
	vals   []datum.Datum
	// count marks count(*), which needs no state.
	count bool
	// sorted aggregates collect their input and take it in order at the end: ORDER BY, WITHIN GROUP, DISTINCT.
	sorted   bool
	distinct bool
	order    []evalFn
	wide     []datum.Datum // the arguments, then the sort keys
	cmp      spill.Compare
	same     *hasher // of the arguments, for DISTINCT
}

// accum is the state of one aggregate in one group.
type accum struct {
	state  builtin.AggState
	sorter *spill.Sorter
	direct []datum.Datum
	n      int64
	size   int
}

func (c *compiler) aggCall(a *plan.AggCall) *aggCall {
	k := &aggCall{args: c.exprs(a.Args), direct: c.exprs(a.Direct), filter: c.pred(a.Filter), distinct: a.Distinct}
	k.vals = make([]datum.Datum, len(a.Args))
	k.count = a.Star && a.Fn.Name == "count" && !a.Distinct
	if k.count {
		return k
	}
	call := &builtin.Call{Facts: c.facts, Func: a.Fn, Ret: a.Typ, Variadic: a.Variadic}
	call.Args = append(typesOf(a.Direct), typesOf(a.Args)...)
	call.Consts = append(constsOf(a.Direct), constsOf(a.Args)...)
	for _, o := range a.OrderBy {
		call.Order = append(call.Order, builtin.SortKey{Type: o.Expr.Type(), Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	agg, err := a.Fn.PrepareAggregate(call)
	if err != nil {
		agg = failingAggregate{err}
	}
	k.agg = agg
	k.sorted = len(a.OrderBy) > 0 || a.Distinct
	if k.sorted {
		c.sortedAgg(k, a)
	}
	return k
}

// sortedAgg prepares the collection of an aggregate's input: rows of the arguments followed by the sort keys.
func (c *compiler) sortedAgg(k *aggCall, a *plan.AggCall) {
	var ks []plan.SortKey
	var types []datum.Type
	n := len(a.Args)
	for i, o := range a.OrderBy {
		k.order = append(k.order, c.expr(o.Expr))
		ks = append(ks, plan.SortKey{Index: n + i, Desc: o.Desc, NullsFirst: o.NullsFirst})
		types = append(types, o.Expr.Type())
	}
	if a.Distinct {
		// Equal arguments must meet: they are the last sort keys.
		for i, e := range a.Args {
			ks, types = append(ks, plan.SortKey{Index: i}), append(types, e.Type())
		}
		k.same = c.hasher(typesOf(a.Args))
	}
	k.cmp = c.orderTyped(ks, types)
	k.wide = make([]datum.Datum, n+len(k.order))
}

// failingAggregate answers the error of an aggregate that Meridian does not have, when it is run.
type failingAggregate struct{ err error }

func (f failingAggregate) New() builtin.AggState                     { return f }
func (f failingAggregate) Add(*builtin.Context, []datum.Datum) error { return f.err }
func (f failingAggregate) Size() int                                 { return 0 }
func (f failingAggregate) Result(*builtin.Context, []datum.Datum) (datum.Datum, error) {
	return datum.Null, f.err
}

// add takes an input row into a group's state and returns the growth of its memory.
func (k *aggCall) add(ctx context.Context, st *state, a *accum, row []datum.Datum) (int, error) {
	if k.filter != nil {
		if ok, err := k.filter(ctx, st, row); err != nil || !ok {
			return 0, err
		}
	}
	if k.count {
		a.n++
		return 0, nil
	}
	if len(k.direct) > 0 && a.direct == nil {
		a.direct = make([]datum.Datum, len(k.direct))
		if err := evalInto(ctx, st, k.direct, row, a.direct); err != nil {
			return 0, err
		}
	}
	if k.sorted {
		if a.sorter == nil {
			a.sorter = spill.NewSorter(st.mem(), k.cmp, nil)
		}
		if err := evalInto(ctx, st, k.args, row, k.wide); err != nil {
			return 0, err
		}
		if err := evalInto(ctx, st, k.order, row, k.wide[len(k.args):]); err != nil {
			return 0, err
		}
		return 0, a.sorter.Add(k.wide)
	}
	if err := evalInto(ctx, st, k.args, row, k.vals); err != nil {
		return 0, err
	}
	if err := a.state.Add(st.bctx, k.vals); err != nil {
		return 0, err
	}
	size := a.state.Size()
	grown := size - a.size
	a.size = size
	return grown, nil
}

// result ends a group.
func (k *aggCall) result(ctx context.Context, st *state, a *accum) (datum.Datum, error) {
	if k.count {
		return datum.NewInt(a.n), nil
	}
	if a.sorter != nil {
		if err := k.feed(ctx, st, a); err != nil {
			return datum.Null, err
		}
	}
	if len(k.direct) > 0 && a.direct == nil {
		// No row has come: direct arguments then depend on no column.
		a.direct = make([]datum.Datum, len(k.direct))
		for i, f := range k.direct {
			d, err := f(ctx, st, nil)
			if err != nil {
				return datum.Null, err
			}
			a.direct[i] = d
		}
	}
	return a.state.Result(st.bctx, a.direct)
}

// feed gives the collected input to the state, in order.
func (k *aggCall) feed(ctx context.Context, st *state, a *accum) error {
	defer func() {
		a.sorter.Close()
		a.sorter = nil
	}()
	if err := a.sorter.Sort(); err != nil {
		return err
	}
	n := len(k.args)
	var last []datum.Datum
	for i := 0; ; i++ {
		if i%maxBatch == 0 && ctx.Err() != nil {
			return canceled(ctx, ctx.Err())
		}
		row, err := a.sorter.Next()
		if err != nil || row == nil {
			return err
		}
		if k.distinct {
			if last != nil && k.same.equal(last, row) {
				continue
			}
			last = row
		}
		if err := a.state.Add(st.bctx, row[:n]); err != nil {
			return err
		}
	}
}

func (a *accum) close() {
	if a.sorter != nil {
		a.sorter.Close()
		a.sorter = nil
	}
}

// aggOp groups and aggregates.
type aggOp struct {
	input    operator
	strategy plan.AggStrategy
	groups   []int
	calls    []*aggCall
	sets     [][]int
	grouping [][]int
	hasher   *hasher // of all grouping columns
	hashers  []*hasher

	pull puller
	done bool
	// One group at a time, for plain and sorted aggregation.
	cur  []accum
	key  []datum.Datum
	have bool
	// Hashed aggregation.
	tab   groupTable
	store *spill.Store // the input, for grouping sets
	set   int
	pos   int
	ready bool
	out   rowBuf
}

func (c *compiler) agg(n *plan.Agg) operator {
	a := &aggOp{input: c.node(n.Input), strategy: n.Strategy, groups: n.Groups, sets: n.Sets, grouping: n.Grouping}
	cols := n.Input.Columns()
	types := make([]datum.Type, len(n.Groups))
	for i, g := range n.Groups {
		types[i] = cols[g].Type
	}
	a.hasher = c.hasher(types)
	for _, s := range n.Sets {
		ts := make([]datum.Type, len(s))
		for i, p := range s {
			ts[i] = types[p]
		}
		a.hashers = append(a.hashers, c.hasher(ts))
	}
	for _, call := range n.Aggs {
		a.calls = append(a.calls, c.aggCall(call))
	}
	a.key = make([]datum.Datum, len(n.Groups))
	a.out.width = len(n.Groups) + len(n.Aggs) + len(n.Grouping)
	a.pull.op = a.input
	return a
}

func newAccums(calls []*aggCall) []accum {
	as := make([]accum, len(calls))
	for i, k := range calls {
		if !k.count {
			as[i].state = k.agg.New()
		}
	}
	return as
}

func (a *aggOp) open(ctx context.Context, st *state) error {
	a.done, a.have, a.ready, a.set, a.pos, a.cur = false, false, false, 0, 0, nil
	a.out.reset()
	return a.pull.open(ctx, st)
}

func (a *aggOp) close(st *state) {
	a.pull.close(st)
	for i := range a.cur {
		a.cur[i].close()
	}
	a.cur = nil
	a.tab.close()
	if a.store != nil {
		a.store.Close()
		a.store = nil
	}
	a.out.reset()
}

func (a *aggOp) next(ctx context.Context, st *state) (Batch, error) {
	switch {
	case a.sets != nil:
		return a.nextSets(ctx, st)
	case a.strategy == plan.AggHashed:
		return a.nextHashed(ctx, st)
	}
	return a.nextSorted(ctx, st)
}

// nextSorted aggregates rows that come with equal groups together; without groups all rows are one.
func (a *aggOp) nextSorted(ctx context.Context, st *state) (Batch, error) {
	a.out.begin()
	for !a.done && !a.out.full() {
		row, err := a.pull.next(ctx, st)
		if err != nil {
			return nil, err
		}
		if row == nil {
			a.done = true
			if a.have || a.strategy == plan.AggPlain {
				if err := a.emitCurrent(ctx, st); err != nil {
					return nil, err
				}
			}
			break
		}
		if a.have && !a.sameGroup(row) {
			if err := a.emitCurrent(ctx, st); err != nil {
				return nil, err
			}
		}
		if !a.have {
			a.start(row)
		}
		for i, k := range a.calls {
			if _, err := k.add(ctx, st, &a.cur[i], row); err != nil {
				return nil, err
			}
		}
	}
	return a.out.batch(), nil
}

func (a *aggOp) start(row []datum.Datum) {
	a.have = true
	a.cur = newAccums(a.calls)
	for i, g := range a.groups {
		a.key[i] = row[g]
	}
}

func (a *aggOp) sameGroup(row []datum.Datum) bool {
	for i, g := range a.groups {
		x, y := a.key[i], row[g]
		if x.IsNull() || y.IsNull() {
			if x.IsNull() != y.IsNull() {
				return false
			}
		} else if a.hasher.cmps[i](x, y) != 0 {
			return false
		}
	}
	return true
}

func (a *aggOp) emitCurrent(ctx context.Context, st *state) error {
	if a.cur == nil {
		a.cur = newAccums(a.calls)
	}
	err := a.emit(ctx, st, a.key, a.cur, nil)
	a.have, a.cur = false, nil
	return err
}

// emit gives the row of a group. set, when not nil, are the grouping columns in key.
func (a *aggOp) emit(ctx context.Context, st *state, key []datum.Datum, accs []accum, set []int) error {
	row := a.out.row()
	n := len(a.groups)
	if set == nil {
		copy(row[:n], key)
	} else {
		clear(row[:n])
		for i, p := range set {
			row[p] = key[i]
		}
	}
	for i, k := range a.calls {
		d, err := k.result(ctx, st, &accs[i])
		if err != nil {
			return err
		}
		row[n+i] = d
	}
	for i, g := range a.grouping {
		row[n+len(a.calls)+i] = datum.NewInt(groupingBits(g, set))
	}
	return nil
}

// groupingBits sets a bit for each column that is not in the grouping set; nil is all columns.
func groupingBits(cols, set []int) int64 {
	bits := int64(0)
	for _, c := range cols {
		bits <<= 1
		in := set == nil
		for _, p := range set {
			in = in || p == c
		}
		if !in {
			bits |= 1
		}
	}
	return bits
}

// nextHashed aggregates by a hash table.
func (a *aggOp) nextHashed(ctx context.Context, st *state) (Batch, error) {
	if !a.ready {
		a.ready, a.pos = true, 0
		a.tab.start(st.mem(), a.hasher, a.groups, a.calls, 0)
		err := drain(ctx, st, a.input, func(row []datum.Datum) error { return a.tab.add(ctx, st, row) })
		if err != nil {
			return nil, err
		}
	}
	a.out.begin()
	for !a.out.full() {
		if a.pos < a.tab.table.Len() {
			if err := a.emit(ctx, st, a.tab.table.Row(a.pos), a.tab.accs[a.pos], nil); err != nil {
				return nil, err
			}
			a.pos++
			continue
		}
		more, err := a.tab.nextPart(ctx, st)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		a.pos = 0
	}
	return a.out.batch(), nil
}

// nextSets aggregates the kept input once for each grouping set.
func (a *aggOp) nextSets(ctx context.Context, st *state) (Batch, error) {
	if a.store == nil {
		a.store = spill.NewStore(st.mem())
		if err := drain(ctx, st, a.input, a.store.Add); err != nil {
			return nil, err
		}
		if err := a.store.Finish(); err != nil {
			return nil, err
		}
	}
	a.out.begin()
	for !a.out.full() && a.set < len(a.sets) {
		set := a.sets[a.set]
		if !a.ready {
			if err := a.startSet(ctx, st, set); err != nil {
				return nil, err
			}
		}
		if a.pos < a.tab.table.Len() {
			if err := a.emit(ctx, st, a.tab.table.Row(a.pos), a.tab.accs[a.pos], nonNil(set)); err != nil {
				return nil, err
			}
			a.pos++
			continue
		}
		more, err := a.tab.nextPart(ctx, st)
		if err != nil {
			return nil, err
		}
		a.pos = 0
		if !more {
			a.ready = false
			a.set++
		}
	}
	return a.out.batch(), nil
}

func nonNil(set []int) []int {
	if set == nil {
		return []int{}
	}
	return set
}

func (a *aggOp) startSet(ctx context.Context, st *state, set []int) error {
	a.ready, a.pos = true, 0
	cols := make([]int, len(set))
	for i, p := range set {
		cols[i] = a.groups[p]
	}
	a.tab.start(st.mem(), a.hashers[a.set], cols, a.calls, 0)
	r := a.store.Reader()
	for i := 0; ; i++ {
		if i%maxBatch == 0 && ctx.Err() != nil {
			return canceled(ctx, ctx.Err())
		}
		row, err := r.Next()
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		if err := a.tab.add(ctx, st, row); err != nil {
			return err
		}
	}
	if len(set) == 0 && a.tab.table.Len() == 0 {
		a.tab.newGroup(a.hashers[a.set].hash(nil), nil)
	}
	return nil
}

// groupTable is the hash table of an aggregation. Once it is full no more groups are made: rows of other groups go to
// files, by hash, and are aggregated after the groups in memory have been given out.
type groupTable struct {
	hasher *hasher
	cols   []int
	calls  []*aggCall
	acct   spill.Account
	mem    *spill.Memory
	table  *spill.Table
	accs   [][]accum
	key    []datum.Datum
	parts  *spill.Partitions
	level  int
	work   []*spill.Run
	levels []int
}

func (g *groupTable) start(m *spill.Memory, h *hasher, cols []int, calls []*aggCall, level int) {
	g.clear()
	g.mem, g.hasher, g.cols, g.calls, g.level = m, h, cols, calls, level
	g.acct = m.Account()
	g.table = spill.NewTable(&g.acct)
	if len(g.key) != len(cols) {
		g.key = make([]datum.Datum, len(cols))
	}
}

// accumCost is the memory of one aggregate's state besides what it says of itself.
const accumCost = 96

func (g *groupTable) add(ctx context.Context, st *state, row []datum.Datum) error {
	for i, c := range g.cols {
		g.key[i] = row[c]
	}
	h := g.hasher.hash(g.key)
	at := g.table.First(h)
	for at >= 0 && !g.hasher.equal(g.table.Row(at), g.key) {
		at = g.table.Next(at)
	}
	if at < 0 {
		if g.parts == nil && !g.fits() {
			g.parts = g.mem.NewPartitions(g.level)
		}
		if g.parts != nil {
			return g.parts.Add(h, row)
		}
		at = g.newGroup(h, g.key)
	}
	for i, k := range g.calls {
		n, err := k.add(ctx, st, &g.accs[at][i], row)
		if err != nil {
			return err
		}
		if n > 0 && !g.acct.TryGrow(int64(n)) {
			if err := g.acct.Grow(int64(n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// fits reserves the memory of a new group.
func (g *groupTable) fits() bool {
	n := int64(len(g.calls)) * accumCost
	if g.table.Fits(g.key) {
		if g.acct.TryGrow(n) {
			return true
		}
	}
	if g.mem.CanSpill() && g.level < spill.MaxLevel && g.table.Len() > 0 {
		return false
	}
	return g.acct.Grow(n) == nil
}

func (g *groupTable) newGroup(h uint64, key []datum.Datum) int {
	at := g.table.Add(h, key)
	g.accs = append(g.accs, newAccums(g.calls))
	return at
}

// nextPart aggregates the next file; false when there is none.
func (g *groupTable) nextPart(ctx context.Context, st *state) (bool, error) {
	if g.parts != nil {
		p := g.parts
		g.parts = nil
		if err := p.Finish(); err != nil {
			p.Close()
			return false, err
		}
		for _, r := range p.Runs() {
			if r.Rows() > 0 {
				g.work, g.levels = append(g.work, r), append(g.levels, g.level+1)
			}
		}
	}
	if len(g.work) == 0 {
		return false, nil
	}
	n := len(g.work) - 1
	run, level := g.work[n], g.levels[n]
	g.work, g.levels = g.work[:n], g.levels[:n]
	defer run.Close()
	work, levels := g.work, g.levels
	g.work, g.levels = nil, nil
	g.start(g.mem, g.hasher, g.cols, g.calls, level)
	g.work, g.levels = work, levels
	r := run.Reader()
	for {
		row, err := r.Next()
		if err != nil {
			return false, err
		}
		if row == nil {
			return true, nil
		}
		if err := g.add(ctx, st, row); err != nil {
			return false, err
		}
	}
}

// clear drops the groups.
func (g *groupTable) clear() {
	for _, as := range g.accs {
		for i := range as {
			as[i].close()
		}
	}
	g.accs, g.table = nil, nil
	if g.parts != nil {
		g.parts.Close()
		g.parts = nil
	}
	g.acct.Clear()
}

func (g *groupTable) close() {
	g.clear()
	for _, r := range g.work {
		r.Close()
	}
	g.work, g.levels = nil, nil
}

package opt

import (
	"math"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// agg plans an aggregation.
func (p *planner) agg(r *plan.RelAgg, need colSet, w *wish) *phys {
	if f := p.minMax(r); f != nil {
		return f
	}
	var exprs []plan.Expr
	var aggs []plan.RelAggregate
	for _, a := range r.Aggs {
		if !need.has(a.ID) {
			continue
		}
		aggs = append(aggs, a)
		exprs = append(exprs, aggExprs(a.Call)...)
	}
	inNeed := p.withExprs(nil, exprs...)
	for _, g := range r.Groups {
		inNeed.add(p.id(g.In))
	}
	in := p.rel(r.Input, inNeed, p.groupWish(r, w))
	n := &plan.Agg{Input: in.node}
	f := &phys{}
	var infos []plan.ColumnInfo
	positions := make([]int, len(r.Groups)) // position in n.Groups of each of r.Groups, -1 for a value from outside
	for i, g := range r.Groups {
		at := in.position(p.id(g.In))
		if at < 0 {
			positions[i] = -1
			p.groupOutside(g)
			continue
		}
		positions[i] = len(n.Groups)
		n.Groups = append(n.Groups, at)
		f.cols = append(f.cols, p.id(g.Out)) // In and Out may be one column, by another name in the input
		infos = append(infos, in.node.Columns()[at])
	}
	for _, a := range aggs {
		n.Aggs = append(n.Aggs, p.lowerAgg(a.Call, in.cols))
		f.cols = append(f.cols, a.ID)
		infos = append(infos, plan.ColumnInfo{Name: a.Call.Fn.Name, Type: a.Call.Typ})
	}
	for _, s := range r.Sets {
		set := []int{}
		for _, i := range s {
			if positions[i] >= 0 {
				set = append(set, positions[i])
			}
		}
		n.Sets = append(n.Sets, set)
	}
	for _, g := range r.Grouping {
		cols := make([]int, len(g.Cols))
		for i, c := range g.Cols {
			cols[i] = positions[c]
		}
		n.Grouping = append(n.Grouping, cols)
		f.cols = append(f.cols, g.ID)
		infos = append(infos, plan.ColumnInfo{Name: "grouping", Type: datum.T(datum.OIDInt4)})
	}
	p.aggStrategy(n, r, in, f)
	rows := p.groupRows(n, r, in)
	est := in.est()
	cost := est.Total + est.Rows*(cpuTuple+cpuOperator*float64(len(n.Aggs)+len(n.Groups)))
	startup := cost
	if n.Strategy == plan.AggSorted {
		startup = est.Startup
	}
	n.Props = props(infos, startup, cost+rows*cpuTuple, rows)
	f.node = n
	return f
}

// groupOutside makes a grouping column of an enclosing query's value readable under its new name.
func (p *planner) groupOutside(g plan.RelGroup) {
	slot, ok := p.outer[p.id(g.In)]
	if !ok {
		p.fail("grouping column %d is lost in planning", g.In)
	}
	if g.Out != g.In {
		p.outer[g.Out] = slot
	}
}

func aggExprs(c *plan.AggCall) []plan.Expr {
	out := append(slices.Clone(c.Args), c.Direct...)
	for _, o := range c.OrderBy {
		out = append(out, o.Expr)
	}
	if c.Filter != nil {
		out = append(out, c.Filter)
	}
	return out
}

func (p *planner) lowerAgg(c *plan.AggCall, l layout) *plan.AggCall {
	out, _ := plan.RewriteAgg(c, func(e plan.Expr) plan.Expr { return p.lower(e, l) })
	return out
}

// groupWish asks for rows in the order of the grouping columns, when the consumer wants them so.
func (p *planner) groupWish(r *plan.RelAgg, w *wish) *wish {
	if w == nil || len(w.order) == 0 || r.Sets != nil {
		return nil
	}
	var order []plan.RelOrder
	for _, o := range w.order {
		at := slices.IndexFunc(r.Groups, func(g plan.RelGroup) bool { return g.Out == p.id(o.ID) })
		if at < 0 {
			return nil
		}
		o.ID = p.id(r.Groups[at].In)
		order = append(order, o)
	}
	return &wish{order: order}
}

// aggStrategy picks how groups are found.
func (p *planner) aggStrategy(n *plan.Agg, r *plan.RelAgg, in *phys, f *phys) {
	switch {
	case len(n.Groups) == 0 && r.Sets == nil:
		if r.Plain {
			n.Strategy = plan.AggPlain
			return
		}
		n.Strategy = plan.AggHashed
		return
	case r.Sets != nil:
		n.Strategy = plan.AggHashed
		return
	}
	var set []plan.ColID
	for _, at := range n.Groups {
		set = append(set, in.cols[at])
	}
	if p.groupedBy(in.order, set) {
		n.Strategy = plan.AggSorted
		for _, o := range in.order[:len(set)] {
			at := slices.IndexFunc(r.Groups, func(g plan.RelGroup) bool { return p.id(g.In) == p.id(o.ID) })
			f.order = append(f.order, plan.RelOrder{ID: r.Groups[at].Out, Desc: o.Desc, NullsFirst: o.NullsFirst})
		}
	} else {
		n.Strategy = plan.AggHashed
	}
	f.unique = f.cols[:len(n.Groups)]
}

// groupRows guesses the number of groups.
func (p *planner) groupRows(n *plan.Agg, r *plan.RelAgg, in *phys) float64 {
	rows := in.est().Rows
	if len(n.Groups) == 0 {
		return max(float64(len(r.Sets)), 1)
	}
	groups := 1.0
	for _, at := range n.Groups {
		groups *= max(p.distinctOf(in.cols[at], r.Input, rows), 1)
	}
	groups = min(groups, rows)
	if len(r.Sets) > 0 {
		groups *= float64(len(r.Sets)) / 2
	}
	return max(groups, 1)
}

// distinctOf guesses the number of distinct values of a column of a relation.
func (p *planner) distinctOf(id plan.ColID, r plan.Rel, rows float64) float64 {
	if s, ordinal := p.origin(id, r); s != nil {
		_, d := p.columnStats(s, ordinal)
		return min(d, rows)
	}
	return min(rows, max(math.Sqrt(rows), 10))
}

// origin finds the table column that a column is.
func (p *planner) origin(id plan.ColID, r plan.Rel) (*plan.RelScan, int) {
	var found *plan.RelScan
	at := -1
	plan.WalkRel(r, func(x plan.Rel) {
		if s, ok := x.(*plan.RelScan); ok {
			if i := int(id - s.Base); i >= 0 && i < len(s.Table.Columns) {
				found, at = s, i
			}
		}
	})
	return found, at
}

// minMax reads min(x) or max(x) of a table from the end of an index: the first row that is not NULL.
func (p *planner) minMax(r *plan.RelAgg) *phys {
	if !r.Plain || len(r.Aggs) != 1 || len(r.Grouping) > 0 {
		return nil
	}
	c := r.Aggs[0].Call
	if c.Fn.Agg == nil || c.Fn.Agg.SortOp == 0 || len(c.Args) != 1 || c.Filter != nil || c.Distinct || len(c.OrderBy) > 0 {
		return nil
	}
	v, ok := stripRelabel(c.Args[0]).(*plan.Var)
	if !ok {
		return nil
	}
	var s *plan.RelScan
	var conds []plan.Expr
	switch in := r.Input.(type) {
	case *plan.RelScan:
		s = in
	case *plan.RelFilter:
		s, _ = in.Input.(*plan.RelScan)
		conds = in.Conds
	}
	id := p.id(v.ID)
	if s == nil || s.System != nil || id < s.Base || int(id-s.Base) >= len(s.Table.Columns) {
		return nil
	}
	op := p.facts.OperatorByOID(c.Fn.Agg.SortOp)
	if op == nil {
		return nil
	}
	desc := op.Name == ">"
	conds = append(slices.Clip(conds), &plan.IsNull{Arg: v, Not: true})
	var need colSet
	need.add(id)
	order := []plan.RelOrder{{ID: id, Desc: desc, NullsFirst: desc}}
	w := &wish{order: order, limit: 1, count: int8Const(1)}
	f := p.scan(s, conds, need, w)
	if !p.satisfies(f.order, order) {
		return nil
	}
	lim := &plan.Limit{Props: props(slices.Clone(f.node.Columns()), 0, f.est().Total, 1), Input: f.node, Count: int8Const(1)}
	call := *c
	call.Args = []plan.Expr{p.lower(c.Args[0], f.cols)}
	infos := []plan.ColumnInfo{{Name: c.Fn.Name, Type: c.Typ}}
	n := &plan.Agg{Props: props(infos, lim.Est.Total, lim.Est.Total+cpuTuple, 1), Input: lim, Strategy: plan.AggPlain,
		Aggs: []*plan.AggCall{&call}}
	return &phys{node: n, cols: []plan.ColID{r.Aggs[0].ID}}
}

// window plans the calls over one window.
func (p *planner) window(r *plan.RelWindow, need colSet) *phys {
	var exprs []plan.Expr
	for _, c := range r.Calls {
		exprs = append(exprs, c.Call.Args...)
		if c.Call.Filter != nil {
			exprs = append(exprs, c.Call.Filter)
		}
	}
	inNeed := p.withExprs(need, exprs...)
	var keys []plan.RelOrder
	have := func(id plan.ColID) bool {
		return slices.ContainsFunc(keys, func(k plan.RelOrder) bool { return k.ID == id })
	}
	for _, id := range r.Partition {
		if id = p.id(id); !have(id) {
			inNeed.add(id)
			keys = append(keys, plan.RelOrder{ID: id})
		}
	}
	for _, o := range r.Order {
		o.ID = p.id(o.ID)
		if !have(o.ID) {
			inNeed.add(o.ID)
			keys = append(keys, o)
		}
	}
	in := p.rel(r.Input, inNeed, &wish{order: keys})
	if len(keys) > 0 {
		in = p.sortBy(in, keys, nil)
	}
	n := &plan.WindowAgg{Input: in.node, Frame: r.Frame, Name: r.Name}
	n.Frame.StartOffset, n.Frame.EndOffset = p.lower(r.Frame.StartOffset, nil), p.lower(r.Frame.EndOffset, nil)
	for _, id := range r.Partition {
		n.Partition = append(n.Partition, in.position(p.id(id)))
	}
	for _, o := range r.Order {
		n.Order = append(n.Order, plan.SortKey{Index: in.position(p.id(o.ID)), Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	f := &phys{cols: slices.Clone(in.cols), order: in.order, unique: in.unique}
	infos := slices.Clone(in.node.Columns())
	for _, c := range r.Calls {
		call, _ := plan.RewriteWindow(c.Call, func(e plan.Expr) plan.Expr { return p.lower(e, in.cols) })
		n.Calls = append(n.Calls, call)
		f.cols = append(f.cols, c.ID)
		infos = append(infos, plan.ColumnInfo{Name: c.Call.Fn.Name, Type: c.Call.Typ})
	}
	est := in.est()
	n.Props = props(infos, est.Startup, est.Total+est.Rows*(cpuTuple+cpuOperator*float64(len(n.Calls))), est.Rows)
	f.node = n
	return f
}

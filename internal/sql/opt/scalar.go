package opt

import (
	"maps"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// A correlated subquery that computes one aggregate, such as
//
//	x < (SELECT avg(y) FROM t WHERE t.k = outer.k)
//
// is run once for each row of the outer query, or becomes a join with the aggregate of all groups: whichever costs less.

// emptyAgg is the value of an aggregate for no rows; nil when it is not known.
func emptyAgg(c *plan.AggCall) *plan.Const {
	switch c.Fn.Name {
	case "count":
		return int8Const(0)
	case "avg", "bool_and", "bool_or", "every", "max", "min", "sum", "stddev", "stddev_pop", "stddev_samp", "var_pop", "var_samp",
		"variance", "array_agg", "string_agg", "json_agg", "jsonb_agg":
		return &plan.Const{Typ: c.Typ}
	}
	return nil
}

// joinScalars replaces the correlated scalar subqueries of an expression on r by columns of relations that r is joined
// with, where that pays.
func (p *planner) joinScalars(r plan.Rel, e plan.Expr) (plan.Rel, plan.Expr) {
	if !hasSubquery(e) {
		return r, e
	}
	done := map[*plan.Subquery]plan.Expr{}
	var visit func(x plan.Expr) plan.Expr
	visit = func(x plan.Expr) plan.Expr {
		switch x.(type) {
		case *plan.Case, *plan.Coalesce:
			return x // what is inside may never be computed
		}
		s, ok := x.(*plan.Subquery)
		if !ok {
			return plan.Rewrite(x, visit)
		}
		if s.Kind != plan.SubScalar {
			return x
		}
		if v := done[s]; v != nil {
			return v
		}
		j, v := p.joinScalar(r, s)
		if j == nil {
			return x
		}
		r, done[s] = j, v
		return v
	}
	out := visit(e)
	return r, out
}

// scalarGroups is a correlated scalar subquery taken apart: the aggregation by the columns it is correlated on.
type scalarGroups struct {
	rel   plan.Rel
	on    []plan.Expr
	value plan.Expr
}

// joinScalar joins r with the groups of a subquery; nil when the subquery has another form or is cheaper as it is.
func (p *planner) joinScalar(r plan.Rel, s *plan.Subquery) (plan.Rel, plan.Expr) {
	inner := p.rewrite(s.Query.Rel)
	g := p.groupScalar(inner, p.id(s.Query.Cols[0].ID), outputs(r))
	if g == nil || !p.groupsPay(r, s, g) {
		return nil, nil
	}
	return &plan.RelJoin{Kind: plan.JoinLeft, Left: r, Right: g.rel, On: g.on}, g.value
}

func (p *planner) groupScalar(inner plan.Rel, out plan.ColID, left colSet) *scalarGroups {
	var items []plan.RelColumn
	if x, ok := inner.(*plan.RelProject); ok {
		items, inner = x.Items, x.Input
	}
	agg, ok := inner.(*plan.RelAgg)
	if !ok || !agg.Plain || len(agg.Groups) > 0 || agg.Sets != nil || len(agg.Grouping) > 0 {
		return nil
	}
	value := p.scalarValue(agg, items, out, left)
	if value == nil {
		return nil
	}
	in, pulled, ok := p.decorrelate(agg.Input, left)
	if !ok {
		return nil
	}
	inCols := outputs(in)
	next := &plan.RelAgg{}
	var computed []plan.RelColumn
	g := &scalarGroups{}
	for _, c := range pulled {
		used := p.cols(c)
		if !used.intersects(inCols) {
			g.on = append(g.on, c)
			continue
		}
		call, at := p.correlation(c, inCols, left)
		if call == nil {
			return nil
		}
		key := call.Args[at]
		v, plain := key.(*plan.Var)
		if !plain {
			v = &plan.Var{ID: p.newCol(), Typ: key.Type(), Name: "key"}
			computed = append(computed, plan.RelColumn{ID: v.ID, Expr: key, Name: "key"})
		}
		group := plan.RelGroup{In: p.id(v.ID), Out: p.newCol()}
		next.Groups = append(next.Groups, group)
		on := *call
		on.Args = []plan.Expr{call.Args[0], call.Args[1]}
		on.Args[at] = &plan.Var{ID: group.Out, Typ: v.Typ, Name: v.Name}
		g.on = append(g.on, &on)
	}
	if len(next.Groups) == 0 {
		return nil
	}
	if len(computed) > 0 {
		in = &plan.RelProject{Input: in, Items: computed}
	}
	next.Input = in
	p.finishScalar(g, next, agg, value)
	return g
}

// scalarValue is the subquery's column in terms of the aggregates; nil when it is correlated itself or when it is not
// known what it is for no rows.
func (p *planner) scalarValue(agg *plan.RelAgg, items []plan.RelColumn, out plan.ColID, left colSet) plan.Expr {
	var value plan.Expr
	for i := range agg.Aggs {
		a := &agg.Aggs[i]
		if emptyAgg(a.Call) == nil {
			return nil
		}
		for _, e := range aggExprs(a.Call) {
			if p.cols(e).intersects(left) || volatileExpr(e) || hasSubquery(e) {
				return nil
			}
		}
		if a.ID == out {
			value = &plan.Var{ID: a.ID, Typ: a.Call.Typ, Name: a.Call.Fn.Name}
		}
	}
	for _, it := range items {
		if it.ID == out {
			value = it.Expr
		}
	}
	if value == nil || p.cols(value).intersects(left) || volatileExpr(value) || hasSubquery(value) {
		return nil
	}
	return value
}

// correlation recognises an equality of something of the inner relation, whose position it returns, with something of
// the outer one alone.
func (p *planner) correlation(c plan.Expr, inner, left colSet) (*plan.FuncCall, int) {
	f, ok := c.(*plan.FuncCall)
	if !ok || f.Op != "=" || len(f.Args) != 2 {
		return nil, 0
	}
	for at, e := range f.Args {
		mine, other := p.cols(e), p.cols(f.Args[1-at])
		if !mine.intersects(inner) || mine.intersects(left) || other.intersects(inner) || hasSubquery(c) {
			continue
		}
		if s, ok := p.facts.Sort(p.facts.BaseType(e.Type().OID)); !ok || !s.Hashable {
			return nil, 0
		}
		return f, at
	}
	return nil, 0
}

// finishScalar makes the aggregation, with new ids for what comes out of it, and the value for the outer query.
func (p *planner) finishScalar(g *scalarGroups, next, agg *plan.RelAgg, value plan.Expr) {
	fresh, none := map[plan.ColID]plan.ColID{}, map[plan.ColID]*plan.Const{}
	for _, a := range agg.Aggs {
		id := p.newCol()
		fresh[a.ID], none[a.ID] = id, emptyAgg(a.Call)
		next.Aggs = append(next.Aggs, plan.RelAggregate{ID: id, Call: a.Call})
	}
	empty := p.fold(plan.MapVars(value, func(v *plan.Var) plan.Expr {
		if c := none[p.id(v.ID)]; c != nil {
			return c
		}
		return v
	}))
	value = plan.MapVars(value, func(v *plan.Var) plan.Expr {
		c := *v
		if id, ok := fresh[p.id(v.ID)]; ok {
			c.ID = id
		}
		return &c
	})
	g.rel = next
	var items []plan.RelColumn
	out, plain := value.(*plan.Var)
	if !plain {
		out = &plan.Var{ID: p.newCol(), Typ: value.Type(), Name: "value"}
		items = append(items, plan.RelColumn{ID: out.ID, Expr: value, Name: "value"})
	}
	g.value = out
	if c, ok := empty.(*plan.Const); !ok || !c.Val.IsNull() {
		t := datum.T(datum.OIDBool)
		there := &plan.Var{ID: p.newCol(), Typ: t, Name: "present"}
		items = append(items, plan.RelColumn{ID: there.ID, Expr: boolConst(true), Name: "present"})
		g.value = &plan.Case{Whens: []plan.When{{Cond: &plan.IsNull{Arg: there}, Result: empty}}, Else: out, Typ: out.Typ}
	}
	if len(items) > 0 {
		g.rel = &plan.RelProject{Input: next, Items: items}
	}
}

func (p *planner) newCol() plan.ColID {
	id := p.nextCol
	p.nextCol++
	return id
}

// groupsPay compares the cost of running a subquery for each row of r with that of all its groups at once, by planning
// both.
func (p *planner) groupsPay(r plan.Rel, s *plan.Subquery, g *scalarGroups) (pays bool) {
	outer, subplans, initial := maps.Clone(p.outer), p.subplans, p.initial
	defer func() {
		p.outer, p.subplans, p.initial = outer, subplans, initial
		if e := recover(); e != nil {
			if _, ours := e.(thrown); !ours {
				panic(e)
			}
			pays = false
		}
	}()
	if p.outer == nil {
		p.outer = map[plan.ColID]int{}
	}
	here := outputs(r)
	for _, free := range []colSet{p.freeCols(r), p.freeCols(g.rel).minus(here), p.freeCols(s.Query.Rel).minus(here)} {
		for _, id := range free.list() {
			if _, ok := p.outer[p.id(id)]; !ok {
				p.outer[p.id(id)] = p.nextSlot
				p.nextSlot++
			}
		}
	}
	left := p.rel(r, here, nil).est()
	once := p.rel(g.rel, outputs(g.rel), nil).est()
	each, ok := p.subplan(s, layout(here.list())).(*plan.SubPlan)
	if !ok {
		return false
	}
	per := each.Plan.Estimate().Total
	return left.Rows*per > 1.2*(once.Total+(left.Rows+once.Rows)*cpuTuple*2)
}

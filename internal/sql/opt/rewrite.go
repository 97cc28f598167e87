package opt

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// rewrite simplifies a relation: conditions go down as far as they can, subqueries in conditions become joins, renaming
// projections disappear into p.alias.
func (p *planner) rewrite(r plan.Rel) plan.Rel {
	switch r := r.(type) {
	case *plan.RelScan, *plan.RelOne:
		return r
	case *plan.RelFilter:
		in := p.rewrite(r.Input)
		conds := make([]plan.Expr, 0, len(r.Conds))
		for _, c := range r.Conds {
			conds = conjuncts(conds, p.fold(c))
		}
		return p.filter(in, conds)
	case *plan.RelProject:
		return p.rewriteProject(r)
	case *plan.RelJoin:
		return p.rewriteJoin(r)
	case *plan.RelWith:
		return p.rewriteWith(r)
	case *plan.RelCTE:
		return p.rewriteCTE(r)
	}
	in := plan.RelInputs(r)
	if len(in) > 0 {
		next := make([]plan.Rel, len(in))
		for i, x := range in {
			next[i] = p.rewrite(x)
		}
		r = plan.WithInputs(r, next)
	}
	r = p.resolveIDs(plan.RewriteRelExprs(r, p.fold))
	if l, ok := r.(*plan.RelLimit); ok && l.Count == nil && (l.Offset == nil) {
		return l.Input
	}
	return r
}

// resolveIDs replaces renamed columns in the lists of an operator whose input is rewritten.
func (p *planner) resolveIDs(r plan.Rel) plan.Rel {
	if len(p.alias) == 0 {
		return r
	}
	ids := func(in []plan.ColID) []plan.ColID {
		out := make([]plan.ColID, len(in))
		for i, id := range in {
			out[i] = p.id(id)
		}
		return out
	}
	orders := func(in []plan.RelOrder) []plan.RelOrder {
		out := slices.Clone(in)
		for i := range out {
			out[i].ID = p.id(out[i].ID)
		}
		return out
	}
	switch x := r.(type) {
	case *plan.RelAgg:
		c := *x
		c.Groups = slices.Clone(x.Groups)
		for i := range c.Groups {
			g := &c.Groups[i]
			if g.In == g.Out {
				g.Out = p.id(g.Out)
			}
			g.In = p.id(g.In)
		}
		return &c
	case *plan.RelDistinct:
		return &plan.RelDistinct{Input: x.Input, Cols: ids(x.Cols), On: x.On}
	case *plan.RelSort:
		return &plan.RelSort{Input: x.Input, Keys: orders(x.Keys)}
	case *plan.RelLimit:
		c := *x
		c.Ties = orders(x.Ties)
		return &c
	case *plan.RelWindow:
		c := *x
		c.Partition, c.Order = ids(x.Partition), orders(x.Order)
		return &c
	case *plan.RelSetOp:
		c := *x
		c.LeftCols, c.RightCols = ids(x.LeftCols), ids(x.RightCols)
		return &c
	}
	return r
}

func (p *planner) rewriteProject(r *plan.RelProject) plan.Rel {
	in := p.rewrite(r.Input)
	out := outputs(in)
	var items []plan.RelColumn
	for _, it := range r.Items {
		x := p.fold(it.Expr)
		if !volatileExpr(x) {
			in, x = p.joinScalars(in, x)
		}
		if v, ok := x.(*plan.Var); ok && out.has(p.id(v.ID)) {
			if p.alias == nil {
				p.alias = make(map[plan.ColID]plan.ColID)
			}
			p.alias[it.ID] = p.id(v.ID)
			continue
		}
		items = append(items, plan.RelColumn{ID: it.ID, Expr: x, Name: it.Name})
	}
	if len(items) == 0 {
		return in
	}
	return &plan.RelProject{Input: in, Items: items}
}

func (p *planner) rewriteJoin(r *plan.RelJoin) plan.Rel {
	c := *r
	if c.Kind == plan.JoinRight {
		c.Kind, c.Left, c.Right = plan.JoinLeft, r.Right, r.Left
	}
	c.Left, c.Right = p.rewrite(c.Left), p.rewrite(c.Right)
	if c.Lateral && !p.freeCols(c.Right).intersects(outputs(c.Left)) {
		c.Lateral = false
	}
	var on []plan.Expr
	for _, e := range c.On {
		on = conjuncts(on, p.fold(e))
	}
	c.On = nil
	switch c.Kind {
	case plan.JoinInner:
		if _, one := c.Left.(*plan.RelOne); one && len(on) == 0 && !c.Lateral {
			return c.Right
		}
		if _, one := c.Right.(*plan.RelOne); one {
			return p.filter(c.Left, on)
		}
		return p.filter(&c, on)
	case plan.JoinLeft:
		right := outputs(c.Right)
		var down []plan.Expr
		for _, e := range on {
			if !volatileExpr(e) && !p.cols(e).intersects(outputs(c.Left)) && p.cols(e).intersects(right) {
				down = append(down, e)
			} else {
				c.On = append(c.On, e)
			}
		}
		c.Right = p.filter(c.Right, down)
	default:
		c.On = on
	}
	return &c
}

// cols are the columns of an expression, renamed ones resolved.
func (p *planner) cols(e plan.Expr) colSet {
	s := colsOf(e)
	if len(p.alias) == 0 {
		return s
	}
	var out colSet
	for _, id := range s.list() {
		out.add(p.id(id))
	}
	return out
}

// rewriteWith decides which CTEs take the place of their one mention.
func (p *planner) rewriteWith(r *plan.RelWith) plan.Rel {
	var keep []*plan.RelCTEDef
	for _, c := range r.CTEs {
		if !inlined(c) {
			keep = append(keep, c)
		}
	}
	in := p.rewrite(r.Input)
	if len(keep) == 0 {
		return in
	}
	return &plan.RelWith{CTEs: keep, Input: in}
}

func inlined(c *plan.RelCTEDef) bool {
	return c.Query != nil && c.Recursive == nil && c.DML == nil && !c.Materialized && !c.Volatile && c.Refs <= 1
}

func (p *planner) rewriteCTE(r *plan.RelCTE) plan.Rel {
	if !inlined(r.CTE) || r.Work {
		return r
	}
	if p.alias == nil {
		p.alias = make(map[plan.ColID]plan.ColID)
	}
	q := r.CTE.Query
	rel := p.rewrite(q.Rel)
	for i, c := range q.Cols {
		p.alias[r.Base+plan.ColID(i)] = p.id(c.ID)
	}
	return rel
}

// filter applies conditions to a relation that is rewritten already, as deep inside as they can go.
func (p *planner) filter(r plan.Rel, conds []plan.Expr) plan.Rel {
	var plainConds []plan.Expr
	for _, c := range conds {
		if isConst(c, true) {
			continue
		}
		if j := p.toJoin(r, c); j != nil {
			r = j
			continue
		}
		plainConds = append(plainConds, c)
	}
	return p.filterScalars(r, plainConds)
}

// filterScalars applies conditions of which some may compare with correlated subqueries: those come last.
func (p *planner) filterScalars(r plan.Rel, conds []plan.Expr) plan.Rel {
	var plainConds, scalars []plan.Expr
	for _, c := range conds {
		if hasSubquery(c) && !volatileExpr(c) {
			scalars = append(scalars, c)
		} else {
			plainConds = append(plainConds, c)
		}
	}
	if len(plainConds) > 0 {
		r = p.push(r, plainConds)
	}
	for _, c := range scalars {
		j, x := p.joinScalars(r, c)
		r = p.push(j, []plan.Expr{x})
	}
	return r
}

// push moves conditions into a relation.
func (p *planner) push(r plan.Rel, conds []plan.Expr) plan.Rel {
	if len(conds) == 0 {
		return r
	}
	switch r := r.(type) {
	case *plan.RelFilter:
		return p.push(r.Input, append(slices.Clip(r.Conds), conds...))
	case *plan.RelProject:
		return p.pushProject(r, conds)
	case *plan.RelJoin:
		return p.pushJoin(r, conds)
	case *plan.RelAgg:
		return p.pushAgg(r, conds)
	case *plan.RelSort:
		return &plan.RelSort{Input: p.push(r.Input, conds), Keys: r.Keys}
	case *plan.RelWith:
		return &plan.RelWith{CTEs: r.CTEs, Input: p.push(r.Input, conds)}
	case *plan.RelSetOp:
		return p.pushSetOp(r, conds)
	case *plan.RelDistinct:
		var set colSet
		for _, id := range r.Cols {
			set.add(p.id(id))
		}
		return p.pushIf(r, conds, set)
	case *plan.RelWindow:
		var set colSet
		for _, id := range r.Partition {
			set.add(p.id(id))
		}
		return p.pushIf(r, conds, set)
	}
	return &plan.RelFilter{Input: r, Conds: conds}
}

// pushIf moves those conditions into the input that mention none of the relation's columns but those of allowed.
func (p *planner) pushIf(r plan.Rel, conds []plan.Expr, allowed colSet) plan.Rel {
	in := plan.RelInputs(r)[0]
	mine := outputs(r)
	var down, stay []plan.Expr
	for _, c := range conds {
		used := p.cols(c)
		if !volatileExpr(c) && !used.minus(allowed).intersects(mine) {
			down = append(down, c)
		} else {
			stay = append(stay, c)
		}
	}
	if len(down) > 0 {
		r = plan.WithInputs(r, []plan.Rel{p.filter(in, down)})
	}
	if len(stay) == 0 {
		return r
	}
	return &plan.RelFilter{Input: r, Conds: stay}
}

// pushProject replaces computed columns by what computes them.
func (p *planner) pushProject(r *plan.RelProject, conds []plan.Expr) plan.Rel {
	var down, stay []plan.Expr
	for _, c := range conds {
		ok := true
		x := plan.MapVars(c, func(v *plan.Var) plan.Expr {
			id := p.id(v.ID)
			for _, it := range r.Items {
				if it.ID == id {
					if volatileExpr(it.Expr) || hasSubquery(it.Expr) {
						ok = false
					}
					return it.Expr
				}
			}
			return v
		})
		if ok && !volatileExpr(c) {
			down = append(down, conjuncts(nil, p.fold(x))...)
		} else {
			stay = append(stay, c)
		}
	}
	var out plan.Rel = r
	if len(down) > 0 {
		out = &plan.RelProject{Input: p.filter(r.Input, down), Items: r.Items}
	}
	if len(stay) > 0 {
		out = &plan.RelFilter{Input: out, Conds: stay}
	}
	return out
}

// pushAgg moves conditions on grouping columns below the aggregation.
func (p *planner) pushAgg(r *plan.RelAgg, conds []plan.Expr) plan.Rel {
	if r.Plain || r.Sets != nil {
		return &plan.RelFilter{Input: r, Conds: conds}
	}
	var aggs colSet
	for _, a := range r.Aggs {
		aggs.add(a.ID)
	}
	var down, stay []plan.Expr
	for _, c := range conds {
		if volatileExpr(c) || p.cols(c).intersects(aggs) {
			stay = append(stay, c)
			continue
		}
		down = append(down, plan.MapVars(c, func(v *plan.Var) plan.Expr {
			for _, g := range r.Groups {
				if g.Out == p.id(v.ID) && g.In != g.Out {
					return &plan.Var{ID: g.In, Typ: v.Typ, Name: v.Name}
				}
			}
			return v
		}))
	}
	var out plan.Rel = r
	if len(down) > 0 {
		c := *r
		c.Input = p.filter(r.Input, down)
		out = &c
	}
	if len(stay) > 0 {
		out = &plan.RelFilter{Input: out, Conds: stay}
	}
	return out
}

// pushSetOp moves conditions into both arms.
func (p *planner) pushSetOp(r *plan.RelSetOp, conds []plan.Expr) plan.Rel {
	arm := func(c plan.Expr, cols []plan.ColID) plan.Expr {
		return plan.MapVars(c, func(v *plan.Var) plan.Expr {
			if i := slices.Index(r.Cols, p.id(v.ID)); i >= 0 {
				return &plan.Var{ID: p.id(cols[i]), Typ: v.Typ, Name: v.Name}
			}
			return v
		})
	}
	var left, right, stay []plan.Expr
	for _, c := range conds {
		if volatileExpr(c) {
			stay = append(stay, c)
			continue
		}
		left, right = append(left, arm(c, r.LeftCols)), append(right, arm(c, r.RightCols))
	}
	c := *r
	c.Left, c.Right = p.filter(r.Left, left), p.filter(r.Right, right)
	if len(stay) > 0 {
		return &plan.RelFilter{Input: &c, Conds: stay}
	}
	return &c
}

// pushJoin moves conditions to the sides of a join, or into its ON, and makes inner joins of outer ones whose padded
// rows the conditions would drop.
func (p *planner) pushJoin(r *plan.RelJoin, conds []plan.Expr) plan.Rel {
	c := *r
	left, right := outputs(c.Left), outputs(c.Right)
	p.reduceOuter(&c, conds, left, right)
	left, right = outputs(c.Left), outputs(c.Right) // the sides may have changed places
	var l, rr, stay []plan.Expr
	for _, e := range conds {
		used := p.cols(e)
		onLeft, onRight := used.intersects(left), used.intersects(right)
		vol := volatileExpr(e)
		switch {
		case vol:
			stay = append(stay, e)
		case c.Kind == plan.JoinFull:
			stay = append(stay, e)
		case !onRight:
			l = append(l, e)
		case c.Kind == plan.JoinInner && !onLeft:
			rr = append(rr, e)
		case c.Kind == plan.JoinInner:
			c.On = append(slices.Clip(c.On), e)
		default:
			stay = append(stay, e)
		}
	}
	c.Left, c.Right = p.filter(c.Left, l), p.filter(c.Right, rr)
	if len(stay) > 0 {
		return &plan.RelFilter{Input: &c, Conds: stay}
	}
	return &c
}

// reduceOuter turns LEFT and FULL joins into narrower ones where a condition above refuses the NULLs of padding.
func (p *planner) reduceOuter(c *plan.RelJoin, conds []plan.Expr, left, right colSet) {
	if c.Kind != plan.JoinLeft && c.Kind != plan.JoinFull {
		return
	}
	noLeft, noRight := false, false
	for _, e := range conds {
		noRight = noRight || p.rejects(e, right)
		noLeft = noLeft || p.rejects(e, left)
	}
	switch {
	case c.Kind == plan.JoinLeft && noRight, c.Kind == plan.JoinFull && noRight && noLeft:
		on := c.On
		c.Kind, c.On = plan.JoinInner, nil
		if len(on) > 0 {
			if j, ok := p.pushJoin(c, on).(*plan.RelJoin); ok {
				*c = *j
			} else {
				c.On = on
			}
		}
	case c.Kind == plan.JoinFull && noLeft:
		// Rows padded on the left are refused: every left row is real.
		c.Kind = plan.JoinLeft
	case c.Kind == plan.JoinFull && noRight:
		c.Kind, c.Left, c.Right = plan.JoinLeft, c.Right, c.Left
	}
}

// rejects says whether a condition is not true whenever all columns of set are NULL.
func (p *planner) rejects(e plan.Expr, set colSet) bool {
	switch x := e.(type) {
	case *plan.And:
		return slices.ContainsFunc(x.Args, func(a plan.Expr) bool { return p.rejects(a, set) })
	case *plan.Or:
		return !slices.ContainsFunc(x.Args, func(a plan.Expr) bool { return !p.rejects(a, set) })
	case *plan.IsNull:
		return x.Not && !x.Row && p.nullOn(x.Arg, set)
	case *plan.BoolTest:
		return p.nullOn(x.Arg, set) && (x.Kind == plan.IsUnknown) == x.Not
	}
	return p.nullOn(e, set)
}

// nullOn says whether an expression is NULL whenever all columns of set are.
func (p *planner) nullOn(e plan.Expr, set colSet) bool {
	switch x := e.(type) {
	case *plan.Var:
		return set.has(p.id(x.ID))
	case *plan.FuncCall:
		return x.Fn.Strict && !x.Fn.RetSet && slices.ContainsFunc(x.Args, func(a plan.Expr) bool { return p.nullOn(a, set) })
	case *plan.Cast:
		return x.Kind != plan.CastDomain && x.Kind != plan.CastRow && p.nullOn(x.Arg, set)
	case *plan.Typmod:
		return p.nullOn(x.Arg, set)
	case *plan.Not:
		return p.nullOn(x.Arg, set)
	case *plan.InList:
		return p.nullOn(x.Arg, set)
	case *plan.ScalarArrayOp:
		return !x.All && x.Fn.Strict && p.nullOn(x.Left, set)
	}
	return false
}

// toJoin makes a semi or anti join of a condition that is a subquery, or returns nil.
func (p *planner) toJoin(r plan.Rel, cond plan.Expr) plan.Rel {
	not := false
	if n, ok := cond.(*plan.Not); ok {
		not, cond = true, n.Arg
	}
	s, ok := cond.(*plan.Subquery)
	if !ok || s.Kind != plan.SubExists && s.Kind != plan.SubAny {
		return nil
	}
	left := outputs(r)
	inner := p.rewrite(s.Query.Rel)
	if s.Kind == plan.SubExists {
		inner = peelExists(inner)
	}
	var on []plan.Expr
	if s.Kind == plan.SubAny {
		if volatileExpr(s.Test) || !p.testOnLeft(s, left) {
			return nil
		}
		on = conjuncts(nil, p.fold(s.Test))
		if not && !p.neverNull(s, r, inner) {
			return nil
		}
	}
	inner, pulled, ok := p.decorrelate(inner, left)
	if !ok {
		return nil
	}
	on = append(on, pulled...)
	if s.Kind == plan.SubExists && len(pulled) == 0 {
		return nil // uncorrelated: computed once
	}
	kind := plan.JoinSemi
	if not {
		kind = plan.JoinAnti
	}
	j := &plan.RelJoin{Kind: kind, Left: r, Right: inner}
	// Conditions on the inner side alone belong there.
	right := outputs(inner)
	var down []plan.Expr
	for _, e := range on {
		if used := p.cols(e); !used.intersects(left) && used.intersects(right) && !volatileExpr(e) {
			down = append(down, e)
		} else {
			j.On = append(j.On, e)
		}
	}
	j.Right = p.filter(inner, down)
	return j
}

// testOnLeft makes sure that the left operands are columns of the relation, not something further out alone.
func (p *planner) testOnLeft(s *plan.Subquery, left colSet) bool {
	return p.cols(s.Test).intersects(left) && !hasSubquery(s.Test)
}

// peelExists drops what does not matter to whether there is a row.
func peelExists(r plan.Rel) plan.Rel {
	for {
		switch x := r.(type) {
		case *plan.RelProject:
			r = x.Input
		case *plan.RelSort:
			r = x.Input
		case *plan.RelDistinct:
			r = x.Input
		case *plan.RelLimit:
			c, ok := x.Count.(*plan.Const)
			if x.Offset != nil || !ok || c.Val.IsNull() || c.Val.Int() < 1 {
				return r
			}
			r = x.Input
		default:
			return r
		}
	}
}

// decorrelate pulls the conditions that mention columns of left out of a relation. ok is false when left is needed
// elsewhere in it.
func (p *planner) decorrelate(r plan.Rel, left colSet) (out plan.Rel, pulled []plan.Expr, ok bool) {
	if !p.freeCols(r).intersects(left) {
		return r, nil, true
	}
	switch x := r.(type) {
	case *plan.RelFilter:
		in, pulled, ok := p.decorrelate(x.Input, left)
		if !ok {
			return nil, nil, false
		}
		var keep []plan.Expr
		for _, c := range x.Conds {
			switch {
			case !p.deepCols(c).intersects(left):
				keep = append(keep, c)
			case hasSubquery(c) || volatileExpr(c):
				return nil, nil, false
			default:
				pulled = append(pulled, c)
			}
		}
		if len(keep) > 0 {
			in = &plan.RelFilter{Input: in, Conds: keep}
		}
		return in, pulled, true
	case *plan.RelProject:
		for _, it := range x.Items {
			if p.deepCols(it.Expr).intersects(left) {
				return nil, nil, false
			}
		}
		in, pulled, ok := p.decorrelate(x.Input, left)
		return &plan.RelProject{Input: in, Items: x.Items}, pulled, ok
	case *plan.RelSort:
		in, pulled, ok := p.decorrelate(x.Input, left)
		return in, pulled, ok
	case *plan.RelJoin:
		return p.decorrelateJoin(x, left)
	}
	return nil, nil, false
}

func (p *planner) decorrelateJoin(x *plan.RelJoin, left colSet) (plan.Rel, []plan.Expr, bool) {
	if x.Kind != plan.JoinInner && x.Kind != plan.JoinLeft || x.Lateral {
		return nil, nil, false
	}
	c := *x
	l, pulled, ok := p.decorrelate(x.Left, left)
	if !ok {
		return nil, nil, false
	}
	c.Left = l
	if x.Kind == plan.JoinInner {
		r, more, ok := p.decorrelate(x.Right, left)
		if !ok {
			return nil, nil, false
		}
		c.Right, pulled = r, append(pulled, more...)
	} else if p.freeCols(x.Right).intersects(left) {
		return nil, nil, false
	}
	c.On = nil
	for _, e := range x.On {
		switch {
		case !p.deepCols(e).intersects(left):
			c.On = append(c.On, e)
		case x.Kind != plan.JoinInner || hasSubquery(e):
			return nil, nil, false
		default:
			pulled = append(pulled, e)
		}
	}
	return &c, pulled, true
}

// deepCols is cols; the name stands for columns inside subqueries too.
func (p *planner) deepCols(e plan.Expr) colSet { return p.cols(e) }

// neverNull says whether neither side of NOT IN can be NULL, so that it is an anti join.
func (p *planner) neverNull(s *plan.Subquery, left, inner plan.Rel) bool {
	if s.TestLeft == nil {
		return false
	}
	for i, e := range s.TestLeft {
		if !p.notNull(e, left) {
			return false
		}
		v := &plan.Var{ID: p.id(s.Query.Cols[i].ID), Typ: s.Query.Cols[i].Type}
		if !p.notNull(v, inner) {
			return false
		}
	}
	return true
}

// notNull says whether an expression on a relation cannot be NULL, as far as NOT NULL columns and conditions show.
func (p *planner) notNull(e plan.Expr, r plan.Rel) bool {
	switch x := e.(type) {
	case *plan.Const:
		return !x.Val.IsNull()
	case *plan.Cast:
		return x.Kind == plan.CastRelabel && p.notNull(x.Arg, r)
	case *plan.Var:
		return p.columnNotNull(p.id(x.ID), r)
	}
	return false
}

func (p *planner) columnNotNull(id plan.ColID, r plan.Rel) bool {
	switch r := r.(type) {
	case *plan.RelScan:
		i := int(id - r.Base)
		return i >= 0 && i < len(r.Table.Columns) && r.Table.Columns[i].NotNull
	case *plan.RelFilter:
		var set colSet
		set.add(id)
		if slices.ContainsFunc(r.Conds, func(c plan.Expr) bool { return p.rejects(c, set) }) {
			return true
		}
		return p.columnNotNull(id, r.Input)
	case *plan.RelJoin:
		if outputs(r.Left).has(id) {
			return r.Kind != plan.JoinFull && p.columnNotNull(id, r.Left)
		}
		return r.Kind == plan.JoinInner && p.columnNotNull(id, r.Right)
	case *plan.RelProject:
		for _, it := range r.Items {
			if it.ID == id {
				return p.notNull(it.Expr, r.Input)
			}
		}
		return p.columnNotNull(id, r.Input)
	case *plan.RelSort:
		return p.columnNotNull(id, r.Input)
	case *plan.RelDistinct:
		return p.columnNotNull(id, r.Input)
	case *plan.RelAgg:
		for _, g := range r.Groups {
			if g.Out == id {
				return r.Sets == nil && p.columnNotNull(p.id(g.In), r.Input)
			}
		}
	}
	return false
}

func int8Const(n int64) *plan.Const {
	return &plan.Const{Val: datum.NewInt(n), Typ: datum.T(datum.OIDInt8)}
}

package opt

import (
	"math/bits"

	"github.com/meridiandb/meridian/internal/sql/plan"
)

// colSet is a set of columns. The zero value is empty; add changes it, the other methods do not.
type colSet []uint64

func (s *colSet) add(id plan.ColID) {
	w := int(id) >> 6
	for len(*s) <= w {
		*s = append(*s, 0)
	}
	(*s)[w] |= 1 << (uint(id) & 63)
}

func (s colSet) has(id plan.ColID) bool {
	w := int(id) >> 6
	return w < len(s) && s[w]>>(uint(id)&63)&1 == 1
}

func (s colSet) clone() colSet { return append(colSet(nil), s...) }

func (s colSet) union(t colSet) colSet {
	if len(s) < len(t) {
		s, t = t, s
	}
	out := s.clone()
	for i, w := range t {
		out[i] |= w
	}
	return out
}

func (s colSet) minus(t colSet) colSet {
	out := s.clone()
	for i := range out {
		if i < len(t) {
			out[i] &^= t[i]
		}
	}
	return out
}

func (s colSet) intersects(t colSet) bool {
	for i := range min(len(s), len(t)) {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

// list returns the members in order.
func (s colSet) list() []plan.ColID {
	var out []plan.ColID
	for i, w := range s {
		for w != 0 {
			b := bits.TrailingZeros64(w)
			out = append(out, plan.ColID(i<<6+b))
			w &= w - 1
		}
	}
	return out
}

// exprCols collects the columns that an expression mentions, those inside its subqueries included.
func exprCols(e plan.Expr, s *colSet) {
	switch x := e.(type) {
	case nil:
		return
	case *plan.Var:
		s.add(x.ID)
		return
	case *plan.Const, *plan.Param:
		return
	case *plan.FuncCall:
		for _, a := range x.Args {
			exprCols(a, s)
		}
		return
	}
	plan.WalkDeep(e, func(y plan.Expr) {
		if v, ok := y.(*plan.Var); ok {
			s.add(v.ID)
		}
	})
}

func colsOf(e plan.Expr) colSet {
	var s colSet
	exprCols(e, &s)
	return s
}

// outputs are the columns that a relation gives.
func outputs(r plan.Rel) colSet {
	var s colSet
	addOutputs(r, &s)
	return s
}

func addOutputs(r plan.Rel, s *colSet) {
	switch r := r.(type) {
	case *plan.RelScan:
		addRange(s, r.Base, len(r.Table.Columns))
	case *plan.RelValues:
		for _, id := range r.Cols {
			s.add(id)
		}
	case *plan.RelFunction:
		addRange(s, r.Base, len(r.Names))
	case *plan.RelCTE:
		addRange(s, r.Base, len(r.CTE.Cols))
	case *plan.RelFilter:
		addOutputs(r.Input, s)
	case *plan.RelJoin:
		addOutputs(r.Left, s)
		if r.Kind != plan.JoinSemi && r.Kind != plan.JoinAnti && r.Kind != plan.JoinAntiNull {
			addOutputs(r.Right, s)
		}
	case *plan.RelProject:
		addOutputs(r.Input, s)
		for _, it := range r.Items {
			s.add(it.ID)
		}
	case *plan.RelProjectSet:
		addOutputs(r.Input, s)
		for _, it := range r.Items {
			s.add(it.ID)
		}
	case *plan.RelAgg:
		for _, g := range r.Groups {
			s.add(g.Out)
		}
		for _, a := range r.Aggs {
			s.add(a.ID)
		}
		for _, g := range r.Grouping {
			s.add(g.ID)
		}
	case *plan.RelWindow:
		addOutputs(r.Input, s)
		for _, c := range r.Calls {
			s.add(c.ID)
		}
	case *plan.RelSetOp:
		for _, id := range r.Cols {
			s.add(id)
		}
	default:
		for _, in := range plan.RelInputs(r) {
			addOutputs(in, s)
		}
	}
}

func addRange(s *colSet, base plan.ColID, n int) {
	for i := range n {
		s.add(base + plan.ColID(i))
	}
}

// produced are all columns that any operator of a tree makes: what is mentioned beyond them comes from outside.
func produced(r plan.Rel, s *colSet) {
	plan.WalkRel(r, func(x plan.Rel) { addOutputs(x, s) })
}

// freeCols are the columns of enclosing queries that a relation depends on.
func (p *planner) freeCols(r plan.Rel) colSet {
	var used, made colSet
	produced(r, &made)
	p.usedCols(r, &used, &made)
	return used.minus(made)
}

// usedCols collects every column that a tree mentions anywhere.
func (p *planner) usedCols(r plan.Rel, used, made *colSet) {
	plan.WalkRel(r, func(x plan.Rel) {
		plan.RewriteRelExprs(x, func(e plan.Expr) plan.Expr {
			p.usedExpr(e, used, made)
			return e
		})
		switch x := x.(type) {
		case *plan.RelSort:
			for _, k := range x.Keys {
				used.add(p.id(k.ID))
			}
		case *plan.RelWith:
			for _, c := range x.CTEs {
				p.usedCTE(c, used, made)
			}
		}
	})
}

func (p *planner) usedCTE(c *plan.RelCTEDef, used, made *colSet) {
	for _, q := range cteQueries(c) {
		produced(q.Rel, made)
		p.usedCols(q.Rel, used, made)
	}
}

func cteQueries(c *plan.RelCTEDef) []*plan.Query {
	switch {
	case c.Recursive != nil:
		return []*plan.Query{c.Recursive.Left, c.Recursive.Right}
	case c.Query != nil:
		return []*plan.Query{c.Query}
	}
	return nil
}

func (p *planner) usedExpr(e plan.Expr, used, made *colSet) {
	plan.Walk(e, func(x plan.Expr) bool {
		switch x := x.(type) {
		case *plan.Var:
			used.add(p.id(x.ID))
		case *plan.Subquery:
			produced(x.Query.Rel, made)
			p.usedCols(x.Query.Rel, used, made)
			for _, c := range x.Query.Cols {
				used.add(p.id(c.ID))
			}
		}
		return true
	})
}

package opt

import (
	"strconv"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// layout says where columns are in a row. Usually it is short, and searched from front to back.
type layout []plan.ColID

func (l layout) find(id plan.ColID) int {
	for i, c := range l {
		if c == id {
			return i
		}
	}
	return -1
}

// lower turns columns by id into positions of a row, and subqueries into subplans.
func (p *planner) lower(e plan.Expr, l layout) plan.Expr {
	switch x := e.(type) {
	case nil:
		return nil
	case *plan.Const, *plan.Param:
		return e
	case *plan.Var:
		return p.lowerVar(x, l)
	case *plan.Subquery:
		return p.subplan(x, l)
	}
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr { return p.lower(x, l) })
}

func (p *planner) lowerVar(v *plan.Var, l layout) plan.Expr {
	id := p.id(v.ID)
	if i := l.find(id); i >= 0 {
		return &plan.Column{Index: i, Typ: v.Typ, Name: v.Name}
	}
	if slot, ok := p.outer[id]; ok {
		return &plan.OuterParam{Slot: slot, Typ: v.Typ, Name: v.Name}
	}
	p.fail("column \"%s\" (%d) is not at hand", v.Name, id)
	return nil
}

func (p *planner) lowerAll(list []plan.Expr, l layout) []plan.Expr {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		out[i] = p.lower(e, l)
	}
	return out
}

// lowerConj is the conjunction of conditions, nil for none.
func (p *planner) lowerConj(conds []plan.Expr, l layout) plan.Expr {
	switch len(conds) {
	case 0:
		return nil
	case 1:
		return p.lower(conds[0], l)
	}
	return &plan.And{Args: p.lowerAll(conds, l)}
}

// bindOuter gives slots to the columns that an inner plan takes from a row with layout l. It returns the expressions that
// fill them and the slots of columns from further out.
func (p *planner) bindOuter(free colSet, l layout, typeOf func(plan.ColID) *plan.Var) (args []plan.Expr, slots, deps []int) {
	for _, id := range free.list() {
		if i := l.find(id); i >= 0 {
			slot, ok := p.outer[id]
			if !ok {
				slot = p.nextSlot
				p.nextSlot++
				if p.outer == nil {
					p.outer = make(map[plan.ColID]int)
				}
				p.outer[id] = slot
			}
			v := typeOf(id)
			args, slots = append(args, &plan.Column{Index: i, Typ: v.Typ, Name: v.Name}), append(slots, slot)
			continue
		}
		if slot, ok := p.outer[id]; ok {
			deps = append(deps, slot)
		}
	}
	return args, slots, deps
}

// mention finds a Var of a column in a tree, for its type.
func mention(id plan.ColID, r plan.Rel, p *planner) *plan.Var {
	var found *plan.Var
	look := func(e plan.Expr) {
		plan.WalkDeep(e, func(x plan.Expr) {
			if v, ok := x.(*plan.Var); ok && p.id(v.ID) == id {
				found = v
			}
		})
	}
	plan.WalkRel(r, func(x plan.Rel) {
		if found == nil {
			plan.RewriteRelExprs(x, func(e plan.Expr) plan.Expr { look(e); return e })
		}
		if w, ok := x.(*plan.RelWith); ok {
			for _, c := range w.CTEs {
				for _, q := range cteQueries(c) {
					if v := mention(id, q.Rel, p); v != nil {
						found = v
					}
				}
			}
		}
	})
	return found
}

// subplan plans a subquery of an expression.
func (p *planner) subplan(s *plan.Subquery, l layout) plan.Expr {
	rel := p.rewrite(s.Query.Rel)
	free := p.freeCols(rel)
	for _, c := range s.Query.Cols {
		// A column of the subquery may itself come from outside.
		if id := p.id(c.ID); !outputs(rel).has(id) {
			free.add(id)
		}
	}
	typeOf := func(id plan.ColID) *plan.Var {
		if v := mention(id, rel, p); v != nil {
			return v
		}
		for _, c := range s.Query.Cols {
			if p.id(c.ID) == id {
				return &plan.Var{ID: id, Typ: c.Type, Name: c.Name}
			}
		}
		return &plan.Var{ID: id, Typ: datum.T(datum.OIDUnknown)}
	}
	sub := &plan.SubPlan{Kind: s.Kind, Typ: s.Typ}
	sub.Args, sub.ArgSlots, sub.Deps = p.bindOuter(free, l, typeOf)
	f := p.inner(rel, s)
	sub.Plan = f.node
	if s.Test != nil {
		p.lowerTest(sub, s, l)
	}
	p.subplans++
	sub.Name = "SubPlan " + strconv.Itoa(p.subplans)
	if len(sub.Args) == 0 && len(sub.Deps) == 0 && s.Kind != plan.SubAny && s.Kind != plan.SubAll {
		sub.Name = "InitPlan " + strconv.Itoa(p.subplans) + " (returns $" + strconv.Itoa(p.initial) + ")"
		p.initial++
	}
	return sub
}

// inner plans the relation of a subquery. EXISTS needs no columns and one row.
func (p *planner) inner(rel plan.Rel, s *plan.Subquery) *phys {
	if s.Kind == plan.SubExists {
		f := p.rel(rel, nil, nil)
		return f
	}
	var need colSet
	for _, c := range s.Query.Cols {
		need.add(p.id(c.ID))
	}
	f := p.rel(rel, need, nil)
	return p.output(f, s.Query.Cols)
}

// lowerTest prepares the comparison of ANY and ALL: the subquery's columns become slots.
func (p *planner) lowerTest(sub *plan.SubPlan, s *plan.Subquery, l layout) {
	base := p.nextSlot
	p.nextSlot += len(s.Query.Cols)
	slotOf := make(map[plan.ColID]int, len(s.Query.Cols))
	for i, c := range s.Query.Cols {
		sub.TestSlots = append(sub.TestSlots, base+i)
		slotOf[p.id(c.ID)] = base + i
	}
	test := plan.RewriteAll(s.Test, func(x plan.Expr) plan.Expr {
		if v, ok := x.(*plan.Var); ok {
			if slot, ok := slotOf[p.id(v.ID)]; ok {
				return &plan.OuterParam{Slot: slot, Typ: v.Typ, Name: v.Name}
			}
		}
		return x
	})
	sub.Test = p.lower(test, l)
	if s.TestLeft != nil && len(sub.Args) == 0 && p.hashable(s.TestLeft, s.Query.Cols) {
		sub.Hashed = true
		sub.HashLeft = p.lowerAll(s.TestLeft, l)
	}
}

// hashable says whether the natural equality of values decides the equality of these pairs.
func (p *planner) hashable(left []plan.Expr, cols []plan.OutCol) bool {
	for i, e := range left {
		if !p.naturalPair(e.Type().OID, cols[i].Type.OID) {
			return false
		}
	}
	return true
}

// naturalPair says whether two types share their kind and compare by datum.Equal.
func (p *planner) naturalPair(a, b datum.OID) bool {
	a, b = p.facts.BaseType(a), p.facts.BaseType(b)
	if datum.KindOf(a) != datum.KindOf(b) {
		return false
	}
	if a == datum.OIDBpchar || b == datum.OIDBpchar {
		return a == b
	}
	s, ok := p.facts.Sort(a)
	return ok && s.Hashable
}

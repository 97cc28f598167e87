package bind

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// join binds a join. Its own columns are those that bare names see; the joined tables stay visible by their names
// unless the join has an alias.
func (b *binder) join(s *scope, t *parser.JoinExpr) (plan.Rel, []*nsItem) {
	lrel, lns, _ := b.fromItem(s, t.Left)
	// The right side sees the left one laterally, and may use it when the join keeps every left row.
	ok := t.Kind == parser.JoinInner || t.Kind == parser.JoinLeft || t.Kind == parser.JoinCross
	depth := len(s.ns)
	for _, it := range lns {
		it.lateralOnly, it.lateralOK = true, ok
	}
	s.ns = append(s.ns, lns...)
	rrel, rns, lateral := b.fromItem(s, t.Right)
	s.ns = s.ns[:depth:depth]
	for _, it := range lns {
		it.lateralOnly = false
	}
	b.checkNames(lns, rns, t.Pos)
	kind := map[parser.JoinKind]plan.JoinKind{parser.JoinInner: plan.JoinInner, parser.JoinCross: plan.JoinInner,
		parser.JoinLeft: plan.JoinLeft, parser.JoinRight: plan.JoinRight, parser.JoinFull: plan.JoinFull}[t.Kind]
	if kind == plan.JoinRight || kind == plan.JoinFull {
		lrel = nullable(lrel, lns)
	}
	if kind == plan.JoinLeft || kind == plan.JoinFull {
		rrel = nullable(rrel, rns)
	}
	rel := &plan.RelJoin{Kind: kind, Left: lrel, Right: rrel, Lateral: lateral}
	jr := &rte{alias: "unnamed_join", join: true, rowType: datum.OIDRecord, pos: t.Pos}
	lcols, rcols := visibleColumns(lns), visibleColumns(rns)
	using := t.Using
	if t.Natural {
		using = commonNames(lcols, rcols)
	}
	if len(using) > 0 {
		b.using(s, t, rel, jr, using, &lcols, &rcols)
	}
	jr.cols = append(append(jr.cols, lcols...), rcols...)
	if t.On != nil {
		b.joinOn(s, t, rel, append(slices.Clone(lns), rns...))
	}
	return rel, b.joinNamespace(s, t, jr, lns, rns)
}

// nullable puts a projection on the side of an outer join that may be missing. It stays empty unless somebody mentions
// a whole row of that side: then it marks the rows that are there.
func nullable(rel plan.Rel, ns []*nsItem) plan.Rel {
	p := &plan.RelProject{Input: rel}
	for _, it := range ns {
		if !it.rte.join && it.rte.nullable == nil {
			it.rte.nullable = p
		}
	}
	return p
}

// present is the column that is NULL where an outer join made up the entry's row; nil when none does.
func (b *binder) present(r *rte) plan.Expr {
	if r.nullable == nil {
		return nil
	}
	if len(r.nullable.Items) == 0 {
		t := &plan.Const{Val: datum.NewBool(true), Typ: datum.T(datum.OIDBool)}
		r.nullable.Items = []plan.RelColumn{{ID: b.newIDs(1), Expr: t, Name: "present"}}
	}
	v := &plan.Var{ID: r.nullable.Items[0].ID, Typ: datum.T(datum.OIDBool), Name: "present"}
	if !r.marked {
		r.marked = true
		r.cols = append(r.cols, rcol{expr: v, hidden: true})
	}
	return v
}

// joinOn binds an ON condition, which sees the two sides alone.
func (b *binder) joinOn(s *scope, t *parser.JoinExpr, rel *plan.RelJoin, ns []*nsItem) {
	old := s.ns
	s.ns = ns
	for _, it := range ns {
		it.lateralOnly, it.lateralOK = false, true
	}
	s.in(PlaceJoinOn, func() {
		rel.On = appendConjuncts(rel.On, b.coerceBool(b.expr(s, t.On), "JOIN/ON", start(t.On)))
	})
	s.ns = old
}

func (b *binder) joinNamespace(s *scope, t *parser.JoinExpr, jr *rte, lns, rns []*nsItem) []*nsItem {
	item := &nsItem{rte: jr, colsVisible: true}
	s.all = append(s.all, jr)
	if t.Alias != nil {
		jr.alias = t.Alias.Name
		item.relVisible = true
		b.aliasColumns(jr, t.Alias)
		return []*nsItem{item}
	}
	out := make([]*nsItem, 0, len(lns)+len(rns)+2)
	for _, it := range append(slices.Clone(lns), rns...) {
		if !it.relVisible {
			continue
		}
		it.colsVisible = false
		out = append(out, it)
	}
	if t.UsingAlias != nil {
		ur := &rte{alias: t.UsingAlias.Name, join: true, rowType: datum.OIDRecord, cols: jr.cols[:len(t.Using)]}
		s.all = append(s.all, ur)
		out = append(out, &nsItem{rte: ur, relVisible: true})
	}
	return append(out, item)
}

// visibleColumns are the columns that bare names see of one side.
func visibleColumns(ns []*nsItem) []rcol {
	var out []rcol
	for _, it := range ns {
		if !it.colsVisible {
			continue
		}
		for _, c := range it.rte.cols {
			if !c.hidden {
				out = append(out, c)
			}
		}
	}
	return out
}

func commonNames(l, r []rcol) []string {
	var out []string
	for _, c := range l {
		if slices.ContainsFunc(r, func(x rcol) bool { return x.name == c.name }) {
			out = append(out, c.name)
		}
	}
	return out
}

// using merges the columns of USING and NATURAL: they come first, once.
func (b *binder) using(s *scope, t *parser.JoinExpr, rel *plan.RelJoin, jr *rte, names []string, lcols, rcols *[]rcol) {
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			b.fail(t.Pos, failure.DuplicateColumn, "column name \"%s\" appears more than once in USING clause", n)
		}
		lc := b.takeColumn(t, lcols, n, "left")
		rc := b.takeColumn(t, rcols, n, "right")
		for _, c := range []rcol{lc, rc} {
			if v, ok := c.expr.(*plan.Var); ok {
				b.markVar(v.ID)
			}
		}
		rel.On = append(rel.On, b.op("", "=", lc.expr, rc.expr, t.Pos))
		jr.cols = append(jr.cols, b.merged(t, lc, rc))
	}
}

// takeColumn removes the column of that name from a side.
func (b *binder) takeColumn(t *parser.JoinExpr, cols *[]rcol, name, side string) rcol {
	at := -1
	for i := range *cols {
		if (*cols)[i].name != name {
			continue
		}
		if at >= 0 {
			b.fail(t.Pos, failure.AmbiguousColumn, "common column name \"%s\" appears more than once in %s table", name, side)
		}
		at = i
	}
	if at < 0 {
		b.fail(t.Pos, failure.UndefinedColumn, "column \"%s\" specified in USING clause does not exist in %s table", name, side)
	}
	c := (*cols)[at]
	*cols = slices.Delete(slices.Clone(*cols), at, at+1)
	return c
}

// merged is the column that stands for both sides: the one of the side whose rows are all kept, or COALESCE.
func (b *binder) merged(t *parser.JoinExpr, lc, rc rcol) rcol {
	exprs := []plan.Expr{lc.expr, rc.expr}
	oid := b.commonType("JOIN/USING", exprs, []int{t.Pos, t.Pos})
	out := rcol{name: lc.name}
	switch {
	case t.Kind == parser.JoinFull:
		out.expr = &plan.Coalesce{Args: exprs, Typ: datum.Type{OID: oid, Mod: commonMod(exprs, oid)}}
		return out
	case t.Kind == parser.JoinRight:
		out.expr, out.table, out.attr = exprs[1], rc.table, rc.attr
	default:
		// An inner join prefers the side that needs no conversion.
		out.expr, out.table, out.attr = exprs[0], lc.table, lc.attr
		if _, plain := exprs[0].(*plan.Var); !plain && t.Kind == parser.JoinInner {
			if _, plain := exprs[1].(*plan.Var); plain {
				out.expr, out.table, out.attr = exprs[1], rc.table, rc.attr
			}
		}
	}
	return out
}

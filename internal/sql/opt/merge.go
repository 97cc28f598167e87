package opt

import (
	"slices"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// merge plans MERGE: the source gives the target's row, whether there is one, and what the branches need of the data
// source.
func (p *planner) merge(b *plan.BoundStmt) plan.Node {
	d := b.DML
	var exprs []plan.Expr
	var set []int
	for _, w := range d.Whens {
		if w.Cond != nil {
			exprs = append(exprs, p.fold(w.Cond))
		}
		for _, s := range w.Set {
			exprs = append(exprs, p.fold(s.Expr))
			if !slices.Contains(set, s.Ordinal) {
				set = append(set, s.Ordinal)
			}
		}
		for _, e := range w.Values {
			exprs = append(exprs, p.fold(e))
		}
	}
	src := p.sourceOf(b, b.Query.Cols, exprs)
	n := &plan.Merge{Props: p.dmlProps(d, src.node), Table: d.Table, Source: src.node, Alias: d.Alias}
	for _, w := range d.Whens {
		out := plan.MergeWhen{Matched: w.Matched, Action: w.Action}
		if w.Cond != nil {
			out.Cond = p.lower(p.fold(w.Cond), src.cols)
		}
		for _, s := range w.Set {
			out.Set = append(out.Set, plan.ColumnExpr{Ordinal: s.Ordinal, Expr: p.lower(p.fold(s.Expr), src.cols)})
		}
		for _, e := range w.Values {
			out.Values = append(out.Values, p.lower(p.fold(e), src.cols))
		}
		n.Whens = append(n.Whens, out)
	}
	n.Rules = p.rules(d, nil)
	updates, deletes := false, false
	for _, w := range d.Whens {
		updates, deletes = updates || w.Action == plan.MergeUpdate, deletes || w.Action == plan.MergeDelete
	}
	switch {
	case updates && deletes && len(d.Table.Inbound) > 0:
		panic(thrown{failure.NotSupported("MERGE with both UPDATE and DELETE on a table that foreign keys refer to")})
	case updates:
		n.Rules.References = p.references(d.Table, plan.KindUpdate, set)
	case deletes:
		n.Rules.References = p.references(d.Table, plan.KindDelete, nil)
	}
	return n
}

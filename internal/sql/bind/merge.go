package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// merge binds MERGE: the data source left-joined with the target. The target's columns come first in Query, then whether
// it matched.
func (b *binder) merge(parent *scope, stmt *parser.MergeStmt) *plan.BoundStmt {
	alias := ""
	if stmt.Table.Alias != nil {
		alias = stmt.Table.Alias.Name
	}
	d := b.dmlTarget(parent, plan.KindMerge, &stmt.Table.Relation, alias)
	d.with(stmt.With)
	src, ns, _ := b.fromItem(d.s, stmt.Source)
	scan := d.scan()
	target := d.s.ns[len(d.s.ns)-1]
	b.checkNames([]*nsItem{target}, ns, stmt.Source.Position())
	for _, it := range ns {
		it.lateralOnly, it.lateralOK = false, true
	}
	both := append([]*nsItem{target}, ns...)
	d.s.ns = both
	join := &plan.RelJoin{Kind: plan.JoinInner, Left: src, Right: scan}
	for _, w := range stmt.Whens {
		if !w.Matched {
			join.Kind = plan.JoinLeft // rows without a match matter
		}
	}
	d.s.in(PlaceJoinOn, func() {
		join.On = appendConjuncts(nil, b.coerceBool(b.expr(d.s, stmt.On), "JOIN/ON", start(stmt.On)))
	})
	d.dml.Matched = b.newIDs(1)
	// The key of a row is never NULL: that tells a match.
	_, key := d.table.ColumnByID(d.table.RowStore().Key[0].Column)
	matched := &plan.IsNull{Not: true, Arg: &plan.Var{ID: d.old.base + plan.ColID(key), Typ: d.table.Columns[key].Type,
		Name: d.table.Columns[key].Name}}
	d.query(&plan.RelProject{Input: join, Items: []plan.RelColumn{{ID: d.dml.Matched, Expr: matched, Name: "matched"}}})
	d.out.Query.Cols = append(d.out.Query.Cols, plan.OutCol{ID: d.dml.Matched,
		ColumnInfo: plan.ColumnInfo{Name: "matched", Type: datum.T(datum.OIDBool)}})
	always := map[bool]bool{}
	for _, w := range stmt.Whens {
		if always[w.Matched] {
			b.fail(w.Pos, failure.SyntaxError, "unreachable WHEN clause specified after unconditional WHEN clause")
		}
		always[w.Matched] = w.Cond == nil
		if w.Matched {
			d.s.ns = both
		} else {
			d.s.ns = ns
		}
		d.dml.Whens = append(d.dml.Whens, d.mergeWhen(w))
	}
	d.rules()
	return d.out
}

func (d *dmlState) mergeWhen(w *parser.MergeWhen) plan.BoundMergeWhen {
	b := d.b
	out := plan.BoundMergeWhen{Matched: w.Matched}
	if w.Cond != nil {
		d.s.in(PlaceMergeWhen, func() { out.Cond = b.coerceBool(b.expr(d.s, w.Cond), "WHEN", start(w.Cond)) })
	}
	switch w.Action {
	case parser.MergeDoNothing:
		out.Action = plan.MergeNothing
	case parser.MergeDelete:
		out.Action = plan.MergeDelete
		d.want(catalog.PrivDelete)
	case parser.MergeUpdate:
		out.Action = plan.MergeUpdate
		d.want(catalog.PrivUpdate)
		d.s.in(PlaceUpdateSource, func() { out.Set = d.assignments(w.Set) })
	case parser.MergeInsert:
		out.Action = plan.MergeInsert
		d.want(catalog.PrivInsert)
		out.Values = d.mergeValues(w)
	}
	return out
}

// mergeValues makes a table row of INSERT in MERGE.
func (d *dmlState) mergeValues(w *parser.MergeWhen) []plan.Expr {
	n := &inserter{dmlState: d, stmt: &parser.InsertStmt{Pos: w.Pos, Columns: w.Columns, Overriding: w.Overriding}}
	n.targets()
	row := make([]plan.Expr, len(d.table.Columns))
	if w.Values != nil {
		for _, i := range n.cols {
			d.row.insertCols[i] = true
		}
		d.s.in(PlaceValues, func() { n.valuesRow(row, w.Values) })
	}
	for i, c := range d.table.Columns {
		if row[i] == nil {
			row[i] = d.b.defaultOf(c)
		}
	}
	return row
}

package syscat

import (
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// from prints an item of FROM, joins over several lines.
func (d *deparser) from(x parser.TableExpr) {
	it := d.scope.of[x]
	switch x := x.(type) {
	case *parser.RangeVar:
		d.rangeVar(x, it)
	case *parser.RangeSubselect:
		d.s(suffix(x.Lateral, "LATERAL "), "(")
		d.query(x.Query, &resultNames{visible: true})
		d.s(")")
		d.alias(it, x.Alias, x.Alias != nil && len(x.Alias.Columns) > 0)
	case *parser.RangeFunction:
		d.rangeFunction(x, it)
	case *parser.JoinExpr:
		d.join(x, it)
	default:
		d.s(parser.Format(x))
	}
}

func (d *deparser) rangeVar(x *parser.RangeVar, it *scopeItem) {
	d.s(suffix(x.Only, "ONLY "))
	r := d.e.Snapshot.Find(d.e.Path, x.Relation.Schema, x.Relation.Name)
	if _, cte := d.scope.cte(x.Relation.Name); cte && x.Relation.Schema == "" || !r.Found() {
		d.s(strings.Join(quoteAll(x.Relation.Parts()), "."))
	} else {
		d.s(d.e.relName(r.Table, false))
	}
	if x.Alias != nil || it != nil && it.shown != x.Relation.Name {
		d.alias(it, x.Alias, it != nil && it.renamed)
	}
	if x.Sample != nil {
		plain := *x
		plain.Alias = nil
		text := parser.Format(&plain)
		if i := strings.Index(text, " TABLESAMPLE "); i >= 0 {
			d.s(text[i:])
		}
	}
}

func quoteAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = catalog.QuoteIdent(n)
	}
	return out
}

// alias prints the name of an item of FROM, with the names of its columns when wanted.
func (d *deparser) alias(it *scopeItem, a *parser.Alias, columns bool) {
	switch {
	case it != nil && it.shown != "":
		d.s(" ", catalog.QuoteIdent(it.shown))
	case a != nil:
		d.s(" ", catalog.QuoteIdent(a.Name))
	}
	if columns && it != nil {
		names := make([]string, len(it.fields))
		for i, f := range it.fields {
			names[i] = f.name
		}
		d.columnNames(names)
	}
}

func (d *deparser) rangeFunction(x *parser.RangeFunction, it *scopeItem) {
	d.s(suffix(x.Lateral || d.lateral(x), "LATERAL "))
	defs := x.ColDefs
	if len(x.Funcs) == 1 && x.Funcs[0].ColDefs == nil {
		d.expr(x.Funcs[0].Func)
	} else {
		d.s("ROWS FROM(")
		for i, f := range x.Funcs {
			d.s(suffix(i > 0, ", "))
			d.expr(f.Func)
			if f.ColDefs != nil {
				d.s(" AS ")
				d.columnDefs(f.ColDefs)
			}
		}
		d.s(")")
	}
	d.s(suffix(x.Ordinality, " WITH ORDINALITY"))
	d.alias(it, x.Alias, defs == nil)
	if defs != nil {
		d.columnDefs(defs)
	}
}

// lateral says whether a function's arguments use other items of the same FROM.
func (d *deparser) lateral(x *parser.RangeFunction) bool {
	found := false
	for _, f := range x.Funcs {
		parser.Walk(f.Func, func(n parser.Node) bool {
			if ref, ok := n.(*parser.ColumnRef); ok {
				it, fld := d.resolve(ref)
				found = found || fld != nil && (it == nil || slices.Contains(d.scope.items, it))
			}
			return true
		})
	}
	return found
}

func (d *deparser) columnDefs(defs []*parser.ColumnDef) {
	d.s("(")
	for i, c := range defs {
		d.s(suffix(i > 0, ", "), catalog.QuoteIdent(c.Name), " ", parser.Format(c.Type))
	}
	d.s(")")
}

func (d *deparser) join(x *parser.JoinExpr, it *scopeItem) {
	outer := !d.pretty || x.Alias != nil
	d.s(suffix(outer, "("))
	d.from(x.Left)
	cross := x.Kind == parser.JoinCross || x.Kind == parser.JoinInner && x.On == nil && len(x.Using) == 0 && !x.Natural
	word := [...]string{" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ", " CROSS JOIN "}[x.Kind]
	if cross {
		word = " CROSS JOIN "
	}
	d.keyword(word, -indentStd, indentStd, indentJoin)
	r, nested := x.Right.(*parser.JoinExpr)
	parens := d.pretty && nested && r.Alias == nil
	d.s(suffix(parens, "("))
	d.from(x.Right)
	d.s(suffix(parens, ")"))
	using := x.Using
	if x.Natural {
		using = d.shared(x)
	}
	switch {
	case len(using) > 0:
		d.s(" USING ")
		d.columnNames(using)
		if x.UsingAlias != nil {
			d.s(" AS ", catalog.QuoteIdent(x.UsingAlias.Name))
		}
	case x.On != nil:
		d.s(" ON ", suffix(!d.pretty, "("))
		d.expr(x.On)
		d.s(suffix(!d.pretty, ")"))
	case !cross:
		d.s(" ON TRUE")
	}
	d.s(suffix(outer, ")"))
	if x.Alias != nil {
		d.alias(it, x.Alias, len(x.Alias.Columns) > 0)
	}
}

// shared are the columns that NATURAL joins by.
func (d *deparser) shared(x *parser.JoinExpr) []string {
	side := func(t parser.TableExpr) []field {
		s := &scope{up: d.scope.up, of: map[parser.TableExpr]*scopeItem{}, merged: map[string]mergedColumn{}}
		d.addFrom(s, t)
		return s.star(&parser.ColumnRef{Star: true})
	}
	var out []string
	right := side(x.Right)
	for _, l := range side(x.Left) {
		for _, r := range right {
			if l.name == r.name {
				out = append(out, l.name)
			}
		}
	}
	return out
}

// windowSpec prints the definition of a window.
func (d *deparser) windowSpec(w *parser.WindowDef) {
	d.s("(")
	sep := ""
	if w.RefName != "" {
		d.s(catalog.QuoteIdent(w.RefName))
		sep = " "
	}
	for i, x := range w.PartitionBy {
		if i == 0 {
			d.s(sep, "PARTITION BY ")
			sep = " "
		} else {
			d.s(", ")
		}
		d.sortExpr(x)
	}
	if len(w.OrderBy) > 0 {
		d.s(sep, "ORDER BY ")
		sep = " "
		d.orderBy(nil, w.OrderBy)
	}
	if f := w.Frame; f != nil && f.Mode != parser.FrameNone {
		d.s(sep, [...]string{"", "RANGE ", "ROWS ", "GROUPS "}[f.Mode])
		if f.Between {
			d.s("BETWEEN ")
			d.frameBound(f.Start)
			d.s(" AND ")
			d.frameBound(f.End)
		} else {
			d.frameBound(f.Start)
		}
		d.s([...]string{"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"}[f.Exclude])
	}
	d.s(")")
}

func (d *deparser) frameBound(b parser.FrameBound) {
	if b.Offset != nil {
		d.expr(b.Offset)
	}
	d.s([...]string{"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING", "UNBOUNDED FOLLOWING"}[b.Kind])
}

// subLink prints a subquery in an expression.
func (d *deparser) subLink(x *parser.SubLink) {
	word := ""
	switch x.Kind {
	case parser.SubLinkExists:
		word = "EXISTS "
	case parser.SubLinkAny:
		word = " IN "
		if x.Op != "" && x.Op != "=" {
			word = " " + x.Op + " ANY "
		}
	case parser.SubLinkAll:
		word = " " + x.Op + " ALL "
	}
	if x.Kind == parser.SubLinkArray {
		d.s("ARRAY")
	}
	d.s("(")
	if row, ok := x.Test.(*parser.RowExpr); ok {
		for i, a := range row.Args {
			d.s([...]string{"(", ", "}[min(i, 1)])
			d.expr(a)
		}
		d.s(")")
	} else if x.Test != nil {
		d.operand(x.Test, d.subLinkOperand(x), false)
	}
	d.s(word, suffix(word != "", "("))
	d.query(x.Query, &resultNames{})
	d.s(")", suffix(word != "", ")"))
}

// subLinkOperand is the type that the left side of IN (query) is compared as.
func (d *deparser) subLinkOperand(x *parser.SubLink) catalog.OID {
	op := x.Op
	if op == "" {
		op = "="
	}
	left, fields := d.typeOf(x.Test), d.fieldsOf(x.Query, d.scope)
	if left == 0 || len(fields) != 1 || fields[0].typ.OID == 0 {
		return 0
	}
	r, err := d.e.Facts.ResolveOperator("", op, left, fields[0].typ.OID)
	if err != nil {
		return 0
	}
	return r.Op.Left
}

package syscat

import (
	"reflect"
	"strings"

	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// viewText prints a view's query in PostgreSQL's layout: a clause a line, a target a line, relations by names as short
// as the search path allows.
func (e *Env) viewText(t *catalog.Table, pretty bool) string {
	raw, err := parser.ParseOne(t.View.Query)
	if err != nil {
		return " " + t.View.Query + ";"
	}
	q, ok := raw.Stmt.(*parser.SelectStmt)
	if !ok {
		return " " + t.View.Query + ";"
	}
	e.shorten(reflect.ValueOf(q))
	return e.selectText(q, pretty) + ";"
}

// shorten takes the schema off names that the path finds without, and puts names for the numbers of relations.
func (e *Env) shorten(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			e.shorten(v.Elem())
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		switch n := v.Interface().(type) {
		case *parser.RangeVar:
			if d := e.Snapshot.Schema(n.Relation.Schema); d != nil {
				if r := e.Snapshot.Relation(d.OID, n.Relation.Name); e.Snapshot.Visible(e.Path, r) {
					n.Relation.Schema = ""
				}
			}
		case *parser.TypeCast:
			if c, ok := n.Arg.(*parser.Const); ok && n.Type.Names[len(n.Type.Names)-1] == "regclass" {
				c.Str = e.regclassText(c.Str)
			}
		}
		e.shorten(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			e.shorten(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			e.shorten(v.Index(i))
		}
	}
}

// scopeTable is the table whose columns give literals in a query their types, when there is just one, and the name it
// goes by.
func (e *Env) scopeTable(q *parser.SelectStmt) (t *catalog.Table, qualifier string) {
	if len(q.From) != 1 {
		return nil, ""
	}
	v, ok := q.From[0].(*parser.RangeVar)
	if !ok {
		return nil, ""
	}
	qualifier = v.Relation.Name
	if v.Alias != nil {
		qualifier = v.Alias.Name
	}
	return e.Snapshot.Find(e.Path, v.Relation.Schema, v.Relation.Name).Table, qualifier
}

func (e *Env) selectText(q *parser.SelectStmt, pretty bool) string {
	if q.Op != parser.SetOpNone || q.Values != nil || q.With != nil {
		return " " + parser.Format(q)
	}
	t, qualifier := e.scopeTable(q)
	expr := func(x parser.Expr) string {
		d := &deparser{e: e, t: t, pretty: pretty, query: true, qualifier: qualifier}
		d.expr(x)
		return d.b.String()
	}
	var b strings.Builder
	b.WriteString(" SELECT ")
	if q.Distinct {
		b.WriteString("DISTINCT ")
		if len(q.DistinctOn) > 0 {
			b.WriteString("ON (" + joinExprs(q.DistinctOn, expr) + ") ")
		}
	}
	for i, target := range q.Targets {
		if i > 0 {
			b.WriteString(",\n    ")
		}
		b.WriteString(expr(target.Value))
		if ref, ok := target.Value.(*parser.ColumnRef); target.Name != "" && (!ok || ref.Parts[len(ref.Parts)-1] != target.Name) {
			b.WriteString(" AS " + catalog.QuoteIdent(target.Name))
		}
	}
	for i, f := range q.From {
		if i == 0 {
			b.WriteString("\n   FROM ")
		} else {
			b.WriteString(",\n    ")
		}
		b.WriteString(e.fromText(f, expr, pretty))
	}
	if q.Where != nil {
		b.WriteString("\n  WHERE " + expr(q.Where))
	}
	if len(q.GroupBy) > 0 {
		b.WriteString("\n  GROUP BY " + joinExprs(ordinals(q, q.GroupBy), expr))
	}
	if q.Having != nil {
		b.WriteString("\n HAVING " + expr(q.Having))
	}
	for i, o := range q.OrderBy {
		if i == 0 {
			b.WriteString("\n  ORDER BY ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(expr(ordinal(q, o.Expr)))
		b.WriteString([...]string{"", "", " DESC", ""}[o.Dir])
		b.WriteString([...]string{"", " NULLS FIRST", " NULLS LAST"}[o.Nulls])
	}
	if q.Offset != nil {
		b.WriteString("\n OFFSET " + expr(q.Offset))
	}
	if q.Limit != nil {
		b.WriteString("\n LIMIT " + expr(q.Limit))
	}
	return b.String()
}

// ordinal is the target that a number in ORDER BY or GROUP BY stands for.
func ordinal(q *parser.SelectStmt, x parser.Expr) parser.Expr {
	if c, ok := x.(*parser.Const); ok && c.Kind == parser.ConstInteger && c.Int > 0 && int(c.Int) <= len(q.Targets) {
		return q.Targets[c.Int-1].Value
	}
	return x
}

func ordinals(q *parser.SelectStmt, xs []parser.Expr) []parser.Expr {
	out := make([]parser.Expr, len(xs))
	for i, x := range xs {
		out[i] = ordinal(q, x)
	}
	return out
}

func joinExprs(xs []parser.Expr, expr func(parser.Expr) string) string {
	out := make([]string, len(xs))
	for i, x := range xs {
		out[i] = expr(x)
	}
	return strings.Join(out, ", ")
}

// fromText prints an item of FROM, joins over several lines.
func (e *Env) fromText(x parser.TableExpr, expr func(parser.Expr) string, pretty bool) string {
	if v, ok := x.(*parser.RangeVar); ok && v.Sample == nil && v.Alias != nil && len(v.Alias.Columns) == 0 {
		plain := *v
		plain.Alias = nil
		return parser.Format(&plain) + " " + catalog.QuoteIdent(v.Alias.Name)
	}
	j, ok := x.(*parser.JoinExpr)
	if !ok {
		return parser.Format(x)
	}
	s := e.fromText(j.Left, expr, pretty) + "\n     " +
		[...]string{"JOIN ", "LEFT JOIN ", "RIGHT JOIN ", "FULL JOIN ", "CROSS JOIN "}[j.Kind] + e.fromText(j.Right, expr, pretty)
	switch {
	case j.On != nil:
		on := expr(j.On)
		if !pretty && !strings.HasPrefix(on, "(") {
			on = "(" + on + ")"
		}
		s += " ON " + on
	case len(j.Using) > 0:
		quoted := make([]string, len(j.Using))
		for i, u := range j.Using {
			quoted[i] = catalog.QuoteIdent(u)
		}
		s += " USING (" + strings.Join(quoted, ", ") + ")"
	case j.Natural:
		return parser.Format(x)
	}
	if !pretty {
		return "(" + s + ")"
	}
	return s
}

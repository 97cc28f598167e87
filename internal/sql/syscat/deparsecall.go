package syscat

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// function resolves a call; nil when an argument's type is not known.
func (d *deparser) function(x *parser.FuncCall) *builtin.Resolved {
	call := builtin.FuncCall{Name: x.Name[len(x.Name)-1], Variadic: x.Variadic, WithinGroup: x.WithinGroup}
	if len(x.Name) > 1 {
		call.Schema = x.Name[len(x.Name)-2]
	}
	add := func(a parser.Expr) bool {
		name := ""
		if n, ok := a.(*parser.NamedArgExpr); ok {
			name, a = n.Name, n.Arg
		}
		t := d.typeOf(a)
		call.Args = append(call.Args, t)
		call.Names = append(call.Names, name)
		return t != 0
	}
	for _, a := range x.Args {
		if !add(a) {
			return nil
		}
	}
	if x.WithinGroup {
		call.Direct = len(x.Args)
		for _, o := range x.OrderBy {
			if !add(o.Expr) {
				return nil
			}
		}
	}
	r, err := d.e.Facts.ResolveFunc(call)
	if err != nil {
		return nil
	}
	return r
}

func (d *deparser) funcCall(x *parser.FuncCall) {
	r := d.function(x)
	args := make([]func(), len(x.Args))
	for i, a := range x.Args {
		want := catalog.OID(0)
		if r != nil && i < len(r.Params) && r.Order == nil {
			want = r.Params[i]
		}
		if builtin.IsPolymorphic(want) {
			want = 0
		}
		args[i] = func() {
			if n, ok := a.(*parser.NamedArgExpr); ok {
				d.s(catalog.QuoteIdent(n.Name), " => ")
				d.operand(n.Arg, want, false)
				return
			}
			if _, literal := a.(*parser.Const); x.SQLSyntax && !literal {
				d.expr(a)
				return
			}
			d.operand(a, want, false)
		}
	}
	switch {
	case x.SQLSyntax && d.sqlSyntax(x, args):
		return
	case r != nil && r.Coercion != 0 && len(x.Args) == 1:
		d.cast(x.Args[0], r.Coercion, -1)
		return
	}
	d.functionName(x)
	d.s("(", suffix(x.Star, "*"), suffix(x.Distinct, "DISTINCT "))
	for i, a := range args {
		d.s(suffix(i > 0, ", "), suffix(x.Variadic && i == len(args)-1, "VARIADIC "))
		a()
	}
	if len(x.OrderBy) > 0 && !x.WithinGroup {
		d.s(" ORDER BY ")
		d.orderBy(nil, x.OrderBy)
	}
	d.s(")")
	if x.WithinGroup {
		d.s(" WITHIN GROUP (ORDER BY ")
		d.orderBy(nil, x.OrderBy)
		d.s(")")
	}
	if x.Filter != nil {
		d.s(" FILTER (WHERE ")
		d.expr(x.Filter)
		d.s(")")
	}
	if x.Over == nil {
		return
	}
	d.s(" OVER ")
	if x.Over.Name != "" {
		d.s(catalog.QuoteIdent(x.Over.Name))
		return
	}
	d.windowSpec(x.Over)
}

func (d *deparser) functionName(x *parser.FuncCall) {
	name := x.Name
	if len(name) == 2 && name[0] == "pg_catalog" {
		name = name[1:]
	}
	for i, n := range name {
		d.s(suffix(i > 0, "."), catalog.QuoteIdent(n))
	}
}

// sqlSyntax prints a call that the grammar made of words of its own; false when it has none.
func (d *deparser) sqlSyntax(x *parser.FuncCall, a []func()) bool {
	print := func(parts ...any) bool {
		for _, p := range parts {
			switch p := p.(type) {
			case string:
				d.s(p)
			case func():
				p()
			}
		}
		return true
	}
	word := func(i int) string {
		if c, ok := x.Args[i].(*parser.Const); ok && c.Kind == parser.ConstString {
			return c.Str
		}
		return parser.Format(x.Args[i])
	}
	switch name := x.Name[len(x.Name)-1]; name {
	case "timezone":
		return print("(", a[1], " AT TIME ZONE ", a[0], ")")
	case "overlaps":
		return print("((", a[0], ", ", a[1], ") OVERLAPS (", a[2], ", ", a[3], "))")
	case "extract":
		return print("EXTRACT(", word(0), " FROM ", a[1], ")")
	case "position":
		return print("POSITION((", a[1], ") IN (", a[0], "))")
	case "substring":
		switch {
		case x.SQLSimilar:
			return print("SUBSTRING(", a[0], " SIMILAR ", a[1], " ESCAPE ", a[2], ")")
		case len(a) == 2:
			return print("SUBSTRING(", a[0], " FROM ", a[1], ")")
		}
		return print("SUBSTRING(", a[0], " FROM ", a[1], " FOR ", a[2], ")")
	case "overlay":
		print("OVERLAY(", a[0], " PLACING ", a[1], " FROM ", a[2])
		if len(a) > 3 {
			print(" FOR ", a[3])
		}
		return print(")")
	case "btrim", "ltrim", "rtrim":
		print("TRIM(", map[string]string{"btrim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[name])
		if len(a) > 1 {
			print(" ", a[1])
		}
		return print(" FROM ", a[0], ")")
	case "normalize":
		if len(a) > 1 {
			return print("NORMALIZE(", a[0], ", ", word(1), ")")
		}
		return print("NORMALIZE(", a[0], ")")
	case "is_normalized":
		if len(a) > 1 {
			return print("((", a[0], ") IS ", word(1), " NORMALIZED)")
		}
		return print("((", a[0], ") IS NORMALIZED)")
	case "pg_collation_for":
		return print("COLLATION FOR (", a[0], ")")
	}
	return false
}

// resolve finds what a column's name stands for in the scope.
func (d *deparser) resolve(x *parser.ColumnRef) (*scopeItem, *field) {
	if d.scope == nil || len(x.Parts) == 0 || x.Star {
		return nil, nil
	}
	qualifier := ""
	if n := len(x.Parts); n > 1 {
		qualifier = x.Parts[n-2]
	}
	return d.scope.lookup(qualifier, x.Parts[len(x.Parts)-1])
}

// column prints a column, in queries with its relation. It returns true when it was a whole row.
func (d *deparser) column(x *parser.ColumnRef) bool {
	switch {
	case len(x.Parts) == 1 && x.Parts[0] == "value" && d.value.OID != 0:
		d.s("VALUE")
		return false
	case x.Star && d.scope != nil && len(x.Parts) > 0:
		if it := d.scope.item(x.Parts[len(x.Parts)-1]); it != nil {
			d.s(catalog.QuoteIdent(it.shown), ".*")
			return false
		}
		fallthrough
	case x.Star:
		d.s(parser.Format(x))
		return false
	case d.scope == nil:
		d.s(catalog.QuoteIdent(x.Parts[len(x.Parts)-1]))
		return false
	}
	it, f := d.resolve(x)
	switch {
	case it != nil && it.shown != "":
		d.s(catalog.QuoteIdent(it.shown), ".", catalog.QuoteIdent(f.name))
	case f != nil:
		d.s(catalog.QuoteIdent(f.name))
	default:
		if whole := d.scope.item(x.Parts[len(x.Parts)-1]); len(x.Parts) == 1 && whole != nil {
			d.s(catalog.QuoteIdent(whole.shown), ".*")
			return true
		}
		d.s(parser.Format(x))
	}
	return false
}

func (d *deparser) columnType(x *parser.ColumnRef) catalog.OID {
	if len(x.Parts) == 1 && x.Parts[0] == "value" && d.value.OID != 0 {
		return d.value.OID
	}
	if len(x.Parts) == 0 || x.Star {
		return 0
	}
	if d.scope != nil {
		if _, f := d.resolve(x); f != nil {
			return f.typ.OID
		}
		if it := d.scope.item(x.Parts[0]); len(x.Parts) == 1 && it != nil {
			return it.row
		}
		return 0
	}
	if d.t == nil {
		return 0
	}
	if c, _ := d.t.ColumnByName(x.Parts[len(x.Parts)-1]); c != nil {
		return c.Type.OID
	}
	return 0
}

// typeOfMore infers the types of the rarer expressions.
func (d *deparser) typeOfMore(x parser.Expr) catalog.OID {
	switch x := x.(type) {
	case *parser.AnyAllExpr:
		return datum.OIDBool
	case *parser.GroupingFunc:
		return datum.OIDInt4
	case *parser.RowExpr:
		return datum.OIDRecord
	case *parser.ArrayExpr:
		elem := d.common(x.Elems)
		if elem == datum.OIDUnknown {
			elem = datum.OIDText
		}
		return d.arrayOf(elem)
	case *parser.SubLink:
		switch x.Kind {
		case parser.SubLinkScalar, parser.SubLinkArray:
			fields := d.fieldsOf(x.Query, d.scope)
			switch {
			case len(fields) == 0:
				return 0
			case x.Kind == parser.SubLinkScalar:
				return fields[0].typ.OID
			}
			return d.arrayOf(fields[0].typ.OID)
		}
		return datum.OIDBool
	case *parser.Indirection:
		return d.indirectionType(x)
	}
	return 0
}

func (d *deparser) arrayOf(elem catalog.OID) catalog.OID {
	if ti := d.e.typeInfo(elem); ti != nil {
		return ti.Array
	}
	return 0
}

func (d *deparser) indirectionType(x *parser.Indirection) catalog.OID {
	t := d.typeOf(x.Arg)
	indexed := false
	for i := range x.Elems {
		switch el := &x.Elems[i]; el.Kind {
		case parser.IndirField:
			row := d.e.Snapshot.TableOfRowType(t)
			if row == nil {
				return 0
			}
			c, _ := row.ColumnByName(el.Name)
			if c == nil {
				return 0
			}
			t, indexed = c.Type.OID, false
		case parser.IndirIndex:
			if t == datum.OIDJSONB || indexed {
				continue
			}
			t, indexed = d.e.Facts.ElementType(t), true
		case parser.IndirStar:
			return 0
		}
	}
	return t
}

// indirection prints subscripts and fields.
func (d *deparser) indirection(x *parser.Indirection) {
	_, ref := x.Arg.(*parser.ColumnRef)
	parens := !ref || x.Elems[0].Kind == parser.IndirField
	d.s(suffix(parens, "("))
	d.expr(x.Arg)
	d.s(suffix(parens, ")"))
	bound := func(e parser.Expr) {
		if e != nil {
			d.expr(e)
		}
	}
	for i := range x.Elems {
		switch el := &x.Elems[i]; el.Kind {
		case parser.IndirField:
			d.s(".", catalog.QuoteIdent(el.Name))
		case parser.IndirStar:
			d.s(".*")
		case parser.IndirIndex:
			d.s("[")
			bound(el.Lower)
			bound(el.Upper)
			d.s("]")
		case parser.IndirSlice:
			d.s("[")
			bound(el.Lower)
			d.s(":")
			bound(el.Upper)
			d.s("]")
		}
	}
}

// exprMore prints the rarer expressions.
func (d *deparser) exprMore(x parser.Expr) {
	switch x := x.(type) {
	case *parser.SubLink:
		d.subLink(x)
	case *parser.Indirection:
		d.indirection(x)
	case *parser.RowExpr:
		d.list("ROW", x.Args)
	case *parser.GroupingFunc:
		d.list("GROUPING", x.Args)
	case *parser.NullIfExpr:
		op, _ := d.operator(&parser.OpExpr{Op: "=", Left: x.Left, Right: x.Right})
		d.s("NULLIF(")
		d.operand(x.Left, op.Left, false)
		d.s(", ")
		d.operand(x.Right, op.Right, false)
		d.s(")")
	case *parser.CollateExpr:
		d.open()
		d.expr(x.Arg)
		d.s(" COLLATE ", catalog.QuoteIdent(x.Collation[len(x.Collation)-1]))
		d.close()
	case *parser.DistinctExpr:
		d.distinct(x)
	default:
		d.s(parser.Format(x))
	}
}

func (d *deparser) distinct(x *parser.DistinctExpr) {
	op, _ := d.operator(&parser.OpExpr{Op: "=", Left: x.Left, Right: x.Right})
	if x.Not {
		d.open()
		d.s("NOT ")
	}
	d.open()
	d.operand(x.Left, op.Left, false)
	d.s(" IS DISTINCT FROM ")
	d.operand(x.Right, op.Right, false)
	d.close()
	if x.Not {
		d.close()
	}
}

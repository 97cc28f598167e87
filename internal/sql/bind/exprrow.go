package bind

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// rowArgs binds the items of a row, expanding t.*.
func (b *binder) rowArgs(s *scope, list []parser.Expr) ([]plan.Expr, []int) {
	out, pos := make([]plan.Expr, 0, len(list)), make([]int, 0, len(list))
	for _, e := range list {
		switch x := e.(type) {
		case *parser.ColumnRef:
			if x.Star {
				for _, t := range b.expandStar(s, x) {
					out, pos = append(out, t.expr), append(pos, t.pos)
				}
				continue
			}
		case *parser.Indirection:
			if n := len(x.Elems); n > 0 && x.Elems[n-1].Kind == parser.IndirStar {
				for _, t := range b.expandRow(b.indirectionUpTo(s, x, n-1), x.Pos) {
					out, pos = append(out, t.expr), append(pos, t.pos)
				}
				continue
			}
		}
		out, pos = append(out, b.expr(s, e)), append(pos, start(e))
	}
	return out, pos
}

// rowCompare binds (a, b) op (c, d).
func (b *binder) rowCompare(name string, left, right []plan.Expr, pos int) plan.Expr {
	if len(left) != len(right) {
		b.fail(pos, failure.SyntaxError, "unequal number of entries in row expressions")
	}
	if len(left) == 0 {
		b.fail(pos, failure.FeatureNotSupported, "cannot compare rows of zero length")
	}
	calls := make([]plan.Expr, len(left))
	for i := range left {
		c := b.op("", name, left[i], right[i], pos)
		if c.Type().OID != datum.OIDBool {
			b.throw(pos, failure.New(failure.DatatypeMismatch,
				"row comparison operator must yield type boolean, not type %s", b.facts.TypeName(c.Type().OID)))
		}
		calls[i] = c
	}
	switch name {
	case "=":
		return conjunction(calls)
	case "<>", "!=":
		if len(calls) == 1 {
			return calls[0]
		}
		return &plan.Or{Args: calls}
	case "<", "<=", ">", ">=":
	default:
		b.throw(pos, failure.New(failure.FeatureNotSupported,
			"could not determine interpretation of row comparison operator %s", name).
			WithHint("Row comparison operators must be associated with btree operator families."))
	}
	if len(calls) == 1 {
		return calls[0]
	}
	return b.rowOrder(name, calls, pos)
}

func (b *binder) rowOrder(name string, calls []plan.Expr, pos int) plan.Expr {
	rc := &plan.RowCompare{Kind: map[string]plan.RowCompareKind{"<": plan.RowLT, "<=": plan.RowLE, ">=": plan.RowGE,
		">": plan.RowGT}[name]}
	strict := "<"
	if name[0] == '>' {
		strict = ">"
	}
	for _, c := range calls {
		f := c.(*plan.FuncCall)
		l, r := f.Args[0], f.Args[1]
		less, err := b.facts.ResolveOperator("", strict, l.Type().OID, r.Type().OID)
		b.must(pos, err)
		eq, err := b.facts.ResolveOperator("", "=", l.Type().OID, r.Type().OID)
		b.must(pos, err)
		rc.Left, rc.Right = append(rc.Left, l), append(rc.Right, r)
		rc.Less, rc.Eq = append(rc.Less, less.Op.Func), append(rc.Eq, eq.Op.Func)
	}
	return rc
}

func conjunction(list []plan.Expr) plan.Expr {
	if len(list) == 1 {
		return list[0]
	}
	return &plan.And{Args: list}
}

// indirection binds subscripts and field selections.
func (b *binder) indirection(s *scope, e *parser.Indirection) plan.Expr {
	if n := len(e.Elems); n > 0 && e.Elems[n-1].Kind == parser.IndirStar {
		b.fail(e.Pos, failure.FeatureNotSupported, "row expansion via \"*\" is not supported here")
	}
	return b.indirectionUpTo(s, e, len(e.Elems))
}

func (b *binder) indirectionUpTo(s *scope, e *parser.Indirection, n int) plan.Expr {
	x := b.expr(s, e.Arg)
	for i := 0; i < n; {
		el := &e.Elems[i]
		if el.Kind == parser.IndirField {
			x = b.field(x, el.Name, start(e.Arg))
			i++
			continue
		}
		j := i
		for j < n && (e.Elems[j].Kind == parser.IndirIndex || e.Elems[j].Kind == parser.IndirSlice) {
			j++
		}
		if j == i {
			b.fail(el.Pos, failure.FeatureNotSupported, "row expansion via \"*\" is not supported here")
		}
		x = b.subscript(s, x, e.Elems[i:j], start(e))
		i = j
	}
	return x
}

// field selects a field of a composite value.
func (b *binder) field(x plan.Expr, name string, pos int) plan.Expr {
	if row, ok := x.(*plan.Row); ok {
		for i, n := range row.Names {
			if n == name {
				return row.Args[i]
			}
		}
	}
	oid := x.Type().OID
	names, types := b.fieldsOf(oid)
	if names == nil {
		names, types = b.recordFields(x)
	}
	for i, n := range names {
		if n == name {
			return &plan.FieldSelect{Arg: x, Index: i, Name: name, Typ: types[i]}
		}
	}
	switch {
	case names != nil:
		b.fail(pos, failure.UndefinedColumn, "column \"%s\" not found in data type %s", name, b.facts.TypeName(oid))
	case oid == datum.OIDRecord:
		b.fail(pos, failure.UndefinedColumn, "could not identify column \"%s\" in record data type", name)
	}
	b.fail(pos, failure.WrongObjectType, "column notation .%s applied to type %s, which is not a composite type", name,
		b.facts.TypeName(oid))
	return nil
}

// recordFields are the fields of an expression of type record as far as the query shows them.
func (b *binder) recordFields(x plan.Expr) ([]string, []datum.Type) {
	switch x := x.(type) {
	case *plan.FuncCall:
		return b.outColumns(x)
	case *plan.Var:
		r := b.records[x.ID]
		return r.names, r.types
	}
	return nil, nil
}

// outColumns are the names and types of the OUT columns of a call that returns record.
func (b *binder) outColumns(f *plan.FuncCall) ([]string, []datum.Type) {
	names, oids := f.Fn.OutParams()
	if len(names) < 2 {
		return nil, nil
	}
	actual := make([]datum.OID, len(f.Args))
	for i, a := range f.Args {
		actual[i] = a.Type().OID
	}
	types := make([]datum.Type, len(oids))
	for i, o := range oids {
		t, err := b.facts.ResolveResult(f.Fn.Args[:min(len(actual), len(f.Fn.Args))], actual[:min(len(actual), len(f.Fn.Args))], o)
		if err != nil {
			t = o
		}
		types[i] = datum.T(t)
	}
	return names, types
}

// expandRow makes columns of a composite value: (x).*.
func (b *binder) expandRow(x plan.Expr, pos int) []target {
	if row, ok := x.(*plan.Row); ok {
		out := make([]target, len(row.Args))
		for i, a := range row.Args {
			out[i] = target{expr: a, pos: pos}
			if i < len(row.Names) {
				out[i].name = row.Names[i]
			}
		}
		return out
	}
	names, types := b.fieldsOf(x.Type().OID)
	if names == nil {
		names, types = b.recordFields(x)
	}
	if names == nil {
		if x.Type().OID == datum.OIDRecord {
			b.fail(pos, failure.SyntaxError, "record type has not been registered")
		}
		b.fail(pos, failure.WrongObjectType, "type %s is not composite", b.facts.TypeName(x.Type().OID))
	}
	out := make([]target, len(names))
	for i, n := range names {
		out[i] = target{expr: &plan.FieldSelect{Arg: x, Index: i, Name: n, Typ: types[i]}, name: n, pos: pos}
	}
	return out
}

// subscript binds x[i], x[i:j] and x[i][j].
func (b *binder) subscript(s *scope, x plan.Expr, elems []parser.IndirectionElem, pos int) plan.Expr {
	base := b.facts.BaseType(x.Type().OID)
	if base == datum.OIDJSONB {
		return b.subscriptJSON(s, x, elems)
	}
	el := b.facts.ElementType(base)
	switch base {
	case datum.OIDInt2Vector:
		el = datum.OIDInt2
	case datum.OIDOidVector:
		el = datum.OIDOid
	case datum.OIDName:
		el = datum.OIDQChar
	}
	if el == 0 {
		b.fail(pos, failure.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting",
			b.facts.TypeName(x.Type().OID))
	}
	sub := &plan.Subscript{Arg: x, Typ: datum.Type{OID: el, Mod: x.Type().Mod}}
	for i := range elems {
		sub.Slice = sub.Slice || elems[i].Kind == parser.IndirSlice
	}
	if sub.Slice && base == datum.OIDName {
		b.fail(pos, failure.FeatureNotSupported, "slices of fixed-length arrays not implemented")
	}
	if sub.Slice {
		sub.Typ = datum.Type{OID: base, Mod: x.Type().Mod}
	}
	sub.Lower, sub.Upper = b.subscriptBounds(s, elems, sub.Slice)
	return sub
}

// subscriptBounds binds subscripts; in a slice a plain [i] means [1:i].
func (b *binder) subscriptBounds(s *scope, elems []parser.IndirectionElem, slice bool) (lower, upper []plan.Expr) {
	index := func(e parser.Expr) plan.Expr {
		if e == nil {
			return nil
		}
		x := b.coerce(b.expr(s, e), datum.T(datum.OIDInt4), builtin.CastAssignment, start(e))
		if x == nil {
			b.fail(start(e), failure.DatatypeMismatch, "array subscript must have type integer")
		}
		return x
	}
	for i := range elems {
		e := &elems[i]
		if slice {
			lo := index(e.Lower)
			if e.Kind == parser.IndirIndex {
				// [i] holds its index in Lower, as the grammar reads it.
				lower = append(lower, &plan.Const{Val: datum.NewInt(1), Typ: datum.T(datum.OIDInt4)})
				upper = append(upper, firstOf(lo, index(e.Upper)))
				continue
			}
			lower, upper = append(lower, lo), append(upper, index(e.Upper))
			continue
		}
		upper = append(upper, firstOf(index(e.Lower), index(e.Upper)))
	}
	return lower, upper
}

func firstOf(a, b plan.Expr) plan.Expr {
	if a != nil {
		return a
	}
	return b
}

func (b *binder) subscriptJSON(s *scope, x plan.Expr, elems []parser.IndirectionElem) plan.Expr {
	sub := &plan.Subscript{Arg: x, Typ: datum.T(datum.OIDJSONB)}
	for i := range elems {
		e := elems[i].Lower
		if e == nil {
			e = elems[i].Upper
		}
		if elems[i].Kind == parser.IndirSlice {
			b.fail(elems[i].Pos, failure.DatatypeMismatch, "jsonb subscript does not support slices")
		}
		k := b.expr(s, e)
		switch {
		case k.Type().OID == datum.OIDUnknown:
			k = b.resolveUnknown(k)
		case b.facts.CanCoerce(k.Type().OID, datum.OIDInt4, builtin.CastImplicit):
			k = b.coerceArg(k, datum.OIDInt4, start(e))
		case b.facts.CanCoerce(k.Type().OID, datum.OIDText, builtin.CastImplicit):
			k = b.coerceArg(k, datum.OIDText, start(e))
		default:
			b.throw(start(e), failure.New(failure.DatatypeMismatch, "subscript type %s is not supported",
				b.facts.TypeName(k.Type().OID)).
				WithHint("jsonb subscript must be coercible to either integer or text."))
		}
		sub.Upper = append(sub.Upper, k)
	}
	return sub
}

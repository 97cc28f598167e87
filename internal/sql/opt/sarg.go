package opt

import (
	"sync"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// sargOp is what a condition says about a column, in terms that an index understands.
type sargOp uint8

const (
	sargEq sargOp = iota
	sargLt
	sargLe
	sargGt
	sargGe
	sargIn      // any of vals
	sargArray   // any element of vals[0]
	sargNull    // IS NULL
	sargNotNull // IS NOT NULL
	sargPrefix  // starts with vals[0]
	sargNe      // only for selectivity
)

// sarg is a condition on one column (or indexed expression) of a table against values that do not depend on the row.
type sarg struct {
	op      sargOp
	ordinal int       // in Table.Columns, -1 for an expression
	expr    plan.Expr // the expression, when ordinal is -1
	vals    []plan.Expr
	cond    int // which of the conditions it comes from
	exact   bool
}

// comparison tells which of the btree comparisons a function is.
func comparison(fn *builtin.Func) (sargOp, bool) {
	op, ok := comparisons()[fn.OID]
	return op, ok
}

var comparisons = sync.OnceValue(func() map[datum.OID]sargOp {
	f := builtin.Load()
	out := make(map[datum.OID]sargOp, 512)
	for _, op := range f.Operators() {
		if op.Func == nil {
			continue
		}
		for _, r := range f.BtreeRoles(op.OID) {
			// Pattern operator families order texts in another way that is the same for us: bytes.
			out[op.Func.OID] = [...]sargOp{1: sargLt, 2: sargLe, 3: sargEq, 4: sargGe, 5: sargGt}[r.Strategy]
		}
		if op.Name == "<>" {
			out[op.Func.OID] = sargNe
		}
	}
	return out
})

// OIDs of pattern functions.
const (
	oidTextLike   datum.OID = 850
	oidStartsWith datum.OID = 3696
)

// sargs finds what the conditions say about the columns of a scan. exprs are indexed expressions to look for.
func (p *planner) sargs(s *plan.RelScan, conds []plan.Expr, exprs []plan.Expr) []sarg {
	out := make([]sarg, 0, len(conds))
	m := &matcher{p: p, s: s, exprs: exprs}
	for i, c := range conds {
		n := len(out)
		out = m.match(out, c)
		for j := n; j < len(out); j++ {
			out[j].cond = i
		}
	}
	return out
}

type matcher struct {
	p     *planner
	s     *plan.RelScan
	exprs []plan.Expr
}

// column recognises a column of the scan, through casts that change nothing but the type's name.
func (m *matcher) column(e plan.Expr) (ordinal int, expr plan.Expr, ok bool) {
	for _, x := range m.exprs {
		if plan.Equal(x, e) || plan.Equal(x, stripRelabel(e)) {
			return -1, x, true
		}
	}
	e = stripRelabel(e)
	v, isVar := e.(*plan.Var)
	if !isVar {
		return 0, nil, false
	}
	i := int(m.p.id(v.ID) - m.s.Base)
	if i < 0 || i >= len(m.s.Table.Columns) {
		return 0, nil, false
	}
	return i, e, true
}

func stripRelabel(e plan.Expr) plan.Expr {
	for {
		c, ok := e.(*plan.Cast)
		if !ok || c.Kind != plan.CastRelabel {
			return e
		}
		e = c.Arg
	}
}

// fixed says whether an expression has one value for the whole scan.
func (m *matcher) fixed(e plan.Expr) bool {
	switch e.(type) {
	case *plan.Const, *plan.Param:
		return true
	}
	if volatileExpr(e) {
		return false
	}
	var mine colSet
	addRange(&mine, m.s.Base, len(m.s.Table.Columns))
	return !m.p.cols(e).intersects(mine)
}

func (m *matcher) typeOf(ordinal int, expr plan.Expr) datum.Type {
	if ordinal >= 0 {
		return m.s.Table.Columns[ordinal].Type
	}
	return expr.Type()
}

// comparable says whether values of an expression's type can be put in the place of a column's in its key.
func (m *matcher) comparable(col datum.Type, val datum.OID) bool {
	f := m.p.facts
	a, b := f.BaseType(col.OID), f.BaseType(val)
	if datum.KindOf(a) != datum.KindOf(b) {
		return false
	}
	if a == datum.OIDFloat4 && b == datum.OIDFloat8 {
		return true
	}
	return true
}

func (m *matcher) match(out []sarg, c plan.Expr) []sarg {
	add := func(op sargOp, ordinal int, expr plan.Expr, exact bool, vals ...plan.Expr) []sarg {
		return append(out, sarg{op: op, ordinal: ordinal, expr: expr, vals: vals, exact: exact})
	}
	switch x := c.(type) {
	case *plan.FuncCall:
		return m.matchCall(out, x)
	case *plan.InList:
		if o, e, ok := m.column(x.Arg); ok && !x.Not && m.comparable(m.typeOf(o, e), x.Arg.Type().OID) {
			vals := make([]plan.Expr, len(x.Vals))
			for i, v := range x.Vals {
				vals[i] = &plan.Const{Val: v, Typ: x.Arg.Type()}
			}
			return add(sargIn, o, e, true, vals...)
		}
	case *plan.ScalarArrayOp:
		if op, ok := comparison(x.Fn); !ok || op != sargEq || x.All || x.Op != "=" {
			return out
		}
		o, e, ok := m.column(x.Left)
		if !ok || !m.fixed(x.Array) || !m.comparable(m.typeOf(o, e), m.p.facts.BaseElementType(x.Array.Type().OID)) {
			return out
		}
		if arr, isCtor := x.Array.(*plan.ArrayCtor); isCtor && !arr.Nested {
			return add(sargIn, o, e, true, arr.Elems...)
		}
		return add(sargArray, o, e, true, x.Array)
	case *plan.IsNull:
		if o, e, ok := m.column(x.Arg); ok && !x.Row {
			if x.Not {
				return add(sargNotNull, o, e, true)
			}
			return add(sargNull, o, e, true)
		}
	case *plan.Var, *plan.Not:
		return m.matchBool(out, c)
	case *plan.BoolTest:
		if x.Kind == plan.IsTrue && !x.Not {
			return m.matchBool(out, x.Arg)
		}
	case *plan.RowCompare:
		return m.matchRow(out, x)
	}
	return out
}

// matchBool reads a Boolean column as column = true.
func (m *matcher) matchBool(out []sarg, c plan.Expr) []sarg {
	want := true
	if n, ok := c.(*plan.Not); ok {
		c, want = n.Arg, false
	}
	if o, e, ok := m.column(c); ok && c.Type().OID == datum.OIDBool {
		return append(out, sarg{op: sargEq, ordinal: o, expr: e, vals: []plan.Expr{boolConst(want)}, exact: true})
	}
	return out
}

var flipped = [...]sargOp{sargEq: sargEq, sargLt: sargGt, sargLe: sargGe, sargGt: sargLt, sargGe: sargLe, sargNe: sargNe}

func (m *matcher) matchCall(out []sarg, x *plan.FuncCall) []sarg {
	if len(x.Args) != 2 {
		return out
	}
	if x.Fn.OID == oidTextLike || x.Fn.OID == oidStartsWith {
		return m.matchPattern(out, x)
	}
	op, ok := comparison(x.Fn)
	if !ok {
		return out
	}
	col, val := x.Args[0], x.Args[1]
	o, e, ok := m.column(col)
	if !ok || !m.fixed(val) {
		col, val = val, col
		if o, e, ok = m.column(col); !ok || !m.fixed(val) {
			return out
		}
		op = flipped[op]
	}
	if !m.comparable(m.typeOf(o, e), val.Type().OID) {
		return out
	}
	return append(out, sarg{op: op, ordinal: o, expr: e, vals: []plan.Expr{val}, exact: true})
}

// matchPattern takes the fixed beginning out of LIKE 'abc%' and starts_with.
func (m *matcher) matchPattern(out []sarg, x *plan.FuncCall) []sarg {
	o, e, ok := m.column(x.Args[0])
	if !ok || datum.KindOf(m.typeOf(o, e).OID) != datum.KindText || m.p.facts.BaseType(m.typeOf(o, e).OID) == datum.OIDBpchar {
		return out
	}
	if x.Fn.OID == oidStartsWith {
		if m.fixed(x.Args[1]) {
			return append(out, sarg{op: sargPrefix, ordinal: o, expr: e, vals: x.Args[1:], exact: true})
		}
		return out
	}
	c, ok := x.Args[1].(*plan.Const)
	if !ok || c.Val.IsNull() {
		return out
	}
	prefix, rest := likePrefix(c.Val.Text())
	text := &plan.Const{Val: datum.NewText(prefix), Typ: datum.T(datum.OIDText)}
	switch {
	case rest == "":
		return append(out, sarg{op: sargEq, ordinal: o, expr: e, vals: []plan.Expr{text}, exact: true})
	case prefix == "":
		return out
	}
	return append(out, sarg{op: sargPrefix, ordinal: o, expr: e, vals: []plan.Expr{text}, exact: rest == "%"})
}

// likePrefix splits a LIKE pattern into the text it starts with and the rest from the first wildcard on.
func likePrefix(pattern string) (prefix, rest string) {
	b := make([]byte, 0, len(pattern))
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '%', '_':
			return string(b), pattern[i:]
		case '\\':
			i++
			if i == len(pattern) {
				return string(b), "\\"
			}
		}
		b = append(b, pattern[i])
	}
	return string(b), ""
}

// matchRow takes a range on the first column out of (a, b) > (x, y).
func (m *matcher) matchRow(out []sarg, x *plan.RowCompare) []sarg {
	o, e, ok := m.column(x.Left[0])
	if !ok || !m.fixed(x.Right[0]) || !m.comparable(m.typeOf(o, e), x.Right[0].Type().OID) {
		return out
	}
	op := sargGe
	if x.Kind == plan.RowLT || x.Kind == plan.RowLE {
		op = sargLe
	}
	return append(out, sarg{op: op, ordinal: o, expr: e, vals: x.Right[:1]})
}

// keyOrdinal is the position in Table.Columns of a key column, -1 for an expression.
func keyOrdinal(t *catalog.Table, k catalog.IndexColumn) int {
	if k.Column == 0 {
		return -1
	}
	_, i := t.ColumnByID(k.Column)
	return i
}

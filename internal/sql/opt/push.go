package opt

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/pushdown"
	"github.com/meridiandb/meridian/internal/row"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// pusher makes push-down programs for the entries of one index.
type pusher struct {
	p      *planner
	m      *matcher
	table  *catalog.Table
	index  *catalog.Index
	rows   bool // the index is the row store
	push   *plan.Push
	slots  map[int]int // ordinal to position in push.Columns
	static bool
}

// pushable says whether storage compares values of a type as SQL does.
func pushable(t datum.OID) bool {
	switch datum.KindOf(t) {
	case datum.KindBool, datum.KindInt, datum.KindFloat, datum.KindBytes, datum.KindUUID, datum.KindNumeric, datum.KindDate,
		datum.KindTime, datum.KindTimestamp, datum.KindTimestampTZ, datum.KindInterval:
		return true
	case datum.KindText:
		return t == datum.OIDText || t == datum.OIDVarchar || t == datum.OIDBpchar
	}
	return false
}

// pushConds splits conditions into a program and the rest.
func (p *planner) pushConds(s *plan.RelScan, x *catalog.Index, conds []plan.Expr) (push *plan.Push, pushed, rest []plan.Expr) {
	if len(conds) == 0 {
		return nil, nil, nil
	}
	u := &pusher{p: p, m: &matcher{p: p, s: s}, table: s.Table, index: x, rows: x == s.Table.RowStore(), static: true,
		push: &plan.Push{}, slots: make(map[int]int, 4)}
	var parts []*plan.PushExpr
	for _, c := range conds {
		if e := u.expr(c); e != nil {
			parts, pushed = append(parts, e), append(pushed, c)
		} else {
			rest = append(rest, c)
		}
	}
	if len(parts) == 0 {
		return nil, nil, rest
	}
	u.push.Filter = parts[0]
	if len(parts) > 1 {
		u.push.Filter = &plan.PushExpr{Op: pushdown.OpAnd, Args: parts}
	}
	if u.static {
		pr, err := u.push.Program(func(e plan.Expr) (datum.Datum, error) { return e.(*plan.Const).Val, nil })
		if err == nil {
			u.push.Static = pr
		}
	}
	return u.push, pushed, rest
}

// expr translates a condition, or returns nil. Columns that a failed attempt has added do no harm.
func (u *pusher) expr(e plan.Expr) *plan.PushExpr {
	switch x := e.(type) {
	case *plan.And:
		return u.list(pushdown.OpAnd, x.Args)
	case *plan.Or:
		return u.list(pushdown.OpOr, x.Args)
	case *plan.Not:
		return u.list(pushdown.OpNot, []plan.Expr{x.Arg})
	case *plan.IsNull:
		if c := u.column(x.Arg); c != nil && !x.Row {
			op := pushdown.OpIsNull
			if x.Not {
				op = pushdown.OpIsNotNull
			}
			return &plan.PushExpr{Op: op, Args: []*plan.PushExpr{c}}
		}
	case *plan.Var:
		if c := u.column(x); c != nil && x.Typ.OID == datum.OIDBool {
			return &plan.PushExpr{Op: pushdown.OpEq, Args: []*plan.PushExpr{c, u.constant(boolConst(true))}}
		}
	case *plan.InList:
		return u.inList(x)
	case *plan.FuncCall:
		return u.call(x)
	}
	return nil
}

func (u *pusher) list(op pushdown.Op, args []plan.Expr) *plan.PushExpr {
	out := &plan.PushExpr{Op: op}
	for _, a := range args {
		x := u.expr(a)
		if x == nil {
			return nil
		}
		out.Args = append(out.Args, x)
	}
	return out
}

func (u *pusher) inList(x *plan.InList) *plan.PushExpr {
	c := u.column(x.Arg)
	if c == nil {
		return nil
	}
	in := &plan.PushExpr{Op: pushdown.OpIn, Args: []*plan.PushExpr{c}}
	for _, v := range x.Vals {
		in.Args = append(in.Args, u.constant(&plan.Const{Val: v, Typ: x.Arg.Type()}))
	}
	if x.HasNull {
		in.Args = append(in.Args, u.constant(&plan.Const{Typ: x.Arg.Type()}))
	}
	if x.Not {
		return &plan.PushExpr{Op: pushdown.OpNot, Args: []*plan.PushExpr{in}}
	}
	return in
}

var pushOps = [...]pushdown.Op{sargEq: pushdown.OpEq, sargLt: pushdown.OpLt, sargLe: pushdown.OpLe, sargGt: pushdown.OpGt,
	sargGe: pushdown.OpGe, sargNe: pushdown.OpNe}

func (u *pusher) call(x *plan.FuncCall) *plan.PushExpr {
	if len(x.Args) != 2 {
		return nil
	}
	if x.Fn.OID == oidTextLike || x.Fn.OID == oidStartsWith {
		return u.prefix(x)
	}
	op, ok := comparison(x.Fn)
	if !ok {
		return nil
	}
	a, b := x.Args[0].Type().OID, x.Args[1].Type().OID
	if datum.KindOf(u.p.facts.BaseType(a)) != datum.KindOf(u.p.facts.BaseType(b)) {
		return nil
	}
	if op > sargGe && op != sargNe {
		return nil
	}
	l, r := u.operand(x.Args[0]), u.operand(x.Args[1])
	if l == nil || r == nil {
		return nil
	}
	return &plan.PushExpr{Op: pushOps[op], Args: []*plan.PushExpr{l, r}}
}

// prefix translates LIKE 'abc%'.
func (u *pusher) prefix(x *plan.FuncCall) *plan.PushExpr {
	c := u.column(x.Args[0])
	k, ok := x.Args[1].(*plan.Const)
	if c == nil || !ok || k.Val.IsNull() || u.push.Columns[c.Arg].Type.OID == datum.OIDBpchar {
		return nil
	}
	prefix, rest := k.Val.Text(), "%"
	if x.Fn.OID == oidTextLike {
		prefix, rest = likePrefix(prefix)
	}
	if rest != "%" {
		return nil
	}
	text := &plan.Const{Val: datum.NewText(prefix), Typ: datum.T(datum.OIDText)}
	return &plan.PushExpr{Op: pushdown.OpLikePrefix, Args: []*plan.PushExpr{c, u.constant(text)}}
}

func (u *pusher) operand(e plan.Expr) *plan.PushExpr {
	if c := u.column(e); c != nil {
		return c
	}
	if !u.m.fixed(e) || hasSubquery(e) || !pushable(u.p.facts.BaseType(e.Type().OID)) {
		return nil
	}
	return u.constant(e)
}

func (u *pusher) constant(e plan.Expr) *plan.PushExpr {
	low := u.p.lower(e, nil)
	if _, ok := low.(*plan.Const); !ok {
		u.static = false
	}
	return &plan.PushExpr{Op: pushdown.OpConst, Value: low}
}

// column translates a column that the entries of the index hold.
func (u *pusher) column(e plan.Expr) *plan.PushExpr {
	o, _, ok := u.m.column(e)
	if !ok || o < 0 {
		return nil
	}
	c := u.table.Columns[o]
	if c.Dropped || !pushable(u.p.facts.BaseType(c.Type.OID)) {
		return nil
	}
	if e.Type().OID != c.Type.OID && c.Type.OID == datum.OIDBpchar {
		return nil
	}
	at, ok := u.slots[o]
	if !ok {
		col, ok := u.place(o, c)
		if !ok {
			return nil
		}
		at = len(u.push.Columns)
		u.push.Columns = append(u.push.Columns, col)
		u.slots[o] = at
	}
	return &plan.PushExpr{Op: pushdown.OpColumn, Arg: at}
}

// place says where a column is in an entry.
func (u *pusher) place(o int, c *catalog.Column) (pushdown.Column, bool) {
	out := pushdown.Column{Type: c.Stored(), KeyPos: -1, ID: c.ID, Missing: c.Missing}
	inKey := false
	for i, k := range u.index.Key {
		if k.Column != c.ID {
			continue
		}
		inKey = true
		if row.KeyLossless(c.Type) {
			u.keyColumns(i + 1)
			out.KeyPos = i
			return out, true
		}
	}
	if u.rows || inKey {
		return out, true
	}
	for _, id := range u.index.Include {
		if id == c.ID {
			return out, true
		}
	}
	return out, false
}

func (u *pusher) keyColumns(n int) {
	for i := len(u.push.KeyColumns); i < n; i++ {
		k := u.index.Key[i]
		u.push.KeyColumns = append(u.push.KeyColumns, pushdown.KeyColumn{Type: k.Type, Desc: k.Desc})
	}
}

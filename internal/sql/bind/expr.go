package bind

import (
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// expr binds a value expression. Its type may be unknown (a literal or parameter that nothing has decided yet).
func (b *binder) expr(s *scope, e parser.Expr) plan.Expr {
	switch e := e.(type) {
	case *parser.ColumnRef:
		if s.kind == PlaceDefault {
			b.fail(e.Pos, failure.FeatureNotSupported, "cannot use column reference in DEFAULT expression")
		}
		return b.columnRef(s, e)
	case *parser.Const:
		return b.constant(e)
	case *parser.ParamRef:
		if arg := b.functionArg(s, e.Number); arg != nil {
			return arg
		}
		return b.param(e)
	case *parser.OpExpr:
		return b.opExpr(s, e)
	case *parser.BoolExpr:
		return b.boolExpr(s, e)
	case *parser.FuncCall:
		return b.funcCall(s, e)
	case *parser.TypeCast:
		return b.typeCast(s, e)
	case *parser.InExpr:
		return b.inExpr(s, e)
	case *parser.NullTest:
		arg := b.expr(s, e.Arg)
		_, isRow := arg.(*plan.Row)
		return &plan.IsNull{Arg: arg, Not: e.Not, Row: isRow || b.isRowType(arg.Type().OID)}
	case *parser.SubLink:
		return b.subLink(s, e)
	case *parser.CaseExpr:
		return b.caseExpr(s, e)
	case *parser.CoalesceExpr:
		args, pos := b.exprList(s, e.Args)
		t := b.commonType("COALESCE", args, pos)
		return &plan.Coalesce{Args: args, Typ: datum.Type{OID: t, Mod: commonMod(args, t)}}
	case *parser.BetweenExpr:
		return b.between(s, e)
	case *parser.LikeExpr:
		return b.like(s, e)
	default:
		return b.rareExpr(s, e)
	}
}

func (b *binder) rareExpr(s *scope, e parser.Expr) plan.Expr {
	switch e := e.(type) {
	case *parser.AnyAllExpr:
		return b.anyAll(s, e.Op, b.expr(s, e.Left), b.expr(s, e.Right), e.All, e.Pos)
	case *parser.DistinctExpr:
		return b.distinct(s, b.expr(s, e.Left), b.expr(s, e.Right), e.Not, e.Pos)
	case *parser.NullIfExpr:
		return b.nullIf(s, e)
	case *parser.BooleanTest:
		arg := b.coerceBool(b.expr(s, e.Arg), boolTestName(e), start(e.Arg))
		return &plan.BoolTest{Arg: arg, Not: e.Not, Kind: plan.BoolTestKind(e.Kind)}
	case *parser.CollateExpr:
		arg := b.expr(s, e.Arg)
		b.collation(e.Collation, arg.Type().OID, e.Pos)
		return b.resolveUnknown(arg)
	case *parser.MinMaxExpr:
		name := "GREATEST"
		if e.Least {
			name = "LEAST"
		}
		args, pos := b.exprList(s, e.Args)
		t := b.commonType(name, args, pos)
		b.needOrder(t, e.Pos)
		return &plan.MinMax{Least: e.Least, Args: args, Typ: datum.Type{OID: t, Mod: commonMod(args, t)}}
	case *parser.ArrayExpr:
		return b.array(s, e, 0)
	case *parser.RowExpr:
		args, _ := b.rowArgs(s, e.Args)
		names := make([]string, len(args))
		for i := range args {
			names[i] = "f" + strconv.Itoa(i+1)
		}
		return &plan.Row{Args: args, Names: names, Typ: datum.T(datum.OIDRecord)}
	case *parser.Indirection:
		return b.indirection(s, e)
	case *parser.SQLValueFunction:
		return sqlValue(e)
	case *parser.GroupingFunc:
		return b.grouping(s, e)
	case *parser.SetToDefault:
		b.fail(e.Pos, failure.SyntaxError, "DEFAULT is not allowed in this context")
	case *parser.CurrentOf:
		b.notSupported(e.Pos, "WHERE CURRENT OF")
	case *parser.XMLExpr:
		b.notSupported(e.Pos, "XML functions")
	case *parser.NamedArgExpr:
		return b.expr(s, e.Arg)
	}
	b.notSupported(start(e), "this kind of expression (%T)", e)
	return nil
}

func (b *binder) exprList(s *scope, list []parser.Expr) ([]plan.Expr, []int) {
	out, pos := make([]plan.Expr, len(list)), make([]int, len(list))
	for i, e := range list {
		out[i], pos[i] = b.expr(s, e), start(e)
	}
	return out, pos
}

func boolTestName(e *parser.BooleanTest) string {
	name := "IS "
	if e.Not {
		name += "NOT "
	}
	return name + [...]string{"TRUE", "FALSE", "UNKNOWN"}[e.Kind]
}

func (b *binder) isRowType(oid datum.OID) bool { return oid == datum.OIDRecord || b.isComposite(oid) }

func (b *binder) constant(c *parser.Const) plan.Expr {
	switch c.Kind {
	case parser.ConstInteger:
		return &plan.Const{Val: datum.NewInt(int64(c.Int)), Typ: datum.T(datum.OIDInt4)}
	case parser.ConstBoolean:
		return &plan.Const{Val: datum.NewBool(c.Bool), Typ: datum.T(datum.OIDBool)}
	case parser.ConstString:
		return &plan.Const{Val: datum.NewText(c.Str), Typ: datum.T(datum.OIDUnknown), Pos: int32(max(c.Pos, 0))}
	case parser.ConstFloat:
		if n, err := strconv.ParseInt(c.Str, 10, 64); err == nil {
			if n == math.MinInt32 { // its sign makes it fit
				return &plan.Const{Val: datum.NewInt(n), Typ: datum.T(datum.OIDInt4)}
			}
			return &plan.Const{Val: datum.NewInt(n), Typ: datum.T(datum.OIDInt8)}
		}
		d, _, err := apd.NewFromString(c.Str)
		if err != nil {
			b.fail(c.Pos, failure.SyntaxError, "invalid input syntax for type numeric: \"%s\"", c.Str)
		}
		if d.Exponent > 0 {
			// A numeric keeps its digits before the point: 1e3 has scale 0.
			_, err = apd.BaseContext.WithPrecision(100000).Quantize(d, d, 0)
			if err != nil {
				b.fail(c.Pos, failure.NumericValueOutOfRange, "value overflows numeric format")
			}
		}
		return &plan.Const{Val: datum.NewNumeric(d), Typ: datum.T(datum.OIDNumeric)}
	case parser.ConstBitString:
		if b.env.Input == nil {
			b.notSupported(c.Pos, "bit strings here")
		}
		v, err := b.env.Input(datum.T(datum.OIDVarbit), c.Str)
		b.must(c.Pos, err)
		return &plan.Const{Val: v, Typ: datum.T(datum.OIDBit)}
	}
	return &plan.Const{Typ: datum.T(datum.OIDUnknown)}
}

func (b *binder) typeCast(s *scope, e *parser.TypeCast) plan.Expr {
	to := b.typeName(e.Type)
	// ARRAY[…]::type[] takes its elements' type from the cast.
	if arr, ok := e.Arg.(*parser.ArrayExpr); ok {
		if el := b.facts.BaseElementType(to.OID); el != 0 {
			return b.cast(b.array(s, arr, to.OID), to, e.Pos)
		}
	}
	arg := b.expr(s, e.Arg)
	pos := start(e.Arg)
	if arg.Type().OID != datum.OIDUnknown || pos < 0 {
		pos = e.Pos
	}
	return b.cast(arg, to, pos)
}

func (b *binder) boolExpr(s *scope, e *parser.BoolExpr) plan.Expr {
	name := [...]string{parser.BoolAnd: "AND", parser.BoolOr: "OR", parser.BoolNot: "NOT"}[e.Op]
	args := make([]plan.Expr, len(e.Args))
	for i, a := range e.Args {
		args[i] = b.coerceBool(b.expr(s, a), name, start(a))
	}
	switch e.Op {
	case parser.BoolAnd:
		return &plan.And{Args: args}
	case parser.BoolOr:
		return &plan.Or{Args: args}
	}
	return &plan.Not{Arg: args[0]}
}

func (b *binder) opExpr(s *scope, e *parser.OpExpr) plan.Expr {
	schema := ""
	if len(e.Schema) > 0 {
		schema = e.Schema[len(e.Schema)-1]
	}
	if e.Left == nil {
		return b.op(schema, e.Op, nil, b.expr(s, e.Right), e.Pos)
	}
	lrow, lok := e.Left.(*parser.RowExpr)
	rrow, rok := e.Right.(*parser.RowExpr)
	if lok && rok {
		l, _ := b.rowArgs(s, lrow.Args)
		r, _ := b.rowArgs(s, rrow.Args)
		return b.rowCompare(e.Op, l, r, e.Pos)
	}
	if link, ok := e.Right.(*parser.SubLink); ok && lok && link.Kind == parser.SubLinkScalar {
		return b.rowSubLink(s, lrow, e.Op, link, e.Pos)
	}
	return b.op(schema, e.Op, b.expr(s, e.Left), b.expr(s, e.Right), e.Pos)
}

// op makes an operator call.
func (b *binder) op(schema, name string, left, right plan.Expr, pos int) plan.Expr {
	var lt datum.OID
	if left != nil {
		lt = left.Type().OID
	}
	r, err := b.facts.ResolveOperator(schema, name, lt, right.Type().OID)
	b.must(pos, err)
	if left == nil {
		return b.opCall(r, pos, b.coerceArg(right, r.Right, pos))
	}
	l := b.coerceArg(left, r.Left, pos)
	return b.opCall(r, pos, l, b.coerceArg(right, r.Right, pos))
}

func (b *binder) opCall(r builtin.ResolvedOp, pos int, args ...plan.Expr) plan.Expr {
	if r.Op.Func == nil {
		b.fail(pos, failure.UndefinedFunction, "operator is only a shell: %s", r.Op.Name)
	}
	if c, ok := negated(r, args); ok {
		return c
	}
	return &plan.FuncCall{Fn: r.Op.Func, Args: args, Typ: datum.T(r.Ret), Op: r.Op.Name}
}

// negated folds the minus sign of a number: -1 is a constant.
func negated(r builtin.ResolvedOp, args []plan.Expr) (plan.Expr, bool) {
	if r.Op.Name != "-" || len(args) != 1 {
		return nil, false
	}
	c, ok := args[0].(*plan.Const)
	if !ok || c.Val.IsNull() {
		return nil, false
	}
	switch c.Typ.OID {
	case datum.OIDInt4, datum.OIDInt8:
		return &plan.Const{Val: datum.NewInt(-c.Val.Int()), Typ: c.Typ}, true
	case datum.OIDNumeric:
		d := new(apd.Decimal).Set(c.Val.Numeric())
		d.Negative = !d.Negative && !d.IsZero()
		return &plan.Const{Val: datum.NewNumeric(d), Typ: c.Typ}, true
	}
	return nil, false
}

// inExpr binds x IN (list): x = ANY (array) of what needs no row, and OR of equalities for the rest.
func (b *binder) inExpr(s *scope, e *parser.InExpr) plan.Expr {
	lrow, isRow := e.Left.(*parser.RowExpr)
	var left plan.Expr
	var row []plan.Expr
	if isRow {
		row, _ = b.rowArgs(s, lrow.Args)
	} else {
		left = b.expr(s, e.Left)
	}
	op := "="
	if e.Not {
		op = "<>"
	}
	var simple, rest []plan.Expr
	var spos []int
	for _, item := range e.List {
		if irow, ok := item.(*parser.RowExpr); ok && isRow {
			r, _ := b.rowArgs(s, irow.Args)
			rest = append(rest, b.rowCompare(op, row, r, e.Pos))
			continue
		}
		x := b.expr(s, item)
		if isRow {
			rest = append(rest, b.op("", op, &plan.Row{Args: row, Typ: datum.T(datum.OIDRecord)}, x, e.Pos))
			continue
		}
		if hasVars(x) {
			rest = append(rest, b.op("", op, left, x, e.Pos))
			continue
		}
		simple, spos = append(simple, x), append(spos, start(item))
	}
	if arr := b.inArray(left, simple, spos, op, e); arr != nil {
		rest = append([]plan.Expr{arr}, rest...)
	} else {
		for _, x := range simple {
			rest = append(rest, b.op("", op, left, x, e.Pos))
		}
	}
	if len(rest) == 1 {
		return rest[0]
	}
	if e.Not {
		return &plan.And{Args: rest}
	}
	return &plan.Or{Args: rest}
}

// inArray makes left = ANY (ARRAY[…]) of two or more items when they have a common type with left.
func (b *binder) inArray(left plan.Expr, items []plan.Expr, pos []int, op string, e *parser.InExpr) plan.Expr {
	if len(items) < 2 {
		return nil
	}
	types := []datum.OID{left.Type().OID}
	for _, x := range items {
		types = append(types, x.Type().OID)
	}
	t, _, err := b.facts.SelectCommonType("IN", types)
	if err != nil {
		return nil
	}
	arr := b.facts.ArrayType(t)
	if t == datum.OIDRecord || arr == 0 {
		return nil
	}
	elems := make([]plan.Expr, len(items))
	for i, x := range items {
		elems[i] = b.toCommon("IN", x, t, pos[i])
	}
	return b.anyAll(nil, op, left, &plan.ArrayCtor{Elems: elems, Typ: datum.T(arr), Elem: datum.T(t)}, e.Not, e.Pos)
}

// anyAll binds left op ANY (array) and ALL.
func (b *binder) anyAll(_ *scope, name string, left, right plan.Expr, all bool, pos int) plan.Expr {
	el := datum.OID(datum.OIDUnknown)
	rt := right.Type().OID
	if rt != datum.OIDUnknown {
		if el = b.facts.BaseElementType(rt); el == 0 {
			b.fail(pos, failure.WrongObjectType, "op ANY/ALL (array) requires array on right side")
		}
	}
	r, err := b.facts.ResolveOperator("", name, left.Type().OID, el)
	b.must(pos, err)
	if r.Ret != datum.OIDBool {
		b.fail(pos, failure.WrongObjectType, "op ANY/ALL (array) requires operator to yield boolean")
	}
	if r.Op.Func.RetSet {
		b.fail(pos, failure.WrongObjectType, "op ANY/ALL (array) requires operator not to return a set")
	}
	arr := b.facts.ArrayType(r.Right)
	if arr == 0 {
		b.fail(pos, failure.UndefinedObject, "could not find array type for data type %s", b.facts.TypeName(r.Right))
	}
	return &plan.ScalarArrayOp{Fn: r.Op.Func, Op: r.Op.Name, All: all, Left: b.coerceArg(left, r.Left, pos),
		Array: b.coerceArg(right, arr, pos)}
}

func (b *binder) distinct(_ *scope, left, right plan.Expr, not bool, pos int) plan.Expr {
	lr, lok := left.(*plan.Row)
	rr, rok := right.(*plan.Row)
	if lok && rok && len(lr.Args) == len(rr.Args) {
		args := make([]plan.Expr, len(lr.Args))
		for i := range args {
			args[i] = b.distinct(nil, lr.Args[i], rr.Args[i], not, pos)
		}
		if not {
			return &plan.And{Args: args}
		}
		return &plan.Or{Args: args}
	}
	// IS DISTINCT FROM NULL is a null test.
	if isNullConst(right) {
		return &plan.IsNull{Arg: b.resolveUnknown(left), Not: !not, Row: false}
	}
	if isNullConst(left) {
		return &plan.IsNull{Arg: b.resolveUnknown(right), Not: !not, Row: false}
	}
	x := b.op("", "=", left, right, pos).(*plan.FuncCall)
	if x.Typ.OID != datum.OIDBool {
		b.fail(pos, failure.DatatypeMismatch, "IS DISTINCT FROM requires = operator to yield boolean")
	}
	return &plan.IsDistinct{Left: x.Args[0], Right: x.Args[1], Not: not, Eq: x.Fn}
}

func isNullConst(e plan.Expr) bool {
	c, ok := e.(*plan.Const)
	return ok && c.Val.IsNull()
}

func (b *binder) nullIf(s *scope, e *parser.NullIfExpr) plan.Expr {
	l := b.expr(s, e.Left)
	x := b.op("", "=", l, b.expr(s, e.Right), e.Pos).(*plan.FuncCall)
	// The result is the first argument as the comparison takes it, as PostgreSQL has it: nullif(1, 1.0) is numeric.
	l = x.Args[0]
	return &plan.NullIf{Left: l, EqLeft: x.Args[0], EqRight: x.Args[1], Eq: x.Fn, Typ: l.Type()}
}

func (b *binder) caseExpr(s *scope, e *parser.CaseExpr) plan.Expr {
	c := &plan.Case{}
	had := s.q != nil && s.q.hasSet
	var arg *plan.CaseArg
	if e.Arg != nil {
		c.Arg = b.resolveUnknown(b.expr(s, e.Arg))
		arg = &plan.CaseArg{Typ: c.Arg.Type()}
	}
	var results []plan.Expr
	var pos []int
	for _, w := range e.Whens {
		var cond plan.Expr
		if arg != nil {
			cond = b.op("", "=", arg, b.expr(s, w.Cond), w.Pos)
		} else {
			cond = b.expr(s, w.Cond)
		}
		cond = b.coerceBool(cond, "CASE/WHEN", start(w.Cond))
		c.Whens = append(c.Whens, plan.When{Cond: cond})
		results, pos = append(results, b.expr(s, w.Result)), append(pos, start(w.Result))
	}
	// The ELSE counts first in choosing the type, as in PostgreSQL.
	all, allPos := results, pos
	if e.Else != nil {
		all = append([]plan.Expr{b.expr(s, e.Else)}, results...)
		allPos = append([]int{start(e.Else)}, pos...)
	} else {
		all = append([]plan.Expr{&plan.Const{Typ: datum.T(datum.OIDUnknown)}}, results...)
		allPos = append([]int{e.Pos}, pos...)
	}
	t := b.commonType("CASE", all, allPos)
	if s.q != nil && s.q.hasSet && !had {
		b.throw(s.q.setPos, failure.New(failure.FeatureNotSupported, "set-returning functions are not allowed in %s", "CASE").
			WithHint("You might be able to move the set-returning function into a LATERAL FROM item."))
	}
	if e.Else != nil {
		c.Else = all[0]
	}
	for i := range c.Whens {
		c.Whens[i].Result = all[i+1]
	}
	c.Typ = datum.Type{OID: t, Mod: -1}
	if e.Else != nil {
		c.Typ.Mod = commonMod(all, t)
	}
	return c
}

func (b *binder) between(s *scope, e *parser.BetweenExpr) plan.Expr {
	arg := b.expr(s, e.Arg)
	lo, hi := b.expr(s, e.Low), b.expr(s, e.High)
	inside := func(lo, hi plan.Expr) plan.Expr {
		return &plan.And{Args: []plan.Expr{b.op("", ">=", arg, lo, e.Pos), b.op("", "<=", arg, hi, e.Pos)}}
	}
	outside := func(lo, hi plan.Expr) plan.Expr {
		return &plan.Or{Args: []plan.Expr{b.op("", "<", arg, lo, e.Pos), b.op("", ">", arg, hi, e.Pos)}}
	}
	switch {
	case e.Symmetric && e.Not:
		return &plan.And{Args: []plan.Expr{outside(lo, hi), outside(hi, lo)}}
	case e.Symmetric:
		return &plan.Or{Args: []plan.Expr{inside(lo, hi), inside(hi, lo)}}
	case e.Not:
		return outside(lo, hi)
	}
	return inside(lo, hi)
}

func (b *binder) like(s *scope, e *parser.LikeExpr) plan.Expr {
	left, pattern := b.expr(s, e.Left), b.expr(s, e.Pattern)
	call := func(name string, args ...plan.Expr) plan.Expr {
		return b.callByName(s, []string{"pg_catalog", name}, args, e.Pos)
	}
	op := "~~"
	switch e.Kind {
	case parser.LikeILike:
		op = "~~*"
	case parser.LikeSimilar:
		op = "~"
		if e.Escape != nil {
			pattern = call("similar_to_escape", pattern, b.expr(s, e.Escape))
		} else {
			pattern = call("similar_to_escape", pattern)
		}
	}
	if e.Escape != nil && e.Kind != parser.LikeSimilar {
		pattern = call("like_escape", pattern, b.expr(s, e.Escape))
	}
	if e.Not {
		op = "!" + op
	}
	return b.op("", op, left, pattern, e.Pos)
}

// array binds ARRAY[…]. want is the array type that a cast asks for, or 0.
func (b *binder) array(s *scope, e *parser.ArrayExpr, want datum.OID) plan.Expr {
	elems, pos := make([]plan.Expr, len(e.Elems)), make([]int, len(e.Elems))
	nested := false
	for i, x := range e.Elems {
		pos[i] = start(x)
		if inner, ok := x.(*parser.ArrayExpr); ok {
			elems[i], nested = b.array(s, inner, want), true
			continue
		}
		elems[i] = b.expr(s, x)
		if t := elems[i].Type().OID; b.facts.BaseElementType(t) != 0 && t != datum.OIDInt2Vector && t != datum.OIDOidVector {
			nested = true
		}
	}
	if len(elems) == 0 {
		if want == 0 {
			b.throw(e.Pos, failure.New(failure.IndeterminateDatatype, "cannot determine type of empty array").
				WithHint("Explicitly cast to the desired type, for example ARRAY[]::integer[]."))
		}
		base := b.facts.BaseType(want)
		return &plan.ArrayCtor{Typ: datum.T(base), Elem: datum.T(b.facts.ElementType(base))}
	}
	var t datum.OID
	if want != 0 {
		base := b.facts.BaseType(want)
		t = b.facts.ElementType(base)
		if nested {
			t = base
		}
		for i := range elems {
			elems[i] = b.cast(elems[i], datum.T(t), pos[i])
		}
	} else {
		t = b.commonType("ARRAY", elems, pos)
	}
	if nested {
		return &plan.ArrayCtor{Elems: elems, Nested: true, Typ: datum.T(t), Elem: datum.T(b.facts.BaseElementType(t))}
	}
	arr := b.facts.ArrayType(t)
	if arr == 0 {
		b.fail(e.Pos, failure.UndefinedObject, "could not find array type for data type %s", b.facts.TypeName(t))
	}
	return &plan.ArrayCtor{Elems: elems, Typ: datum.T(arr), Elem: datum.T(t)}
}

func sqlValue(e *parser.SQLValueFunction) plan.Expr {
	mod := int32(-1)
	if e.Precision >= 0 {
		mod = int32(min(e.Precision, 6))
	}
	v := &plan.SQLValue{Kind: plan.SQLValueKind(e.Kind), Typ: datum.T(datum.OIDName)}
	switch e.Kind {
	case parser.SVFCurrentDate:
		v.Typ = datum.T(datum.OIDDate)
	case parser.SVFCurrentTime:
		v.Typ = datum.Type{OID: datum.OIDTimeTZ, Mod: mod}
	case parser.SVFCurrentTimestamp:
		v.Typ = datum.Type{OID: datum.OIDTimestampTZ, Mod: mod}
	case parser.SVFLocaltime:
		v.Typ = datum.Type{OID: datum.OIDTime, Mod: mod}
	case parser.SVFLocaltimestamp:
		v.Typ = datum.Type{OID: datum.OIDTimestamp, Mod: mod}
	}
	return v
}

// hasVars says whether an expression mentions a column of any level.
func hasVars(e plan.Expr) bool {
	return plan.Any(e, func(x plan.Expr) bool {
		switch x.(type) {
		case *plan.Var, *plan.Subquery:
			return true
		}
		return false
	})
}

// returnsSet says whether an expression calls a set-returning function.
func returnsSet(e plan.Expr) bool {
	return plan.Any(e, func(x plan.Expr) bool {
		f, ok := x.(*plan.FuncCall)
		return ok && f.Fn.RetSet
	})
}

// needOrder makes sure that values of a type can be sorted.
func (b *binder) needOrder(t datum.OID, pos int) builtin.SortInfo {
	info, ok := b.facts.Sort(t)
	if !ok || info.Less == nil {
		b.throw(pos, failure.New(failure.UndefinedFunction, "could not identify an ordering operator for type %s",
			b.facts.TypeName(t)).WithHint("Use an explicit ordering operator or modify the query."))
	}
	return info
}

// needEqual makes sure that values of a type can be compared for grouping.
func (b *binder) needEqual(t datum.OID, pos int) builtin.SortInfo {
	info, ok := b.facts.Sort(t)
	if !ok || info.Equal == nil {
		b.fail(pos, failure.UndefinedFunction, "could not identify an equality operator for type %s", b.facts.TypeName(t))
	}
	return info
}

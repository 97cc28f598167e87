package opt

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// fold simplifies an expression: calls of immutable functions on constants, Boolean logic, lists of alternatives. An
// error in a call leaves the call to run time.
func (p *planner) fold(e plan.Expr) plan.Expr {
	switch e.(type) {
	case *plan.Const, *plan.Var, *plan.Param, *plan.Column, *plan.OuterParam:
		return e
	}
	return p.fold1(plan.Rewrite(e, p.fold))
}

func (p *planner) fold1(e plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.FuncCall:
		return p.foldCall(x)
	case *plan.Cast:
		return p.foldCast(x)
	case *plan.Typmod:
		return p.foldTypmod(x)
	case *plan.And:
		return foldAnd(x)
	case *plan.Or:
		return p.foldOr(x)
	case *plan.Not:
		return foldNot(x)
	case *plan.IsNull:
		if c, ok := x.Arg.(*plan.Const); ok && !x.Row {
			return boolConst(c.Val.IsNull() != x.Not)
		}
	case *plan.BoolTest:
		if c, ok := x.Arg.(*plan.Const); ok {
			is := map[plan.BoolTestKind]bool{plan.IsTrue: c.Val.IsTrue(), plan.IsUnknown: c.Val.IsNull(),
				plan.IsFalse: !c.Val.IsNull() && !c.Val.IsTrue()}[x.Kind]
			return boolConst(is != x.Not)
		}
	case *plan.Case:
		return foldCase(x)
	case *plan.Coalesce:
		return foldCoalesce(x)
	case *plan.ArrayCtor:
		return foldArray(x)
	case *plan.ScalarArrayOp:
		return p.foldArrayOp(x)
	}
	return e
}

func boolConst(b bool) *plan.Const {
	return &plan.Const{Val: datum.NewBool(b), Typ: datum.T(datum.OIDBool)}
}

func isConst(e plan.Expr, b bool) bool {
	c, ok := e.(*plan.Const)
	return ok && !c.Val.IsNull() && c.Typ.OID == datum.OIDBool && c.Val.Bool() == b
}

func isNull(e plan.Expr) bool {
	c, ok := e.(*plan.Const)
	return ok && c.Val.IsNull()
}

// constants returns the values of arguments that are all constants.
func constants(args []plan.Expr) ([]datum.Datum, bool) {
	out := make([]datum.Datum, len(args))
	for i, a := range args {
		c, ok := a.(*plan.Const)
		if !ok {
			return nil, false
		}
		out[i] = c.Val
	}
	return out, true
}

func (p *planner) foldCall(x *plan.FuncCall) plan.Expr {
	if x.Fn.RetSet || x.Fn.Kind != 'f' {
		return x
	}
	if x.Fn.Strict && x.Fn.Volatility != 'v' {
		for _, a := range x.Args {
			if isNull(a) {
				return &plan.Const{Typ: x.Typ}
			}
		}
	}
	if x.Fn.Volatility != 'i' {
		return x
	}
	args, ok := constants(x.Args)
	if !ok {
		return x
	}
	if v, ok := p.call(x.Fn, x.Args, args, x.Typ, x.Variadic); ok {
		return &plan.Const{Val: v, Typ: x.Typ}
	}
	return x
}

// call runs an immutable function at planning time.
func (p *planner) call(fn *builtin.Func, exprs []plan.Expr, args []datum.Datum, ret datum.Type, variadic bool) (datum.Datum, bool) {
	if p.set.Context == nil || fn.Volatility != 'i' || fn.RetSet {
		return datum.Null, false
	}
	if fn.Strict {
		for _, a := range args {
			if a.IsNull() {
				return datum.Null, true
			}
		}
	}
	c := &builtin.Call{Facts: p.facts, Func: fn, Ret: ret, Variadic: variadic, Args: make([]datum.Type, len(exprs))}
	for i, e := range exprs {
		c.Args[i] = e.Type()
	}
	impl, err := fn.Prepare(c)
	if err != nil {
		return datum.Null, false
	}
	v, err := impl(p.set.Context, args)
	return v, err == nil
}

func (p *planner) foldCast(x *plan.Cast) plan.Expr {
	c, ok := x.Arg.(*plan.Const)
	if !ok {
		return x
	}
	switch x.Kind {
	case plan.CastRelabel:
		return &plan.Const{Val: c.Val, Typ: x.Typ}
	case plan.CastFunc:
		if c.Val.IsNull() && x.Fn.Strict {
			return &plan.Const{Typ: x.Typ}
		}
		exprs, args := castArgs(x.Fn, c, x.Typ.Mod, x.Explicit)
		if v, ok := p.call(x.Fn, exprs, args, x.Typ, false); ok {
			return &plan.Const{Val: v, Typ: x.Typ}
		}
	case plan.CastIO:
		if c.Val.IsNull() {
			return &plan.Const{Typ: x.Typ}
		}
	}
	return x
}

// castArgs are the arguments of a cast or length function.
func castArgs(fn *builtin.Func, c *plan.Const, mod int32, explicit bool) ([]plan.Expr, []datum.Datum) {
	exprs, args := []plan.Expr{c}, []datum.Datum{c.Val}
	if len(fn.Args) > 1 {
		m := &plan.Const{Val: datum.NewInt(int64(mod)), Typ: datum.T(datum.OIDInt4)}
		exprs, args = append(exprs, m), append(args, m.Val)
	}
	if len(fn.Args) > 2 {
		b := boolConst(explicit)
		exprs, args = append(exprs, b), append(args, b.Val)
	}
	return exprs, args
}

func (p *planner) foldTypmod(x *plan.Typmod) plan.Expr {
	c, ok := x.Arg.(*plan.Const)
	if !ok {
		return x
	}
	if c.Val.IsNull() {
		return &plan.Const{Typ: x.Typ}
	}
	exprs, args := castArgs(x.Fn, c, x.Typ.Mod, x.Explicit)
	if v, ok := p.call(x.Fn, exprs, args, x.Typ, false); ok {
		return &plan.Const{Val: v, Typ: x.Typ}
	}
	return x
}

func foldAnd(x *plan.And) plan.Expr {
	var out []plan.Expr
	null := false
	for _, a := range x.Args {
		switch {
		case isConst(a, false):
			return a
		case isConst(a, true):
		case isNull(a):
			null = true
		default:
			if and, ok := a.(*plan.And); ok {
				out = append(out, and.Args...)
			} else {
				out = append(out, a)
			}
		}
	}
	if null {
		out = append(out, &plan.Const{Typ: datum.T(datum.OIDBool)})
	}
	switch {
	case len(out) == 0:
		return boolConst(true)
	case len(out) == 1:
		return out[0]
	case len(out) == len(x.Args):
		return x
	}
	return &plan.And{Args: out}
}

func (p *planner) foldOr(x *plan.Or) plan.Expr {
	var out []plan.Expr
	null := false
	for _, a := range x.Args {
		switch {
		case isConst(a, true):
			return a
		case isConst(a, false):
		case isNull(a):
			null = true
		default:
			if or, ok := a.(*plan.Or); ok {
				out = append(out, or.Args...)
			} else {
				out = append(out, a)
			}
		}
	}
	if null {
		out = append(out, &plan.Const{Typ: datum.T(datum.OIDBool)})
	}
	switch len(out) {
	case 0:
		return boolConst(false)
	case 1:
		return out[0]
	}
	if in := p.orToArray(out); in != nil {
		return p.fold1(in)
	}
	if and := commonFactors(out); and != nil {
		return p.fold1(and)
	}
	return &plan.Or{Args: out}
}

// orToArray makes x = ANY (ARRAY[a, b]) of x = a OR x = b where a and b need no row.
func (p *planner) orToArray(args []plan.Expr) plan.Expr {
	var fn *builtin.Func
	var left plan.Expr
	var elems []plan.Expr
	for _, a := range args {
		f, ok := a.(*plan.FuncCall)
		if !ok || f.Op != "=" || len(f.Args) != 2 || fn != nil && (f.Fn != fn || !plan.Equal(f.Args[0], left)) {
			return nil
		}
		switch f.Args[1].(type) {
		case *plan.Const, *plan.Param:
		default:
			return nil
		}
		if _, isVar := f.Args[0].(*plan.Var); !isVar && fn == nil && volatileExpr(f.Args[0]) {
			return nil
		}
		fn, left = f.Fn, f.Args[0]
		elems = append(elems, f.Args[1])
	}
	el := elems[0].Type().OID
	arr := p.facts.ArrayType(el)
	if arr == 0 {
		return nil
	}
	for _, e := range elems {
		if e.Type().OID != el {
			return nil
		}
	}
	return &plan.ScalarArrayOp{Fn: fn, Op: "=", Left: left,
		Array: p.fold1(&plan.ArrayCtor{Elems: elems, Typ: datum.T(arr), Elem: datum.T(el)})}
}

// commonFactors makes a AND (b OR c) of (a AND b) OR (a AND c).
func commonFactors(args []plan.Expr) plan.Expr {
	lists := make([][]plan.Expr, len(args))
	for i, a := range args {
		lists[i] = conjuncts(nil, a)
	}
	var common []plan.Expr
	for _, c := range lists[0] {
		all := !volatileExpr(c)
		for _, l := range lists[1:] {
			all = all && containsExpr(l, c)
		}
		if all {
			common = append(common, c)
		}
	}
	if len(common) == 0 {
		return nil
	}
	rest := make([]plan.Expr, 0, len(args))
	for _, l := range lists {
		var keep []plan.Expr
		for _, c := range l {
			if !containsExpr(common, c) {
				keep = append(keep, c)
			}
		}
		if len(keep) == 0 {
			return conj(common)
		}
		rest = append(rest, conj(keep))
	}
	return &plan.And{Args: append(common, &plan.Or{Args: rest})}
}

func containsExpr(list []plan.Expr, e plan.Expr) bool {
	for _, x := range list {
		if plan.Equal(x, e) {
			return true
		}
	}
	return false
}

func conj(list []plan.Expr) plan.Expr {
	if len(list) == 1 {
		return list[0]
	}
	return &plan.And{Args: list}
}

// conjuncts appends the parts of a conjunction.
func conjuncts(list []plan.Expr, e plan.Expr) []plan.Expr {
	if and, ok := e.(*plan.And); ok {
		for _, a := range and.Args {
			list = conjuncts(list, a)
		}
		return list
	}
	return append(list, e)
}

func foldNot(x *plan.Not) plan.Expr {
	switch a := x.Arg.(type) {
	case *plan.Const:
		if a.Val.IsNull() {
			return a
		}
		return boolConst(!a.Val.Bool())
	case *plan.Not:
		return a.Arg
	case *plan.IsNull:
		if !a.Row {
			return &plan.IsNull{Arg: a.Arg, Not: !a.Not}
		}
	case *plan.IsDistinct:
		c := *a
		c.Not = !c.Not
		return &c
	case *plan.BoolTest:
		c := *a
		c.Not = !c.Not
		return &c
	case *plan.InList:
		c := *a
		c.Not = !c.Not
		return &c
	case *plan.Or:
		args := make([]plan.Expr, len(a.Args))
		for i, y := range a.Args {
			args[i] = foldNot(&plan.Not{Arg: y})
		}
		return &plan.And{Args: args}
	case *plan.And:
		args := make([]plan.Expr, len(a.Args))
		for i, y := range a.Args {
			args[i] = foldNot(&plan.Not{Arg: y})
		}
		return &plan.Or{Args: args}
	}
	return x
}

func foldCase(x *plan.Case) plan.Expr {
	if x.Arg != nil {
		return x
	}
	var whens []plan.When
	for i, w := range x.Whens {
		if isConst(w.Cond, false) || isNull(w.Cond) {
			continue
		}
		if isConst(w.Cond, true) {
			if len(whens) == 0 {
				return w.Result
			}
			return &plan.Case{Whens: whens, Else: w.Result, Typ: x.Typ}
		}
		whens = append(whens, x.Whens[i])
	}
	switch {
	case len(whens) == len(x.Whens):
		return x
	case len(whens) == 0 && x.Else == nil:
		return &plan.Const{Typ: x.Typ}
	case len(whens) == 0:
		return x.Else
	}
	return &plan.Case{Whens: whens, Else: x.Else, Typ: x.Typ}
}

func foldCoalesce(x *plan.Coalesce) plan.Expr {
	var out []plan.Expr
	for _, a := range x.Args {
		if c, ok := a.(*plan.Const); ok {
			if c.Val.IsNull() {
				continue
			}
			out = append(out, a)
			break
		}
		out = append(out, a)
	}
	switch {
	case len(out) == 0:
		return &plan.Const{Typ: x.Typ}
	case len(out) == 1:
		return out[0]
	case len(out) == len(x.Args):
		return x
	}
	return &plan.Coalesce{Args: out, Typ: x.Typ}
}

func foldArray(x *plan.ArrayCtor) plan.Expr {
	if x.Nested || len(x.Elems) == 0 {
		return x
	}
	vals, ok := constants(x.Elems)
	if !ok {
		return x
	}
	return &plan.Const{Val: datum.NewArray1(x.Elem.OID, vals), Typ: x.Typ}
}

// foldArrayOp makes an InList of x = ANY (constant array), where equality is the kind's natural one.
func (p *planner) foldArrayOp(x *plan.ScalarArrayOp) plan.Expr {
	c, ok := x.Array.(*plan.Const)
	if !ok {
		return x
	}
	if c.Val.IsNull() {
		return &plan.Const{Typ: datum.T(datum.OIDBool)}
	}
	not := x.Op == "<>" && x.All
	if !(x.Op == "=" && !x.All || not) {
		return x
	}
	lt := x.Left.Type().OID
	if !p.naturalPair(lt, p.facts.BaseElementType(c.Typ.OID)) {
		return x
	}
	in := &plan.InList{Arg: x.Left, Not: not, Eq: x.Fn}
	for _, v := range c.Val.Array().Elems {
		if v.IsNull() {
			in.HasNull = true
			continue
		}
		in.Vals = append(in.Vals, v)
	}
	return in
}

// volatileExpr says whether an expression may give another value each time, or has an effect.
func volatileExpr(e plan.Expr) bool {
	found := false
	plan.WalkDeep(e, func(x plan.Expr) {
		if f, ok := x.(*plan.FuncCall); ok && (f.Fn.Volatility == 'v' || f.Fn.RetSet) {
			found = true
		}
	})
	return found
}

func hasSubquery(e plan.Expr) bool {
	return plan.Any(e, func(x plan.Expr) bool {
		_, ok := x.(*plan.Subquery)
		return ok
	})
}

package plan

// Rewrite applies f to the direct sub-expressions of e and returns e itself when nothing changed, otherwise a copy
// with the results. It does not enter subqueries' queries or subplans' plans, only their expressions on the outer row.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	switch e := e.(type) {
	case *FuncCall:
		if args, ok := rewriteList(e.Args, f); ok {
			c := *e
			c.Args = args
			return &c
		}
	case *Cast:
		if a := f(e.Arg); a != e.Arg {
			c := *e
			c.Arg = a
			return &c
		}
	case *Typmod:
		if a := f(e.Arg); a != e.Arg {
			c := *e
			c.Arg = a
			return &c
		}
	case *And:
		if args, ok := rewriteList(e.Args, f); ok {
			return &And{Args: args}
		}
	case *Or:
		if args, ok := rewriteList(e.Args, f); ok {
			return &Or{Args: args}
		}
	case *Not:
		if a := f(e.Arg); a != e.Arg {
			return &Not{Arg: a}
		}
	case *IsNull:
		if a := f(e.Arg); a != e.Arg {
			c := *e
			c.Arg = a
			return &c
		}
	case *BoolTest:
		if a := f(e.Arg); a != e.Arg {
			c := *e
			c.Arg = a
			return &c
		}
	case *IsDistinct:
		if l, r := f(e.Left), f(e.Right); l != e.Left || r != e.Right {
			c := *e
			c.Left, c.Right = l, r
			return &c
		}
	case *Case:
		return rewriteCase(e, f)
	case *Coalesce:
		if args, ok := rewriteList(e.Args, f); ok {
			return &Coalesce{Args: args, Typ: e.Typ}
		}
	case *NullIf:
		l, el, er := f(e.Left), f(e.EqLeft), f(e.EqRight)
		if l != e.Left || el != e.EqLeft || er != e.EqRight {
			c := *e
			c.Left, c.EqLeft, c.EqRight = l, el, er
			return &c
		}
	case *MinMax:
		if args, ok := rewriteList(e.Args, f); ok {
			c := *e
			c.Args = args
			return &c
		}
	case *InList:
		if a := f(e.Arg); a != e.Arg {
			c := *e
			c.Arg = a
			return &c
		}
	default:
		return rewriteRare(e, f)
	}
	return e
}

func rewriteRare(e Expr, f func(Expr) Expr) Expr {
	switch e := e.(type) {
	case *ScalarArrayOp:
		if l, a := f(e.Left), f(e.Array); l != e.Left || a != e.Array {
			c := *e
			c.Left, c.Array = l, a
			return &c
		}
	case *Row:
		args, ok := rewriteList(e.Args, f)
		var present Expr
		if e.Present != nil {
			present = f(e.Present)
		}
		if ok || present != e.Present {
			c := *e
			c.Args, c.Present = args, present
			return &c
		}
	case *RowCompare:
		l, ok1 := rewriteList(e.Left, f)
		r, ok2 := rewriteList(e.Right, f)
		if ok1 || ok2 {
			c := *e
			c.Left, c.Right = l, r
			return &c
		}
	case *ArrayCtor:
		if args, ok := rewriteList(e.Elems, f); ok {
			c := *e
			c.Elems = args
			return &c
		}
	case *Subscript:
		a := f(e.Arg)
		lo, ok1 := rewriteList(e.Lower, f)
		up, ok2 := rewriteList(e.Upper, f)
		if a != e.Arg || ok1 || ok2 {
			c := *e
			c.Arg, c.Lower, c.Upper = a, lo, up
			return &c
		}
	case *ArrayAssign:
		a, v := f(e.Arg), f(e.Value)
		lo, ok1 := rewriteList(e.Lower, f)
		up, ok2 := rewriteList(e.Upper, f)
		if a != e.Arg || v != e.Value || ok1 || ok2 {
			c := *e
			c.Arg, c.Value, c.Lower, c.Upper = a, v, lo, up
			return &c
		}
	case *FieldSelect:
		if a := f(e.Arg); a != e.Arg {
			c := *e
			c.Arg = a
			return &c
		}
	case *FieldAssign:
		if a, v := f(e.Arg), f(e.Value); a != e.Arg || v != e.Value {
			c := *e
			c.Arg, c.Value = a, v
			return &c
		}
	default:
		return rewriteQueryParts(e, f)
	}
	return e
}

func rewriteQueryParts(e Expr, f func(Expr) Expr) Expr {
	switch e := e.(type) {
	case *SubPlan:
		args, ok1 := rewriteList(e.Args, f)
		left, ok2 := rewriteList(e.HashLeft, f)
		test := e.Test
		if test != nil {
			test = f(test)
		}
		if ok1 || ok2 || test != e.Test {
			c := *e
			c.Args, c.HashLeft, c.Test = args, left, test
			return &c
		}
	case *Subquery:
		left, ok := rewriteList(e.TestLeft, f)
		test := e.Test
		if test != nil {
			test = f(test)
		}
		if ok || test != e.Test {
			c := *e
			c.TestLeft, c.Test = left, test
			return &c
		}
	}
	return e
}

func rewriteCase(e *Case, f func(Expr) Expr) Expr {
	changed := false
	g := func(x Expr) Expr {
		if x == nil {
			return nil
		}
		y := f(x)
		changed = changed || y != x
		return y
	}
	c := &Case{Typ: e.Typ, Arg: g(e.Arg), Whens: make([]When, len(e.Whens))}
	for i, w := range e.Whens {
		c.Whens[i] = When{Cond: g(w.Cond), Result: g(w.Result)}
	}
	c.Else = g(e.Else)
	if !changed {
		return e
	}
	return c
}

// RewriteAgg applies f to the expressions of an aggregate call.
func RewriteAgg(a *AggCall, f func(Expr) Expr) (*AggCall, bool) {
	args, ok1 := rewriteList(a.Args, f)
	direct, ok2 := rewriteList(a.Direct, f)
	order, ok3 := rewriteOrder(a.OrderBy, f)
	filter := a.Filter
	if filter != nil {
		filter = f(filter)
	}
	if !ok1 && !ok2 && !ok3 && filter == a.Filter {
		return a, false
	}
	c := *a
	c.Args, c.Direct, c.OrderBy, c.Filter = args, direct, order, filter
	return &c, true
}

// RewriteWindow applies f to the expressions of a window call.
func RewriteWindow(w *WindowCall, f func(Expr) Expr) (*WindowCall, bool) {
	args, ok := rewriteList(w.Args, f)
	filter := w.Filter
	if filter != nil {
		filter = f(filter)
	}
	if !ok && filter == w.Filter {
		return w, false
	}
	c := *w
	c.Args, c.Filter = args, filter
	return &c, true
}

func rewriteOrder(in []AggOrder, f func(Expr) Expr) ([]AggOrder, bool) {
	var out []AggOrder
	for i, o := range in {
		x := f(o.Expr)
		if x != o.Expr && out == nil {
			out = append([]AggOrder(nil), in...)
		}
		if out != nil {
			out[i].Expr = x
		}
	}
	if out == nil {
		return in, false
	}
	return out, true
}

func rewriteList(in []Expr, f func(Expr) Expr) ([]Expr, bool) {
	var out []Expr
	for i, a := range in {
		var b Expr
		if a != nil {
			b = f(a)
		}
		if b != a && out == nil {
			out = make([]Expr, len(in))
			copy(out, in[:i])
		}
		if out != nil {
			out[i] = b
		}
	}
	if out == nil {
		return in, false
	}
	return out, true
}

// RewriteAll rewrites a whole tree from the leaves up: f sees each node after its sub-expressions.
func RewriteAll(e Expr, f func(Expr) Expr) Expr {
	if e == nil {
		return nil
	}
	var rec func(Expr) Expr
	rec = func(x Expr) Expr { return f(Rewrite(x, rec)) }
	return rec(e)
}

// Walk calls f for e and, when f returns true, for its sub-expressions, in the order they are written.
func Walk(e Expr, f func(Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	Rewrite(e, func(x Expr) Expr {
		Walk(x, f)
		return x
	})
}

// Any says whether pred holds for e or any of its sub-expressions.
func Any(e Expr, pred func(Expr) bool) bool {
	found := false
	Walk(e, func(x Expr) bool {
		found = found || pred(x)
		return !found
	})
	return found
}

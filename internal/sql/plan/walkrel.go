package plan

// RelInputs returns the inputs of a logical operator.
func RelInputs(r Rel) []Rel {
	switch r := r.(type) {
	case *RelFilter:
		return []Rel{r.Input}
	case *RelJoin:
		return []Rel{r.Left, r.Right}
	case *RelProject:
		return []Rel{r.Input}
	case *RelProjectSet:
		return []Rel{r.Input}
	case *RelAgg:
		return []Rel{r.Input}
	case *RelWindow:
		return []Rel{r.Input}
	case *RelSort:
		return []Rel{r.Input}
	case *RelLimit:
		return []Rel{r.Input}
	case *RelDistinct:
		return []Rel{r.Input}
	case *RelSetOp:
		return []Rel{r.Left, r.Right}
	case *RelLock:
		return []Rel{r.Input}
	case *RelFence:
		return []Rel{r.Input}
	case *RelWith:
		return []Rel{r.Input}
	}
	return nil
}

// WithInputs returns a copy of r with other inputs.
func WithInputs(r Rel, in []Rel) Rel {
	switch r := r.(type) {
	case *RelFilter:
		c := *r
		c.Input = in[0]
		return &c
	case *RelJoin:
		c := *r
		c.Left, c.Right = in[0], in[1]
		return &c
	case *RelProject:
		c := *r
		c.Input = in[0]
		return &c
	case *RelProjectSet:
		c := *r
		c.Input = in[0]
		return &c
	case *RelAgg:
		c := *r
		c.Input = in[0]
		return &c
	case *RelWindow:
		c := *r
		c.Input = in[0]
		return &c
	case *RelSort:
		c := *r
		c.Input = in[0]
		return &c
	case *RelLimit:
		c := *r
		c.Input = in[0]
		return &c
	case *RelDistinct:
		c := *r
		c.Input = in[0]
		return &c
	case *RelSetOp:
		c := *r
		c.Left, c.Right = in[0], in[1]
		return &c
	case *RelLock:
		c := *r
		c.Input = in[0]
		return &c
	case *RelFence:
		return &RelFence{Input: in[0]}
	case *RelWith:
		c := *r
		c.Input = in[0]
		return &c
	}
	return r
}

// RewriteRelExprs applies f to every top-level expression of one operator (not of its inputs) and returns a copy when
// something changed.
func RewriteRelExprs(r Rel, f func(Expr) Expr) Rel {
	opt := func(e Expr) Expr {
		if e == nil {
			return nil
		}
		return f(e)
	}
	switch r := r.(type) {
	case *RelValues:
		c := *r
		changed := false
		c.Rows = make([][]Expr, len(r.Rows))
		for i, row := range r.Rows {
			x, ok := rewriteList(row, f)
			c.Rows[i], changed = x, changed || ok
		}
		if changed {
			return &c
		}
	case *RelFunction:
		c := *r
		changed := false
		c.Funcs = append([]ScanFunc(nil), r.Funcs...)
		for i := range c.Funcs {
			x := f(c.Funcs[i].Call)
			changed = changed || x != c.Funcs[i].Call
			c.Funcs[i].Call = x
		}
		if changed {
			return &c
		}
	case *RelFilter:
		if x, ok := rewriteList(r.Conds, f); ok {
			return &RelFilter{Input: r.Input, Conds: x}
		}
	case *RelJoin:
		if x, ok := rewriteList(r.On, f); ok {
			c := *r
			c.On = x
			return &c
		}
	case *RelProject:
		if x, ok := rewriteItems(r.Items, f); ok {
			return &RelProject{Input: r.Input, Items: x}
		}
	case *RelProjectSet:
		if x, ok := rewriteItems(r.Items, f); ok {
			return &RelProjectSet{Input: r.Input, Items: x}
		}
	case *RelLimit:
		if n, o := opt(r.Count), opt(r.Offset); n != r.Count || o != r.Offset {
			c := *r
			c.Count, c.Offset = n, o
			return &c
		}
	case *RelAgg:
		return rewriteAggRel(r, f)
	case *RelWindow:
		return rewriteWindowRel(r, f)
	}
	return r
}

func rewriteItems(in []RelColumn, f func(Expr) Expr) ([]RelColumn, bool) {
	var out []RelColumn
	for i, it := range in {
		x := f(it.Expr)
		if x != it.Expr && out == nil {
			out = append([]RelColumn(nil), in...)
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

func rewriteAggRel(r *RelAgg, f func(Expr) Expr) Rel {
	c := *r
	c.Aggs = append([]RelAggregate(nil), r.Aggs...)
	changed := false
	for i := range c.Aggs {
		x, ok := RewriteAgg(c.Aggs[i].Call, f)
		c.Aggs[i].Call, changed = x, changed || ok
	}
	if !changed {
		return r
	}
	return &c
}

func rewriteWindowRel(r *RelWindow, f func(Expr) Expr) Rel {
	c := *r
	c.Calls = append([]RelWindowCall(nil), r.Calls...)
	changed := false
	for i := range c.Calls {
		x, ok := RewriteWindow(c.Calls[i].Call, f)
		c.Calls[i].Call, changed = x, changed || ok
	}
	for _, p := range []*Expr{&c.Frame.StartOffset, &c.Frame.EndOffset} {
		if *p != nil {
			x := f(*p)
			changed = changed || x != *p
			*p = x
		}
	}
	if !changed {
		return r
	}
	return &c
}

// MapRel rewrites every expression in a whole operator tree: f sees top-level expressions and is expected to go down
// itself, into queries of Subquery with MapQuery where it wants to.
func MapRel(r Rel, f func(Expr) Expr) Rel {
	in := RelInputs(r)
	changed := false
	for i, x := range in {
		y := MapRel(x, f)
		if y != x {
			if !changed {
				in = append([]Rel(nil), in...)
				changed = true
			}
			in[i] = y
		}
	}
	if changed {
		r = WithInputs(r, in)
	}
	return RewriteRelExprs(r, f)
}

// MapVars replaces the Vars in an expression, those inside subqueries included, by what f returns for them (the Var
// itself to keep it). Columns of operators that are not expressions (grouping, sort keys) are not touched.
func MapVars(e Expr, f func(*Var) Expr) Expr {
	var rec func(Expr) Expr
	rec = func(x Expr) Expr {
		switch x := x.(type) {
		case *Var:
			return f(x)
		case *Subquery:
			y := Rewrite(x, rec).(*Subquery)
			if rel := MapRel(y.Query.Rel, rec); rel != y.Query.Rel {
				c := *y
				c.Query = &Query{Rel: rel, Cols: y.Query.Cols}
				return &c
			}
			return y
		}
		return Rewrite(x, rec)
	}
	if e == nil {
		return nil
	}
	return rec(e)
}

// WalkDeep calls f for every sub-expression of e, those inside subqueries included.
func WalkDeep(e Expr, f func(Expr)) {
	Walk(e, func(x Expr) bool {
		f(x)
		if s, ok := x.(*Subquery); ok {
			WalkRel(s.Query.Rel, func(r Rel) {
				RewriteRelExprs(r, func(y Expr) Expr {
					WalkDeep(y, f)
					return y
				})
			})
		}
		return true
	})
}

// WalkRel calls f for every operator of a tree, inputs after their consumers. It does not enter subqueries.
func WalkRel(r Rel, f func(Rel)) {
	f(r)
	for _, x := range RelInputs(r) {
		WalkRel(x, f)
	}
}

package bind

import (
	"slices"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// grouped is a bound GROUP BY: targets, and grouping sets as positions among them (nil for a plain list).
type grouped struct {
	targets []int
	sets    [][]int
}

// groupBy binds GROUP BY.
func (b *binder) groupBy(q *selectState) *grouped {
	g := &grouped{}
	plainOnly := true
	product := [][]int{{}}
	for _, e := range q.stmt.GroupBy {
		sets := b.groupItem(q, g, e)
		if _, ok := e.(*parser.GroupingSet); ok {
			plainOnly = false
		}
		var next [][]int
		for _, left := range product {
			for _, right := range sets {
				next = append(next, union(left, right))
			}
		}
		if len(next) > 4096 {
			b.fail(-1, failure.StatementTooComplex, "too many grouping sets present (maximum %d)", 4096)
		}
		product = next
	}
	if plainOnly {
		return g
	}
	if q.stmt.GroupDistinct {
		product = distinctSets(product)
	}
	g.sets = product
	return g
}

func union(a, b []int) []int {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

func distinctSets(sets [][]int) [][]int {
	var out [][]int
	for _, s := range sets {
		c := slices.Clone(s)
		slices.Sort(c)
		if !slices.ContainsFunc(out, func(o []int) bool { return slices.Equal(o, c) }) {
			out = append(out, c)
		}
	}
	return out
}

// groupItem returns the grouping sets that one item of GROUP BY stands for.
func (b *binder) groupItem(q *selectState, g *grouped, e parser.Expr) [][]int {
	switch x := e.(type) {
	case *parser.GroupingSet:
		return b.groupSet(q, g, x)
	case *parser.RowExpr:
		if !x.Explicit {
			return [][]int{b.groupColumns(q, g, x.Args)}
		}
	}
	return [][]int{{b.groupColumn(q, g, e)}}
}

func (b *binder) groupColumns(q *selectState, g *grouped, list []parser.Expr) []int {
	var out []int
	for _, e := range list {
		if row, ok := e.(*parser.RowExpr); ok && !row.Explicit {
			out = union(out, b.groupColumns(q, g, row.Args))
			continue
		}
		out = union(out, []int{b.groupColumn(q, g, e)})
	}
	return out
}

func (b *binder) groupColumn(q *selectState, g *grouped, e parser.Expr) int {
	t := b.findTarget(q, e, "GROUP BY")
	b.checkGroupTarget(q, t, start(e))
	q.targets[t].expr = b.resolveUnknown(q.targets[t].expr)
	b.needEqual(q.targets[t].expr.Type().OID, start(e))
	if i := slices.Index(g.targets, t); i >= 0 {
		return i
	}
	g.targets = append(g.targets, t)
	return len(g.targets) - 1
}

func (b *binder) groupSet(q *selectState, g *grouped, x *parser.GroupingSet) [][]int {
	if x.Kind == parser.GroupingEmpty {
		return [][]int{{}}
	}
	if x.Kind == parser.GroupingSets {
		var out [][]int
		for _, it := range x.Items {
			out = append(out, b.groupItem(q, g, it)...)
		}
		return out
	}
	var items [][]int
	for _, it := range x.Items {
		if row, ok := it.(*parser.RowExpr); ok && !row.Explicit {
			items = append(items, b.groupColumns(q, g, row.Args))
			continue
		}
		items = append(items, []int{b.groupColumn(q, g, it)})
	}
	if x.Kind == parser.GroupingRollup {
		out := make([][]int, 0, len(items)+1)
		for n := len(items); n >= 0; n-- {
			var set []int
			for _, it := range items[:n] {
				set = union(set, it)
			}
			out = append(out, set)
		}
		return out
	}
	if len(items) > 12 {
		b.fail(x.Pos, failure.TooManyColumns, "CUBE is limited to 12 elements")
	}
	out := make([][]int, 0, 1<<len(items))
	for mask := 1<<len(items) - 1; mask >= 0; mask-- {
		var set []int
		for i, it := range items {
			if mask>>(len(items)-1-i)&1 == 1 {
				set = union(set, it)
			}
		}
		out = append(out, set)
	}
	return out
}

// regroup replaces expressions by the columns of the aggregation, and finds columns that are not grouped.
type regroup struct {
	b     *binder
	q     *selectState
	exprs []plan.Expr
	out   []*plan.Var
	agg   *plan.RelAgg
	inSub bool
}

// buildGroups puts the aggregation on top of q.rel and rewrites everything above it.
func (b *binder) buildGroups(q *selectState, g *grouped) {
	agg := &plan.RelAgg{Plain: g == nil}
	r := &regroup{b: b, q: q, agg: agg}
	if g != nil {
		b.buildGroupColumns(q, g, r)
	}
	agg.Input = q.rel
	for _, c := range q.groupings {
		agg.Grouping = append(agg.Grouping, plan.RelGrouping{ID: c.id, Cols: b.matchGrouping(c, r)})
	}
	for i := range q.targets {
		q.targets[i].expr = r.rewrite(q.targets[i].expr)
	}
	if q.having != nil {
		q.having = r.rewrite(q.having)
	}
	for _, w := range q.windows {
		w.rewrite(r.rewrite)
	}
	agg.Aggs = q.aggs
	q.rel = agg
	if q.having != nil {
		q.rel = filter(q.rel, q.having)
	}
}

func (b *binder) buildGroupColumns(q *selectState, g *grouped, r *regroup) {
	var items []plan.RelColumn
	for _, t := range g.targets {
		e := q.targets[t].expr
		v, ok := e.(*plan.Var)
		if !ok || !q.scope.localVar(v.ID) {
			v = &plan.Var{ID: b.newIDs(1), Typ: e.Type(), Name: q.targets[t].name}
			items = append(items, plan.RelColumn{ID: v.ID, Expr: e, Name: q.targets[t].name})
			q.make(v.ID)
		}
		out := v
		if g.sets != nil {
			out = &plan.Var{ID: b.newIDs(1), Typ: v.Typ, Name: v.Name}
			q.make(out.ID)
		}
		r.agg.Groups = append(r.agg.Groups, plan.RelGroup{In: v.ID, Out: out.ID})
		r.exprs, r.out = append(r.exprs, e), append(r.out, out)
	}
	if len(items) > 0 {
		q.rel = &plan.RelProject{Input: q.rel, Items: items}
	}
	r.agg.Sets = g.sets
}

func (b *binder) matchGrouping(c groupingCall, r *regroup) []int {
	cols := make([]int, len(c.args))
	for i, a := range c.args {
		cols[i] = -1
		for j, e := range r.exprs {
			if plan.Equal(a, e) {
				cols[i] = j
			}
		}
		if cols[i] < 0 {
			b.fail(c.pos[i], failure.GroupingError,
				"arguments to GROUPING must be grouping expressions of the associated query level")
		}
	}
	return cols
}

func (r *regroup) rewrite(e plan.Expr) plan.Expr {
	for i, g := range r.exprs {
		if plan.Equal(e, g) {
			return r.out[i]
		}
	}
	switch x := e.(type) {
	case *plan.Var:
		return r.column(x)
	case *plan.Subquery:
		old := r.inSub
		y := plan.Rewrite(x, r.rewrite).(*plan.Subquery)
		r.inSub = true
		rel := plan.MapRel(y.Query.Rel, r.rewrite)
		r.inSub = old
		if rel == y.Query.Rel {
			return y
		}
		c := *y
		c.Query = &plan.Query{Rel: rel, Cols: y.Query.Cols}
		return &c
	}
	return plan.Rewrite(e, r.rewrite)
}

// column checks a column that no grouping expression covers.
func (r *regroup) column(v *plan.Var) plan.Expr {
	q := r.q
	if q.isAgg(v.ID) || q.isWindow(v.ID) || q.made[v.ID] || !q.scope.localVar(v.ID) {
		return v
	}
	t, i := q.scope.rteOf(v.ID)
	if t == nil {
		return v
	}
	if r.dependent(t) {
		r.agg.Groups = append(r.agg.Groups, plan.RelGroup{In: v.ID, Out: v.ID})
		for s := range r.agg.Sets {
			r.agg.Sets[s] = append(slices.Clip(r.agg.Sets[s]), len(r.agg.Groups)-1)
		}
		r.exprs, r.out = append(r.exprs, v), append(r.out, v)
		return v
	}
	name := t.alias + "." + t.cols[i].name
	if r.inSub {
		r.b.fail(int(v.Pos), failure.GroupingError, "subquery uses ungrouped column \"%s\" from outer query", name)
	}
	r.b.fail(int(v.Pos), failure.GroupingError,
		"column \"%s\" must appear in the GROUP BY clause or be used in an aggregate function", name)
	return nil
}

// dependent says whether the grouping columns include the primary key of a table, on which its columns depend.
func (r *regroup) dependent(t *rte) bool {
	if t.table == nil || r.agg.Sets != nil {
		return false
	}
	pk := t.table.PrimaryKey()
	if pk == nil {
		return false
	}
	for _, k := range pk.Key {
		_, at := t.table.ColumnByID(k.Column)
		if at < 0 || !slices.ContainsFunc(r.agg.Groups, func(g plan.RelGroup) bool { return g.In == t.base+plan.ColID(at) }) {
			return false
		}
	}
	return true
}

// window is a window definition with its calls.
type window struct {
	name      string
	def       *parser.WindowDef
	bound     bool
	partition []plan.Expr
	order     []plan.AggOrder
	frame     plan.Frame
	hasFrame  bool
	calls     []plan.RelWindowCall
}

func (w *window) rewrite(f func(plan.Expr) plan.Expr) {
	for i := range w.partition {
		w.partition[i] = f(w.partition[i])
	}
	for i := range w.order {
		w.order[i].Expr = f(w.order[i].Expr)
	}
	for i := range w.calls {
		w.calls[i].Call, _ = plan.RewriteWindow(w.calls[i].Call, f)
	}
}

package plan

import (
	"strings"

	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// node describes an operator and everything below it.
func (x *explainer) node(n Node) *explained {
	e := &explained{node: n}
	switch n := n.(type) {
	case *PointGet:
		x.access(e, &n.Access, n, true, false, nil, n.Filter)
	case *BatchGet:
		x.access(e, &n.Access, n, true, false, nil, n.Filter)
	case *Scan:
		x.access(e, &n.Access, n, n.Spans != nil, n.Reverse, n.Pushed, n.Filter)
	case *LookupJoin:
		x.lookup(e, n)
	case *HashJoin:
		x.hashJoin(e, n)
	case *MergeJoin:
		e.kind, e.title = "Merge Join", "Merge"+joinWord(n.Kind)
		x.joinCond(e, "Merge Cond", n.Left, n.Right, n.LeftKeys, n.RightKeys)
		e.add("Join Filter", x.deparser(n.Left, n.Right).Expr(n.On))
		x.kids(e, n)
	case *NestLoop:
		e.kind, e.title = "Nested Loop", "Nested Loop"+strings.TrimSuffix(joinWord(n.Kind), " Join")
		if n.Kind != JoinInner {
			e.title += " Join"
		}
		e.add("Join Filter", x.deparser(n.Left, n.Right).Expr(n.On))
		x.kids(e, n)
		x.subplans(e, n.On)
	case *Agg:
		x.agg(e, n)
	case *Insert, *Update, *Delete, *Merge:
		x.change(e, n)
	default:
		x.simple(e, n)
	}
	return e
}

func (x *explainer) kids(e *explained, n Node) {
	for _, c := range n.Children() {
		e.children = append(e.children, x.node(c))
	}
}

// access describes the reading of a table.
func (x *explainer) access(e *explained, a *Access, n Node, keyed, reverse bool, pushed, filter Expr) {
	primary := a.Index == a.Table.RowStore()
	e.table, e.alias = a.Table.Name, a.Alias
	switch {
	case primary && !keyed && !reverse:
		e.kind = "Seq Scan"
		e.title = "Seq Scan" + on(a.Table, a.Alias)
	default:
		e.kind = "Index Scan"
		if a.IndexOnly {
			e.kind = "Index Only Scan"
		}
		e.index = a.Index.Name
		e.title = e.kind + pick(reverse, " Backward", "") + " using " + builtin.QuoteIdent(a.Index.Name) + on(a.Table, a.Alias)
	}
	d := x.deparser(n)
	d.Var = func(v *Var) string { return x.tableColumn(a.Alias, v.Name) }
	e.add("Index Cond", d.Expr(a.Cond))
	f := both(pushed, filter)
	e.add("Filter", d.Expr(f))
	x.subplans(e, a.Cond, f)
}

func joinWord(k JoinKind) string {
	switch k {
	case JoinLeft:
		return " Left Join"
	case JoinRight:
		return " Right Join"
	case JoinFull:
		return " Full Join"
	case JoinSemi:
		return " Semi Join"
	case JoinAnti, JoinAntiNull:
		return " Anti Join"
	}
	return " Join"
}

// lookup shows a lookup join as the nested loop over an index scan that it stands for.
func (x *explainer) lookup(e *explained, n *LookupJoin) {
	e.kind, e.title = "Nested Loop", "Nested Loop"
	if n.Kind != JoinInner {
		e.title += joinWord(n.Kind)
	}
	inner := &explained{table: n.Table.Name, alias: n.Alias, index: n.Index.Name, kind: "Index Scan"}
	if n.IndexOnly {
		inner.kind = "Index Only Scan"
	}
	inner.title = inner.kind + " using " + builtin.QuoteIdent(n.Index.Name) + on(n.Table, n.Alias)
	d := x.deparser(n.Input)
	d.Var = func(v *Var) string { return x.tableColumn(n.Alias, v.Name) }
	inner.add("Index Cond", d.Expr(n.Cond))
	right := &lookupRow{n: n}
	inner.add("Filter", x.deparser(n.Input, right).Expr(n.On))
	e.children = append(e.children, x.node(n.Input), inner)
	x.subplans(e, n.On)
}

// lookupRow stands for the looked-up side of a lookup join when its columns are named.
type lookupRow struct{ n *LookupJoin }

// Columns implements Node.
func (r *lookupRow) Columns() []ColumnInfo {
	out := make([]ColumnInfo, len(r.n.Ordinals))
	for i, o := range r.n.Ordinals {
		out[i] = ColumnInfo{Name: r.n.Table.Columns[o].Name, Type: r.n.Table.Columns[o].Type}
	}
	return out
}

// Estimate implements Node.
func (r *lookupRow) Estimate() *Estimate { return &Estimate{} }

// Children implements Node.
func (r *lookupRow) Children() []Node {
	return []Node{&Scan{Props: Props{Cols: r.Columns()}, Access: Access{Alias: r.n.Alias}}}
}

func (x *explainer) joinCond(e *explained, name string, l, r Node, lk, rk []Expr) {
	var parts []string
	for i := range lk {
		parts = append(parts, "("+x.deparser(l).Expr(lk[i])+" = "+x.deparser(r).Expr(rk[i])+")")
	}
	s := strings.Join(parts, " AND ")
	if len(parts) > 1 {
		s = "(" + s + ")"
	}
	e.add(name, s)
}

func (x *explainer) hashJoin(e *explained, n *HashJoin) {
	e.kind, e.title = "Hash Join", "Hash"+joinWord(n.Kind)
	x.joinCond(e, "Hash Cond", n.Left, n.Right, n.LeftKeys, n.RightKeys)
	e.add("Join Filter", x.deparser(n.Left, n.Right).Expr(n.On))
	h := &explained{node: n.Right, kind: "Hash", title: "Hash", children: []*explained{x.node(n.Right)}}
	e.children = append(e.children, x.node(n.Left), h)
	x.subplans(e, n.On)
}

func (x *explainer) agg(e *explained, n *Agg) {
	e.kind = "Aggregate"
	switch {
	case n.Sets != nil:
		e.title = "MixedAggregate"
	case n.Strategy == AggPlain:
		e.title = "Aggregate"
	case n.Strategy == AggSorted:
		e.title = "GroupAggregate"
	default:
		e.title = "HashAggregate"
	}
	if n.Sets == nil {
		e.add("Group Key", strings.Join(x.columns(n.Input, n.Groups), ", "))
	}
	for _, s := range n.Sets {
		at := make([]int, len(s))
		for i, g := range s {
			at[i] = n.Groups[g]
		}
		e.attrs = append(e.attrs, attr{name: "Group Key", text: pick(len(s) == 0, "()", strings.Join(x.columns(n.Input, at), ", "))})
	}
	x.kids(e, n)
	for _, a := range n.Aggs {
		x.subplans(e, a.Args...)
	}
}

func (x *explainer) change(e *explained, n Node) {
	var t *catalog.Table
	var alias, verb string
	switch n := n.(type) {
	case *Insert:
		t, alias, verb = n.Table, n.Alias, "Insert"
	case *Update:
		t, alias, verb = n.Table, n.Alias, "Update"
	case *Delete:
		t, alias, verb = n.Table, n.Alias, "Delete"
	case *Merge:
		t, alias, verb = n.Table, n.Alias, "Merge"
	}
	e.kind, e.table, e.alias = "ModifyTable", t.Name, alias
	e.title = verb + on(t, alias)
	if ins, ok := n.(*Insert); ok && ins.OnConflict != nil {
		c := ins.OnConflict
		e.add("Conflict Resolution", pick(c.Kind == ConflictUpdate, "UPDATE", "NOTHING"))
		var names []string
		for _, i := range c.Arbiters {
			names = append(names, builtin.QuoteIdent(i.Name))
		}
		e.add("Conflict Arbiter Indexes", strings.Join(names, ", "))
	}
	x.kids(e, n)
	if u, ok := n.(*Update); ok {
		for _, s := range u.Set {
			x.subplans(e, s.Expr)
		}
	}
}

func (x *explainer) simple(e *explained, n Node) {
	switch n := n.(type) {
	case *Values:
		e.kind, e.title = "Values Scan", "Values Scan on \"*VALUES*\""
		if len(n.Rows) == 1 {
			e.kind, e.title = "Result", "Result"
		}
		for _, r := range n.Rows {
			x.subplans(e, r...)
		}
	case *Result:
		e.kind, e.title = "Result", "Result"
		e.add("One-Time Filter", x.deparser().Expr(n.Filter))
		x.subplans(e, append(append([]Expr(nil), n.Exprs...), n.Filter)...)
	case *Empty:
		e.kind, e.title = "Result", "Result"
		e.add("One-Time Filter", "false")
	case *Filter:
		x.filter(e, n)
		return
	case *Project:
		x.project(e, n)
		return
	case *ProjectSet:
		e.kind, e.title = "ProjectSet", "ProjectSet"
	case *Sort:
		e.kind, e.title = "Sort", "Sort"
		if n.Presorted > 0 {
			e.kind, e.title = "Incremental Sort", "Incremental Sort"
		}
		e.attrs = append(e.attrs, attr{name: "Sort Key", list: x.sortKeys(n.Input, n.Keys)})
		if n.Presorted > 0 {
			e.attrs = append(e.attrs, attr{name: "Presorted Key", list: x.sortKeys(n.Input, n.Keys[:n.Presorted])})
		}
	case *Limit:
		e.kind, e.title = "Limit", "Limit"
	case *Distinct:
		e.kind, e.title = "Unique", "Unique"
		if !n.Sorted {
			e.kind, e.title = "Aggregate", "HashAggregate"
			e.add("Group Key", strings.Join(x.columns(n.Input, n.Keys), ", "))
		}
	case *WindowAgg:
		e.kind, e.title = "WindowAgg", "WindowAgg"
	case *SetOp:
		e.kind = "SetOp"
		e.title = "HashSetOp " + pick(n.Op == SetIntersect, "Intersect", "Except") + pick(n.All, " All", "")
	case *Append:
		e.kind, e.title = "Append", "Append"
	case *RecursiveUnion:
		e.kind, e.title = "Recursive Union", "Recursive Union"
	case *LockRows:
		e.kind, e.title = "LockRows", "LockRows"
	case *Materialize:
		e.kind, e.title = "Materialize", "Materialize"
	default:
		x.scans(e, n)
		return
	}
	x.kids(e, n)
}

func (x *explainer) scans(e *explained, n Node) {
	named := func(kind, name, alias string) {
		e.kind, e.table, e.alias = kind, name, alias
		e.title = kind + " on " + builtin.QuoteIdent(name)
		if alias != "" && alias != name {
			e.title += " " + builtin.QuoteIdent(alias)
		}
	}
	switch n := n.(type) {
	case *CTEScan:
		named("CTE Scan", n.Name, "")
		e.add("Filter", x.deparser(n).Expr(n.Filter))
		x.subplans(e, n.Filter)
	case *WorkTableScan:
		named("WorkTable Scan", n.Name, "")
	case *FunctionScan:
		name := n.Alias
		if f, ok := n.Funcs[0].Call.(*FuncCall); ok {
			name = f.Fn.Name
		}
		named("Function Scan", name, n.Alias)
		e.add("Filter", x.deparser(n).Expr(n.Filter))
	case *SystemScan:
		named("Seq Scan", n.Table.Table.Name, n.Alias)
		e.add("Filter", x.deparser(n).Expr(n.Filter))
		x.subplans(e, n.Filter)
	case *With:
		in := x.node(n.Input)
		*e = *in
		var ctes []*explained
		for _, c := range n.CTEs {
			k := x.node(c.Plan)
			k.label = "CTE " + builtin.QuoteIdent(c.Name)
			ctes = append(ctes, k)
		}
		e.children = append(ctes, e.children...)
	default:
		e.kind, e.title = "Result", "Result"
		x.kids(e, n)
	}
}

// filter shows a filter as a line of its input, as PostgreSQL's operators filter themselves.
func (x *explainer) filter(e *explained, n *Filter) {
	in := x.node(n.Input)
	*e = *in
	cond := x.deparser(n.Input).Expr(n.Cond)
	for i := range e.attrs {
		if e.attrs[i].name == "Filter" {
			e.attrs[i].text = "(" + e.attrs[i].text + " AND " + cond + ")"
			x.subplans(e, n.Cond)
			return
		}
	}
	e.add("Filter", cond)
	x.subplans(e, n.Cond)
}

// project hides a projection: PostgreSQL's operators compute their own output.
func (x *explainer) project(e *explained, n *Project) {
	in := x.node(n.Input)
	*e = *in
	x.subplans(e, n.Exprs...)
}

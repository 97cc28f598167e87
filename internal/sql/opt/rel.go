package opt

import (
	"math"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// rel plans a rewritten relation. need are the columns that the consumer wants; w is what it would like beside.
func (p *planner) rel(r plan.Rel, need colSet, w *wish) *phys {
	switch r := r.(type) {
	case *plan.RelScan:
		return p.scan(r, nil, need, w)
	case *plan.RelFilter:
		return p.filterRel(r, need, w)
	case *plan.RelOne:
		return &phys{node: &plan.Result{Props: props(nil, 0, cpuTuple, 1)}}
	case *plan.RelValues:
		return p.values(r)
	case *plan.RelProject:
		return p.project(r, need, w)
	case *plan.RelProjectSet:
		return p.projectSet(r, need)
	case *plan.RelJoin:
		return p.join(r, nil, need, w)
	case *plan.RelAgg:
		return p.agg(r, need, w)
	case *plan.RelWindow:
		return p.window(r, need)
	case *plan.RelSort:
		return p.sort(r, need, w)
	case *plan.RelLimit:
		return p.limit(r, need, w)
	case *plan.RelDistinct:
		return p.distinct(r, need, w)
	case *plan.RelSetOp:
		return p.setOp(r)
	case *plan.RelLock:
		return p.lock(r, need, w)
	case *plan.RelWith:
		return p.with(r, need, w)
	case *plan.RelCTE:
		return p.cte(r, nil)
	case *plan.RelFunction:
		return p.function(r, nil)
	case *plan.RelFence:
		return p.rel(r.Input, need, w)
	}
	p.fail("cannot plan %T", r)
	return nil
}

// withExprs adds the columns of expressions to a set.
func (p *planner) withExprs(need colSet, exprs ...plan.Expr) colSet {
	out := need.clone()
	for _, e := range exprs {
		for _, id := range p.cols(e).list() {
			out.add(id)
		}
	}
	return out
}

func (p *planner) filterRel(r *plan.RelFilter, need colSet, w *wish) *phys {
	switch in := r.Input.(type) {
	case *plan.RelScan:
		if slices.ContainsFunc(r.Conds, func(c plan.Expr) bool { return isConst(c, false) || isNull(c) }) {
			return p.emptyScan(in, need)
		}
		return p.scan(in, r.Conds, need, w)
	case *plan.RelJoin:
		if in.Kind == plan.JoinInner {
			return p.join(in, r.Conds, need, w)
		}
	case *plan.RelCTE:
		return p.cte(in, r.Conds)
	case *plan.RelFunction:
		return p.function(in, r.Conds)
	}
	f := p.rel(r.Input, p.withExprs(need, r.Conds...), w)
	return p.addFilter(f, r.Conds)
}

// addFilter puts conditions on top of a plan.
func (p *planner) addFilter(f *phys, conds []plan.Expr) *phys {
	if len(conds) == 0 {
		return f
	}
	sel := 1.0
	for _, c := range conds {
		sel *= guess(c)
	}
	est := *f.est()
	est.Total += est.Rows * cpuOperator * float64(len(conds))
	est.Rows = max(est.Rows*sel, 1)
	cond := p.lowerConj(conds, f.cols)
	if res, ok := f.node.(*plan.Result); ok && res.Filter == nil {
		c := *res
		c.Filter = cond
		return &phys{node: &c, cols: f.cols, order: f.order}
	}
	n := &plan.Filter{Props: plan.Props{Cols: slices.Clone(f.node.Columns()), Est: est}, Input: f.node, Cond: cond}
	return &phys{node: n, cols: f.cols, order: f.order, unique: f.unique}
}

// emptyScan is a table under a condition that is never true.
func (p *planner) emptyScan(s *plan.RelScan, need colSet) *phys {
	f := &phys{}
	var infos []plan.ColumnInfo
	for i, col := range s.Table.Columns {
		if id := s.Base + plan.ColID(i); need.has(id) || s.Target {
			f.cols = append(f.cols, id)
			infos = append(infos, plan.ColumnInfo{Name: col.Name, Type: col.Type, Table: s.Table.OID, Attr: col.Attnum})
		}
	}
	f.node = &plan.Empty{Props: props(infos, 0, 0, 1)}
	return f
}

func (p *planner) values(r *plan.RelValues) *phys {
	infos := make([]plan.ColumnInfo, len(r.Cols))
	for i := range r.Cols {
		infos[i] = plan.ColumnInfo{Name: r.Names[i], Type: r.Types[i]}
	}
	rows := make([][]plan.Expr, len(r.Rows))
	for i, row := range r.Rows {
		rows[i] = make([]plan.Expr, len(row))
		for j, e := range row {
			rows[i][j] = p.lower(p.fold(e), nil)
		}
	}
	n := float64(len(rows))
	return &phys{node: &plan.Values{Props: props(infos, 0, n*cpuTuple, n), Rows: rows}, cols: slices.Clone(r.Cols)}
}

// project computes columns. Those that nobody needs are left out.
func (p *planner) project(r *plan.RelProject, need colSet, w *wish) *phys {
	var items []plan.RelColumn
	var exprs []plan.Expr
	for _, it := range r.Items {
		if need.has(it.ID) || volatileExpr(it.Expr) {
			items, exprs = append(items, it), append(exprs, it.Expr)
		}
	}
	inNeed := p.withExprs(need, exprs...)
	in := p.rel(r.Input, inNeed, p.below(w, r.Items))
	if len(items) == 0 {
		return in
	}
	f := &phys{order: in.order, unique: in.unique}
	var infos []plan.ColumnInfo
	var out []plan.Expr
	for i, id := range in.cols {
		if need.has(id) {
			info := in.node.Columns()[i]
			f.cols, infos = append(f.cols, id), append(infos, info)
			out = append(out, &plan.Column{Index: i, Typ: info.Type, Name: info.Name})
		}
	}
	for _, it := range items {
		f.cols = append(f.cols, it.ID)
		infos = append(infos, plan.ColumnInfo{Name: it.Name, Type: it.Expr.Type()})
		out = append(out, p.lower(it.Expr, in.cols))
	}
	est := *in.est()
	if res, ok := in.node.(*plan.Result); ok && res.Exprs == nil {
		f.node = &plan.Result{Props: props(infos, 0, est.Total+cpuTuple, 1), Exprs: out, Filter: res.Filter}
		return f
	}
	est.Total += est.Rows * (cpuTuple/2 + cpuOperator*float64(len(items)))
	f.node = &plan.Project{Props: props(infos, est.Startup, est.Total, est.Rows), Input: in.node, Exprs: out}
	return f
}

// below passes a wish on to the input of computed columns, unless it is about them.
func (p *planner) below(w *wish, items []plan.RelColumn) *wish {
	if w == nil {
		return nil
	}
	for _, o := range w.order {
		for _, it := range items {
			if it.ID == p.id(o.ID) {
				return nil
			}
		}
	}
	return w
}

func (p *planner) projectSet(r *plan.RelProjectSet, need colSet) *phys {
	exprs := make([]plan.Expr, len(r.Items))
	for i, it := range r.Items {
		exprs[i] = it.Expr
	}
	in := p.rel(r.Input, p.withExprs(need, exprs...), nil)
	f := &phys{}
	n := &plan.ProjectSet{Input: in.node}
	var infos []plan.ColumnInfo
	for i, id := range in.cols {
		if need.has(id) {
			info := in.node.Columns()[i]
			f.cols, infos = append(f.cols, id), append(infos, info)
			n.Exprs = append(n.Exprs, &plan.Column{Index: i, Typ: info.Type, Name: info.Name})
			n.Sets = append(n.Sets, false)
		}
	}
	rows := 1.0
	for _, it := range r.Items {
		f.cols = append(f.cols, it.ID)
		infos = append(infos, plan.ColumnInfo{Name: it.Name, Type: it.Expr.Type()})
		n.Exprs, n.Sets = append(n.Exprs, p.lower(it.Expr, in.cols)), append(n.Sets, true)
		if c, ok := it.Expr.(*plan.FuncCall); ok {
			rows = max(rows, float64(c.Fn.Rows))
		}
	}
	est := in.est()
	n.Props = props(infos, est.Startup, est.Total+est.Rows*rows*cpuTuple, est.Rows*rows)
	f.node = n
	return f
}

// satisfies says whether rows in one order are in another, too. Columns are compared by id.
func (p *planner) satisfies(have, want []plan.RelOrder) bool {
	if len(have) < len(want) {
		return false
	}
	for i, o := range want {
		if p.id(have[i].ID) != p.id(o.ID) || have[i].Desc != o.Desc || have[i].NullsFirst != o.NullsFirst {
			return false
		}
	}
	return true
}

// sort orders a relation, by an index where that is cheaper.
func (p *planner) sort(r *plan.RelSort, need colSet, w *wish) *phys {
	inNeed := need.clone()
	var keys []plan.RelOrder
	for _, k := range r.Keys {
		k.ID = p.id(k.ID)
		inNeed.add(k.ID)
		keys = append(keys, k)
	}
	down := &wish{order: keys}
	if w != nil {
		down.limit, down.count = w.limit, w.count
	}
	in := p.rel(r.Input, inNeed, down)
	return p.sortBy(in, keys, w)
}

// sortBy sorts a plan unless it is in order already.
func (p *planner) sortBy(in *phys, keys []plan.RelOrder, w *wish) *phys {
	if p.satisfies(in.order, keys) {
		return in
	}
	n := &plan.Sort{Input: in.node}
	for _, k := range keys {
		at := in.position(p.id(k.ID))
		if at < 0 {
			if _, outer := p.outer[p.id(k.ID)]; outer {
				continue
			}
			p.fail("sort key %d is lost in planning", k.ID)
		}
		n.Keys = append(n.Keys, plan.SortKey{Index: at, Desc: k.Desc, NullsFirst: k.NullsFirst})
	}
	limit := 0.0
	if w != nil {
		limit, n.Top = w.limit, w.count
	}
	for i, k := range keys {
		if i < len(in.order) && p.id(in.order[i].ID) == p.id(k.ID) && in.order[i].Desc == k.Desc && in.order[i].NullsFirst == k.NullsFirst {
			n.Presorted++
			continue
		}
		break
	}
	est := in.est()
	cost := est.Total + sortCost(est.Rows, limit)
	n.Props = plan.Props{Cols: slices.Clone(in.node.Columns()), Est: plan.Estimate{Startup: cost, Total: cost + est.Rows*cpuOperator, Rows: est.Rows, Width: est.Width}}
	return &phys{node: n, cols: in.cols, order: keys, unique: in.unique}
}

// limit cuts. What is below is told how few rows are wanted.
func (p *planner) limit(r *plan.RelLimit, need colSet, _ *wish) *phys {
	n := &plan.Limit{Count: p.lower(r.Count, nil), Offset: p.lower(r.Offset, nil)}
	w := &wish{}
	if r.Ties == nil && r.Count != nil {
		w.count, w.limit = p.wanted(n.Count, n.Offset)
	}
	inNeed := need
	if r.Ties != nil {
		inNeed = need.clone()
		for _, k := range r.Ties {
			inNeed.add(p.id(k.ID))
		}
	}
	in := p.rel(r.Input, inNeed, w)
	n.Input = in.node
	if r.Ties != nil {
		n.Ties = true
		for _, k := range r.Ties {
			n.TieKeys = append(n.TieKeys, plan.SortKey{Index: in.position(p.id(k.ID)), Desc: k.Desc, NullsFirst: k.NullsFirst})
		}
	}
	est := *in.est()
	rows := est.Rows
	if c, ok := n.Offset.(*plan.Const); ok && !c.Val.IsNull() {
		rows -= float64(c.Val.Int())
	}
	switch c := n.Count.(type) {
	case *plan.Const:
		if !c.Val.IsNull() {
			rows = min(rows, float64(c.Val.Int()))
		}
	case nil:
	default:
		rows = max(rows/10, 1)
	}
	rows = max(rows, 1)
	if est.Rows > 0 {
		est.Total = est.Startup + (est.Total-est.Startup)*min(rows/est.Rows, 1)
	}
	est.Rows = rows
	n.Props = plan.Props{Cols: slices.Clone(in.node.Columns()), Est: est}
	return &phys{node: n, cols: in.cols, order: in.order, unique: in.unique}
}

// wanted is the number of rows that a limit takes from its input, as an expression and as a guess.
func (p *planner) wanted(count, offset plan.Expr) (plan.Expr, float64) {
	c, ok := count.(*plan.Const)
	if offset == nil {
		if ok {
			if c.Val.IsNull() {
				return nil, 0
			}
			return count, float64(c.Val.Int())
		}
		return count, 100
	}
	o, ook := offset.(*plan.Const)
	if !ok || !ook || c.Val.IsNull() {
		return nil, 0
	}
	n := c.Val.Int()
	if !o.Val.IsNull() {
		if n > math.MaxInt64-o.Val.Int() {
			return nil, 0
		}
		n += max(o.Val.Int(), 0)
	}
	return &plan.Const{Val: datum.NewInt(n), Typ: datum.T(datum.OIDInt8)}, float64(n)
}

// distinct drops duplicates.
func (p *planner) distinct(r *plan.RelDistinct, need colSet, w *wish) *phys {
	inNeed := need.clone()
	for _, id := range r.Cols {
		inNeed.add(p.id(id))
	}
	var down *wish
	if w != nil && len(w.order) > 0 {
		down = &wish{order: w.order}
	}
	in := p.rel(r.Input, inNeed, down)
	n := &plan.Distinct{Input: in.node, Sorted: r.On}
	var set []plan.ColID
	for _, id := range r.Cols {
		id = p.id(id)
		at := in.position(id)
		if at < 0 {
			continue // a value from outside, the same in every row
		}
		if !slices.Contains(n.Keys, at) {
			n.Keys, set = append(n.Keys, at), append(set, id)
		}
	}
	est := in.est()
	rows := max(est.Rows*0.2, 1)
	if len(n.Keys) == 0 {
		rows = 1
	}
	if !r.On {
		n.Sorted = len(n.Keys) > 0 && p.groupedBy(in.order, set)
	}
	startup := est.Startup
	n.Props = plan.Props{Cols: slices.Clone(in.node.Columns()), Est: plan.Estimate{Startup: startup,
		Total: est.Total + est.Rows*hashTuple, Rows: rows, Width: est.Width}}
	return &phys{node: n, cols: in.cols, order: in.order, unique: set}
}

// groupedBy says whether an order brings rows that are equal in a set of columns together.
func (p *planner) groupedBy(order []plan.RelOrder, set []plan.ColID) bool {
	if len(order) < len(set) {
		return false
	}
	for i := range set {
		if !slices.Contains(set, p.id(order[i].ID)) {
			return false
		}
	}
	return true
}

// setOp plans UNION, INTERSECT and EXCEPT.
func (p *planner) setOp(r *plan.RelSetOp) *phys {
	arm := func(in plan.Rel, cols []plan.ColID) *phys {
		out := make([]plan.OutCol, len(cols))
		var need colSet
		for i, id := range cols {
			need.add(p.id(id))
			out[i] = plan.OutCol{ID: id, ColumnInfo: plan.ColumnInfo{Name: r.Names[i], Type: r.Types[i]}}
		}
		return p.output(p.rel(in, need, nil), out)
	}
	infos := make([]plan.ColumnInfo, len(r.Cols))
	keys := make([]int, len(r.Cols))
	for i := range r.Cols {
		infos[i] = plan.ColumnInfo{Name: r.Names[i], Type: r.Types[i]}
		keys[i] = i
	}
	f := &phys{cols: slices.Clone(r.Cols)}
	if r.Op == plan.SetUnion {
		inputs := p.unionArms(r, arm)
		total, rows := 0.0, 0.0
		nodes := make([]plan.Node, len(inputs))
		for i, in := range inputs {
			nodes[i] = in.node
			total, rows = total+in.est().Total, rows+in.est().Rows
		}
		f.node = &plan.Append{Props: props(infos, 0, total, rows), Inputs: nodes}
		if !r.All {
			f.node = &plan.Distinct{Props: props(slices.Clone(infos), 0, total+rows*hashTuple, max(rows/2, 1)), Input: f.node, Keys: keys}
			f.unique = f.cols
		}
		return f
	}
	l, rr := arm(r.Left, r.LeftCols), arm(r.Right, r.RightCols)
	total := l.est().Total + rr.est().Total + (l.est().Rows+rr.est().Rows)*hashTuple
	f.node = &plan.SetOp{Props: props(infos, 0, total, max(l.est().Rows/2, 1)), Op: r.Op, All: r.All, Left: l.node, Right: rr.node}
	if !r.All {
		f.unique = f.cols
	}
	return f
}

// unionArms plans the arms of nested unions as one list.
func (p *planner) unionArms(r *plan.RelSetOp, arm func(plan.Rel, []plan.ColID) *phys) []*phys {
	var out []*phys
	add := func(in plan.Rel, cols []plan.ColID) {
		if u, ok := in.(*plan.RelSetOp); ok && u.Op == plan.SetUnion && (u.All || !r.All) && slices.Equal(u.Cols, cols) {
			out = append(out, p.unionArms(u, arm)...)
			return
		}
		out = append(out, arm(in, cols))
	}
	add(r.Left, r.LeftCols)
	add(r.Right, r.RightCols)
	return out
}

// lock adds the keys of the locked tables to what is read, and the locking on top.
func (p *planner) lock(r *plan.RelLock, need colSet, w *wish) *phys {
	inNeed := need.clone()
	for _, t := range r.Targets {
		for _, k := range t.Scan.Table.RowStore().Key {
			inNeed.add(t.Scan.Base + plan.ColID(keyOrdinal(t.Scan.Table, k)))
		}
	}
	in := p.rel(r.Input, inNeed, w)
	n := &plan.LockRows{Props: plan.Props{Cols: slices.Clone(in.node.Columns()), Est: *in.est()}, Input: in.node}
	for _, t := range r.Targets {
		lt := plan.LockTarget{Table: t.Scan.Table, Strength: t.Strength}
		for _, k := range t.Scan.Table.RowStore().Key {
			at := in.position(t.Scan.Base + plan.ColID(keyOrdinal(t.Scan.Table, k)))
			if at < 0 {
				p.fail("the key of locked table \"%s\" is lost in planning", t.Scan.Table.Name)
			}
			lt.Keys = append(lt.Keys, at)
		}
		n.Targets = append(n.Targets, lt)
	}
	return &phys{node: n, cols: in.cols, order: in.order, unique: in.unique}
}

// function plans a function in FROM.
func (p *planner) function(r *plan.RelFunction, conds []plan.Expr) *phys {
	n := &plan.FunctionScan{Ordinality: r.Ordinality, Alias: r.Alias}
	rows := 1.0
	for _, f := range r.Funcs {
		if c, ok := f.Call.(*plan.FuncCall); ok {
			rows = max(rows, float64(c.Fn.Rows))
		}
		f.Call = p.lower(f.Call, nil)
		n.Funcs = append(n.Funcs, f)
	}
	out := &phys{}
	var infos []plan.ColumnInfo
	for i, name := range r.Names {
		out.cols = append(out.cols, r.Base+plan.ColID(i))
		infos = append(infos, plan.ColumnInfo{Name: name, Type: r.Types[i]})
	}
	sel := 1.0
	for _, c := range conds {
		sel *= guess(c)
	}
	n.Filter = p.lowerConj(conds, out.cols)
	n.Props = props(infos, 0, rows*cpuTuple, rows*sel)
	out.node = n
	return out
}

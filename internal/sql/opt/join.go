package opt

import (
	"math"
	"math/bits"
	"slices"

	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// leaf is one relation of a group of inner joins.
type leaf struct {
	rel  plan.Rel
	cols colSet
	// scan and conds are set when the relation is a filtered table: another one may then look rows up in it.
	scan  *plan.RelScan
	conds []plan.Expr
	// free are columns that the relation takes from others (LATERAL), deps the leaves they belong to.
	free colSet
	deps uint64
}

// pred is a condition between leaves.
type pred struct {
	expr plan.Expr
	cols colSet
	mask uint64
}

// group is a group of inner joins being ordered.
type group struct {
	p      *planner
	leaves []leaf
	preds  []pred
	need   colSet
	w      *wish
	memo   map[uint64]*joined
	const_ []plan.Expr // conditions without columns of the group
}

// joined is the best plan for a set of leaves, and the best one in the wished order.
type joined struct {
	mask    uint64
	best    *phys
	ordered *phys
}

// join plans a join. conds are conditions above an inner join.
func (p *planner) join(r *plan.RelJoin, conds []plan.Expr, need colSet, w *wish) *phys {
	if r.Kind != plan.JoinInner {
		return p.outerJoin(r, need, w)
	}
	g := &group{p: p, w: w, memo: make(map[uint64]*joined)}
	g.collect(r)
	var above []plan.Expr
	for _, c := range conds {
		if volatileExpr(c) {
			above = append(above, c)
			continue
		}
		g.addPred(c)
	}
	g.need = p.withExprs(need, above...)
	for i := range g.preds {
		g.need = g.need.union(g.preds[i].cols)
	}
	g.finishLeaves()
	f := g.solve()
	f = p.addFilter(f, g.const_)
	return p.addFilter(f, above)
}

// collect flattens nested inner joins.
func (g *group) collect(r plan.Rel) {
	switch x := r.(type) {
	case *plan.RelJoin:
		if x.Kind == plan.JoinInner {
			g.collect(x.Left)
			g.collect(x.Right)
			for _, c := range x.On {
				g.addPred(c)
			}
			return
		}
	case *plan.RelFilter:
		if j, ok := x.Input.(*plan.RelJoin); ok && j.Kind == plan.JoinInner &&
			!slices.ContainsFunc(x.Conds, volatileExpr) {
			g.collect(j)
			for _, c := range x.Conds {
				g.addPred(c)
			}
			return
		}
		if s, ok := x.Input.(*plan.RelScan); ok && s.System == nil {
			g.leaves = append(g.leaves, leaf{rel: r, cols: outputs(r), scan: s, conds: x.Conds})
			return
		}
	case *plan.RelScan:
		if x.System == nil {
			g.leaves = append(g.leaves, leaf{rel: r, cols: outputs(r), scan: x})
			return
		}
	}
	g.leaves = append(g.leaves, leaf{rel: r, cols: outputs(r)})
}

func (g *group) addPred(c plan.Expr) {
	g.preds = append(g.preds, pred{expr: c, cols: g.p.cols(c)})
}

// finishLeaves works out what belongs to which leaf.
func (g *group) finishLeaves() {
	var all colSet
	for i := range g.leaves {
		all = all.union(g.leaves[i].cols)
	}
	for i := range g.leaves {
		l := &g.leaves[i]
		free := g.p.freeCols(l.rel)
		if !free.intersects(all) {
			continue
		}
		for j := range g.leaves {
			if j != i && free.intersects(g.leaves[j].cols) {
				l.deps |= 1 << j
				g.need = g.need.union(free)
			}
		}
		l.free = free
		if l.deps != 0 {
			l.scan = nil
		}
	}
	preds := g.preds
	g.preds = nil
	for _, pr := range preds {
		for i := range g.leaves {
			if pr.cols.intersects(g.leaves[i].cols) {
				pr.mask |= 1 << i
			}
		}
		switch bits.OnesCount64(pr.mask) {
		case 0:
			g.const_ = append(g.const_, pr.expr)
		case 1:
			l := &g.leaves[bits.TrailingZeros64(pr.mask)]
			l.conds = append(slices.Clip(l.conds), pr.expr)
			l.rel = g.p.push(l.rel, []plan.Expr{pr.expr})
		default:
			g.preds = append(g.preds, pr)
		}
	}
	g.transitive()
}

// transitive gives b = 5 to the leaf of b when a = b and a = 5 are known.
func (g *group) transitive() {
	for changed := true; changed; {
		changed = false
		for _, pr := range g.preds {
			f, ok := pr.expr.(*plan.FuncCall)
			if !ok || len(f.Args) != 2 {
				continue
			}
			if op, ok := comparison(f.Fn); !ok || op != sargEq || f.Args[0].Type() != f.Args[1].Type() {
				continue
			}
			changed = g.copyConst(f, 0) || g.copyConst(f, 1) || changed
		}
	}
}

func (g *group) copyConst(f *plan.FuncCall, side int) bool {
	from, fok := f.Args[side].(*plan.Var)
	to, tok := f.Args[1-side].(*plan.Var)
	if !fok || !tok {
		return false
	}
	src, dst := g.leafOf(from), g.leafOf(to)
	if src == nil || dst == nil || src.scan == nil || dst.scan == nil {
		return false
	}
	for _, c := range src.conds {
		x, ok := c.(*plan.FuncCall)
		if !ok || x.Fn != f.Fn || len(x.Args) != 2 || !plan.Equal(x.Args[0], from) {
			continue
		}
		switch x.Args[1].(type) {
		case *plan.Const, *plan.Param:
		default:
			continue
		}
		made := &plan.FuncCall{Fn: x.Fn, Args: []plan.Expr{to, x.Args[1]}, Typ: x.Typ, Op: x.Op}
		if containsExpr(dst.conds, made) {
			continue
		}
		dst.conds = append(slices.Clip(dst.conds), made)
		dst.rel = g.p.push(dst.rel, []plan.Expr{made})
		return true
	}
	return false
}

func (g *group) leafOf(v *plan.Var) *leaf {
	for i := range g.leaves {
		if g.leaves[i].cols.has(g.p.id(v.ID)) {
			return &g.leaves[i]
		}
	}
	return nil
}

// solve finds the best order: all orders for up to eight relations, greedily beyond.
func (g *group) solve() *phys {
	n := len(g.leaves)
	for i := range g.leaves {
		g.planLeaf(i)
	}
	var all *joined
	if n <= 8 {
		all = g.exhaustive(n)
	} else {
		all = g.greedy(n)
	}
	return g.choose(all)
}

// choose weighs sorting the cheapest plan against the plan that is in order.
func (g *group) choose(j *joined) *phys {
	if j.ordered == nil || g.w == nil || j.best == j.ordered {
		return j.best
	}
	a, b := j.best.est(), j.ordered.est()
	share := 1.0
	if g.w.limit > 0 {
		share = clamp(g.w.limit / max(b.Rows, 1))
	}
	if b.Startup+(b.Total-b.Startup)*share < a.Total+sortCost(a.Rows, g.w.limit) {
		return j.ordered
	}
	return j.best
}

func (g *group) planLeaf(i int) {
	l := &g.leaves[i]
	if l.deps != 0 {
		// The slots must be known before the relation is planned.
		for _, id := range l.free.list() {
			if _, ok := g.p.outer[id]; !ok {
				if g.p.outer == nil {
					g.p.outer = make(map[plan.ColID]int)
				}
				g.p.outer[id] = g.p.nextSlot
				g.p.nextSlot++
			}
		}
	}
	j := &joined{mask: 1 << i}
	j.best = g.p.rel(l.rel, g.need, nil)
	if w := g.leafWish(l); w != nil {
		f := g.p.rel(l.rel, g.need, w)
		if g.p.satisfies(f.order, w.order) {
			j.ordered = f
		}
	}
	g.memo[j.mask] = j
}

// leafWish is the wished order when one leaf alone has its columns.
func (g *group) leafWish(l *leaf) *wish {
	if g.w == nil || len(g.w.order) == 0 {
		return nil
	}
	for _, o := range g.w.order {
		if !l.cols.has(g.p.id(o.ID)) {
			return nil
		}
	}
	return &wish{order: g.w.order, limit: g.w.limit}
}

func (g *group) exhaustive(n int) *joined {
	full := uint64(1)<<n - 1
	for size := 2; size <= n; size++ {
		for mask := uint64(1); mask <= full; mask++ {
			if bits.OnesCount64(mask) != size {
				continue
			}
			var res *joined
			for sub := (mask - 1) & mask; sub > 0; sub = (sub - 1) & mask {
				l, r := g.memo[sub], g.memo[mask&^sub]
				if l == nil || r == nil {
					continue
				}
				if size < n && !g.connected(sub, mask&^sub) {
					continue
				}
				res = g.keep(res, g.pair(l, r))
			}
			if res == nil && size < n {
				continue
			}
			g.memo[mask] = res
		}
		if size == n && g.memo[full] == nil {
			break
		}
	}
	if g.memo[full] == nil {
		return g.greedy(n)
	}
	return g.memo[full]
}

// connected says whether a condition (or a lateral reference) spans two sets.
func (g *group) connected(a, b uint64) bool {
	for i := range g.preds {
		if m := g.preds[i].mask; m&a != 0 && m&b != 0 {
			return true
		}
	}
	for i := range g.leaves {
		bit := uint64(1) << i
		if b&bit != 0 && g.leaves[i].deps&a != 0 || a&bit != 0 && g.leaves[i].deps&b != 0 {
			return true
		}
	}
	return false
}

func (g *group) keep(old, add *joined) *joined {
	if add == nil {
		return old
	}
	if old == nil {
		return add
	}
	if add.best.est().Total < old.best.est().Total {
		old.best = add.best
	}
	if add.ordered != nil && (old.ordered == nil || add.ordered.est().Total < old.ordered.est().Total) {
		old.ordered = add.ordered
	}
	return old
}

// greedy joins the cheapest pair again and again.
func (g *group) greedy(n int) *joined {
	var parts []*joined
	for i := range n {
		parts = append(parts, g.memo[1<<i])
	}
	for len(parts) > 1 {
		var best *joined
		bi, bj := -1, -1
		for pass := 0; pass < 2 && best == nil; pass++ {
			for i := range parts {
				for j := range parts {
					if i == j || pass == 0 && !g.connected(parts[i].mask, parts[j].mask) {
						continue
					}
					c := g.pair(parts[i], parts[j])
					if c != nil && (best == nil || c.best.est().Total < best.best.est().Total) {
						best, bi, bj = c, i, j
					}
				}
			}
		}
		if best == nil {
			g.p.fail("no order of the joins is possible")
		}
		parts[bi] = best
		parts = slices.Delete(parts, bj, bj+1)
	}
	return parts[0]
}

// deps are the leaves outside a set that it depends on.
func (g *group) deps(mask uint64) uint64 {
	var d uint64
	for i := range g.leaves {
		if mask>>i&1 == 1 {
			d |= g.leaves[i].deps
		}
	}
	return d &^ mask
}

// pair joins two sets, the left one driving; nil when that is not possible.
func (g *group) pair(l, r *joined) *joined {
	ld, rd := g.deps(l.mask), g.deps(r.mask)
	if ld&r.mask != 0 || ld != 0 && rd&l.mask != 0 {
		return nil
	}
	mask := l.mask | r.mask
	var on []plan.Expr
	for i := range g.preds {
		if m := g.preds[i].mask; m&^mask == 0 && m&l.mask != 0 && m&r.mask != 0 {
			on = append(on, g.preds[i].expr)
		}
	}
	var right *leaf
	var free colSet
	if bits.OnesCount64(r.mask) == 1 {
		right = &g.leaves[bits.TrailingZeros64(r.mask)]
	}
	if rd&l.mask != 0 {
		for i := range g.leaves {
			if r.mask>>i&1 == 1 {
				free = free.union(g.leaves[i].free)
			}
		}
	}
	j := &joinInput{kind: plan.JoinInner, left: l.best, right: r.best, on: on, need: g.need, free: free, lcols: g.colsOf(l.mask), rcols: g.colsOf(r.mask)}
	if right != nil && right.scan != nil {
		j.scan, j.conds = right.scan, right.conds
	}
	out := &joined{mask: mask}
	out.best = g.p.bestJoin(j, false)
	if l.ordered != nil {
		j.left = l.ordered
		out.ordered = g.p.bestJoin(j, true)
	}
	return out
}

func (g *group) colsOf(mask uint64) colSet {
	var s colSet
	for i := range g.leaves {
		if mask>>i&1 == 1 {
			s = s.union(g.leaves[i].cols)
		}
	}
	return s
}

// outerJoin plans joins whose sides may not change places: left, full, semi and anti.
func (p *planner) outerJoin(r *plan.RelJoin, need colSet, w *wish) *phys {
	lcols, rcols := outputs(r.Left), outputs(r.Right)
	all := p.withExprs(need, r.On...)
	j := &joinInput{kind: r.Kind, on: r.On, need: need, lcols: lcols, rcols: rcols}
	if r.Lateral {
		j.free = p.freeCols(r.Right)
		all = all.union(j.free)
		for _, id := range j.free.list() {
			if _, ok := p.outer[id]; !ok && lcols.has(id) {
				if p.outer == nil {
					p.outer = make(map[plan.ColID]int)
				}
				p.outer[id] = p.nextSlot
				p.nextSlot++
			}
		}
	}
	var lw *wish
	if w != nil && len(w.order) > 0 && !slices.ContainsFunc(w.order, func(o plan.RelOrder) bool { return !lcols.has(p.id(o.ID)) }) {
		lw = &wish{order: w.order, limit: w.limit}
	}
	j.left = p.rel(r.Left, all, nil)
	j.right = p.rel(r.Right, all, nil)
	j.need = all
	switch x := r.Right.(type) {
	case *plan.RelScan:
		if x.System == nil {
			j.scan = x
		}
	case *plan.RelFilter:
		if s, ok := x.Input.(*plan.RelScan); ok && s.System == nil {
			j.scan, j.conds = s, x.Conds
		}
	}
	if r.Lateral {
		j.scan = nil
	}
	best := p.bestJoin(j, false)
	if s := p.semiByLookup(r, j); s != nil && s.est().Total < best.est().Total {
		best = s
	}
	if lw != nil && r.Kind != plan.JoinFull {
		j.left = p.rel(r.Left, all, lw)
		if p.satisfies(j.left.order, lw.order) {
			if o := p.bestJoin(j, true); o != nil {
				g := &group{p: p, w: w}
				return g.choose(&joined{best: best, ordered: o})
			}
		}
	}
	return best
}

// semiByLookup turns a semi join round: the distinct keys of the right side drive look-ups in the left table.
func (p *planner) semiByLookup(r *plan.RelJoin, j *joinInput) *phys {
	if r.Kind != plan.JoinSemi || r.Lateral {
		return nil
	}
	var s *plan.RelScan
	var conds []plan.Expr
	switch x := r.Left.(type) {
	case *plan.RelScan:
		s = x
	case *plan.RelFilter:
		s, _ = x.Input.(*plan.RelScan)
		conds = x.Conds
	}
	if s == nil || s.System != nil {
		return nil
	}
	var keys []plan.ColID
	for _, c := range r.On {
		f, ok := c.(*plan.FuncCall)
		if !ok || len(f.Args) != 2 {
			return nil
		}
		if op, ok := comparison(f.Fn); !ok || op != sargEq || !p.naturalPair(f.Args[0].Type().OID, f.Args[1].Type().OID) {
			return nil
		}
		v, ok := f.Args[1].(*plan.Var)
		if !ok || !j.rcols.has(p.id(v.ID)) {
			if v, ok = f.Args[0].(*plan.Var); !ok || !j.rcols.has(p.id(v.ID)) {
				return nil
			}
		}
		keys = append(keys, p.id(v.ID))
	}
	if len(keys) == 0 {
		return nil
	}
	var need colSet
	for _, id := range keys {
		need.add(id)
	}
	inner := p.distinct(&plan.RelDistinct{Input: r.Right, Cols: keys}, need, nil)
	back := &joinInput{kind: plan.JoinInner, left: inner, on: r.On, need: j.need, lcols: j.rcols, rcols: j.lcols, scan: s, conds: conds}
	return p.lookupJoin(back)
}

// joinInput is a pair to be joined.
type joinInput struct {
	kind         plan.JoinKind
	left, right  *phys
	on           []plan.Expr
	need         colSet
	lcols, rcols colSet
	// scan is the right side when it is a table under conds.
	scan  *plan.RelScan
	conds []plan.Expr
	// free are columns of the left side that the right one takes (LATERAL).
	free colSet
}

// bestJoin picks the cheapest method. With ordered only those that keep the order of the left rows count.
func (p *planner) bestJoin(j *joinInput, ordered bool) *phys {
	var best *phys
	try := func(f *phys) {
		if f != nil && (best == nil || f.est().Total < best.est().Total) {
			best = f
		}
	}
	if j.free != nil {
		return p.nestLoop(j)
	}
	if !ordered {
		try(p.hashJoin(j))
	}
	if j.scan != nil {
		try(p.lookupJoin(j))
	}
	if best == nil || ordered {
		try(p.nestLoop(j))
	}
	return best
}

// equi splits a join condition into equalities that a hash table can use and the rest.
func (p *planner) equi(j *joinInput) (left, right, rest []plan.Expr) {
	for _, c := range j.on {
		f, ok := c.(*plan.FuncCall)
		if !ok || len(f.Args) != 2 {
			rest = append(rest, c)
			continue
		}
		op, ok := comparison(f.Fn)
		if !ok || op != sargEq || !p.naturalPair(f.Args[0].Type().OID, f.Args[1].Type().OID) || volatileExpr(c) {
			rest = append(rest, c)
			continue
		}
		a, b := p.cols(f.Args[0]), p.cols(f.Args[1])
		switch {
		case a.intersects(j.lcols) && !a.intersects(j.rcols) && b.intersects(j.rcols) && !b.intersects(j.lcols):
			left, right = append(left, f.Args[0]), append(right, f.Args[1])
		case a.intersects(j.rcols) && !a.intersects(j.lcols) && b.intersects(j.lcols) && !b.intersects(j.rcols):
			left, right = append(left, f.Args[1]), append(right, f.Args[0])
		default:
			rest = append(rest, c)
		}
	}
	return left, right, rest
}

// outCols are the columns of a join's output.
func (j *joinInput) outCols(right []plan.ColID, infos []plan.ColumnInfo) ([]plan.ColID, []plan.ColumnInfo) {
	cols := slices.Clone(j.left.cols)
	out := slices.Clone(j.left.node.Columns())
	if j.oneSided() {
		return cols, out
	}
	return append(cols, right...), append(out, infos...)
}

func (j *joinInput) oneSided() bool {
	return j.kind == plan.JoinSemi || j.kind == plan.JoinAnti || j.kind == plan.JoinAntiNull
}

// joinRows guesses the size of the result.
func (p *planner) joinRows(j *joinInput, lrows, rrows float64) float64 {
	sel := 1.0
	for _, c := range j.on {
		sel *= p.joinSelectivity(j, c, lrows, rrows)
	}
	rows := lrows * rrows * sel
	switch j.kind {
	case plan.JoinLeft:
		return max(rows, lrows)
	case plan.JoinFull:
		return max(rows, lrows+rrows)
	case plan.JoinSemi:
		return max(min(rows, lrows), 1)
	case plan.JoinAnti, plan.JoinAntiNull:
		return max(lrows-min(rows, lrows*0.9), 1)
	}
	return max(rows, 1)
}

func (p *planner) joinSelectivity(_ *joinInput, c plan.Expr, lrows, rrows float64) float64 {
	f, ok := c.(*plan.FuncCall)
	if !ok || len(f.Args) != 2 {
		return guess(c)
	}
	if op, ok := comparison(f.Fn); !ok || op != sargEq {
		return guess(c)
	}
	d := 0.0
	for _, a := range f.Args {
		v, ok := stripRelabel(a).(*plan.Var)
		if !ok {
			continue
		}
		if s, o := p.scanOf(p.id(v.ID)); s != nil {
			_, n := p.columnStats(s, o)
			d = max(d, n)
		}
	}
	if d == 0 {
		d = max(min(lrows, rrows), 1)
	}
	return 1 / d
}

// scanOf finds the table that a column belongs to.
func (p *planner) scanOf(id plan.ColID) (*plan.RelScan, int) {
	q := p.bound.Query
	if q == nil {
		return nil, -1
	}
	return p.origin(id, q.Rel)
}

func (p *planner) hashJoin(j *joinInput) *phys {
	lk, rk, rest := p.equi(j)
	if len(lk) == 0 {
		return nil
	}
	cols, infos := j.outCols(j.right.cols, j.right.node.Columns())
	both := append(slices.Clone(j.left.cols), j.right.cols...)
	l, r := j.left.est(), j.right.est()
	rows := p.joinRows(j, l.Rows, r.Rows)
	startup := r.Total + r.Rows*hashTuple
	cost := l.Total + startup + l.Rows*cpuTuple + rows*cpuTuple
	if p.set.DisableHashJoin {
		cost += 1e10
	}
	n := &plan.HashJoin{Props: props(infos, startup+l.Startup, cost, rows), Kind: j.kind, Left: j.left.node, Right: j.right.node,
		LeftKeys: p.lowerAll(lk, j.left.cols), RightKeys: p.lowerAll(rk, j.right.cols), On: p.lowerConj(rest, both)}
	return &phys{node: n, cols: cols}
}

func (p *planner) nestLoop(j *joinInput) *phys {
	cols, infos := j.outCols(j.right.cols, j.right.node.Columns())
	both := append(slices.Clone(j.left.cols), j.right.cols...)
	l, r := j.left.est(), j.right.est()
	rows := p.joinRows(j, l.Rows, r.Rows)
	cost := l.Total + r.Total + l.Rows*r.Rows*(cpuTuple/2+cpuOperator*float64(len(j.on)))
	if p.set.DisableNestLoop {
		cost += 1e10
	}
	n := &plan.NestLoop{Kind: j.kind, Left: j.left.node, Right: j.right.node, On: p.lowerConj(j.on, both)}
	if j.free != nil {
		for _, id := range j.free.list() {
			at := j.left.position(id)
			if at < 0 {
				continue
			}
			info := j.left.node.Columns()[at]
			n.Args = append(n.Args, &plan.Column{Index: at, Typ: info.Type, Name: info.Name})
			n.ArgSlots = append(n.ArgSlots, p.outer[id])
		}
		cost = l.Total + l.Rows*(r.Total+request/4)
	}
	n.Props = props(infos, l.Startup, cost, rows)
	return &phys{node: n, cols: cols, order: j.left.order}
}

// lookupJoin looks the rows of a table up by an index.
func (p *planner) lookupJoin(j *joinInput) *phys {
	if j.kind == plan.JoinFull || j.kind == plan.JoinAntiNull || j.kind == plan.JoinRight {
		return nil
	}
	var best *phys
	for i, x := range j.scan.Table.Indexes {
		if i > 0 && (x.State != catalog.IndexPublic || x.Failed || special(x) || p.set.DisableIndexScan) {
			continue
		}
		if f := p.lookupBy(j, x, i == 0); f != nil && (best == nil || f.est().Total < best.est().Total) {
			best = f
		}
	}
	return best
}

// lookupBy is the lookup join by one index, or nil when the condition does not bind its first column.
func (p *planner) lookupBy(j *joinInput, x *catalog.Index, primary bool) *phys {
	conds := append(slices.Clone(j.on), j.conds...)
	sargs := p.sargs(j.scan, conds, nil)
	used := make([]bool, len(conds))
	var keys []plan.Expr
	byJoin := false
	sel := 1.0
	for _, k := range x.Key {
		o := keyOrdinal(j.scan.Table, k)
		at := slices.IndexFunc(sargs, func(g sarg) bool { return g.op == sargEq && g.ordinal == o })
		if at < 0 {
			break
		}
		g := &sargs[at]
		keys = append(keys, g.vals[0])
		used[g.cond] = true
		byJoin = byJoin || g.cond < len(j.on)
		_, d := p.columnStats(j.scan, o)
		sel /= d
	}
	if !byJoin {
		return nil
	}
	unique := len(keys) == len(x.Key) && (x.Unique || primary)
	var rest []plan.Expr
	for i, c := range conds {
		if !used[i] {
			rest = append(rest, c)
		}
	}
	return p.buildLookup(j, x, keys, rest, sel, unique, primary)
}

func (p *planner) buildLookup(j *joinInput, x *catalog.Index, keys, rest []plan.Expr, sel float64, unique, primary bool) *phys {
	s := j.scan
	need := p.resolve(p.withExprs(j.need, rest...))
	n := &plan.LookupJoin{Kind: j.kind, Input: j.left.node, Unique: unique}
	n.Access = plan.Access{Table: s.Table, Index: x, Alias: s.Alias}
	var rcols []plan.ColID
	var infos []plan.ColumnInfo
	for i, c := range s.Table.Columns {
		if id := s.Base + plan.ColID(i); need.has(id) || s.Target {
			n.Ordinals = append(n.Ordinals, i)
			rcols = append(rcols, id)
			infos = append(infos, plan.ColumnInfo{Name: c.Name, Type: c.Type, Table: s.Table.OID, Attr: c.Attnum})
		}
	}
	cover := primary || covers(s, x, need)
	n.IndexOnly = cover && !primary
	n.Keys = p.lowerAll(keys, j.left.cols)
	both := append(slices.Clone(j.left.cols), rcols...)
	n.On = p.lowerConj(rest, both)
	l := j.left.est()
	rows := p.joinRows(j, l.Rows, p.tableRows(s)*p.scanSelectivity(s, j.conds, p.sargs(s, j.conds, nil)))
	matches := max(p.tableRows(s)*sel, 1)
	if unique {
		matches = 1
	}
	fetched := l.Rows * matches
	cost := l.Total + request*math.Ceil(l.Rows/256) + fetched*lookupTuple
	if !unique {
		cost += l.Rows * request / 20
	}
	if !cover {
		cost += request*math.Ceil(fetched/256) + fetched*lookupTuple
	}
	cols, outInfos := j.outCols(rcols, infos)
	var shown []plan.Expr
	for i, k := range n.Keys {
		c := x.Key[i]
		col, o := s.Table.ColumnByID(c.Column)
		op, err := p.facts.ResolveOperator("", "=", col.Type.OID, k.Type().OID)
		if err == nil {
			shown = append(shown, &plan.FuncCall{Fn: op.Op.Func, Op: "=", Typ: boolConst(true).Typ,
				Args: []plan.Expr{&plan.Var{ID: s.Base + plan.ColID(o), Typ: col.Type, Name: col.Name}, k}})
		}
	}
	if len(shown) > 0 {
		n.Access.Cond = conj(shown)
	}
	n.Props = props(outInfos, l.Startup, cost, rows)
	return &phys{node: n, cols: cols, order: j.left.order}
}

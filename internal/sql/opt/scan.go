package opt

import (
	"math"
	"slices"

	"github.com/meridiandb/meridian/internal/row"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// wish is what the consumer of a relation would like: an order of the rows, and that only the first few are taken.
type wish struct {
	order []plan.RelOrder
	limit float64   // 0 is all
	count plan.Expr // the limit as an expression, for hints
}

// path is a way to read a table.
type path struct {
	index   *catalog.Index
	parts   []plan.KeyPart
	span    plan.KeySpan
	bound   bool // any key condition
	point   bool
	batch   bool
	covers  bool
	reverse bool
	ordered bool   // satisfies the wish
	used    []bool // conditions that the keys enforce
	shown   []int  // conditions behind the keys, for EXPLAIN
	keySel  float64
	nspans  float64
	cost    float64
	scanned float64
	eqCols  int // leading key columns bound to one value
}

// scan plans the reading of a table under conditions.
func (p *planner) scan(s *plan.RelScan, conds []plan.Expr, need colSet, w *wish) *phys {
	if s.System != nil {
		return p.systemScan(s, conds, need)
	}
	need = need.clone()
	if s.Target {
		for i, c := range s.Table.Columns {
			if !c.Dropped {
				need.add(s.Base + plan.ColID(i))
			}
		}
	}
	sargs := p.sargs(s, conds, nil)
	rows := p.tableRows(s)
	outRows := rows * p.scanSelectivity(s, conds, sargs)
	var all colSet
	all = need.clone()
	for _, c := range conds {
		exprCols(c, &all)
	}
	all = p.resolve(all)
	best := p.bestPath(s, conds, sargs, all, rows, outRows, w)
	return p.buildScan(s, conds, need, best, outRows, w)
}

// resolve replaces renamed columns in a set.
func (p *planner) resolve(s colSet) colSet {
	if len(p.alias) == 0 {
		return s
	}
	var out colSet
	for _, id := range s.list() {
		out.add(p.id(id))
	}
	return out
}

func (p *planner) bestPath(s *plan.RelScan, conds []plan.Expr, sargs []sarg, all colSet, rows, outRows float64, w *wish) *path {
	var best *path
	for i, x := range s.Table.Indexes {
		if i > 0 && (x.State != catalog.IndexPublic || x.Failed || p.set.DisableIndexScan) {
			continue
		}
		var exprs []plan.Expr
		xs := sargs
		if i > 0 && special(x) {
			keys, ok := p.usable(s, x, conds)
			if !ok {
				continue
			}
			if keys != nil {
				exprs = keys
				xs = p.sargs(s, conds, nonNil(keys))
			}
		}
		c := p.matchIndex(s, x, i == 0, xs, exprs, len(conds))
		p.costPath(s, c, conds, xs, all, rows, outRows, w)
		if best == nil || c.cost < best.cost {
			best = c
		}
	}
	return best
}

func special(x *catalog.Index) bool {
	return x.Predicate != "" || slices.ContainsFunc(x.Key, func(k catalog.IndexColumn) bool { return k.Column == 0 })
}

func nonNil(list []plan.Expr) []plan.Expr {
	var out []plan.Expr
	for _, e := range list {
		if e != nil {
			out = append(out, e)
		}
	}
	return out
}

// usable binds the expressions of an index and says whether its predicate follows from the conditions.
func (p *planner) usable(s *plan.RelScan, x *catalog.Index, conds []plan.Expr) ([]plan.Expr, bool) {
	if p.set.IndexExprs == nil {
		return nil, false
	}
	keys, pred, err := p.set.IndexExprs(s.Table, x, s.Base)
	if err != nil {
		return nil, false
	}
	for i := range keys {
		if keys[i] != nil {
			keys[i] = p.fold(keys[i])
		}
	}
	if pred == nil {
		return keys, true
	}
	for _, c := range conjuncts(nil, p.fold(pred)) {
		if !p.implied(c, conds) {
			return nil, false
		}
	}
	return keys, true
}

// implied says whether a condition follows from others: it is one of them, or IS NOT NULL of something that one of them
// refuses to be NULL.
func (p *planner) implied(c plan.Expr, conds []plan.Expr) bool {
	if containsExpr(conds, c) {
		return true
	}
	n, ok := c.(*plan.IsNull)
	if !ok || !n.Not {
		return false
	}
	v, ok := n.Arg.(*plan.Var)
	if !ok {
		return false
	}
	var set colSet
	set.add(p.id(v.ID))
	return slices.ContainsFunc(conds, func(e plan.Expr) bool { return p.rejects(e, set) })
}

// matchIndex binds the leading columns of an index.
func (p *planner) matchIndex(s *plan.RelScan, x *catalog.Index, primary bool, sargs []sarg, exprs []plan.Expr, nconds int) *path {
	c := &path{index: x, keySel: 1, nspans: 1, used: make([]bool, nconds)}
	unique, eqOnly := x.Unique || primary, true
	for k, key := range x.Key {
		g := bestEq(sargs, keyMatcher(s, key, exprs, k))
		if g == nil {
			p.matchRange(s, c, sargs, keyMatcher(s, key, exprs, k))
			break
		}
		part := plan.KeyPart{Kind: plan.KeyEq, Exprs: g.vals}
		n := 1.0
		switch g.op {
		case sargIn:
			part.Kind, n, eqOnly = plan.KeyIn, float64(len(g.vals)), false
		case sargArray:
			part.Kind, n, eqOnly = plan.KeyArray, 10, false
		case sargNull:
			part.Kind, part.Exprs, unique = plan.KeyIsNull, nil, false
		}
		if c.eqCols == k && part.Kind != plan.KeyIn && part.Kind != plan.KeyArray {
			c.eqCols++
		}
		c.nspans *= n
		c.keySel *= p.selectivity(s, g)
		c.parts = append(c.parts, part)
		c.bound = true
		c.shown = append(c.shown, g.cond)
		if g.exact {
			c.used[g.cond] = true
		}
	}
	if len(c.parts) == len(x.Key) && unique {
		c.point, c.batch = eqOnly, !eqOnly
		c.keySel = min(c.keySel, c.nspans/max(p.tableRows(s), 1))
	}
	c.span.Parts = c.parts
	return c
}

// keyMatcher recognises conditions on a key column.
func keyMatcher(s *plan.RelScan, key catalog.IndexColumn, exprs []plan.Expr, k int) func(*sarg) bool {
	if key.Column != 0 {
		o := keyOrdinal(s.Table, key)
		return func(g *sarg) bool { return g.ordinal == o }
	}
	return func(g *sarg) bool {
		return g.ordinal < 0 && k < len(exprs) && exprs[k] != nil && plan.Equal(g.expr, exprs[k])
	}
}

// bestEq finds the condition that binds a column most closely to values.
func bestEq(sargs []sarg, match func(*sarg) bool) *sarg {
	var best *sarg
	rank := func(op sargOp) int {
		switch op {
		case sargEq:
			return 3
		case sargNull:
			return 2
		case sargIn, sargArray:
			return 1
		}
		return 0
	}
	for i := range sargs {
		g := &sargs[i]
		if r := rank(g.op); r > 0 && match(g) && (best == nil || r > rank(best.op)) {
			best = g
		}
	}
	return best
}

// matchRange binds the column after the bound ones to a range.
func (p *planner) matchRange(s *plan.RelScan, c *path, sargs []sarg, match func(*sarg) bool) {
	use := func(g *sarg) {
		c.bound = true
		c.shown = append(c.shown, g.cond)
		if g.exact {
			c.used[g.cond] = true
		}
	}
	var lo, hi, pre, nn *sarg
	for i := range sargs {
		g := &sargs[i]
		if !match(g) {
			continue
		}
		switch g.op {
		case sargGt, sargGe:
			lo = firstSarg(lo, g)
		case sargLt, sargLe:
			hi = firstSarg(hi, g)
		case sargPrefix:
			pre = firstSarg(pre, g)
		case sargNotNull:
			nn = firstSarg(nn, g)
		}
	}
	switch {
	case pre != nil:
		c.span.Prefix = pre.vals[0]
		c.keySel *= p.selectivity(s, pre)
		use(pre)
	case lo != nil || hi != nil:
		sel := 1.0
		if lo != nil {
			c.span.Lo = &plan.KeyBound{Expr: lo.vals[0], Inclusive: lo.op == sargGe}
			sel = p.selectivity(s, lo)
			use(lo)
		}
		if hi != nil {
			c.span.Hi = &plan.KeyBound{Expr: hi.vals[0], Inclusive: hi.op == sargLe}
			f := p.selectivity(s, hi)
			if lo != nil {
				sel = max(sel+f-1, 0.005)
			} else {
				sel = f
			}
			use(hi)
		}
		c.keySel *= sel
		if nn != nil {
			c.used[nn.cond] = true
		}
	case nn != nil:
		c.span.NotNull = true
		use(nn)
	}
}

func firstSarg(a, b *sarg) *sarg {
	if a != nil {
		return a
	}
	return b
}

// costPath estimates a path.
func (p *planner) costPath(s *plan.RelScan, c *path, conds []plan.Expr, sargs []sarg, all colSet, rows, outRows float64, w *wish) {
	primary := c.index == s.Table.RowStore()
	c.covers = primary || !p.set.DisableIndexOnlyScan && covers(s, c.index, all)
	c.scanned = max(rows*c.keySel, 1)
	if c.point {
		c.scanned = 1
	}
	if !c.point && !c.batch && p.stats(s.Table) == nil && s.System == nil && p.leftOver(sargs, c) {
		// Nothing is known: an equality that no key enforces is supposed to refuse many rows before it finds one.
		c.scanned = max(c.scanned, 100)
	}
	c.ordered, c.reverse = p.ordered(s, c, w)
	fetched, share := c.scanned, 1.0
	if w != nil && w.limit > 0 && (c.ordered || len(w.order) == 0) {
		// Reading stops when enough rows have passed.
		share = clamp(w.limit / max(outRows, 1))
		if share < 1 {
			fetched = min(fetched, math.Ceil(fetched*share))
		}
	}
	cost := request * min(c.nspans, 64)
	if !c.bound && primary && p.set.DisableSeqScan {
		cost += 1e10
	}
	cost += fetched * scanTuple
	if c.point || c.batch {
		cost = request + fetched*lookupTuple
	}
	if !c.covers {
		residual := 1.0
		if !c.point {
			residual = p.entryShare(s, c, conds)
		}
		n := fetched * residual
		cost += request*math.Ceil(n/256) + n*lookupTuple
	}
	if w != nil && len(w.order) > 0 && !c.ordered {
		cost += sortCost(outRows, w.limit)
		if p.set.DisableSort {
			cost += 1e10
		}
	}
	c.cost = cost
}

// leftOver says whether an equality on a column is not enforced by the keys of a path.
func (p *planner) leftOver(sargs []sarg, c *path) bool {
	for i := range sargs {
		if sargs[i].op == sargEq && !c.used[sargs[i].cond] {
			return true
		}
	}
	return false
}

// entryShare is the share of entries that conditions on the entries' own columns leave over before rows are fetched.
func (p *planner) entryShare(s *plan.RelScan, c *path, conds []plan.Expr) float64 {
	f := 1.0
	for i, e := range conds {
		if c.used[i] || !covers(s, c.index, p.cols(e)) {
			continue
		}
		f *= guess(e)
	}
	return f
}

func sortCost(rows, limit float64) float64 {
	n := max(rows, 2)
	k := n
	if limit > 0 {
		k = min(k, max(limit, 2))
	}
	return n * math.Log2(k) * cpuOperator * 2
}

// covers says whether every needed column of a scan is in the entries of an index.
func covers(s *plan.RelScan, x *catalog.Index, need colSet) bool {
	store := s.Table.RowStore()
	for i, c := range s.Table.Columns {
		if !need.has(s.Base + plan.ColID(i)) {
			continue
		}
		if !holds(x, c) && !(inKey(store, c.ID) && row.KeyLossless(c.Type)) {
			return false
		}
	}
	return true
}

func inKey(x *catalog.Index, id uint32) bool {
	return slices.ContainsFunc(x.Key, func(k catalog.IndexColumn) bool { return k.Column == id })
}

func holds(x *catalog.Index, c *catalog.Column) bool {
	return inKey(x, c.ID) || slices.Contains(x.Include, c.ID)
}

// ordered says whether a path gives rows in the wished order, perhaps walking backwards.
func (p *planner) ordered(s *plan.RelScan, c *path, w *wish) (ok, reverse bool) {
	if w == nil || len(w.order) == 0 {
		return false, false
	}
	if c.point {
		return true, false
	}
	if c.batch {
		return false, false
	}
	k, first := 0, true
	for _, o := range w.order {
		id := p.id(o.ID)
		i := int(id - s.Base)
		if i < 0 || i >= len(s.Table.Columns) {
			return false, false
		}
		if p.constantOn(s, c, i) {
			continue
		}
		for k < c.eqCols && keyOrdinal(s.Table, c.index.Key[k]) != i {
			k++
		}
		if k >= len(c.index.Key) {
			// After the whole key of a unique index every order is right.
			return c.index.Unique || c.index == s.Table.RowStore(), reverse
		}
		key := c.index.Key[k]
		if keyOrdinal(s.Table, key) != i {
			return false, false
		}
		back := key.Desc != o.Desc
		notNull := s.Table.Columns[i].NotNull
		if !notNull && (key.NullsFirst != o.NullsFirst) != back {
			return false, false
		}
		if first {
			reverse, first = back, false
		} else if back != reverse {
			return false, false
		}
		k++
	}
	return true, reverse
}

// constantOn says whether the path binds a column to a single value.
func (p *planner) constantOn(s *plan.RelScan, c *path, ordinal int) bool {
	for k := range c.eqCols {
		if keyOrdinal(s.Table, c.index.Key[k]) == ordinal {
			return true
		}
	}
	return false
}

// buildScan makes the operator of a path.
func (p *planner) buildScan(s *plan.RelScan, conds []plan.Expr, need colSet, c *path, outRows float64, w *wish) *phys {
	var rest []plan.Expr
	for i, e := range conds {
		if !c.used[i] {
			rest = append(rest, e)
		}
	}
	var push *plan.Push
	var pushed []plan.Expr
	if !c.point && !c.batch {
		push, pushed, rest = p.pushConds(s, c.index, rest)
	}
	need = p.resolve(need)
	for _, e := range rest {
		for _, id := range p.cols(e).list() {
			need.add(id)
		}
	}
	f := &phys{}
	acc := plan.Access{Table: s.Table, Index: c.index, Alias: s.Alias}
	var infos []plan.ColumnInfo
	for i, col := range s.Table.Columns {
		id := s.Base + plan.ColID(i)
		if !need.has(id) && !(s.Target && col.Dropped) {
			continue
		}
		acc.Ordinals = append(acc.Ordinals, i)
		f.cols = append(f.cols, id)
		infos = append(infos, plan.ColumnInfo{Name: col.Name, Type: col.Type, Table: s.Table.OID, Attr: col.Attnum})
	}
	acc.IndexOnly = c.covers && c.index != s.Table.RowStore() && covers(s, c.index, need)
	pr := props(infos, 0, c.cost, outRows)
	if c.point {
		pr.Est.Rows = 1
	}
	filter := p.lowerConj(rest, f.cols)
	if len(c.shown) > 0 {
		var shown []plan.Expr
		for _, i := range c.shown {
			shown = append(shown, conds[i])
		}
		acc.Cond = p.lowerLoose(shown, f.cols)
	}
	switch {
	case c.point:
		n := &plan.PointGet{Props: pr, Access: acc, Filter: filter}
		for _, part := range c.parts {
			n.Keys = append(n.Keys, p.lower(part.Exprs[0], nil))
		}
		f.node = n
	case c.batch:
		f.node = &plan.BatchGet{Props: pr, Access: acc, Parts: p.lowerParts(c.parts), Filter: filter}
	default:
		n := &plan.Scan{Props: pr, Access: acc, Reverse: c.reverse, Push: push, Filter: filter}
		if c.bound {
			n.Spans = []plan.KeySpan{p.lowerSpan(&c.span)}
		}
		if len(pushed) > 0 {
			n.Pushed = p.lowerLoose(pushed, f.cols)
		}
		if w != nil && w.count != nil && (c.ordered || len(w.order) == 0) && filter == nil {
			n.LimitHint = w.count
		}
		f.node = n
	}
	if c.ordered {
		f.order = w.order
	}
	if c.point {
		f.unique = []plan.ColID{}
	}
	return f
}

// lowerLoose lowers conditions for EXPLAIN: columns that are not in the row keep their names as Vars.
func (p *planner) lowerLoose(conds []plan.Expr, l layout) plan.Expr {
	out := make([]plan.Expr, len(conds))
	var rec func(e plan.Expr) plan.Expr
	rec = func(e plan.Expr) plan.Expr {
		switch x := e.(type) {
		case *plan.Var:
			id := p.id(x.ID)
			if i := l.find(id); i >= 0 {
				return &plan.Column{Index: i, Typ: x.Typ, Name: x.Name}
			}
			if slot, ok := p.outer[id]; ok {
				return &plan.OuterParam{Slot: slot, Typ: x.Typ, Name: x.Name}
			}
			return x
		case *plan.Subquery:
			return x
		}
		return plan.Rewrite(e, rec)
	}
	for i, c := range conds {
		out[i] = rec(c)
	}
	return conj(out)
}

func (p *planner) lowerParts(parts []plan.KeyPart) []plan.KeyPart {
	out := make([]plan.KeyPart, len(parts))
	for i, k := range parts {
		out[i] = plan.KeyPart{Kind: k.Kind, Exprs: p.lowerAll(k.Exprs, nil)}
	}
	return out
}

func (p *planner) lowerSpan(s *plan.KeySpan) plan.KeySpan {
	out := plan.KeySpan{Parts: p.lowerParts(s.Parts), NotNull: s.NotNull}
	if s.Lo != nil {
		out.Lo = &plan.KeyBound{Expr: p.lower(s.Lo.Expr, nil), Inclusive: s.Lo.Inclusive}
	}
	if s.Hi != nil {
		out.Hi = &plan.KeyBound{Expr: p.lower(s.Hi.Expr, nil), Inclusive: s.Hi.Inclusive}
	}
	if s.Prefix != nil {
		out.Prefix = p.lower(s.Prefix, nil)
	}
	return out
}

// systemScan plans the reading of a virtual table.
func (p *planner) systemScan(s *plan.RelScan, conds []plan.Expr, need colSet) *phys {
	sargs := p.sargs(s, conds, nil)
	need = p.resolve(need)
	for _, e := range conds {
		for _, id := range p.cols(e).list() {
			need.add(id)
		}
	}
	f := &phys{}
	n := &plan.SystemScan{Table: s.System, Alias: s.Alias}
	var infos []plan.ColumnInfo
	for i, col := range s.Table.Columns {
		if id := s.Base + plan.ColID(i); need.has(id) {
			n.Ordinals = append(n.Ordinals, i)
			f.cols = append(f.cols, id)
			infos = append(infos, plan.ColumnInfo{Name: col.Name, Type: col.Type, Table: s.Table.OID, Attr: col.Attnum})
		}
	}
	rows := p.tableRows(s)
	cost := rows * cpuTuple
	for i := range sargs {
		g := &sargs[i]
		if g.op == sargEq && slices.Contains(s.System.Keys, g.ordinal) {
			n.Eq = append(n.Eq, plan.SystemScanEq{Column: g.ordinal, Expr: p.lower(g.vals[0], nil)})
			cost = 1
		}
	}
	n.Filter = p.lowerConj(conds, f.cols)
	n.Props = props(infos, 0, cost, rows*p.scanSelectivity(s, conds, sargs))
	f.node = n
	return f
}

package bind

import (
	"slices"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

const lockPrivilege = catalog.PrivUpdate

// orderBy binds ORDER BY: output names and numbers first, expressions otherwise.
func (b *binder) orderBy(q *selectState, list []*parser.SortBy) {
	for _, o := range list {
		i := b.findTarget(q, o.Expr, "ORDER BY")
		t := &q.targets[i]
		t.expr = b.resolveUnknown(t.expr)
		desc, nulls := b.direction(o, t.expr.Type().OID)
		dup := false
		for _, old := range q.sort {
			dup = dup || old.target == i
		}
		if !dup {
			q.sort = append(q.sort, sortItem{target: i, desc: desc, nullsFirst: nulls})
		}
	}
}

// findTarget finds or adds the target that an item of ORDER BY, GROUP BY or DISTINCT ON means (SQL-92 rules first).
func (b *binder) findTarget(q *selectState, e parser.Expr, clause string) int {
	switch x := e.(type) {
	case *parser.ColumnRef:
		if len(x.Parts) == 1 && !x.Star {
			if i := b.targetByName(q, x, clause); i >= 0 {
				return i
			}
		}
	case *parser.Const:
		if x.Kind != parser.ConstInteger {
			b.fail(x.Pos, failure.SyntaxError, "non-integer constant in %s", clause)
		}
		n := 0
		for i := range q.targets {
			if q.targets[i].junk {
				continue
			}
			if n++; n == int(x.Int) {
				return i
			}
		}
		b.fail(x.Pos, failure.InvalidColumnReference, "%s position %d is not in select list", clause, x.Int)
	}
	return b.targetByExpr(q, b.expr(q.scope, e), start(e))
}

// targetByName matches an output name. In GROUP BY a column of FROM goes before an output name.
func (b *binder) targetByName(q *selectState, x *parser.ColumnRef, clause string) int {
	name := x.Parts[0]
	if clause == "GROUP BY" {
		if q.scope.hasColumn(name) {
			return -1
		}
	}
	found := -1
	for i := range q.targets {
		t := &q.targets[i]
		if t.junk || t.name != name {
			continue
		}
		if found >= 0 && !plan.Equal(q.targets[found].expr, t.expr) {
			b.fail(x.Pos, failure.AmbiguousColumn, "%s \"%s\" is ambiguous", clause, name)
		}
		if found < 0 {
			found = i
		}
	}
	if found >= 0 && clause == "GROUP BY" {
		b.checkGroupTarget(q, found, x.Pos)
	}
	return found
}

// checkGroupTarget refuses an aggregate as a grouping expression.
func (b *binder) checkGroupTarget(q *selectState, i, pos int) {
	plan.Walk(q.targets[i].expr, func(x plan.Expr) bool {
		if v, ok := x.(*plan.Var); ok {
			if q.isAgg(v.ID) {
				b.fail(int(v.Pos), failure.GroupingError, "aggregate functions are not allowed in GROUP BY")
			}
			if q.isWindow(v.ID) {
				b.fail(int(v.Pos), failure.WindowingError, "window functions are not allowed in GROUP BY")
			}
		}
		return true
	})
}

// hasColumn says whether a bare name means a column of the level's own FROM.
func (s *scope) hasColumn(name string) bool {
	for _, it := range s.ns {
		if !it.colsVisible {
			continue
		}
		for i := range it.rte.cols {
			if it.rte.cols[i].name == name && !it.rte.cols[i].hidden {
				return true
			}
		}
	}
	return false
}

// targetByExpr finds a target with the same expression, or adds a junk one.
func (b *binder) targetByExpr(q *selectState, x plan.Expr, pos int) int {
	for i := range q.targets {
		if plan.Equal(q.targets[i].expr, x) {
			return i
		}
	}
	q.targets = append(q.targets, target{expr: b.resolveUnknown(x), junk: true, pos: pos, name: "?column?"})
	return len(q.targets) - 1
}

// distinctOn binds DISTINCT ON and makes it agree with ORDER BY.
func (b *binder) distinctOn(q *selectState) []int {
	if len(q.stmt.DistinctOn) == 0 {
		return nil
	}
	var on, pos []int
	q.scope.in(PlaceDistinctOn, func() {
		for _, e := range q.stmt.DistinctOn {
			i := b.findTarget(q, e, "SELECT DISTINCT ON")
			b.needOrder(q.targets[i].expr.Type().OID, start(e))
			dup := false
			for _, j := range on {
				dup = dup || i == j
			}
			if !dup {
				on, pos = append(on, i), append(pos, start(e))
			}
		}
	})
	inOn := func(t int) bool {
		for _, i := range on {
			if i == t {
				return true
			}
		}
		return false
	}
	matched, skipped := 0, false
	for _, o := range q.sort {
		switch {
		case !inOn(o.target):
			skipped = true
		case skipped:
			b.fail(pos[slices.Index(on, o.target)], failure.InvalidColumnReference,
				"SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
		default:
			matched++
		}
	}
	if skipped && matched < len(on) {
		b.fail(pos[slices.IndexFunc(on, func(i int) bool { return !slices.ContainsFunc(q.sort, func(o sortItem) bool { return o.target == i }) })],
			failure.InvalidColumnReference, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
	}
	// What ORDER BY leaves open is sorted too, so that equal rows come together.
	for _, i := range on {
		found := false
		for _, o := range q.sort {
			found = found || o.target == i
		}
		if !found {
			q.sort = append(q.sort, sortItem{target: i})
		}
	}
	return on
}

// checkDistinct makes sure that SELECT DISTINCT can compare its columns and sorts by nothing else.
func (b *binder) checkDistinct(q *selectState, on []int) {
	if on != nil {
		return
	}
	for i := range q.targets {
		t := &q.targets[i]
		if !t.junk {
			t.expr = b.resolveUnknown(t.expr)
			b.needEqual(t.expr.Type().OID, t.pos)
		}
	}
	for _, o := range q.sort {
		if q.targets[o.target].junk {
			b.fail(q.targets[o.target].pos, failure.InvalidColumnReference,
				"for SELECT DISTINCT, ORDER BY expressions must appear in select list")
		}
	}
}

package bind

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// cte is a common table expression in scope.
type cte struct {
	name string
	def  *plan.RelCTEDef
	// recursing is set while the recursive term of the CTE is bound: mentions read the working table.
	recursing bool
	// forbidden says why a mention is wrong at the moment, "" when it is right.
	forbidden string
	// ref and work are the mention in the recursive term and its columns, the last hidden of which are those of SEARCH and
	// CYCLE.
	ref    *rte
	work   []plan.Expr
	hidden int
}

func (s *scope) findCTE(name string) *cte {
	for lv := s; lv != nil; lv = lv.parent {
		for i := len(lv.ctes) - 1; i >= 0; i-- {
			if lv.ctes[i].name == name {
				return lv.ctes[i]
			}
		}
	}
	return nil
}

// with binds WITH into the scope.
func (b *binder) with(s *scope, w *parser.WithClause) []*plan.RelCTEDef {
	var defs []*plan.RelCTEDef
	for i, c := range w.CTEs {
		for _, o := range w.CTEs[:i] {
			if o.Name == c.Name {
				b.fail(c.Pos, failure.DuplicateAlias, "WITH query name \"%s\" specified more than once", c.Name)
			}
		}
	}
	order := w.CTEs
	if w.Recursive {
		order = b.dependencyOrder(w)
	}
	for i, c := range order {
		s.future = nil
		if !w.Recursive {
			for _, later := range w.CTEs[i:] {
				s.future = append(s.future, later.Name)
			}
		}
		def := &plan.RelCTEDef{ID: b.nextCTE, Name: c.Name, Materialized: c.Materialized == parser.MaterializeAlways,
			Inline: c.Materialized == parser.MaterializeNever}
		b.nextCTE++
		defs = append(defs, b.bindCTE(s, w, c, def)...)
		defs = append(defs, def)
	}
	s.future = nil
	return defs
}

// forwardReference explains a relation that is not there when a WITH item that comes later has the name.
func (s *scope) forwardReference(err *failure.Error, name string) *failure.Error {
	for lv := s; lv != nil; lv = lv.parent {
		if slices.Contains(lv.future, name) {
			return err.Edit().WithDetail("There is a WITH item named \"%s\", but it cannot be referenced from this part of the query.", name).
				WithHint("Use WITH RECURSIVE, or re-order the WITH items to remove forward references.")
		}
	}
	return err
}

// dependencyOrder sorts the CTEs of WITH RECURSIVE so that one comes after those it mentions.
func (b *binder) dependencyOrder(w *parser.WithClause) []*parser.CommonTableExpr {
	var out []*parser.CommonTableExpr
	state := make(map[string]int)
	var visit func(c *parser.CommonTableExpr)
	visit = func(c *parser.CommonTableExpr) {
		switch state[c.Name] {
		case 1:
			b.notSupportedExact(c.Pos, "mutual recursion between WITH items is not implemented")
		case 2:
			return
		}
		state[c.Name] = 1
		for _, o := range w.CTEs {
			if o != c && mentions(c.Query, o.Name) {
				visit(o)
			}
		}
		state[c.Name] = 2
		out = append(out, c)
	}
	for _, c := range w.CTEs {
		visit(c)
	}
	return out
}

// bindCTE binds a CTE into the scope. It returns what must be made known before it: the CTEs of a recursive query's own
// WITH.
func (b *binder) bindCTE(s *scope, w *parser.WithClause, c *parser.CommonTableExpr, def *plan.RelCTEDef) []*plan.RelCTEDef {
	sel, isSelect := c.Query.(*parser.SelectStmt)
	entry := &cte{name: c.Name, def: def}
	recursive := w.Recursive && mentions(c.Query, c.Name)
	if !recursive && (c.Search != nil || c.Cycle != nil) {
		b.fail(c.Pos, failure.SyntaxError, "WITH query is not recursive")
	}
	var before []*plan.RelCTEDef
	switch {
	case isSelect && recursive:
		before = b.recursiveCTE(s, c, sel, entry)
	case recursive:
		b.fail(c.Pos, failure.InvalidRecursion, "recursive query \"%s\" must not contain data-modifying statements", c.Name)
	case isSelect:
		q := b.query(s, sel, true)
		def.Query = b.ownColumns(q)
		def.Cols = infos(def.Query.Cols)
		def.Volatile = volatileRel(def.Query.Rel)
	default:
		if s.parent != nil && s.parent.named == nil {
			b.fail(c.Pos, failure.FeatureNotSupported, "WITH clause containing a data-modifying statement must be at the top level")
		}
		def.DML = b.dml(s, c.Query)
		b.writes = true
		for _, r := range def.DML.DML.Returning {
			def.Cols = append(def.Cols, r.ColumnInfo)
		}
		if def.DML.DML.Returning == nil {
			entry.forbidden = "WITH query \"" + c.Name + "\" does not have a RETURNING clause"
		}
	}
	if !recursive {
		b.nameCTEColumns(c, def)
	}
	s.ctes = append(s.ctes, entry)
	return before
}

func (b *binder) nameCTEColumns(c *parser.CommonTableExpr, def *plan.RelCTEDef) {
	if len(c.Columns) > len(def.Cols) {
		b.fail(c.Pos, failure.InvalidColumnReference, "WITH query \"%s\" has %d columns available but %d columns specified",
			c.Name, len(def.Cols), len(c.Columns))
	}
	def.Cols = slices.Clone(def.Cols)
	for i, n := range c.Columns {
		def.Cols[i].Name = n
	}
}

// dml binds a data-modifying statement inside WITH.
func (b *binder) dml(s *scope, stmt parser.Statement) *plan.BoundStmt {
	switch stmt := stmt.(type) {
	case *parser.InsertStmt:
		return b.insert(s, stmt)
	case *parser.UpdateStmt:
		return b.update(s, stmt)
	case *parser.DeleteStmt:
		return b.delete(s, stmt)
	}
	b.notSupported(stmt.Position(), "%T in WITH", stmt)
	return nil
}

func infos(cols []plan.OutCol) []plan.ColumnInfo {
	out := make([]plan.ColumnInfo, len(cols))
	for i, c := range cols {
		out[i] = c.ColumnInfo
	}
	return out
}

// recursiveCTE binds "non-recursive term UNION [ALL] recursive term".
func (b *binder) recursiveCTE(s *scope, c *parser.CommonTableExpr, sel *parser.SelectStmt, entry *cte) (before []*plan.RelCTEDef) {
	def := entry.def
	b.checkRecursion(c, sel)
	inner := &scope{parent: s, kind: PlaceSelectTarget}
	if sel.With != nil {
		before = b.with(inner, sel.With)
	}
	left := b.ownColumns(b.query(inner, sel.Left, true))
	def.Cols = infos(left.Cols)
	b.nameCTEColumns(c, def)
	extra := b.searchCycle(inner, c, sel, def.Cols)
	if extra != nil {
		left = extra.left(left)
		def.Cols = append(def.Cols, extra.columns()...)
		entry.hidden = len(extra.columns())
	}
	entry.recursing = true
	inner.ctes = append(inner.ctes, entry)
	rarm := b.setArm(inner, sel.Right)
	entry.recursing = false
	if rarm.width() != len(left.Cols)-entry.hidden {
		_, _, pos := rarm.column(0)
		b.fail(pos, failure.SyntaxError, "each UNION query must have the same number of columns")
	}
	types := make([]datum.Type, rarm.width())
	for i, lc := range left.Cols[:len(types)] {
		types[i] = lc.Type
		b.sameRecursiveType(c, lc, rarm, i, sel.All)
	}
	if extra != nil && c.Cycle != nil && rarm.sel != nil {
		rarm.sel.rel = filter(rarm.sel.rel, extra.unmarked(entry.work))
	}
	right := b.armQuery(rarm, types, "UNION")
	if extra != nil {
		if rarm.sel == nil || !slices.Contains(rarm.sel.scope.all, entry.ref) {
			b.notSupportedExact(-1, "with a SEARCH or CYCLE clause, the recursive reference to WITH query \""+c.Name+
				"\" must be at the top level of its right-hand SELECT")
		}
		right = extra.right(right, entry.work)
	}
	def.Recursive = &plan.RelRecursive{Left: left, Right: right, All: sel.All}
	return before
}

// sameRecursiveType makes sure that the recursive term does not change the type of a column.
func (b *binder) sameRecursiveType(c *parser.CommonTableExpr, left plan.OutCol, rarm *arm, i int, all bool) {
	rt, _, pos := rarm.column(i)
	lpos := -1
	if l := c.Query.(*parser.SelectStmt).Left; i < len(l.Targets) {
		lpos = start(l.Targets[i].Value)
	}
	oid, _, err := b.facts.SelectCommonType("UNION", []datum.OID{left.Type.OID, rt.OID})
	b.must(pos, err)
	if oid != left.Type.OID {
		b.throw(lpos, failure.New(failure.DatatypeMismatch,
			"recursive query \"%s\" column %d has type %s in non-recursive term but type %s overall", c.Name, i+1,
			b.facts.FormatType(left.Type), b.facts.TypeName(oid)).
			WithHint("Cast the output of the non-recursive term to the correct type."))
	}
	if !all {
		b.needEqual(oid, pos)
	}
}

func (b *binder) notSupportedExact(pos int, text string) {
	b.fail(pos, failure.FeatureNotSupported, "%s", text)
}

// cteRef binds a mention of a CTE.
func (b *binder) cteRef(s *scope, c *cte, t *parser.RangeVar) (plan.Rel, *rte) {
	if c.forbidden != "" {
		b.fail(t.Pos, failure.FeatureNotSupported, "%s", c.forbidden)
	}
	alias := c.name
	if t.Alias != nil {
		alias = t.Alias.Name
	}
	ref := &plan.RelCTE{CTE: c.def, Base: b.newIDs(len(c.def.Cols)), Alias: alias, Work: c.recursing}
	if c.recursing {
		s.selfRef = true
	} else {
		c.def.Refs++
	}
	r := &rte{alias: alias, rowType: datum.OIDRecord, base: ref.Base}
	for i, col := range c.def.Cols {
		r.cols = append(r.cols, rcol{name: col.Name, table: col.Table, attr: col.Attr,
			expr: &plan.Var{ID: ref.Base + plan.ColID(i), Typ: col.Type, Name: col.Name}})
	}
	if c.recursing {
		c.ref, c.work = r, nil
		for i := range r.cols {
			c.work = append(c.work, r.cols[i].expr)
			r.cols[i].hidden = i >= len(r.cols)-c.hidden
		}
	}
	b.aliasColumns(r, t.Alias)
	return ref, r
}

// volatileRel says whether a query calls volatile functions or locks rows.
func volatileRel(rel plan.Rel) bool {
	found := false
	plan.WalkRel(rel, func(r plan.Rel) {
		if _, ok := r.(*plan.RelLock); ok {
			found = true
		}
		plan.RewriteRelExprs(r, func(e plan.Expr) plan.Expr {
			found = found || Volatile(e)
			return e
		})
	})
	return found
}

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
	mentions  int
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
		if c.Search != nil || c.Cycle != nil {
			b.notSupported(c.Pos, "SEARCH and CYCLE clauses")
		}
	}
	order := w.CTEs
	if w.Recursive {
		order = b.dependencyOrder(w)
	}
	for _, c := range order {
		def := &plan.RelCTEDef{ID: b.nextCTE, Name: c.Name, Materialized: c.Materialized == parser.MaterializeAlways,
			Inline: c.Materialized == parser.MaterializeNever}
		b.nextCTE++
		b.bindCTE(s, w, c, def)
		defs = append(defs, def)
	}
	return defs
}

// dependencyOrder sorts the CTEs of WITH RECURSIVE so that one comes after those it mentions.
func (b *binder) dependencyOrder(w *parser.WithClause) []*parser.CommonTableExpr {
	var out []*parser.CommonTableExpr
	state := make(map[string]int)
	var visit func(c *parser.CommonTableExpr)
	visit = func(c *parser.CommonTableExpr) {
		switch state[c.Name] {
		case 1:
			b.notSupported(c.Pos, "mutual recursion between WITH items")
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

func (b *binder) bindCTE(s *scope, w *parser.WithClause, c *parser.CommonTableExpr, def *plan.RelCTEDef) {
	sel, isSelect := c.Query.(*parser.SelectStmt)
	entry := &cte{name: c.Name, def: def}
	switch {
	case isSelect && w.Recursive && mentions(sel, c.Name):
		b.recursiveCTE(s, c, sel, entry)
	case isSelect:
		q := b.query(s, sel, true)
		def.Query = b.ownColumns(q)
		def.Cols = infos(def.Query.Cols)
		def.Volatile = volatileRel(def.Query.Rel)
	default:
		if s.parent != nil {
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
	b.nameCTEColumns(c, def)
	s.ctes = append(s.ctes, entry)
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
func (b *binder) recursiveCTE(s *scope, c *parser.CommonTableExpr, sel *parser.SelectStmt, entry *cte) {
	def := entry.def
	if sel.Op != parser.SetOpUnion {
		b.fail(c.Pos, failure.InvalidRecursion,
			"recursive query \"%s\" does not have the form non-recursive-term UNION [ALL] recursive-term", c.Name)
	}
	if len(sel.OrderBy) > 0 {
		b.notSupportedExact(sel.OrderBy[0].Pos, "ORDER BY in a recursive query is not implemented")
	}
	if sel.Limit != nil {
		b.notSupportedExact(start(sel.Limit), "LIMIT in a recursive query is not implemented")
	}
	if sel.Offset != nil {
		b.notSupportedExact(start(sel.Offset), "OFFSET in a recursive query is not implemented")
	}
	if mentions(sel.Left, c.Name) {
		b.fail(c.Pos, failure.InvalidRecursion,
			"recursive reference to query \"%s\" must not appear within its non-recursive term", c.Name)
	}
	inner := &scope{parent: s, kind: PlaceSelectTarget}
	if sel.With != nil {
		b.notSupported(sel.Pos, "WITH inside a recursive query")
	}
	left := b.ownColumns(b.query(inner, sel.Left, true))
	def.Cols = infos(left.Cols)
	b.nameCTEColumns(c, def)
	entry.recursing = true
	inner.ctes = append(inner.ctes, entry)
	rarm := b.setArm(inner, sel.Right)
	entry.recursing = false
	if entry.mentions > 1 {
		b.fail(c.Pos, failure.InvalidRecursion, "recursive reference to query \"%s\" must not appear more than once", c.Name)
	}
	if rarm.width() != len(left.Cols) {
		b.fail(-1, failure.SyntaxError, "each UNION query must have the same number of columns")
	}
	types := make([]datum.Type, len(left.Cols))
	for i, lc := range left.Cols {
		types[i] = lc.Type
		rt, _, pos := rarm.column(i)
		oid, _, err := b.facts.SelectCommonType("UNION", []datum.OID{lc.Type.OID, rt.OID})
		b.must(pos, err)
		if oid != lc.Type.OID {
			b.throw(pos, failure.New(failure.DatatypeMismatch,
				"recursive query \"%s\" column %d has type %s in non-recursive term but type %s overall", c.Name, i+1,
				b.facts.FormatType(lc.Type), b.facts.TypeName(oid)).
				WithHint("Cast the output of the non-recursive term to the correct type."))
		}
		if !sel.All {
			b.needEqual(oid, pos)
		}
	}
	def.Recursive = &plan.RelRecursive{Left: left, Right: b.armQuery(rarm, types, "UNION"), All: sel.All}
}

func (b *binder) notSupportedExact(pos int, text string) {
	b.fail(pos, failure.FeatureNotSupported, "%s", text)
}

// cteRef binds a mention of a CTE.
func (b *binder) cteRef(c *cte, t *parser.RangeVar) (plan.Rel, *rte) {
	if c.forbidden != "" {
		b.fail(t.Pos, failure.FeatureNotSupported, "%s", c.forbidden)
	}
	alias := c.name
	if t.Alias != nil {
		alias = t.Alias.Name
	}
	ref := &plan.RelCTE{CTE: c.def, Base: b.newIDs(len(c.def.Cols)), Alias: alias, Work: c.recursing}
	if c.recursing {
		c.mentions++
	} else {
		c.def.Refs++
	}
	r := &rte{alias: alias, rowType: datum.OIDRecord, base: ref.Base}
	for i, col := range c.def.Cols {
		r.cols = append(r.cols, rcol{name: col.Name, table: col.Table, attr: col.Attr,
			expr: &plan.Var{ID: ref.Base + plan.ColID(i), Typ: col.Type, Name: col.Name}})
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

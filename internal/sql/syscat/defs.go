package syscat

import (
	"strings"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// relName is a relation's name, with its schema when wanted or when the path does not find it.
func (e *Env) relName(t *catalog.Table, qualified bool) string {
	if qualified {
		return catalog.QuoteIdent(e.Snapshot.SchemaName(t.Schema)) + "." + catalog.QuoteIdent(t.Name)
	}
	return e.Snapshot.QualifiedIfHidden(e.Path, catalog.Relation{Table: t})
}

// userTypeName is a user-defined type's name, with its schema when the path does not find it.
func (e *Env) userTypeName(ti *builtin.TypeInfo) string {
	if ti.Elem != 0 && ti.Category == 'A' {
		if elem := e.userType(ti.Elem); elem != nil {
			return e.userTypeName(elem) + "[]"
		}
	}
	return UserTypes{e.Snapshot, e.Path}.TypePrefix(ti) + catalog.QuoteIdent(ti.Name)
}

// FormatType is format_type for all types, user-defined ones included.
func (e *Env) FormatType(t datum.Type) string {
	if ti := e.userType(t.OID); ti != nil {
		return e.userTypeName(ti)
	}
	return e.Facts.FormatType(t)
}

// columnName is the quoted name of a column by its id.
func columnName(t *catalog.Table, id uint32) string {
	c, _ := t.ColumnByID(id)
	if c == nil {
		return "?"
	}
	return catalog.QuoteIdent(c.Name)
}

func columnNames(t *catalog.Table, ids []uint32) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = columnName(t, id)
	}
	return strings.Join(out, ", ")
}

// indexDef is pg_get_indexdef.
func (e *Env) indexDef(t *catalog.Table, x *catalog.Index, qualified bool) string {
	return e.indexDefPretty(t, x, qualified, false)
}

func (e *Env) indexDefPretty(t *catalog.Table, x *catalog.Index, qualified, pretty bool) string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if x.Unique {
		b.WriteString("UNIQUE ")
	}
	b.WriteString("INDEX " + catalog.QuoteIdent(x.Name) + " ON " + e.relName(t, qualified) + " USING btree (")
	for i := range x.Key {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(e.indexColumn(t, x, i, pretty))
	}
	b.WriteString(")")
	if len(x.Include) > 0 {
		b.WriteString(" INCLUDE (" + columnNames(t, x.Include) + ")")
	}
	if x.NullsNotDistinct {
		b.WriteString(" NULLS NOT DISTINCT")
	}
	if x.Predicate != "" {
		b.WriteString(" WHERE " + e.exprPretty(x.Predicate, t, datum.T(datum.OIDBool), pretty))
	}
	return b.String()
}

// indexColumn prints one key column with its options.
func (e *Env) indexColumn(t *catalog.Table, x *catalog.Index, i int, pretty bool) string {
	k := x.Key[i]
	s := e.indexKey(t, x, i, pretty)
	base := ""
	if c, _ := t.ColumnByID(k.Column); c != nil {
		base = c.Collation
	}
	if k.Collation != "" && k.Collation != base {
		s += " COLLATE " + catalog.QuoteIdent(k.Collation)
	}
	if k.OpClass != "" && !e.isDefaultOpClass(k) {
		s += " " + k.OpClass
	}
	switch {
	case k.Desc && k.NullsFirst:
		s += " DESC"
	case k.Desc:
		s += " DESC NULLS LAST"
	case k.NullsFirst:
		s += " NULLS FIRST"
	}
	return s
}

func (e *Env) isDefaultOpClass(k catalog.IndexColumn) bool {
	named := e.opClass(k)
	k.OpClass = ""
	return named == e.opClass(k)
}

// indexKey prints one key column without options, or an INCLUDE column.
func (e *Env) indexKey(t *catalog.Table, x *catalog.Index, i int, pretty bool) string {
	if i >= len(x.Key) {
		return columnName(t, x.Include[i-len(x.Key)])
	}
	k := x.Key[i]
	if k.Column != 0 {
		return columnName(t, k.Column)
	}
	s := e.exprPretty(k.Expr, t, datum.Type{}, pretty)
	ast, err := parser.ParseExpr(k.Expr)
	if _, call := ast.(*parser.FuncCall); err == nil && call {
		return s
	}
	return "(" + s + ")"
}

// constraintDef is pg_get_constraintdef.
func (e *Env) constraintDef(c *constraint, pretty bool) string {
	switch {
	case c.fk != nil:
		return e.foreignKeyDef(c)
	case c.index != nil:
		return keyDef(c)
	case c.check != nil:
		return e.checkDef(c.check.Expr, c.t, datum.Type{}, pretty) + suffix(c.check.NoInherit, " NO INHERIT") +
			suffix(!c.check.Validated, " NOT VALID")
	case c.dcheck != nil:
		return e.checkDef(c.dcheck.Expr, nil, c.domain.Base, pretty) + suffix(!c.dcheck.Validated, " NOT VALID")
	}
	return ""
}

func suffix(on bool, s string) string {
	if on {
		return s
	}
	return ""
}

func (e *Env) checkDef(expr string, t *catalog.Table, value datum.Type, pretty bool) string {
	x, err := parser.ParseExpr(expr)
	if err != nil {
		return "CHECK (" + expr + ")"
	}
	d := &deparser{e: e, t: t, value: value, pretty: pretty}
	d.expr(x)
	return "CHECK (" + d.String() + ")"
}

// trimCheck takes the word CHECK and its parentheses off a definition.
func trimCheck(def string) string {
	return strings.TrimPrefix(def, "CHECK ")
}

func keyDef(c *constraint) string {
	word := "UNIQUE "
	if c.index.Primary {
		word = "PRIMARY KEY "
	}
	if c.index.NullsNotDistinct {
		word = "UNIQUE NULLS NOT DISTINCT "
	}
	s := word + "(" + columnNames(c.t, keyColumns(c.index)) + ")"
	if len(c.index.Include) > 0 {
		s += " INCLUDE (" + columnNames(c.t, c.index.Include) + ")"
	}
	return s + deferral(c)
}

func deferral(c *constraint) string {
	deferrable, deferred := c.deferral()
	return suffix(deferrable, " DEFERRABLE") + suffix(deferred, " INITIALLY DEFERRED")
}

func (e *Env) foreignKeyDef(c *constraint) string {
	f := c.fk
	ref := e.Snapshot.TableByOID(f.RefTable)
	s := "FOREIGN KEY (" + columnNames(c.t, f.Columns) + ") REFERENCES " + e.relName(ref, false) + "(" +
		columnNames(ref, f.RefColumns) + ")"
	s += suffix(f.MatchFull, " MATCH FULL")
	if f.OnUpdate != catalog.FKNoAction {
		s += " ON UPDATE " + actionWords(f.OnUpdate)
	}
	if f.OnDelete != catalog.FKNoAction {
		s += " ON DELETE " + actionWords(f.OnDelete)
		if len(f.OnDeleteColumns) > 0 {
			s += " (" + columnNames(c.t, f.OnDeleteColumns) + ")"
		}
	}
	return s + deferral(c) + suffix(!f.Validated, " NOT VALID")
}

// viewDefinition is pg_get_viewdef. System views have no text.
func (e *Env) viewDefinition(t *catalog.Table) datum.Datum {
	if t.View == nil {
		return datum.Null
	}
	return dText(e.viewText(t, false))
}

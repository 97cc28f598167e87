package syscat

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// schemaConstraint is a constraint in the information schema. A NOT NULL column counts as one, with a made-up name.
type schemaConstraint struct {
	*constraint
	notNull *catalog.Column
}

// schemaConstraints yields the constraints of the tables that the user owns or may change.
func schemaConstraints(schemaKey, tableKey string) func(*query, func(*schemaConstraint) error) error {
	relations := visibleRelations(schemaKey, tableKey, catalog.RelTable)
	return func(q *query, emit func(*schemaConstraint) error) error {
		return relations(q, func(t *catalog.Table) error {
			if t.Virtual {
				return nil
			}
			err := tableConstraints(t, func(c *constraint) error { return emit(&schemaConstraint{constraint: c}) })
			if err != nil {
				return err
			}
			for _, c := range t.VisibleColumns() {
				if !c.NotNull {
					continue
				}
				name := oidString(t.Schema) + "_" + oidString(t.OID) + "_" + itoa(int(c.Attnum)) + "_not_null"
				x := &schemaConstraint{constraint: &constraint{name: name, ns: t.Schema, t: t}, notNull: c}
				if err := emit(x); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func oidString(oid catalog.OID) string { return itoa(int(oid)) }

func (c *schemaConstraint) word() string {
	switch c.kind() {
	case 'p':
		return "PRIMARY KEY"
	case 'u':
		return "UNIQUE"
	case 'f':
		return "FOREIGN KEY"
	default:
		return "CHECK"
	}
}

// keyUse is a row of key_column_usage and constraint_column_usage: a column of a constraint.
type keyUse struct {
	c     *constraint
	t     *catalog.Table
	col   *catalog.Column
	pos   int
	upper int // position in the unique constraint; 0 is NULL
}

func keyUses(q *query, emit func(*keyUse) error) error {
	return schemaConstraints("table_schema", "table_name")(q, func(c *schemaConstraint) error {
		var ids []uint32
		switch {
		case c.fk != nil:
			ids = c.fk.Columns
		case c.index != nil:
			ids = keyColumns(c.index)
		}
		for i, id := range ids {
			column, _ := c.t.ColumnByID(id)
			u := &keyUse{c: c.constraint, t: c.t, col: column, pos: i + 1}
			if c.fk != nil {
				u.upper = q.referencedPosition(c.fk, i)
			}
			if err := emit(u); err != nil {
				return err
			}
		}
		return nil
	})
}

// referencedPosition is where column i of a foreign key stands in the unique key it refers to.
func (e *Env) referencedPosition(f *catalog.ForeignKey, i int) int {
	_, x := e.Snapshot.IndexByOID(f.RefIndex)
	if x == nil {
		return 0
	}
	return slices.Index(keyColumns(x), f.RefColumns[i]) + 1
}

// columnUses yields the columns that constraints rest on: those referred to by foreign keys, keyed or checked.
func columnUses(q *query, emit func(*keyUse) error) error {
	return schemaConstraints("", "")(q, func(c *schemaConstraint) error {
		t := c.t
		var ids []uint32
		switch {
		case c.fk != nil:
			t, ids = q.Snapshot.TableByOID(c.fk.RefTable), c.fk.RefColumns
		case c.index != nil:
			ids = keyColumns(c.index)
		case c.check != nil:
			ids = c.check.Columns
		}
		for _, id := range ids {
			column, _ := t.ColumnByID(id)
			if err := emit(&keyUse{c: c.constraint, t: t, col: column}); err != nil {
				return err
			}
		}
		return nil
	})
}

func defineInformationConstraints(r *registry) {
	type T = schemaConstraint
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	db := func(q *query, _ *T) datum.Datum { return q.database() }
	schema := func(q *query, c *T) datum.Datum { return dText(q.Snapshot.SchemaName(c.ns)) }
	name := func(_ *query, c *T) datum.Datum { return dText(c.name) }
	produce(r, "information_schema.table_constraints", "table_schema table_name", schemaConstraints("table_schema", "table_name"),
		C("constraint_catalog", db), C("constraint_schema", schema), C("constraint_name", name),
		C("table_catalog", db), C("table_schema", schema),
		C("table_name", func(_ *query, c *T) datum.Datum { return dText(c.t.Name) }),
		C("constraint_type", func(_ *query, c *T) datum.Datum { return dText(c.word()) }),
		C("is_deferrable", func(_ *query, c *T) datum.Datum { d, _ := c.deferral(); return dYes(d) }),
		C("initially_deferred", func(_ *query, c *T) datum.Datum { _, d := c.deferral(); return dYes(d) }),
		C("enforced", func(*query, *T) datum.Datum { return dText("YES") }),
		C("nulls_distinct", func(_ *query, c *T) datum.Datum {
			if c.kind() != 'u' {
				return datum.Null
			}
			return dYes(!c.index.NullsNotDistinct)
		}),
	)
	produce(r, "information_schema.check_constraints", "", func(q *query, emit func(*T) error) error {
		err := schemaConstraints("", "")(q, func(c *T) error {
			if c.kind() != 'c' {
				return nil
			}
			return emit(c)
		})
		if err != nil {
			return err
		}
		for ty := range q.Snapshot.Types() {
			for _, d := range ty.Checks {
				if err := emit(&T{constraint: &constraint{name: d.Name, ns: ty.Schema, domain: ty, dcheck: d}}); err != nil {
					return err
				}
			}
		}
		return nil
	},
		C("constraint_catalog", db), C("constraint_schema", schema), C("constraint_name", name),
		C("check_clause", func(q *query, c *T) datum.Datum {
			if c.notNull != nil {
				return dText(c.notNull.Name + " IS NOT NULL")
			}
			// The definition without CHECK and its parentheses' word.
			def := q.constraintDef(c.constraint, true)
			return dText(trimCheck(def))
		}),
	)
	produce(r, "information_schema.referential_constraints", "", func(q *query, emit func(*T) error) error {
		return schemaConstraints("", "")(q, func(c *T) error {
			if c.fk == nil {
				return nil
			}
			return emit(c)
		})
	},
		C("constraint_catalog", db), C("constraint_schema", schema), C("constraint_name", name),
		C("unique_constraint_catalog", db),
		C("unique_constraint_schema", func(q *query, c *T) datum.Datum {
			return dText(q.Snapshot.SchemaName(q.Snapshot.TableByOID(c.fk.RefTable).Schema))
		}),
		C("unique_constraint_name", func(q *query, c *T) datum.Datum {
			if _, x := q.Snapshot.IndexByOID(c.fk.RefIndex); x != nil && x.Constraint != 0 {
				return dText(x.Name)
			}
			return datum.Null
		}),
		C("match_option", func(_ *query, c *T) datum.Datum {
			if c.fk.MatchFull {
				return dText("FULL")
			}
			return dText("NONE")
		}),
		C("update_rule", func(_ *query, c *T) datum.Datum { return dText(actionWords(c.fk.OnUpdate)) }),
		C("delete_rule", func(_ *query, c *T) datum.Datum { return dText(actionWords(c.fk.OnDelete)) }),
	)
	defineUsage(r)
}

func actionWords(a catalog.FKAction) string {
	switch a {
	case catalog.FKRestrict:
		return "RESTRICT"
	case catalog.FKCascade:
		return "CASCADE"
	case catalog.FKSetNull:
		return "SET NULL"
	case catalog.FKSetDefault:
		return "SET DEFAULT"
	default:
		return "NO ACTION"
	}
}

func defineUsage(r *registry) {
	type T = keyUse
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	common := []col[T]{
		C("constraint_catalog", func(q *query, _ *T) datum.Datum { return q.database() }),
		C("constraint_schema", func(q *query, u *T) datum.Datum { return dText(q.Snapshot.SchemaName(u.c.ns)) }),
		C("constraint_name", func(_ *query, u *T) datum.Datum { return dText(u.c.name) }),
		C("table_catalog", func(q *query, _ *T) datum.Datum { return q.database() }),
		C("table_schema", func(q *query, u *T) datum.Datum { return schemaCol(q, u.t) }),
		C("table_name", func(_ *query, u *T) datum.Datum { return dText(u.t.Name) }),
	}
	column := C("column_name", func(_ *query, u *T) datum.Datum { return dText(u.col.Name) })
	produce(r, "information_schema.key_column_usage", "table_schema table_name", keyUses, append(slices.Clone(common), column,
		C("ordinal_position", func(_ *query, u *T) datum.Datum { return dInt(u.pos) }),
		C("position_in_unique_constraint", func(_ *query, u *T) datum.Datum {
			if u.upper == 0 {
				return datum.Null
			}
			return dInt(u.upper)
		}))...)
	produce(r, "information_schema.constraint_column_usage", "", columnUses, append(slices.Clone(common), column)...)
	produce(r, "information_schema.constraint_table_usage", "", func(q *query, emit func(*T) error) error {
		return schemaConstraints("", "")(q, func(c *schemaConstraint) error {
			switch {
			case c.fk != nil:
				return emit(&T{c: c.constraint, t: q.Snapshot.TableByOID(c.fk.RefTable)})
			case c.index != nil:
				return emit(&T{c: c.constraint, t: c.t})
			}
			return nil
		})
	}, common...)
	defineDomains(r)
	definePrivileges(r)
}

func defineDomains(r *registry) {
	type T = catalog.Type
	each := func(q *query, emit func(*T) error) error {
		for t := range q.Snapshot.Types() {
			if t.Kind == catalog.TypeDomain {
				if err := emit(t); err != nil {
					return err
				}
			}
		}
		return nil
	}
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	facet := func(get func(typeFacets) int) func(*query, *T) datum.Datum {
		return func(_ *query, t *T) datum.Datum { return orNull(get(facetsOf(t.Base))) }
	}
	produce(r, "information_schema.domains", "", each,
		C("domain_catalog", func(q *query, _ *T) datum.Datum { return q.database() }),
		C("domain_schema", func(q *query, t *T) datum.Datum { return dText(q.Snapshot.SchemaName(t.Schema)) }),
		C("domain_name", func(_ *query, t *T) datum.Datum { return dText(t.Name) }),
		C("data_type", func(q *query, t *T) datum.Datum { return dText(q.dataType(q.typeInfo(t.Base.OID))) }),
		C("character_maximum_length", facet(func(f typeFacets) int { return f.charLen })),
		C("character_octet_length", facet(func(f typeFacets) int { return f.octetLen })),
		C("numeric_precision", facet(func(f typeFacets) int { return f.precision })),
		C("numeric_precision_radix", facet(func(f typeFacets) int { return f.radix })),
		C("numeric_scale", facet(func(f typeFacets) int { return f.scale })),
		C("datetime_precision", facet(func(f typeFacets) int { return f.datetime })),
		C("domain_default", func(q *query, t *T) datum.Datum {
			if t.Default == "" {
				return datum.Null
			}
			return dText(q.exprText(t.Default, nil, t.Base))
		}),
		C("udt_catalog", func(q *query, _ *T) datum.Datum { return q.database() }),
		C("udt_schema", func(*query, *T) datum.Datum { return dText("pg_catalog") }),
		C("udt_name", func(q *query, t *T) datum.Datum { return dText(q.typeInfo(t.Base.OID).Name) }),
		C("dtd_identifier", func(*query, *T) datum.Datum { return dText("1") }),
	)
	type D = constraint
	produce(r, "information_schema.domain_constraints", "", func(q *query, emit func(*D) error) error {
		return each(q, func(t *T) error {
			for _, c := range t.Checks {
				if err := emit(&D{name: c.Name, ns: t.Schema, domain: t, dcheck: c}); err != nil {
					return err
				}
			}
			return nil
		})
	},
		col[D]{"constraint_catalog", func(q *query, _ *D) datum.Datum { return q.database() }},
		col[D]{"constraint_schema", func(q *query, d *D) datum.Datum { return dText(q.Snapshot.SchemaName(d.ns)) }},
		col[D]{"constraint_name", func(_ *query, d *D) datum.Datum { return dText(d.name) }},
		col[D]{"domain_catalog", func(q *query, _ *D) datum.Datum { return q.database() }},
		col[D]{"domain_schema", func(q *query, d *D) datum.Datum { return dText(q.Snapshot.SchemaName(d.ns)) }},
		col[D]{"domain_name", func(_ *query, d *D) datum.Datum { return dText(d.domain.Name) }},
		col[D]{"is_deferrable", func(*query, *D) datum.Datum { return dText("NO") }},
		col[D]{"initially_deferred", func(*query, *D) datum.Datum { return dText("NO") }},
	)
}

// tableGrant is a row of table_privileges and role_table_grants.
type tableGrant struct {
	t         *catalog.Table
	it        catalog.ACLItem
	privilege string
	bit       catalog.Privilege
}

// privilegeWords name the privileges of tables, in the order of the bits.
func privilegeWords() []struct {
	bit  catalog.Privilege
	word string
} {
	return []struct {
		bit  catalog.Privilege
		word string
	}{
		{catalog.PrivInsert, "INSERT"}, {catalog.PrivSelect, "SELECT"}, {catalog.PrivUpdate, "UPDATE"}, {catalog.PrivDelete, "DELETE"},
		{catalog.PrivTruncate, "TRUNCATE"}, {catalog.PrivReferences, "REFERENCES"}, {catalog.PrivTrigger, "TRIGGER"},
	}
}

func tableGrants(public bool) func(*query, func(*tableGrant) error) error {
	return func(q *query, emit func(*tableGrant) error) error {
		relations := visibleRelations("table_schema", "table_name", catalog.RelTable, catalog.RelView)
		return relations(q, func(t *catalog.Table) error {
			for _, it := range t.EffectiveACL() {
				if it.Grantee == 0 && !public {
					continue
				}
				if !q.Snapshot.Member(q.User, it.Grantor) && it.Grantee != 0 && !q.Snapshot.Member(q.User, it.Grantee) {
					continue
				}
				for _, p := range privilegeWords() {
					if it.Privs&p.bit == 0 {
						continue
					}
					if err := emit(&tableGrant{t, it, p.word, p.bit}); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
}

func definePrivileges(r *registry) {
	type T = tableGrant
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	cols := []col[T]{
		C("grantor", func(q *query, g *T) datum.Datum { return dText(q.Snapshot.RoleName(g.it.Grantor)) }),
		C("grantee", func(q *query, g *T) datum.Datum {
			if g.it.Grantee == 0 {
				return dText("PUBLIC")
			}
			return dText(q.Snapshot.RoleName(g.it.Grantee))
		}),
		C("table_catalog", func(q *query, _ *T) datum.Datum { return q.database() }),
		C("table_schema", func(q *query, g *T) datum.Datum { return schemaCol(q, g.t) }),
		C("table_name", func(_ *query, g *T) datum.Datum { return dText(g.t.Name) }),
		C("privilege_type", func(_ *query, g *T) datum.Datum { return dText(g.privilege) }),
		C("is_grantable", func(_ *query, g *T) datum.Datum {
			return dYes(g.it.Options&g.bit != 0 || g.it.Grantee == g.t.Owner)
		}),
		C("with_hierarchy", func(_ *query, g *T) datum.Datum { return dYes(g.bit == catalog.PrivSelect) }),
	}
	produce(r, "information_schema.table_privileges", "table_schema table_name", tableGrants(true), cols...)
	produce(r, "information_schema.role_table_grants", "table_schema table_name", tableGrants(false), cols...)
}

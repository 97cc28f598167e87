package syscat

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// database is the catalog name that every row of the information schema starts with.
func (q *query) database() datum.Datum { return dText(q.Snapshot.Database().Name) }

// sees says whether the user may know of a relation: by owning it, or by any privilege on it or a column.
func (e *Env) sees(t *catalog.Table) bool {
	s := e.Snapshot
	if s.Member(e.User, t.Owner) {
		return true
	}
	all := catalog.PrivAllTable
	if t.Kind == catalog.RelSequence {
		all = catalog.PrivAllSequence
	}
	roles := func(r catalog.OID) bool { return s.Member(e.User, r) }
	if t.EffectiveACL().Granted(all, roles) != 0 {
		return true
	}
	for _, c := range t.Columns {
		if c.ACL.Granted(catalog.PrivAllColumn, roles) != 0 {
			return true
		}
	}
	return false
}

// visibleRelations yields relations of some kinds that the user may know of; equalities on the schema and the name
// are made use of.
func visibleRelations(schemaKey, nameKey string, kinds ...catalog.RelKind) func(*query, func(*catalog.Table) error) error {
	return func(q *query, emit func(*catalog.Table) error) error {
		schema, bySchema := q.wantText(schemaKey)
		return relationsOf(nameKey, kinds...)(q, func(t *catalog.Table) error {
			if bySchema && q.Snapshot.SchemaName(t.Schema) != schema || !q.sees(t) {
				return nil
			}
			return emit(t)
		})
	}
}

func defineInformation(r *registry) {
	type T = catalog.Table
	type one struct{}
	produce(r, "information_schema.information_schema_catalog_name", "", func(_ *query, emit func(*one) error) error { return emit(&one{}) },
		col[one]{"catalog_name", func(q *query, _ *one) datum.Datum { return q.database() }},
	)
	db := func(q *query, _ *T) datum.Datum { return q.database() }
	produce(r, "information_schema.tables", "table_schema table_name",
		visibleRelations("table_schema", "table_name", catalog.RelTable, catalog.RelView),
		col[T]{"table_catalog", db}, col[T]{"table_schema", schemaCol}, col[T]{"table_name", nameCol},
		col[T]{"table_type", func(_ *query, t *T) datum.Datum {
			if t.Kind == catalog.RelView {
				return dText("VIEW")
			}
			return dText("BASE TABLE")
		}},
		col[T]{"is_insertable_into", func(_ *query, t *T) datum.Datum { return dYes(t.Kind == catalog.RelTable && !t.Virtual) }},
		col[T]{"is_typed", func(*query, *T) datum.Datum { return dText("NO") }},
	)
	produce(r, "information_schema.views", "table_schema table_name",
		visibleRelations("table_schema", "table_name", catalog.RelView),
		col[T]{"table_catalog", db}, col[T]{"table_schema", schemaCol}, col[T]{"table_name", nameCol},
		col[T]{"view_definition", func(q *query, t *T) datum.Datum {
			if !q.Snapshot.Member(q.User, t.Owner) {
				return datum.Null
			}
			return q.viewDefinition(t)
		}},
		col[T]{"check_option", func(_ *query, t *T) datum.Datum {
			if t.View == nil {
				return dText("NONE")
			}
			switch t.View.CheckOption {
			case "local":
				return dText("LOCAL")
			case "cascaded":
				return dText("CASCADED")
			}
			return dText("NONE")
		}},
		col[T]{"is_updatable", func(*query, *T) datum.Datum { return dText("NO") }},
		col[T]{"is_insertable_into", func(*query, *T) datum.Datum { return dText("NO") }},
		col[T]{"is_trigger_updatable", func(*query, *T) datum.Datum { return dText("NO") }},
		col[T]{"is_trigger_deletable", func(*query, *T) datum.Datum { return dText("NO") }},
		col[T]{"is_trigger_insertable_into", func(*query, *T) datum.Datum { return dText("NO") }},
	)
	produce(r, "information_schema.sequences", "sequence_schema sequence_name", func(q *query, emit func(*T) error) error {
		return visibleRelations("sequence_schema", "sequence_name", catalog.RelSequence)(q, func(t *T) error {
			if t.Sequence.Internal {
				return nil
			}
			return emit(t)
		})
	},
		col[T]{"sequence_catalog", db}, col[T]{"sequence_schema", schemaCol}, col[T]{"sequence_name", nameCol},
		col[T]{"data_type", func(_ *query, t *T) datum.Datum { return dText(datum.FormatType(t.Sequence.Type)) }},
		col[T]{"numeric_precision", func(_ *query, t *T) datum.Datum { return dInt(intBits(t.Sequence.Type.OID)) }},
		col[T]{"numeric_precision_radix", func(*query, *T) datum.Datum { return dInt(2) }},
		col[T]{"numeric_scale", func(*query, *T) datum.Datum { return dInt(0) }},
		col[T]{"start_value", func(_ *query, t *T) datum.Datum { return dNum(t.Sequence.Start) }},
		col[T]{"minimum_value", func(_ *query, t *T) datum.Datum { return dNum(t.Sequence.Min) }},
		col[T]{"maximum_value", func(_ *query, t *T) datum.Datum { return dNum(t.Sequence.Max) }},
		col[T]{"increment", func(_ *query, t *T) datum.Datum { return dNum(t.Sequence.Increment) }},
		col[T]{"cycle_option", func(_ *query, t *T) datum.Datum { return dYes(t.Sequence.Cycle) }},
	)
	defineSchemata(r)
	defineColumns(r)
}

// dNum is a number as text.
func dNum(n int64) datum.Datum { return dText(datum.Text(datum.T(datum.OIDInt8), dInt(n), nil)) }

func intBits(oid catalog.OID) int {
	switch oid {
	case datum.OIDInt2:
		return 16
	case datum.OIDInt4:
		return 32
	default:
		return 64
	}
}

func defineSchemata(r *registry) {
	type N = catalog.Schema
	produce(r, "information_schema.schemata", "", func(q *query, emit func(*N) error) error {
		for s := range q.Snapshot.Schemas() {
			if !q.Snapshot.Member(q.User, s.Owner) && !q.Snapshot.HasSchema(q.User, s, catalog.PrivUsage) &&
				!q.Snapshot.HasSchema(q.User, s, catalog.PrivCreate) {
				continue
			}
			if err := emit(s); err != nil {
				return err
			}
		}
		return nil
	},
		col[N]{"catalog_name", func(q *query, _ *N) datum.Datum { return q.database() }},
		col[N]{"schema_name", func(_ *query, s *N) datum.Datum { return dText(s.Name) }},
		col[N]{"schema_owner", func(q *query, s *N) datum.Datum { return dText(q.Snapshot.RoleName(s.Owner)) }},
	)
	type one struct{}
	produce(r, "information_schema.character_sets", "", func(_ *query, emit func(*one) error) error { return emit(&one{}) },
		col[one]{"character_set_name", func(*query, *one) datum.Datum { return dText("UTF8") }},
		col[one]{"character_repertoire", func(*query, *one) datum.Datum { return dText("UCS") }},
		col[one]{"form_of_use", func(*query, *one) datum.Datum { return dText("UTF8") }},
		col[one]{"default_collate_catalog", func(q *query, _ *one) datum.Datum { return q.database() }},
		col[one]{"default_collate_schema", func(*query, *one) datum.Datum { return dText("pg_catalog") }},
		col[one]{"default_collate_name", func(*query, *one) datum.Datum { return dText("ucs_basic") }},
	)
	type collation struct{ name string }
	type K = collation
	produce(r, "information_schema.collations", "", func(_ *query, emit func(*K) error) error {
		for _, n := range []string{"default", "C", "POSIX", "ucs_basic"} {
			if err := emit(&K{n}); err != nil {
				return err
			}
		}
		return nil
	},
		col[K]{"collation_catalog", func(q *query, _ *K) datum.Datum { return q.database() }},
		col[K]{"collation_schema", func(*query, *K) datum.Datum { return dText("pg_catalog") }},
		col[K]{"collation_name", func(_ *query, k *K) datum.Datum { return dText(k.name) }},
		col[K]{"pad_attribute", func(*query, *K) datum.Datum { return dText("NO PAD") }},
	)
	type R = catalog.Role
	produce(r, "information_schema.enabled_roles", "", func(q *query, emit func(*R) error) error {
		return eachRole(q, func(ro *R) error {
			if !q.Snapshot.Member(q.User, ro.OID) {
				return nil
			}
			return emit(ro)
		})
	},
		col[R]{"role_name", func(_ *query, ro *R) datum.Datum { return dText(ro.Name) }},
	)
}

// schemaColumn is a row of information_schema.columns.
type schemaColumn struct {
	t *catalog.Table
	c *catalog.Column
	// typ is the type with domains replaced by what they stand for.
	typ    datum.Type
	ti     *builtin.TypeInfo
	domain *catalog.Type
}

func schemaColumns(q *query, emit func(*schemaColumn) error) error {
	name, byName := q.wantText("column_name")
	relations := visibleRelations("table_schema", "table_name", catalog.RelTable, catalog.RelView)
	return relations(q, func(t *catalog.Table) error {
		whole := q.Snapshot.Member(q.User, t.Owner)
		for _, c := range t.VisibleColumns() {
			if byName && c.Name != name {
				continue
			}
			if !whole && !q.seesColumn(t, c) {
				continue
			}
			x := &schemaColumn{t: t, c: c, typ: c.Type, domain: q.Snapshot.TypeByOID(c.Type.OID)}
			if x.domain != nil && x.domain.Kind != catalog.TypeDomain {
				x.domain = nil
			}
			if x.domain != nil {
				x.typ = x.domain.Base
			}
			x.ti = q.typeInfo(x.typ.OID)
			if err := emit(x); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *Env) seesColumn(t *catalog.Table, c *catalog.Column) bool {
	for _, p := range []catalog.Privilege{catalog.PrivSelect, catalog.PrivInsert, catalog.PrivUpdate, catalog.PrivReferences} {
		if e.Snapshot.HasColumn(e.User, t, c, p) {
			return true
		}
	}
	return false
}

// dataType is the information schema's word for a type.
func (e *Env) dataType(ti *builtin.TypeInfo) string {
	switch {
	case ti == nil:
		return "???"
	case ti.Elem != 0 && ti.Len == -1:
		return "ARRAY"
	case ti.Schema == catalog.OIDPgCatalog:
		return e.Facts.TypeName(ti.OID)
	default:
		return "USER-DEFINED"
	}
}

// typeFacets are the lengths and precisions of a type as the information schema shows them; -1 is NULL.
type typeFacets struct{ charLen, octetLen, precision, radix, scale, datetime int }

func facetsOf(t datum.Type) typeFacets {
	f := typeFacets{-1, -1, -1, -1, -1, -1}
	switch t.OID {
	case datum.OIDText:
		f.octetLen = 1 << 30
	case datum.OIDVarchar, datum.OIDBpchar:
		f.octetLen = 1 << 30
		if t.Mod >= 4 {
			f.charLen = int(t.Mod) - 4
			f.octetLen = min(f.charLen*4, 1<<30)
		}
	case datum.OIDBit, datum.OIDVarbit:
		if t.Mod >= 0 {
			f.charLen = int(t.Mod)
		}
	case datum.OIDInt2, datum.OIDInt4, datum.OIDInt8:
		f.precision, f.radix, f.scale = intBits(t.OID), 2, 0
	case datum.OIDFloat4:
		f.precision, f.radix = 24, 2
	case datum.OIDFloat8:
		f.precision, f.radix = 53, 2
	case datum.OIDNumeric:
		f.radix = 10
		if t.Mod >= 0 {
			f.precision, f.scale = datum.NumericTypmod(t.Mod)
		}
	case datum.OIDDate:
		f.datetime = 0
	case datum.OIDTime, datum.OIDTimeTZ, datum.OIDTimestamp, datum.OIDTimestampTZ:
		f.datetime = 6
		if t.Mod >= 0 {
			f.datetime = int(t.Mod)
		}
	case datum.OIDInterval:
		f.datetime = 6
		if p := t.Mod & 0xffff; t.Mod >= 0 && p != 0xffff {
			f.datetime = int(p)
		}
	}
	if t.OID == datum.OIDText {
		f.octetLen = 1 << 30
	}
	return f
}

func orNull(n int) datum.Datum {
	if n < 0 {
		return datum.Null
	}
	return dInt(n)
}

func defineColumns(r *registry) {
	type T = schemaColumn
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	ident := func(get func(*catalog.Sequence) datum.Datum) func(*query, *T) datum.Datum {
		return func(q *query, x *T) datum.Datum {
			if x.c.Identity == catalog.IdentityNone {
				return datum.Null
			}
			return get(q.Snapshot.TableByOID(x.c.IdentitySequence).Sequence)
		}
	}
	facet := func(get func(typeFacets) int) func(*query, *T) datum.Datum {
		return func(_ *query, x *T) datum.Datum { return orNull(get(facetsOf(x.typ))) }
	}
	inDomain := func(get func(*query, *catalog.Type) datum.Datum) func(*query, *T) datum.Datum {
		return func(q *query, x *T) datum.Datum {
			if x.domain == nil {
				return datum.Null
			}
			return get(q, x.domain)
		}
	}
	produce(r, "information_schema.columns", "table_schema table_name column_name", schemaColumns,
		C("table_catalog", func(q *query, _ *T) datum.Datum { return q.database() }),
		C("table_schema", func(q *query, x *T) datum.Datum { return schemaCol(q, x.t) }),
		C("table_name", func(_ *query, x *T) datum.Datum { return dText(x.t.Name) }),
		C("column_name", func(_ *query, x *T) datum.Datum { return dText(x.c.Name) }),
		C("ordinal_position", func(_ *query, x *T) datum.Datum { return dInt(x.c.Attnum) }),
		C("column_default", func(q *query, x *T) datum.Datum {
			if x.c.Default == "" || x.c.Generated {
				return datum.Null
			}
			return dText(q.exprText(x.c.Default, x.t, x.c.Type))
		}),
		C("is_nullable", func(_ *query, x *T) datum.Datum { return dYes(!x.c.NotNull && (x.domain == nil || !x.domain.NotNull)) }),
		C("data_type", func(q *query, x *T) datum.Datum { return dText(q.dataType(x.ti)) }),
		C("character_maximum_length", facet(func(f typeFacets) int { return f.charLen })),
		C("character_octet_length", facet(func(f typeFacets) int { return f.octetLen })),
		C("numeric_precision", facet(func(f typeFacets) int { return f.precision })),
		C("numeric_precision_radix", facet(func(f typeFacets) int { return f.radix })),
		C("numeric_scale", facet(func(f typeFacets) int { return f.scale })),
		C("datetime_precision", facet(func(f typeFacets) int { return f.datetime })),
		C("collation_catalog", collated(func(q *query, _ *T) datum.Datum { return q.database() })),
		C("collation_schema", collated(func(*query, *T) datum.Datum { return dText("pg_catalog") })),
		C("collation_name", collated(func(_ *query, x *T) datum.Datum { return dText(x.c.Collation) })),
		C("domain_catalog", inDomain(func(q *query, _ *catalog.Type) datum.Datum { return q.database() })),
		C("domain_schema", inDomain(func(q *query, t *catalog.Type) datum.Datum { return dText(q.Snapshot.SchemaName(t.Schema)) })),
		C("domain_name", inDomain(func(_ *query, t *catalog.Type) datum.Datum { return dText(t.Name) })),
		C("udt_catalog", func(q *query, _ *T) datum.Datum { return q.database() }),
		C("udt_schema", func(q *query, x *T) datum.Datum {
			if x.ti == nil {
				return datum.Null
			}
			return dText(q.Snapshot.SchemaName(x.ti.Schema))
		}),
		C("udt_name", func(_ *query, x *T) datum.Datum {
			if x.ti == nil {
				return datum.Null
			}
			return dText(x.ti.Name)
		}),
		C("dtd_identifier", func(_ *query, x *T) datum.Datum { return dNum(int64(x.c.Attnum)) }),
		C("is_self_referencing", func(*query, *T) datum.Datum { return dText("NO") }),
		C("is_identity", func(_ *query, x *T) datum.Datum { return dYes(x.c.Identity != catalog.IdentityNone) }),
		C("identity_generation", func(_ *query, x *T) datum.Datum {
			switch x.c.Identity {
			case catalog.IdentityAlways:
				return dText("ALWAYS")
			case catalog.IdentityByDefault:
				return dText("BY DEFAULT")
			}
			return datum.Null
		}),
		C("identity_start", ident(func(s *catalog.Sequence) datum.Datum { return dNum(s.Start) })),
		C("identity_increment", ident(func(s *catalog.Sequence) datum.Datum { return dNum(s.Increment) })),
		C("identity_maximum", ident(func(s *catalog.Sequence) datum.Datum { return dNum(s.Max) })),
		C("identity_minimum", ident(func(s *catalog.Sequence) datum.Datum { return dNum(s.Min) })),
		C("identity_cycle", func(q *query, x *T) datum.Datum {
			return dYes(x.c.Identity != catalog.IdentityNone && q.Snapshot.TableByOID(x.c.IdentitySequence).Sequence.Cycle)
		}),
		C("is_generated", func(_ *query, x *T) datum.Datum {
			if x.c.Generated {
				return dText("ALWAYS")
			}
			return dText("NEVER")
		}),
		C("generation_expression", func(q *query, x *T) datum.Datum {
			if !x.c.Generated {
				return datum.Null
			}
			return dText(q.exprText(x.c.Default, x.t, x.c.Type))
		}),
		C("is_updatable", func(_ *query, x *T) datum.Datum { return dYes(x.t.Kind == catalog.RelTable && !x.t.Virtual) }),
	)
}

// collated is NULL for columns in their type's default collation.
func collated(get func(*query, *schemaColumn) datum.Datum) func(*query, *schemaColumn) datum.Datum {
	return func(q *query, x *schemaColumn) datum.Datum {
		if x.c.Collation == "" {
			return datum.Null
		}
		return get(q, x)
	}
}

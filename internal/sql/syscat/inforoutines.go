package syscat

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

func defineInformationRoutines(r *registry) {
	type T = builtin.Func
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	db := func(q *query, _ *T) datum.Datum { return q.database() }
	schema := func(q *query, f *T) datum.Datum { return dText(q.Snapshot.SchemaName(f.Schema)) }
	specific := func(_ *query, f *T) datum.Datum { return dText(f.Name + "_" + oidString(f.OID)) }
	produce(r, "information_schema.routines", "routine_name", func(q *query, emit func(*T) error) error {
		name, byName := q.wantText("routine_name")
		for _, f := range builtin.Load().Funcs() {
			if byName && f.Name != name {
				continue
			}
			if err := emit(f); err != nil {
				return err
			}
		}
		return nil
	},
		C("specific_catalog", db), C("specific_schema", schema), C("specific_name", specific),
		C("routine_catalog", db), C("routine_schema", schema),
		C("routine_name", func(_ *query, f *T) datum.Datum { return dText(f.Name) }),
		C("routine_type", func(_ *query, f *T) datum.Datum {
			switch f.Kind {
			case 'f':
				return dText("FUNCTION")
			case 'p':
				return dText("PROCEDURE")
			}
			return datum.Null
		}),
		C("data_type", func(q *query, f *T) datum.Datum { return dText(q.dataType(q.typeInfo(f.Ret))) }),
		C("type_udt_catalog", db),
		C("type_udt_schema", func(q *query, f *T) datum.Datum { return dText("pg_catalog") }),
		C("type_udt_name", func(q *query, f *T) datum.Datum {
			if ti := q.typeInfo(f.Ret); ti != nil {
				return dText(ti.Name)
			}
			return datum.Null
		}),
		C("routine_body", func(_ *query, f *T) datum.Datum {
			if f.Lang == builtin.LangSQL {
				return dText("SQL")
			}
			return dText("EXTERNAL")
		}),
		C("external_language", func(_ *query, f *T) datum.Datum {
			switch f.Lang {
			case builtin.LangSQL:
				return dText("SQL")
			case builtin.LangC:
				return dText("C")
			}
			return dText("INTERNAL")
		}),
		C("parameter_style", func(*query, *T) datum.Datum { return dText("GENERAL") }),
		C("is_deterministic", func(_ *query, f *T) datum.Datum { return dYes(f.Volatility == 'i') }),
		C("sql_data_access", func(*query, *T) datum.Datum { return dText("MODIFIES") }),
		C("is_null_call", func(_ *query, f *T) datum.Datum { return dYes(f.Strict) }),
		C("schema_level_routine", func(*query, *T) datum.Datum { return dText("YES") }),
		C("max_dynamic_result_sets", func(*query, *T) datum.Datum { return dInt(0) }),
		C("security_type", func(*query, *T) datum.Datum { return dText("INVOKER") }),
	)
	defineViewUsage(r)
	defineUserTypes(r)
}

// viewUse is a column that a view uses.
type viewUse struct {
	view, t *catalog.Table
	c       *catalog.Column
}

func viewUses(columns bool) func(*query, func(*viewUse) error) error {
	return func(q *query, emit func(*viewUse) error) error {
		for v := range q.Snapshot.Tables() {
			if v.View == nil || !q.Snapshot.Member(q.User, v.Owner) {
				continue
			}
			for _, u := range v.View.DependsOnColumns {
				t := q.Snapshot.TableByOID(u.Table)
				if t == nil {
					continue
				}
				if !columns {
					if err := emit(&viewUse{v, t, nil}); err != nil {
						return err
					}
					continue
				}
				for _, id := range u.Columns {
					c, _ := t.ColumnByID(id)
					if err := emit(&viewUse{v, t, c}); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
}

func defineViewUsage(r *registry) {
	type T = viewUse
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	db := func(q *query, _ *T) datum.Datum { return q.database() }
	cols := []col[T]{
		C("view_catalog", db),
		C("view_schema", func(q *query, u *T) datum.Datum { return schemaCol(q, u.view) }),
		C("view_name", func(_ *query, u *T) datum.Datum { return dText(u.view.Name) }),
		C("table_catalog", db),
		C("table_schema", func(q *query, u *T) datum.Datum { return schemaCol(q, u.t) }),
		C("table_name", func(_ *query, u *T) datum.Datum { return dText(u.t.Name) }),
	}
	produce(r, "information_schema.view_table_usage", "", viewUses(false), cols...)
	produce(r, "information_schema.view_column_usage", "", viewUses(true),
		append(cols, C("column_name", func(_ *query, u *T) datum.Datum { return dText(u.c.Name) }))...)
}

func defineUserTypes(r *registry) {
	type T = catalog.Table
	produce(r, "information_schema.user_defined_types", "", visibleRelations("", "", catalog.RelComposite),
		col[T]{"user_defined_type_catalog", func(q *query, _ *T) datum.Datum { return q.database() }},
		col[T]{"user_defined_type_schema", schemaCol},
		col[T]{"user_defined_type_name", nameCol},
		col[T]{"user_defined_type_category", func(*query, *T) datum.Datum { return dText("STRUCTURED") }},
		col[T]{"is_instantiable", func(*query, *T) datum.Datum { return dText("YES") }},
	)
	type G = member
	produce(r, "information_schema.applicable_roles", "", func(q *query, emit func(*G) error) error {
		return eachRole(q, func(ro *catalog.Role) error {
			for _, l := range ro.MemberOf {
				if !q.Snapshot.Member(q.User, ro.OID) {
					continue
				}
				if err := emit(&G{ro, l}); err != nil {
					return err
				}
			}
			return nil
		})
	},
		col[G]{"grantee", func(_ *query, m *G) datum.Datum { return dText(m.m.Name) }},
		col[G]{"role_name", func(q *query, m *G) datum.Datum { return dText(q.Snapshot.RoleName(m.link.Role)) }},
		col[G]{"is_grantable", func(_ *query, m *G) datum.Datum { return dYes(m.link.Admin) }},
	)
}

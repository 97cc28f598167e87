package syscat

import (
	"context"
	"testing"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// world is a snapshot with one of everything.
func world(t *testing.T) (*Catalog, *Env) {
	t.Helper()
	c := New()
	i4, text, num := datum.T(datum.OIDInt4), datum.T(datum.OIDText), datum.Type{OID: datum.OIDNumeric, Mod: (10<<16 | 2) + 4}
	p := &catalog.Table{OID: 20000, Schema: catalog.OIDPublic, Name: "p", Kind: catalog.RelTable, Owner: catalog.OIDAdmin, Data: 20000,
		RowType: 20001, ArrayType: 20002, Comment: "parents",
		Columns: []*catalog.Column{{ID: 1, Attnum: 1, Name: "id", Type: i4, NotNull: true}, {ID: 2, Attnum: 2, Name: "name", Type: text, Default: "'x'", DefaultOID: 20003}},
		Indexes: []*catalog.Index{{ID: 1, OID: 20004, Name: "p_pkey", Unique: true, Primary: true, Constraint: 20005, Key: []catalog.IndexColumn{{Column: 1, Type: i4}}}},
		Inbound: []catalog.InboundKey{{Table: 20010, Key: 20016}}}
	child := &catalog.Table{OID: 20010, Schema: catalog.OIDPublic, Name: "t", Kind: catalog.RelTable, Owner: catalog.OIDAdmin, Data: 20010,
		RowType: 20011, ArrayType: 20012,
		Columns: []*catalog.Column{
			{ID: 1, Attnum: 1, Name: "a", Type: i4, NotNull: true, Default: "nextval('20030'::regclass)", DefaultOID: 20013, DependsOn: []catalog.OID{20030}},
			{ID: 2, Attnum: 2, Name: "B", Type: i4, Comment: "refers to p"},
			{ID: 3, Attnum: 3, Name: "c", Type: num},
			{ID: 4, Attnum: 4, Name: "g", Type: i4, Default: `"B" * 2`, DefaultOID: 20017, Generated: true, Refs: []uint32{2}},
			{ID: 5, Attnum: 5, Name: "s", Type: datum.Type{OID: datum.OIDVarchar, Mod: 14}, Default: "'q'", DefaultOID: 20018},
			{ID: 6, Attnum: 6, Name: "j", Type: datum.T(datum.OIDInt8), Default: "-1", DefaultOID: 20022},
		},
		Indexes: []*catalog.Index{
			{ID: 1, OID: 20014, Name: "t_pkey", Unique: true, Primary: true, Constraint: 20015, Key: []catalog.IndexColumn{{Column: 1, Type: i4}}},
			{ID: 2, OID: 20019, Name: "t_i", Key: []catalog.IndexColumn{{Column: 2, Type: i4, Desc: true, NullsFirst: true}, {Expr: "lower(s)", Type: text, Refs: []uint32{5}}},
				Include: []uint32{3}, Predicate: "c > 1"},
		},
		Checks: []*catalog.Check{
			{OID: 20020, Name: "t_c_check", Expr: "c > 0 AND c BETWEEN 1 AND 10", Columns: []uint32{3}, Validated: true},
			{OID: 20021, Name: "t_s_check", Expr: "s IN ('a', 'b') OR s LIKE 'q%' OR NOT s = 'z'", Columns: []uint32{5}},
		},
		ForeignKeys: []*catalog.ForeignKey{{OID: 20016, Name: "t_b_fkey", Columns: []uint32{2}, RefTable: 20000, RefColumns: []uint32{1}, RefIndex: 20004,
			OnUpdate: catalog.FKNoAction, OnDelete: catalog.FKCascade, Validated: true}}}
	seq := &catalog.Table{OID: 20030, Schema: catalog.OIDPublic, Name: "t_a_seq", Kind: catalog.RelSequence, Owner: catalog.OIDAdmin, Data: 20030,
		Sequence: &catalog.Sequence{Type: i4, Start: 1, Increment: 1, Min: 1, Max: 1<<31 - 1, Cache: 1, OwnedByTable: 20010, OwnedByColumn: 1}}
	view := &catalog.Table{OID: 20040, Schema: catalog.OIDPublic, Name: "v", Kind: catalog.RelView, Owner: catalog.OIDAdmin, RowType: 20041, ArrayType: 20042,
		Columns: []*catalog.Column{{ID: 1, Attnum: 1, Name: "a", Type: i4}, {ID: 2, Attnum: 2, Name: "n", Type: text}},
		View: &catalog.View{Query: "SELECT t.a, p.name AS n FROM public.t JOIN public.p ON p.id = t.\"B\" WHERE t.c > 1 ORDER BY t.a DESC",
			DependsOn: []catalog.OID{20000, 20010}, DependsOnColumns: []catalog.ColumnUse{{Table: 20010, Columns: []uint32{1}}}}}
	enum := &catalog.Type{OID: 20050, Schema: catalog.OIDPublic, Name: "mood", Owner: catalog.OIDAdmin, Kind: catalog.TypeEnum, ArrayType: 20051,
		Labels: []catalog.EnumLabel{{OID: 20052, Label: "sad", Sort: 1}, {OID: 20053, Label: "ok", Sort: 2}}}
	dom := &catalog.Type{OID: 20060, Schema: catalog.OIDPublic, Name: "pos", Owner: catalog.OIDAdmin, Kind: catalog.TypeDomain, ArrayType: 20061, Base: i4,
		Checks: []*catalog.DomainCheck{{OID: 20062, Name: "pos_check", Expr: "value > 0", Validated: true}}}
	stats := &catalog.Stats{Table: 20010, Rows: 10, Pages: 1, Columns: []catalog.ColumnStats{{Column: 1, Distinct: -1,
		Histogram: []catalog.Value{{Datum: datum.NewInt(1)}, {Datum: datum.NewInt(9)}}}}}
	snap := catalog.NewTestSnapshot(c.Tables(), p, child, seq, view, enum, dom, stats)
	e := &Env{Snapshot: snap, User: catalog.OIDAdmin, SessionUser: catalog.OIDAdmin}
	e.Path = snap.Path([]string{"$user", "public"}, "admin")
	e.Facts = builtin.Load().Extend(UserTypes{snap, e.Path})
	return c, e
}

// TestAllTables reads every virtual table and checks that each value fits its column.
func TestAllTables(t *testing.T) {
	c, e := world(t)
	for _, tab := range c.Tables() {
		s := c.System(tab)
		if s == nil {
			t.Errorf("no rows for %s", tab.Name)
			continue
		}
		err := s.Rows(context.Background(), e, nil, func(row []datum.Datum) error {
			if len(row) != len(tab.Columns) {
				t.Fatalf("%s: %d values for %d columns", tab.Name, len(row), len(tab.Columns))
			}
			for i, d := range row {
				col := tab.Columns[i]
				if d.IsNull() {
					if col.NotNull {
						t.Errorf("%s.%s is NULL", tab.Name, col.Name)
					}
					continue
				}
				want := datum.KindOf(col.Type.OID)
				switch col.Type.OID {
				case datum.OIDPgNodeTree, oidAclItem:
					want = datum.KindText
				case datum.OIDAnyArray:
					want = datum.KindArray
				}
				if d.Kind() != want {
					t.Fatalf("%s.%s: kind %d, want %d", tab.Name, col.Name, d.Kind(), want)
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", tab.Name, err)
		}
	}
}

func TestEqualities(t *testing.T) {
	c, e := world(t)
	count := func(table, column string, v datum.Datum) int {
		var tab *catalog.Table
		for _, x := range c.Tables() {
			if x.Name == table && x.Schema == catalog.OIDPgCatalog {
				tab = x
			}
		}
		_, i := tab.ColumnByName(column)
		n := 0
		if err := c.System(tab).Rows(context.Background(), e, []plan.SystemEq{{Column: i, Value: v}}, func([]datum.Datum) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, x := range []struct {
		table, column string
		v             datum.Datum
		want          int
	}{
		{"pg_class", "oid", dInt(20010), 1}, {"pg_class", "relname", dText("t"), 1}, {"pg_attribute", "attrelid", dInt(20010), 6},
		{"pg_index", "indrelid", dInt(20010), 2}, {"pg_constraint", "conrelid", dInt(20010), 4}, {"pg_constraint", "confrelid", dInt(20000), 1},
		{"pg_type", "oid", dInt(20050), 1}, {"pg_type", "typname", dText("int4"), 1}, {"pg_enum", "enumtypid", dInt(20050), 2},
		{"pg_proc", "proname", dText("lower"), 3}, {"pg_attrdef", "adrelid", dInt(20010), 4},
	} {
		if n := count(x.table, x.column, x.v); n != x.want {
			t.Errorf("%s where %s: %d rows, want %d", x.table, x.column, n, x.want)
		}
	}
}

func TestDefinitions(t *testing.T) {
	_, e := world(t)
	call := func(name string, args ...datum.Datum) string {
		fns := builtin.Load().FuncsByName("pg_catalog", name)
		d, ok, err := e.Function(context.Background(), fns[0], args)
		if !ok || err != nil {
			t.Fatalf("%s: %v %v", name, ok, err)
		}
		if d.IsNull() {
			return "NULL"
		}
		switch d.Kind() {
		case datum.KindText:
			return d.Text()
		case datum.KindBool:
			return map[bool]string{true: "t", false: "f"}[d.Bool()]
		default:
			return oidString(catalog.OID(d.Int()))
		}
	}
	yes := dBool(true)
	for _, x := range []struct{ got, want string }{
		{call("pg_get_indexdef", dInt(20019)), `CREATE INDEX t_i ON public.t USING btree ("B" DESC, lower((s)::text)) INCLUDE (c) WHERE (c > (1)::numeric)`},
		{call("pg_get_indexdef", dInt(20019), dInt(0), yes), `CREATE INDEX t_i ON t USING btree ("B" DESC, lower(s::text)) INCLUDE (c) WHERE c > 1::numeric`},
		{call("pg_get_constraintdef", dInt(20020)), `CHECK (((c > (0)::numeric) AND ((c >= (1)::numeric) AND (c <= (10)::numeric))))`},
		{call("pg_get_constraintdef", dInt(20020), yes), `CHECK (c > 0::numeric AND c >= 1::numeric AND c <= 10::numeric)`},
		{call("pg_get_constraintdef", dInt(20021)), `CHECK ((((s)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])) OR ((s)::text ~~ 'q%'::text) OR (NOT ((s)::text = 'z'::text)))) NOT VALID`},
		{call("pg_get_constraintdef", dInt(20016)), `FOREIGN KEY ("B") REFERENCES p(id) ON DELETE CASCADE`},
		{call("pg_get_constraintdef", dInt(20062)), `CHECK ((VALUE > 0))`},
		{call("pg_get_expr", dText("nextval('20030'::regclass)"), dInt(20010)), `nextval('t_a_seq'::regclass)`},
		{call("pg_get_expr", dText(`"B" * 2`), dInt(20010)), `("B" * 2)`},
		{call("pg_get_expr", dText(`'q'`), dInt(20010)), `'q'::character varying`},
		{call("pg_get_expr", dText(`-1`), dInt(20010)), `'-1'::integer`},
		{call("pg_get_viewdef", dInt(20040), yes), " SELECT t.a,\n    p.name AS n\n   FROM t\n     JOIN p ON p.id = t.\"B\"\n  WHERE t.c > 1::numeric\n  ORDER BY t.a DESC;"},
		{call("pg_get_serial_sequence", dText("t"), dText("a")), "public.t_a_seq"},
		{call("pg_table_is_visible", dInt(20010)), "t"},
		{call("to_regclass", dText("public.t")), "20010"},
		{call("to_regclass", dText("nope")), "NULL"},
		{call("obj_description", dInt(20000), dText("pg_class")), "parents"},
		{call("col_description", dInt(20010), dInt(2)), "refers to p"},
		{call("has_table_privilege", dText("postgres"), dText("t"), dText("SELECT")), "t"},
		{call("pg_get_userbyid", dInt(10)), "postgres"},
	} {
		if x.got != x.want {
			t.Errorf("got  %s\nwant %s", x.got, x.want)
		}
	}
}

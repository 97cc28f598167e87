package syscat

import (
	"context"
	"sync"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// staticRows reads a recorded catalogue into rows of table t, once, at the first use. Recorded columns go by name,
// fields of other names by rename; constant gives columns that are the same everywhere and are not recorded.
func staticRows(t *catalog.Table, file string, rename map[string]string, constant map[string]datum.Datum) func() [][]datum.Datum {
	return sync.OnceValue(func() [][]datum.Datum {
		c, ok := builtin.ReadCatalog(file)
		invariant.Check(ok, "no facts about %s", file)
		empty := emptyRow(t)
		for name, v := range constant {
			_, i := t.ColumnByName(name)
			invariant.Check(i >= 0, "%s has no column %s", t.Name, name)
			empty[i] = v
		}
		at := make([]int, len(c.Columns))
		for i, name := range c.Columns {
			if n, ok := rename[name]; ok {
				name = n
			}
			_, at[i] = t.ColumnByName(name)
		}
		rows := make([][]datum.Datum, 0, c.Len())
		c.Each(func(f []string) {
			row := make([]datum.Datum, len(empty))
			copy(row, empty)
			for i, o := range at {
				if o >= 0 {
					row[o] = parseFact(t.Columns[o].Type, f[i])
				}
			}
			rows = append(rows, row)
		})
		return rows
	})
}

// parseFact reads a recorded field.
func parseFact(t datum.Type, field string) datum.Datum {
	if builtin.IsNull(field) {
		return datum.Null
	}
	text := builtin.Field(field)
	switch datum.KindOf(t.OID) {
	case datum.KindInt:
		return datum.NewInt(parseInt(text))
	case datum.KindText:
		return datum.NewText(text)
	}
	if t.OID == datum.OIDPgNodeTree || t.OID == datum.OIDRegproc {
		return datum.NewText(text)
	}
	if t.OID == datum.OIDAnyArray {
		return datum.Null
	}
	d, err := datum.ParseText(t, text, nil)
	invariant.Check(err == nil, "embedded fact %q is no %d: %v", text, t.OID, err)
	return d
}

// rowsWhere yields those of some rows that satisfy the scan's equalities.
func rowsWhere(q *query, rows [][]datum.Datum, emit func([]datum.Datum) error) error {
next:
	for _, r := range rows {
		for _, e := range q.eq {
			if r[e.Column].IsNull() || datum.Compare(r[e.Column], e.Value) != 0 {
				continue next
			}
		}
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

// static makes a virtual table of a recorded catalogue.
func static(r *registry, name, keys string, constant map[string]datum.Datum) {
	t := r.tables["pg_catalog."+name]
	invariant.Check(t != nil, "no system table %s", name)
	rows := staticRows(t, name, map[string]string{"nsp": ""}, constant)
	produceRows(r, t, keys, func(q *query, emit func([]datum.Datum) error) error {
		return rowsWhere(q, rows(), emit)
	})
}

// produceRows is produce for rows that are datums already.
func produceRows(r *registry, t *catalog.Table, keys string, rows func(q *query, emit func([]datum.Datum) error) error) {
	produce(r, schemaNames(t.Schema)+"."+t.Name, keys, noRows)
	r.system[t.OID].Rows = func(ctx context.Context, env any, eq []plan.SystemEq, emit func([]datum.Datum) error) error {
		e, err := envOf(env)
		if err != nil {
			return err
		}
		return rows(&query{Env: e, ctx: ctx, eq: eq, t: t}, emit)
	}
}

func defineStatic(r *registry) {
	cat := dInt(catalog.OIDPgCatalog)
	owner := dInt(catalog.OIDPostgres)
	static(r, "pg_aggregate", "aggfnoid", nil)
	static(r, "pg_am", "oid", nil)
	static(r, "pg_amop", "oid amopfamily", nil)
	static(r, "pg_amproc", "oid amprocfamily", nil)
	static(r, "pg_cast", "oid castsource casttarget", nil)
	static(r, "pg_collation", "oid", map[string]datum.Datum{"collnamespace": cat, "collowner": owner})
	static(r, "pg_conversion", "oid", map[string]datum.Datum{"connamespace": cat, "conowner": owner})
	static(r, "pg_language", "oid", map[string]datum.Datum{"lanowner": owner})
	static(r, "pg_opclass", "oid", map[string]datum.Datum{"opcnamespace": cat, "opcowner": owner})
	static(r, "pg_operator", "oid oprname", map[string]datum.Datum{"oprnamespace": cat, "oprowner": owner})
	static(r, "pg_opfamily", "oid", map[string]datum.Datum{"opfnamespace": cat, "opfowner": owner})
	static(r, "pg_range", "rngtypid", nil)
}

package syscat

import (
	"context"
	"strings"
	"sync"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/plan"
)

// query is one scan of a virtual table.
type query struct {
	*Env
	ctx context.Context
	eq  []plan.SystemEq
	t   *catalog.Table
}

// want returns the value that a column must have, if the scan asks for one.
func (q *query) want(column string) (datum.Datum, bool) {
	for _, e := range q.eq {
		if q.t.Columns[e.Column].Name == column {
			return e.Value, true
		}
	}
	return datum.Null, false
}

// wantOID is want for a column of type oid.
func (q *query) wantOID(column string) (catalog.OID, bool) {
	d, ok := q.want(column)
	if !ok || d.Kind() != datum.KindInt {
		return 0, false
	}
	return catalog.OID(d.Int()), true
}

// wantText is want for a column of a character type.
func (q *query) wantText(column string) (string, bool) {
	d, ok := q.want(column)
	if !ok || d.Kind() != datum.KindText {
		return "", false
	}
	return d.Text(), true
}

// col gives the value of one column of a virtual table.
type col[T any] struct {
	name string
	get  func(q *query, x *T) datum.Datum
}

// registry collects the virtual tables while they are being defined.
type registry struct {
	tables map[string]*catalog.Table // schema.name
	system map[catalog.OID]*plan.SystemTable
}

// produce makes the rows of a virtual table: rows yields values, cols turns them into columns. Columns without a getter
// are NULL, or zero where NULL is not allowed. keys names the columns whose equalities rows makes use of.
func produce[T any](r *registry, name, keys string, rows func(q *query, emit func(*T) error) error, cols ...col[T]) {
	t := r.tables[name]
	invariant.Check(t != nil, "no system table %s", name)
	gets := make([]func(*query, *T) datum.Datum, len(t.Columns))
	empty := emptyRow(t)
	for _, c := range cols {
		_, i := t.ColumnByName(c.name)
		invariant.Check(i >= 0, "system table %s has no column %s", name, c.name)
		gets[i] = c.get
	}
	s := &plan.SystemTable{Table: t, EstRows: 100}
	for _, k := range strings.Fields(keys) {
		_, i := t.ColumnByName(k)
		invariant.Check(i >= 0, "system table %s has no column %s", name, k)
		s.Keys = append(s.Keys, i)
	}
	s.Rows = func(ctx context.Context, env any, eq []plan.SystemEq, emit func([]datum.Datum) error) error {
		e, err := envOf(env)
		if err != nil {
			return err
		}
		q := &query{Env: e, ctx: ctx, eq: eq, t: t}
		return rows(q, func(x *T) error {
			out := make([]datum.Datum, len(gets))
			for i, g := range gets {
				if g == nil {
					out[i] = empty[i]
				} else {
					out[i] = g(q, x)
				}
			}
			return emit(out)
		})
	}
	r.system[t.OID] = s
}

// keptRows is how many rows of a table are kept for the next scan.
const keptRows = 50_000

// keep makes whole scans of a table give the rows that were made for the last one, as long as the catalogue is the same:
// for tables that show nothing but the catalogue. Tools join them in ways that scan them once for each row of another.
func (r *registry) keep(name string) {
	s := r.system[r.tables[name].OID]
	produce := s.Rows
	var kept struct {
		sync.Mutex
		snap *catalog.Snapshot
		rows [][]datum.Datum
	}
	s.Rows = func(ctx context.Context, env any, eq []plan.SystemEq, emit func([]datum.Datum) error) error {
		e, err := envOf(env)
		if err != nil {
			return err
		}
		if len(eq) > 0 {
			return produce(ctx, env, eq, emit)
		}
		kept.Lock()
		snap, rows := kept.snap, kept.rows
		kept.Unlock()
		if snap != e.Snapshot {
			rows = nil
			err := produce(ctx, env, nil, func(row []datum.Datum) error {
				rows = append(rows, row)
				return nil
			})
			if err != nil {
				return err
			}
			if len(rows) <= keptRows {
				kept.Lock()
				kept.snap, kept.rows = e.Snapshot, rows
				kept.Unlock()
			}
		}
		for _, row := range rows {
			if err := emit(row); err != nil {
				return err
			}
		}
		return nil
	}
}

// emptyRow has NULL in every column, or a zero where NULL is not allowed.
func emptyRow(t *catalog.Table) []datum.Datum {
	out := make([]datum.Datum, len(t.Columns))
	for i, c := range t.Columns {
		if !c.NotNull {
			continue
		}
		switch datum.KindOf(c.Type.OID) {
		case datum.KindBool:
			out[i] = datum.NewBool(false)
		case datum.KindInt:
			out[i] = datum.NewInt(0)
		case datum.KindFloat:
			out[i] = datum.NewFloat(0)
		case datum.KindText:
			out[i] = datum.NewText("")
		case datum.KindArray:
			out[i] = datum.NewArray(&datum.Array{ElemType: datum.ElemOf(c.Type.OID)})
		}
	}
	return out
}

// Short words for making datums.

func dInt[N int | int16 | int32 | int64 | uint32 | catalog.OID](n N) datum.Datum {
	return datum.NewInt(int64(n))
}

func dText(s string) datum.Datum { return datum.NewText(s) }

// dTextOrNull is NULL for the empty string.
func dTextOrNull(s string) datum.Datum {
	if s == "" {
		return datum.Null
	}
	return datum.NewText(s)
}

func dBool(b bool) datum.Datum { return datum.NewBool(b) }

func dChar(c byte) datum.Datum {
	if c == 0 {
		return datum.NewText("")
	}
	return datum.NewText(string([]byte{c}))
}

// dYes is the information schema's boolean.
func dYes(b bool) datum.Datum {
	if b {
		return datum.NewText("YES")
	}
	return datum.NewText("NO")
}

// dTime is NULL for 0.
func dTime(us int64) datum.Datum {
	if us == 0 {
		return datum.Null
	}
	return datum.NewTimestampTZ(us)
}

func dOIDs[N int16 | catalog.OID](typ catalog.OID, ns []N) datum.Datum {
	elems := make([]datum.Datum, len(ns))
	for i, n := range ns {
		elems[i] = datum.NewInt(int64(n))
	}
	a := &datum.Array{ElemType: typ, Elems: elems}
	if len(elems) > 0 {
		a.Dims = []datum.ArrayDim{{Len: int32(len(elems)), Lower: 0}}
	}
	return datum.NewArray(a)
}

// dArray is a one-dimensional array from 1.
func dArray(elem catalog.OID, elems []datum.Datum) datum.Datum { return datum.NewArray1(elem, elems) }

func dInt2s(ns []int16) datum.Datum {
	elems := make([]datum.Datum, len(ns))
	for i, n := range ns {
		elems[i] = datum.NewInt(int64(n))
	}
	return dArray(datum.OIDInt2, elems)
}

func dTexts(ss []string) datum.Datum {
	elems := make([]datum.Datum, len(ss))
	for i, s := range ss {
		elems[i] = datum.NewText(s)
	}
	return dArray(datum.OIDText, elems)
}

// oidAclItem is pg_catalog.aclitem.
const oidAclItem catalog.OID = 1033

// dACL prints an access list; nil is NULL.
func (q *query) dACL(acl catalog.ACL) datum.Datum {
	if acl == nil {
		return datum.Null
	}
	elems := make([]datum.Datum, len(acl))
	for i, it := range acl {
		elems[i] = datum.NewText(q.aclItem(it))
	}
	return dArray(oidAclItem, elems)
}

func (e *Env) aclItem(it catalog.ACLItem) string {
	grantee := ""
	if it.Grantee != 0 {
		grantee = catalog.QuoteIdent(e.Snapshot.RoleName(it.Grantee))
	}
	return grantee + "=" + it.Privs.Letters(it.Options) + "/" + catalog.QuoteIdent(e.Snapshot.RoleName(it.Grantor))
}

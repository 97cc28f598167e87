package syscat

import (
	"slices"
	"strconv"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

func itoa(n int) string { return strconv.Itoa(n) }

// indexRow is a row of pg_index.
type indexRow struct {
	t *catalog.Table
	x *catalog.Index
}

func indexRows(q *query, emit func(*indexRow) error) error {
	if oid, ok := q.wantOID("indexrelid"); ok {
		if t, x := q.Snapshot.IndexByOID(oid); t != nil {
			return emit(&indexRow{t, x})
		}
		return nil
	}
	rel, byRel := q.wantOID("indrelid")
	one := func(t *catalog.Table) error {
		for _, x := range t.Indexes {
			if x.Hidden {
				continue
			}
			if err := emit(&indexRow{t, x}); err != nil {
				return err
			}
		}
		return nil
	}
	if byRel {
		if t := q.Snapshot.TableByOID(rel); t != nil {
			return one(t)
		}
		return nil
	}
	for t := range q.Snapshot.Tables() {
		if err := one(t); err != nil {
			return err
		}
	}
	return nil
}

// attnums are the column numbers of an index, INCLUDE columns last, 0 for expressions.
func (r *indexRow) attnums() []int16 {
	var out []int16
	for _, k := range r.x.Key {
		out = append(out, attnum(r.t, k.Column))
	}
	for _, id := range r.x.Include {
		out = append(out, attnum(r.t, id))
	}
	return out
}

func attnum(t *catalog.Table, id uint32) int16 {
	if c, _ := t.ColumnByID(id); c != nil && id != 0 {
		return c.Attnum
	}
	return 0
}

func attnumsOf(t *catalog.Table, ids []uint32) []int16 {
	out := make([]int16, len(ids))
	for i, id := range ids {
		out[i] = attnum(t, id)
	}
	return out
}

func keyColumns(x *catalog.Index) []uint32 {
	out := make([]uint32, len(x.Key))
	for i, k := range x.Key {
		out[i] = k.Column
	}
	return out
}

func defineConstraints(r *registry) {
	type T = indexRow
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	produce(r, "pg_catalog.pg_index", "indexrelid indrelid", indexRows,
		C("indexrelid", func(_ *query, r *T) datum.Datum { return dInt(r.x.OID) }),
		C("indrelid", func(_ *query, r *T) datum.Datum { return dInt(r.t.OID) }),
		C("indnatts", func(_ *query, r *T) datum.Datum { return dInt(len(r.x.Key) + len(r.x.Include)) }),
		C("indnkeyatts", func(_ *query, r *T) datum.Datum { return dInt(len(r.x.Key)) }),
		C("indisunique", func(_ *query, r *T) datum.Datum { return dBool(r.x.Unique) }),
		C("indnullsnotdistinct", func(_ *query, r *T) datum.Datum { return dBool(r.x.NullsNotDistinct) }),
		C("indisprimary", func(_ *query, r *T) datum.Datum { return dBool(r.x.Primary) }),
		C("indimmediate", func(_ *query, r *T) datum.Datum { return dBool(!r.x.Deferrable) }),
		C("indisvalid", func(_ *query, r *T) datum.Datum { return dBool(r.x.State == catalog.IndexPublic && !r.x.Failed) }),
		C("indisready", func(_ *query, r *T) datum.Datum { return dBool(true) }),
		C("indislive", func(_ *query, r *T) datum.Datum { return dBool(r.x.State != catalog.IndexDropping) }),
		C("indkey", func(_ *query, r *T) datum.Datum { return dOIDs(datum.OIDInt2, r.attnums()) }),
		C("indcollation", func(q *query, r *T) datum.Datum {
			out := make([]catalog.OID, len(r.x.Key))
			for i, k := range r.x.Key {
				if k.Collation != "" {
					out[i] = collationOID(k.Collation)
				} else if ti := q.typeInfo(k.Type.OID); ti != nil {
					out[i] = ti.Collation
				}
			}
			return dOIDs(datum.OIDOid, out)
		}),
		C("indclass", func(q *query, r *T) datum.Datum {
			out := make([]catalog.OID, len(r.x.Key))
			for i, k := range r.x.Key {
				out[i] = q.opClass(k)
			}
			return dOIDs(datum.OIDOid, out)
		}),
		C("indoption", func(_ *query, r *T) datum.Datum {
			out := make([]int16, len(r.x.Key))
			for i, k := range r.x.Key {
				if k.Desc {
					out[i] |= 1
				}
				if k.NullsFirst {
					out[i] |= 2
				}
			}
			return dOIDs(datum.OIDInt2, out)
		}),
		C("indexprs", func(_ *query, r *T) datum.Datum {
			out := ""
			for _, k := range r.x.Key {
				if k.Expr == "" {
					continue
				}
				if out != "" {
					out += ", "
				}
				out += k.Expr
			}
			return dTextOrNull(out)
		}),
		C("indpred", func(_ *query, r *T) datum.Datum { return dTextOrNull(r.x.Predicate) }),
	)
	definePgConstraint(r)
}

// opClass finds the operator class of an index column: the one named, or the type's default for btree.
func (e *Env) opClass(k catalog.IndexColumn) catalog.OID {
	facts, _ := builtin.ReadCatalog("pg_opclass")
	want := k.Type.OID
	if ti := e.typeInfo(want); ti != nil {
		switch {
		case ti.Type == 'd':
			want = e.Facts.BaseType(want)
		case ti.Type == 'e':
			want = datum.OIDAnyEnum
		case ti.Category == 'A':
			want = datum.OIDAnyArray
		}
	}
	if want == datum.OIDVarchar {
		want = datum.OIDText
	}
	var found catalog.OID
	facts.Each(func(f []string) {
		if found != 0 || f[1] != "403" {
			return
		}
		if k.OpClass != "" {
			if f[2] == k.OpClass {
				found = parseOID(f[0])
			}
		} else if f[5] == "t" && parseOID(f[4]) == want {
			found = parseOID(f[0])
		}
	})
	return found
}

// constraint is a row of pg_constraint. Exactly one of check, fk, index and domainCheck is set.
type constraint struct {
	oid    catalog.OID
	name   string
	ns     catalog.OID
	t      *catalog.Table
	check  *catalog.Check
	fk     *catalog.ForeignKey
	index  *catalog.Index
	domain *catalog.Type
	dcheck *catalog.DomainCheck
}

func tableConstraints(t *catalog.Table, emit func(*constraint) error) error {
	for _, c := range t.Checks {
		if err := emit(&constraint{oid: c.OID, name: c.Name, ns: t.Schema, t: t, check: c}); err != nil {
			return err
		}
	}
	for _, x := range t.Indexes {
		if x.Constraint == 0 {
			continue
		}
		if err := emit(&constraint{oid: x.Constraint, name: x.Name, ns: t.Schema, t: t, index: x}); err != nil {
			return err
		}
	}
	for _, f := range t.ForeignKeys {
		if err := emit(&constraint{oid: f.OID, name: f.Name, ns: t.Schema, t: t, fk: f}); err != nil {
			return err
		}
	}
	return nil
}

func constraints(q *query, emit func(*constraint) error) error {
	if oid, ok := q.wantOID("oid"); ok {
		return q.constraintByOID(oid, emit)
	}
	if rel, ok := q.wantOID("conrelid"); ok {
		if t := q.Snapshot.TableByOID(rel); t != nil {
			return tableConstraints(t, emit)
		}
		if rel != 0 {
			return nil
		}
	}
	if ref, ok := q.wantOID("confrelid"); ok && ref != 0 {
		t := q.Snapshot.TableByOID(ref)
		if t == nil {
			return nil
		}
		for _, in := range t.Inbound {
			if err := q.constraintByOID(in.Key, emit); err != nil {
				return err
			}
		}
		return nil
	}
	for t := range q.Snapshot.Tables() {
		if err := tableConstraints(t, emit); err != nil {
			return err
		}
	}
	for ty := range q.Snapshot.Types() {
		for _, c := range ty.Checks {
			if err := emit(&constraint{oid: c.OID, name: c.Name, ns: ty.Schema, domain: ty, dcheck: c}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Env) constraintByOID(oid catalog.OID, emit func(*constraint) error) error {
	only := func(c *constraint) error {
		if c.oid == oid {
			return emit(c)
		}
		return nil
	}
	if t := e.Snapshot.TableOfPart(oid); t != nil {
		return tableConstraints(t, only)
	}
	for ty := range e.Snapshot.Types() {
		for _, c := range ty.Checks {
			if err := only(&constraint{oid: c.OID, name: c.Name, ns: ty.Schema, domain: ty, dcheck: c}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *constraint) kind() byte {
	switch {
	case c.fk != nil:
		return 'f'
	case c.index != nil && c.index.Primary:
		return 'p'
	case c.index != nil:
		return 'u'
	default:
		return 'c'
	}
}

func (c *constraint) deferral() (deferrable, deferred bool) {
	switch {
	case c.fk != nil:
		return c.fk.Deferrable, c.fk.InitDeferred
	case c.index != nil:
		return c.index.Deferrable, c.index.InitDeferred
	}
	return false, false
}

func (c *constraint) validated() bool {
	switch {
	case c.fk != nil:
		return c.fk.Validated
	case c.check != nil:
		return c.check.Validated
	case c.dcheck != nil:
		return c.dcheck.Validated
	}
	return true
}

// key is conkey: the column numbers, NULL for a domain's.
func (c *constraint) key() datum.Datum {
	switch {
	case c.fk != nil:
		return dInt2s(attnumsOf(c.t, c.fk.Columns))
	case c.index != nil:
		return dInt2s(attnumsOf(c.t, keyColumns(c.index)))
	case c.check != nil && len(c.check.Columns) > 0:
		nums := attnumsOf(c.t, c.check.Columns)
		slices.Sort(nums)
		return dInt2s(nums)
	}
	return datum.Null
}

func definePgConstraint(r *registry) {
	type T = constraint
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	fk := func(get func(*query, *T) datum.Datum, otherwise datum.Datum) func(*query, *T) datum.Datum {
		return func(q *query, c *T) datum.Datum {
			if c.fk == nil {
				return otherwise
			}
			return get(q, c)
		}
	}
	equal := func(q *query, c *T) datum.Datum { return q.equalOperators(c) }
	produce(r, "pg_catalog.pg_constraint", "oid conrelid confrelid", constraints,
		C("oid", func(_ *query, c *T) datum.Datum { return dInt(c.oid) }),
		C("conname", func(_ *query, c *T) datum.Datum { return dText(c.name) }),
		C("connamespace", func(_ *query, c *T) datum.Datum { return dInt(c.ns) }),
		C("contype", func(_ *query, c *T) datum.Datum { return dChar(c.kind()) }),
		C("condeferrable", func(_ *query, c *T) datum.Datum { d, _ := c.deferral(); return dBool(d) }),
		C("condeferred", func(_ *query, c *T) datum.Datum { _, d := c.deferral(); return dBool(d) }),
		C("convalidated", func(_ *query, c *T) datum.Datum { return dBool(c.validated()) }),
		C("conrelid", func(_ *query, c *T) datum.Datum {
			if c.t == nil {
				return dInt(0)
			}
			return dInt(c.t.OID)
		}),
		C("contypid", func(_ *query, c *T) datum.Datum {
			if c.domain == nil {
				return dInt(0)
			}
			return dInt(c.domain.OID)
		}),
		C("conindid", func(_ *query, c *T) datum.Datum {
			switch {
			case c.index != nil:
				return dInt(c.index.OID)
			case c.fk != nil:
				return dInt(c.fk.RefIndex)
			}
			return dInt(0)
		}),
		C("confrelid", fk(func(_ *query, c *T) datum.Datum { return dInt(c.fk.RefTable) }, dInt(0))),
		C("confupdtype", fk(func(_ *query, c *T) datum.Datum { return dChar(byte(c.fk.OnUpdate)) }, dText(" "))),
		C("confdeltype", fk(func(_ *query, c *T) datum.Datum { return dChar(byte(c.fk.OnDelete)) }, dText(" "))),
		C("confmatchtype", fk(func(_ *query, c *T) datum.Datum {
			if c.fk.MatchFull {
				return dText("f")
			}
			return dText("s")
		}, dText(" "))),
		C("conislocal", func(*query, *T) datum.Datum { return dBool(true) }),
		C("connoinherit", func(_ *query, c *T) datum.Datum {
			return dBool(c.fk != nil || c.index != nil || c.check != nil && c.check.NoInherit)
		}),
		C("conkey", func(_ *query, c *T) datum.Datum { return c.key() }),
		C("confkey", fk(func(q *query, c *T) datum.Datum {
			return dInt2s(attnumsOf(q.Snapshot.TableByOID(c.fk.RefTable), c.fk.RefColumns))
		}, datum.Null)),
		C("conpfeqop", fk(equal, datum.Null)),
		C("conppeqop", fk(equal, datum.Null)),
		C("conffeqop", fk(equal, datum.Null)),
		C("confdelsetcols", fk(func(_ *query, c *T) datum.Datum {
			if len(c.fk.OnDeleteColumns) == 0 {
				return datum.Null
			}
			return dInt2s(attnumsOf(c.t, c.fk.OnDeleteColumns))
		}, datum.Null)),
		C("conbin", func(_ *query, c *T) datum.Datum {
			switch {
			case c.check != nil:
				return dText(c.check.Expr)
			case c.dcheck != nil:
				return dText(c.dcheck.Expr)
			}
			return datum.Null
		}),
	)
}

// equalOperators are the operators that a foreign key compares its columns with.
func (e *Env) equalOperators(c *constraint) datum.Datum {
	ref := e.Snapshot.TableByOID(c.fk.RefTable)
	out := make([]datum.Datum, len(c.fk.Columns))
	for i := range c.fk.Columns {
		a, _ := ref.ColumnByID(c.fk.RefColumns[i])
		b, _ := c.t.ColumnByID(c.fk.Columns[i])
		out[i] = dInt(0)
		if op, err := e.Facts.ResolveOperator("", "=", a.Type.OID, b.Type.OID); err == nil {
			out[i] = dInt(op.Op.OID)
		}
	}
	return dArray(datum.OIDOid, out)
}

package syscat

import (
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// class is a row of pg_class: a relation, an index, or an index of a PostgreSQL catalogue (index of neither).
type class struct {
	rel   catalog.Relation
	oid   catalog.OID
	name  string
	ns    catalog.OID
	kind  byte
	natts int
}

// btreeOID and heapOID are rows of pg_am.
const (
	heapOID  = 2
	btreeOID = 403
)

func classOf(r catalog.Relation) *class {
	c := &class{rel: r, oid: r.OID(), name: r.Name(), ns: r.Table.Schema, kind: byte(r.Kind())}
	if r.Index != nil {
		c.natts = len(r.Index.Key) + len(r.Index.Include)
	} else {
		for _, col := range r.Table.Columns {
			if !col.Hidden {
				c.natts++
			}
		}
	}
	return c
}

// classes yields the relations that a scan of pg_class asks for.
func classes(q *query, emit func(*class) error) error {
	if oid, ok := q.wantOID("oid"); ok {
		if r := q.Snapshot.RelationByOID(oid); r.Found() {
			return emit(classOf(r))
		}
		return systemIndexes(q, func(c *class) error {
			if c.oid != oid {
				return nil
			}
			return emit(c)
		})
	}
	if oid, ok := q.wantOID("reltype"); ok && oid >= catalog.FirstUserOID {
		if t := q.Snapshot.TableOfRowType(oid); t != nil {
			return emit(classOf(catalog.Relation{Table: t}))
		}
		return nil
	}
	rowType, byRowType := q.wantOID("reltype")
	name, byName := q.wantText("relname")
	ns, byNS := q.wantOID("relnamespace")
	for t := range q.Snapshot.Tables() {
		if byNS && t.Schema != ns || byRowType && t.RowType != rowType {
			continue
		}
		if !byName || t.Name == name {
			if err := emit(classOf(catalog.Relation{Table: t})); err != nil {
				return err
			}
		}
		for _, x := range t.Indexes {
			if x.Hidden || byName && x.Name != name {
				continue
			}
			if err := emit(classOf(catalog.Relation{Table: t, Index: x})); err != nil {
				return err
			}
		}
	}
	if byNS && ns != catalog.OIDPgCatalog || byRowType && rowType != 0 {
		return nil
	}
	return systemIndexes(q, func(c *class) error {
		if byName && c.name != name {
			return nil
		}
		return emit(c)
	})
}

// systemIndexes yields the indexes of PostgreSQL's own catalogues.
func systemIndexes(_ *query, emit func(*class) error) error {
	facts, _ := builtin.ReadCatalog("pg_class")
	var err error
	facts.Each(func(f []string) {
		if err == nil && f[4] == "i" {
			err = emit(&class{oid: parseOID(f[0]), name: builtin.Field(f[1]), ns: catalog.OIDPgCatalog, kind: 'i', natts: int(parseInt(f[5]))})
		}
	})
	return err
}

func (c *class) table() *catalog.Table {
	if c.rel.Index == nil {
		return c.rel.Table
	}
	return nil
}

func (c *class) owner() catalog.OID {
	if c.rel.Table == nil {
		return catalog.OIDPostgres
	}
	return c.rel.Table.Owner
}

// rows estimates the number of rows, -1 when the relation was never analyzed.
func (c *class) rows(q *query) float64 {
	if t := c.rel.Table; t != nil && t.RowStore() != nil {
		if st := q.Snapshot.Stats(t.OID); st != nil {
			return st.Rows
		}
		if c.kind == 'r' {
			return -1
		}
	}
	return 0
}

func defineClasses(r *registry) {
	type T = class
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	produce(r, "pg_catalog.pg_class", "oid relname relnamespace reltype", classes,
		C("oid", func(_ *query, c *T) datum.Datum { return dInt(c.oid) }),
		C("relname", func(_ *query, c *T) datum.Datum { return dText(c.name) }),
		C("relnamespace", func(_ *query, c *T) datum.Datum { return dInt(c.ns) }),
		C("reltype", func(_ *query, c *T) datum.Datum {
			if t := c.table(); t != nil {
				return dInt(t.RowType)
			}
			return dInt(0)
		}),
		C("relowner", func(_ *query, c *T) datum.Datum { return dInt(c.owner()) }),
		C("relam", func(_ *query, c *T) datum.Datum {
			switch c.kind {
			case 'i':
				return dInt(btreeOID)
			case 'r', 'm':
				return dInt(heapOID)
			}
			return dInt(0)
		}),
		C("relfilenode", func(_ *query, c *T) datum.Datum {
			switch {
			case c.kind == 'v' || c.kind == 'c':
				return dInt(0)
			case c.table() != nil:
				return dInt(int64(c.table().Data))
			}
			return dInt(c.oid)
		}),
		C("relpages", func(q *query, c *T) datum.Datum {
			if st := q.stats(c.table()); st != nil {
				return dInt(st.Pages)
			}
			return dInt(0)
		}),
		C("reltuples", func(q *query, c *T) datum.Datum { return datum.NewFloat(c.rows(q)) }),
		C("relhasindex", func(_ *query, c *T) datum.Datum {
			t := c.table()
			return dBool(t != nil && (slices.ContainsFunc(t.Indexes, func(x *catalog.Index) bool { return !x.Hidden }) ||
				t.Virtual && t.Schema == catalog.OIDPgCatalog && t.Kind == catalog.RelTable))
		}),
		C("relpersistence", func(_ *query, c *T) datum.Datum {
			if c.rel.Table != nil && c.rel.Table.Persistence != 0 {
				return dChar(c.rel.Table.Persistence)
			}
			return dText("p")
		}),
		C("relkind", func(_ *query, c *T) datum.Datum { return dChar(c.kind) }),
		C("relnatts", func(_ *query, c *T) datum.Datum { return dInt(c.natts) }),
		C("relchecks", func(_ *query, c *T) datum.Datum {
			if t := c.table(); t != nil {
				return dInt(len(t.Checks))
			}
			return dInt(0)
		}),
		C("relhasrules", func(_ *query, c *T) datum.Datum { return dBool(c.kind == 'v') }),
		C("relhastriggers", func(_ *query, c *T) datum.Datum {
			t := c.table()
			return dBool(t != nil && len(t.ForeignKeys)+len(t.Inbound) > 0)
		}),
		C("relispopulated", func(*query, *T) datum.Datum { return dBool(true) }),
		C("relreplident", func(_ *query, c *T) datum.Datum {
			if c.kind == 'r' || c.kind == 'm' {
				return dText("d")
			}
			return dText("n")
		}),
		C("relacl", func(q *query, c *T) datum.Datum {
			t := c.table()
			switch {
			case t == nil:
				return datum.Null
			case t.Virtual && t.ACL == nil:
				return q.dACL(t.EffectiveACL())
			}
			return q.dACL(t.ACL)
		}),
		C("reloptions", func(_ *query, c *T) datum.Datum {
			if t := c.table(); t != nil {
				return dSetting(relOptions(t))
			}
			return datum.Null
		}),
	)
	r.keep("pg_catalog.pg_class")
	defineAttributes(r)
	r.keep("pg_catalog.pg_attribute")
	defineSmallClasses(r)
}

func relOptions(t *catalog.Table) catalog.Setting {
	if t.View == nil || t.View.CheckOption == "" {
		return t.Options
	}
	out := catalog.Setting{"check_option": t.View.CheckOption}
	for k, v := range t.Options {
		out[k] = v
	}
	return out
}

// dSetting prints options as an array of name=value, NULL when there are none.
func dSetting(s catalog.Setting) datum.Datum {
	if len(s) == 0 {
		return datum.Null
	}
	var out []string
	for k, v := range s {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return dTexts(out)
}

func (e *Env) stats(t *catalog.Table) *catalog.Stats {
	if t == nil {
		return nil
	}
	return e.Snapshot.Stats(t.OID)
}

// typeInfo is a type's row, user-defined ones included.
func (e *Env) typeInfo(oid catalog.OID) *builtin.TypeInfo {
	if t := e.Facts.TypeByOID(oid); t != nil {
		return t
	}
	return e.userType(oid)
}

// attribute is a row of pg_attribute.
type attribute struct {
	rel catalog.OID
	t   *catalog.Table
	c   *catalog.Column
	num int
	typ datum.Type
	// name differs from the column's in indexes.
	name string
	opts *catalog.Index
}

func attributes(q *query, emit func(*attribute) error) error {
	if oid, ok := q.wantOID("attrelid"); ok {
		r := q.Snapshot.RelationByOID(oid)
		if !r.Found() {
			return nil
		}
		return relationAttributes(r, emit)
	}
	for t := range q.Snapshot.Tables() {
		if err := relationAttributes(catalog.Relation{Table: t}, emit); err != nil {
			return err
		}
		for _, x := range t.Indexes {
			if x.Hidden {
				continue
			}
			if err := relationAttributes(catalog.Relation{Table: t, Index: x}, emit); err != nil {
				return err
			}
		}
	}
	return nil
}

func relationAttributes(r catalog.Relation, emit func(*attribute) error) error {
	if r.Index != nil {
		return indexAttributes(r, emit)
	}
	for _, c := range r.Table.Columns {
		if c.Hidden {
			continue
		}
		typ := c.Type
		if c.Dropped {
			typ = datum.Type{Mod: c.Type.Mod}
		}
		if err := emit(&attribute{rel: r.Table.OID, t: r.Table, c: c, num: int(c.Attnum), typ: typ, name: c.Name}); err != nil {
			return err
		}
	}
	return nil
}

func indexAttributes(r catalog.Relation, emit func(*attribute) error) error {
	n, exprs := 0, 0
	one := func(id uint32, typ datum.Type) error {
		n++
		a := &attribute{rel: r.Index.OID, t: r.Table, num: n, typ: typ, name: "expr", opts: r.Index}
		if c, _ := r.Table.ColumnByID(id); c != nil {
			a.name, a.typ = c.Name, c.Type
		} else {
			if exprs++; exprs > 1 {
				a.name += itoa(exprs - 1)
			}
		}
		return emit(a)
	}
	for _, k := range r.Index.Key {
		if err := one(k.Column, k.Type); err != nil {
			return err
		}
	}
	for _, id := range r.Index.Include {
		if err := one(id, datum.Type{}); err != nil {
			return err
		}
	}
	return nil
}

func defineAttributes(r *registry) {
	type T = attribute
	C := func(name string, get func(*query, *T) datum.Datum) col[T] { return col[T]{name, get} }
	produce(r, "pg_catalog.pg_attribute", "attrelid", attributes,
		C("attrelid", func(_ *query, a *T) datum.Datum { return dInt(a.rel) }),
		C("attname", func(_ *query, a *T) datum.Datum { return dText(a.name) }),
		C("atttypid", func(_ *query, a *T) datum.Datum { return dInt(a.typ.OID) }),
		C("attstattarget", func(_ *query, a *T) datum.Datum {
			if a.c != nil && a.c.StatTarget > 0 {
				return dInt(a.c.StatTarget - 1)
			}
			return dInt(-1)
		}),
		C("attlen", func(q *query, a *T) datum.Datum {
			if ti := q.typeInfo(a.typ.OID); ti != nil {
				return dInt(ti.Len)
			}
			return dInt(-1)
		}),
		C("attnum", func(_ *query, a *T) datum.Datum { return dInt(a.num) }),
		C("attndims", func(q *query, a *T) datum.Datum {
			if q.Facts.ElementType(a.typ.OID) != 0 {
				return dInt(1)
			}
			return dInt(0)
		}),
		C("attcacheoff", func(*query, *T) datum.Datum { return dInt(-1) }),
		C("atttypmod", func(_ *query, a *T) datum.Datum { return dInt(a.typ.Mod) }),
		C("attbyval", func(q *query, a *T) datum.Datum {
			ti := q.typeInfo(a.typ.OID)
			return dBool(ti != nil && ti.ByVal)
		}),
		C("attalign", func(q *query, a *T) datum.Datum {
			if ti := q.typeInfo(a.typ.OID); ti != nil {
				return dChar(ti.Align)
			}
			return dText("i")
		}),
		C("attstorage", func(q *query, a *T) datum.Datum {
			if ti := q.typeInfo(a.typ.OID); ti != nil {
				return dChar(ti.Storage)
			}
			return dText("p")
		}),
		C("attnotnull", func(_ *query, a *T) datum.Datum { return dBool(a.c != nil && a.c.NotNull) }),
		C("atthasdef", func(_ *query, a *T) datum.Datum { return dBool(a.c != nil && a.c.Default != "") }),
		C("atthasmissing", func(_ *query, a *T) datum.Datum { return dBool(a.c != nil && a.c.HasMissing) }),
		C("attidentity", func(_ *query, a *T) datum.Datum {
			if a.c == nil {
				return dText("")
			}
			return dChar(byte(a.c.Identity))
		}),
		C("attgenerated", func(_ *query, a *T) datum.Datum {
			if a.c != nil && a.c.Generated {
				return dText("s")
			}
			return dText("")
		}),
		C("attisdropped", func(_ *query, a *T) datum.Datum { return dBool(a.c != nil && a.c.Dropped) }),
		C("attislocal", func(*query, *T) datum.Datum { return dBool(true) }),
		C("attcollation", func(q *query, a *T) datum.Datum {
			if a.c != nil && a.c.Collation != "" {
				return dInt(collationOID(a.c.Collation))
			}
			if ti := q.typeInfo(a.typ.OID); ti != nil {
				return dInt(ti.Collation)
			}
			return dInt(0)
		}),
		C("attacl", func(q *query, a *T) datum.Datum {
			if a.c == nil {
				return datum.Null
			}
			return q.dACL(a.c.ACL)
		}),
	)
}

func collationOID(name string) catalog.OID {
	switch name {
	case "C":
		return 950
	case "POSIX":
		return 951
	case "ucs_basic":
		return 12341
	default:
		return 100
	}
}

// columnDefault is a row of pg_attrdef.
type columnDefault struct {
	t *catalog.Table
	c *catalog.Column
}

func columnDefaults(q *query, emit func(*columnDefault) error) error {
	rel, byRel := q.wantOID("adrelid")
	for t := range q.Snapshot.Tables() {
		if byRel && t.OID != rel || t.Virtual {
			continue
		}
		for _, c := range t.Columns {
			if c.Default == "" || c.Dropped {
				continue
			}
			if err := emit(&columnDefault{t, c}); err != nil {
				return err
			}
		}
	}
	return nil
}

func defineSmallClasses(r *registry) {
	type D = columnDefault
	produce(r, "pg_catalog.pg_attrdef", "adrelid", columnDefaults,
		col[D]{"oid", func(_ *query, d *D) datum.Datum { return dInt(d.c.DefaultOID) }},
		col[D]{"adrelid", func(_ *query, d *D) datum.Datum { return dInt(d.t.OID) }},
		col[D]{"adnum", func(_ *query, d *D) datum.Datum { return dInt(d.c.Attnum) }},
		col[D]{"adbin", func(q *query, d *D) datum.Datum { return dText(d.c.Default) }},
	)
	type N = catalog.Schema
	produce(r, "pg_catalog.pg_namespace", "", func(q *query, emit func(*N) error) error {
		for s := range q.Snapshot.Schemas() {
			if err := emit(s); err != nil {
				return err
			}
		}
		return nil
	},
		col[N]{"oid", func(_ *query, s *N) datum.Datum { return dInt(s.OID) }},
		col[N]{"nspname", func(_ *query, s *N) datum.Datum { return dText(s.Name) }},
		col[N]{"nspowner", func(_ *query, s *N) datum.Datum { return dInt(s.Owner) }},
		col[N]{"nspacl", func(q *query, s *N) datum.Datum { return q.dACL(s.ACL) }},
	)
	type S = catalog.Table
	produce(r, "pg_catalog.pg_sequence", "seqrelid", sequences("seqrelid"),
		col[S]{"seqrelid", func(_ *query, s *S) datum.Datum { return dInt(s.OID) }},
		col[S]{"seqtypid", func(_ *query, s *S) datum.Datum { return dInt(s.Sequence.Type.OID) }},
		col[S]{"seqstart", func(_ *query, s *S) datum.Datum { return dInt(s.Sequence.Start) }},
		col[S]{"seqincrement", func(_ *query, s *S) datum.Datum { return dInt(s.Sequence.Increment) }},
		col[S]{"seqmax", func(_ *query, s *S) datum.Datum { return dInt(s.Sequence.Max) }},
		col[S]{"seqmin", func(_ *query, s *S) datum.Datum { return dInt(s.Sequence.Min) }},
		col[S]{"seqcache", func(_ *query, s *S) datum.Datum { return dInt(s.Sequence.Cache) }},
		col[S]{"seqcycle", func(_ *query, s *S) datum.Datum { return dBool(s.Sequence.Cycle) }},
	)
}

// sequences yields all sequences, or the one whose OID is asked for in a column.
func sequences(key string) func(*query, func(*catalog.Table) error) error {
	return func(q *query, emit func(*catalog.Table) error) error {
		oid, byOID := q.wantOID(key)
		for t := range q.Snapshot.Tables() {
			if t.Sequence == nil || byOID && t.OID != oid {
				continue
			}
			if err := emit(t); err != nil {
				return err
			}
		}
		return nil
	}
}

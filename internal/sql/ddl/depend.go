package ddl

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// objectClass is a kind of thing that others can depend on.
type objectClass uint8

const (
	classRelation objectClass = iota // table, view, sequence
	classIndex
	classConstraint // of a table
	classColumn
	classDefault // of a column
	classType
	classDomainConstraint
	classSchema
	classFunction
)

// object is something that can be dropped. For columns and defaults sub is the column's id.
type object struct {
	class objectClass
	oid   catalog.OID
	sub   uint32
}

// dependent is an object that needs another one. Automatic ones go without being asked for CASCADE.
type dependent struct {
	object
	auto bool
	// rank orders dependents of one kind by age when it is not the OID that does.
	rank catalog.OID
}

func (d dependent) age() catalog.OID {
	if d.rank != 0 {
		return d.rank
	}
	return d.oid
}

// collector finds everything that must go with some objects, like PostgreSQL's findDependentObjects: dependents stand
// before what they depend on.
type collector struct {
	e       *Env
	s       *catalog.Snapshot
	roots   []object
	list    []collected
	visited map[object]bool
	// autos are the objects that some path reaches automatically: they go unmentioned.
	autos map[object]bool
}

type collected struct {
	object
	// because is what the object depends on, for the error.
	because object
}

func (e *Env) collect(roots []object) *collector {
	c := &collector{e: e, s: e.snap(), roots: roots, visited: map[object]bool{}, autos: map[object]bool{}}
	for _, o := range roots {
		c.visit(o, object{}, true)
	}
	return c
}

func (c *collector) visit(o, because object, auto bool) {
	c.autos[o] = c.autos[o] || auto
	if c.visited[o] {
		return
	}
	c.visited[o] = true
	deps := c.dependents(o)
	// Newest first, as PostgreSQL does it: reports then come out oldest first.
	slices.SortFunc(deps, func(a, b dependent) int {
		return cmp.Or(cmp.Compare(b.age(), a.age()), cmp.Compare(a.class, b.class), cmp.Compare(a.sub, b.sub))
	})
	for _, d := range deps {
		c.visit(d.object, o, d.auto)
	}
	c.list = append(c.list, collected{o, because})
}

// check reports what is in the way of RESTRICT, or tells what CASCADE takes along.
func (c *collector) check(behavior parser.DropBehavior) error {
	var lines []string
	for i := len(c.list) - 1; i >= 0; i-- {
		o := c.list[i]
		if slices.Contains(c.roots, o.object) || c.autos[o.object] {
			continue
		}
		if behavior == parser.DropCascade {
			lines = append(lines, "drop cascades to "+c.e.describe(o.object))
		} else {
			lines = append(lines, c.e.describe(o.object)+" depends on "+c.e.describe(o.because))
		}
	}
	switch {
	case len(lines) == 0:
		return nil
	case behavior == parser.DropRestrict:
		what := "desired object(s) because other objects depend on them"
		if len(c.roots) == 1 {
			what = c.e.describe(c.roots[0]) + " because other objects depend on it"
		}
		return failure.New(failure.DependentObjectsStillExist, "cannot drop %s", what).
			WithDetail("%s", strings.Join(lines, "\n")).
			WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
	case len(lines) == 1:
		c.e.notice(failure.SuccessfulCompletion, "%s", lines[0])
	default:
		if c.e.Notice != nil {
			c.e.Notice(failure.New(failure.SuccessfulCompletion, "drop cascades to %d other objects", len(lines)).
				WithDetail("%s", strings.Join(lines, "\n")).WithSeverity(failure.SeverityNotice))
		}
	}
	return nil
}

// dependents lists what needs o directly.
func (c *collector) dependents(o object) []dependent {
	switch o.class {
	case classRelation:
		return c.ofRelation(o.oid)
	case classColumn:
		return c.ofColumn(o.oid, o.sub)
	case classConstraint, classIndex:
		return c.ofIndex(o.oid)
	case classType:
		return c.ofType(o.oid)
	case classSchema:
		return c.ofSchema(o.oid)
	case classFunction:
		return c.users(o.oid)
	default:
		return nil
	}
}

// users finds what mentions an object in an expression or query.
func (c *collector) users(oid catalog.OID) []dependent {
	var out []dependent
	for t := range c.s.Tables() {
		if t.View != nil && !t.View.System && slices.Contains(t.View.DependsOn, oid) {
			out = append(out, dependent{object{classRelation, t.OID, 0}, false, 0})
		}
		for _, col := range t.Columns {
			if col.Dropped || !slices.Contains(col.DependsOn, oid) {
				continue
			}
			if col.Generated {
				out = append(out, dependent{object{classColumn, t.OID, col.ID}, false, 0})
			} else {
				out = append(out, dependent{object{classDefault, t.OID, col.ID}, false, 0})
			}
		}
		for _, k := range t.Checks {
			if slices.Contains(k.DependsOn, oid) {
				out = append(out, dependent{object{classConstraint, k.OID, 0}, false, 0})
			}
		}
	}
	for f := range c.s.Functions() {
		if slices.Contains(f.DependsOn, oid) {
			out = append(out, dependent{object{classFunction, f.OID, 0}, false, 0})
		}
	}
	return out
}

func (c *collector) ofRelation(oid catalog.OID) []dependent {
	t := c.s.TableByOID(oid)
	out := c.users(oid)
	for _, in := range t.Inbound {
		if in.Table != oid {
			out = append(out, dependent{object{classConstraint, in.Key, 0}, false, 0})
		}
	}
	for _, f := range t.ForeignKeys {
		out = append(out, dependent{object{classConstraint, f.OID, 0}, true, 0})
	}
	for o := range c.s.Tables() {
		if o.Sequence != nil && o.Sequence.OwnedByTable == oid {
			out = append(out, dependent{object{classRelation, o.OID, 0}, true, 0})
		}
	}
	if t.RowType != 0 {
		out = append(out, c.columnsOfType(t.RowType, t.ArrayType)...)
	}
	// A sequence behind its own column's default goes with the column: the default is no obstacle then.
	if t.Sequence != nil && t.Sequence.OwnedByTable != 0 {
		for i := range out {
			if out[i].class == classDefault && (c.visited[object{classRelation, out[i].oid, 0}] || c.visited[object{classColumn, out[i].oid, out[i].sub}]) {
				out[i].auto = true
			}
		}
	}
	return out
}

func (c *collector) ofColumn(table catalog.OID, id uint32) []dependent {
	t := c.s.TableByOID(table)
	var out []dependent
	for v := range c.s.Tables() {
		if v.View != nil {
			for _, u := range v.View.DependsOnColumns {
				if u.Table == table && slices.Contains(u.Columns, id) {
					out = append(out, dependent{object{classRelation, v.OID, 0}, false, 0})
				}
			}
		}
		if v.Sequence != nil && v.Sequence.OwnedByTable == table && v.Sequence.OwnedByColumn == id {
			out = append(out, dependent{object{classRelation, v.OID, 0}, true, 0})
		}
	}
	for _, col := range t.Columns {
		if col.Generated && !col.Dropped && col.ID != id && slices.Contains(col.Refs, id) {
			out = append(out, dependent{object{classColumn, table, col.ID}, false, col.DefaultOID})
		}
	}
	for _, in := range t.Inbound {
		child := c.s.TableByOID(in.Table)
		if f := child.ForeignKeyByOID(in.Key); f != nil && slices.Contains(f.RefColumns, id) {
			out = append(out, dependent{object{classConstraint, f.OID, 0}, in.Table == table && slices.Contains(f.Columns, id), 0})
		}
	}
	return append(out, c.ownParts(t, id)...)
}

// ownParts are the indexes and constraints of a table that mention a column: they go with it.
func (c *collector) ownParts(t *catalog.Table, id uint32) []dependent {
	var out []dependent
	for _, k := range t.Checks {
		if slices.Contains(k.Columns, id) {
			out = append(out, dependent{object{classConstraint, k.OID, 0}, true, 0})
		}
	}
	for _, f := range t.ForeignKeys {
		if slices.Contains(f.Columns, id) {
			out = append(out, dependent{object{classConstraint, f.OID, 0}, true, 0})
		}
	}
	for _, x := range t.Indexes {
		if x.Hidden || !indexMentions(x, id) {
			continue
		}
		if x.Constraint != 0 {
			out = append(out, dependent{object{classConstraint, x.Constraint, 0}, true, 0})
		} else {
			out = append(out, dependent{object{classIndex, x.OID, 0}, true, 0})
		}
	}
	return out
}

func indexMentions(x *catalog.Index, id uint32) bool {
	for _, k := range x.Key {
		if k.Column == id || slices.Contains(k.Refs, id) {
			return true
		}
	}
	return slices.Contains(x.Include, id) || slices.Contains(x.PredicateRefs, id)
}

// ofIndex finds the foreign keys that rest on a unique index (given by itself or its constraint).
func (c *collector) ofIndex(oid catalog.OID) []dependent {
	t := c.s.TableOfPart(oid)
	if t == nil {
		return nil
	}
	var out []dependent
	for _, x := range t.Indexes {
		if x.OID != oid && x.Constraint != oid || oid == 0 {
			continue
		}
		for _, in := range t.Inbound {
			child := c.s.TableByOID(in.Table)
			if f := child.ForeignKeyByOID(in.Key); f != nil && f.RefIndex == x.OID {
				out = append(out, dependent{object{classConstraint, f.OID, 0}, false, 0})
			}
		}
	}
	return out
}

func (c *collector) columnsOfType(oids ...catalog.OID) []dependent {
	var out []dependent
	for t := range c.s.Tables() {
		for _, col := range t.Columns {
			if !col.Dropped && t.View == nil && col.Type.OID != 0 && slices.Contains(oids, col.Type.OID) {
				out = append(out, dependent{object{classColumn, t.OID, col.ID}, false, 0})
			}
		}
	}
	return out
}

func (c *collector) ofType(oid catalog.OID) []dependent {
	ty := c.s.TypeByOID(oid)
	if ty == nil {
		return nil
	}
	out := append(c.columnsOfType(oid, ty.ArrayType), c.users(oid)...)
	for o := range c.s.Types() {
		if o.Kind == catalog.TypeDomain && (o.Base.OID == oid || o.Base.OID == ty.ArrayType) {
			out = append(out, dependent{object{classType, o.OID, 0}, false, 0})
		}
	}
	return out
}

func (c *collector) ofSchema(oid catalog.OID) []dependent {
	var out []dependent
	for t := range c.s.Tables() {
		if t.Schema == oid {
			auto := t.Sequence != nil && t.Sequence.OwnedByTable != 0
			out = append(out, dependent{object{classRelation, t.OID, 0}, auto, 0})
		}
	}
	for t := range c.s.Types() {
		if t.Schema == oid {
			out = append(out, dependent{object{classType, t.OID, 0}, false, 0})
		}
	}
	for f := range c.s.Functions() {
		if f.Schema == oid {
			out = append(out, dependent{object{classFunction, f.OID, 0}, false, 0})
		}
	}
	return out
}

// describe names an object as errors do.
func (e *Env) describe(o object) string {
	s := e.snap()
	switch o.class {
	case classRelation:
		t := s.TableByOID(o.oid)
		return t.Kind.Word() + " " + s.QualifiedIfHidden(e.Path, catalog.Relation{Table: t})
	case classIndex:
		t, x := s.IndexByOID(o.oid)
		return "index " + s.QualifiedIfHidden(e.Path, catalog.Relation{Table: t, Index: x})
	case classConstraint:
		t := s.TableOfPart(o.oid)
		return "constraint " + constraintName(t, o.oid) + " on table " + s.QualifiedIfHidden(e.Path, catalog.Relation{Table: t})
	case classColumn:
		t := s.TableByOID(o.oid)
		c, _ := t.ColumnByID(o.sub)
		return "column " + c.Name + " of " + t.Kind.Word() + " " + s.QualifiedIfHidden(e.Path, catalog.Relation{Table: t})
	case classDefault:
		return "default value for " + e.describe(object{classColumn, o.oid, o.sub})
	case classType:
		t := s.TypeByOID(o.oid)
		return "type " + e.typeDisplay(t)
	case classSchema:
		return "schema " + s.SchemaName(o.oid)
	case classFunction:
		f := s.FunctionByOID(o.oid)
		return "function " + e.functionSignature(f)
	default:
		return "object " + oidText(o.oid)
	}
}

func (e *Env) typeDisplay(t *catalog.Type) string {
	s := e.snap()
	if ty, _ := s.FindType(e.Path, "", t.Name); ty == t {
		return catalog.QuoteIdent(t.Name)
	}
	return catalog.QuoteIdent(s.SchemaName(t.Schema)) + "." + catalog.QuoteIdent(t.Name)
}

func (e *Env) functionSignature(f *catalog.Function) string {
	args := make([]string, len(f.ArgTypes))
	for i, a := range f.ArgTypes {
		args[i] = e.Facts.TypeName(a.OID)
	}
	return f.Name + "(" + strings.Join(args, ",") + ")"
}

// constraintName finds the name of a table's constraint by its OID.
func constraintName(t *catalog.Table, oid catalog.OID) string {
	for _, c := range t.Checks {
		if c.OID == oid {
			return c.Name
		}
	}
	if f := t.ForeignKeyByOID(oid); f != nil {
		return f.Name
	}
	for _, x := range t.Indexes {
		if x.Constraint == oid {
			return x.Name
		}
	}
	return ""
}

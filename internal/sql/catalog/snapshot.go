package catalog

import (
	"cmp"
	"iter"
	"slices"

	"github.com/meridiandb/meridian/internal/clock"
)

// Snapshot is the set of all descriptors at one schema time, perhaps with the uncommitted changes of one transaction
// over it. It is immutable and safe for concurrent use.
type Snapshot struct {
	version Version
	// base is what this Snapshot changes; nil when it was loaded from the store.
	base    *Snapshot
	objects map[objectKey]Descriptor // a nil Descriptor hides that of base
	holders map[nameKey]OID          // who holds a name; 0 hides that of base
	parts   map[OID]OID              // index, constraint, default, row type → its table; array type → its type
}

// Version tells Snapshots apart: two of equal Version have equal content. Local is 0 unless there are uncommitted
// changes: such a Version means something to its own transaction only.
type Version struct {
	Time  clock.Timestamp
	Local uint64
}

type objectKey struct {
	kind Kind
	oid  OID
}

// Relation is what a relation's name stands for: a table (view, sequence, …) or an index of one.
type Relation struct {
	Table *Table
	Index *Index // nil when the relation is the table itself
}

// Found says whether there is such a relation.
func (r Relation) Found() bool { return r.Table != nil }

// OID returns the relation's OID.
func (r Relation) OID() OID {
	switch {
	case r.Index != nil:
		return r.Index.OID
	case r.Table != nil:
		return r.Table.OID
	default:
		return 0
	}
}

// Name returns the relation's name.
func (r Relation) Name() string {
	if r.Index != nil {
		return r.Index.Name
	}
	return r.Table.Name
}

// Kind returns the relation's relkind.
func (r Relation) Kind() RelKind {
	if r.Index != nil {
		return RelIndex
	}
	return r.Table.Kind
}

// Version returns the Snapshot's version.
func (s *Snapshot) Version() Version { return s.version }

// Changed says whether the Snapshot holds uncommitted changes. Plans made from it must not be kept.
func (s *Snapshot) Changed() bool { return s.version.Local != 0 }

func (s *Snapshot) object(k Kind, oid OID) Descriptor {
	for ; s != nil; s = s.base {
		if d, ok := s.objects[objectKey{k, oid}]; ok {
			return d
		}
	}
	return nil
}

func (s *Snapshot) holder(n nameKey) OID {
	for ; s != nil; s = s.base {
		if oid, ok := s.holders[n]; ok {
			return oid
		}
	}
	return 0
}

// part returns the object that oid is a part of, or 0. The answer may be stale in a changed Snapshot: the caller looks
// for the part in the object.
func (s *Snapshot) part(oid OID) OID {
	for ; s != nil; s = s.base {
		if p, ok := s.parts[oid]; ok {
			return p
		}
	}
	return 0
}

// Database returns the database.
func (s *Snapshot) Database() *Database {
	d, _ := s.object(KindDatabase, OIDDatabase).(*Database)
	return d
}

// Schema returns the schema of that name, or nil.
func (s *Snapshot) Schema(name string) *Schema {
	return s.SchemaByOID(s.holder(nameKey{spaceSchema, 0, name}))
}

// SchemaByOID returns a schema, or nil.
func (s *Snapshot) SchemaByOID(oid OID) *Schema {
	d, _ := s.object(KindSchema, oid).(*Schema)
	return d
}

// SchemaName returns the name of a schema, or "".
func (s *Snapshot) SchemaName(oid OID) string {
	if d := s.SchemaByOID(oid); d != nil {
		return d.Name
	}
	return ""
}

// Relation returns what the name stands for in one schema.
func (s *Snapshot) Relation(schema OID, name string) Relation {
	t := s.TableByOID(s.holder(nameKey{spaceRelation, schema, name}))
	if t == nil || t.Name == name {
		return Relation{Table: t}
	}
	if x := t.IndexByName(name); x != nil {
		return Relation{Table: t, Index: x}
	}
	return Relation{}
}

// RelationByOID returns a table, view, sequence or index by its OID.
func (s *Snapshot) RelationByOID(oid OID) Relation {
	if t := s.TableByOID(oid); t != nil {
		return Relation{Table: t}
	}
	t, x := s.IndexByOID(oid)
	return Relation{Table: t, Index: x}
}

// TableByOID returns a relation other than an index, or nil.
func (s *Snapshot) TableByOID(oid OID) *Table {
	if oid == 0 {
		return nil
	}
	d, _ := s.object(KindTable, oid).(*Table)
	return d
}

// IndexByOID returns an index and its table, or nils.
func (s *Snapshot) IndexByOID(oid OID) (*Table, *Index) {
	t := s.TableByOID(s.part(oid))
	if t == nil {
		return nil, nil
	}
	if x := t.IndexByOID(oid); x != nil && !x.Hidden {
		return t, x
	}
	return nil, nil
}

// TableOfPart returns the table that an index, constraint, column default or row type belongs to, or nil.
func (s *Snapshot) TableOfPart(oid OID) *Table { return s.TableByOID(s.part(oid)) }

// Stats returns what ANALYZE knows about a table, or nil.
func (s *Snapshot) Stats(table OID) *Stats {
	d, _ := s.object(KindStats, table).(*Stats)
	return d
}

// Type returns the enum or domain of that name, or nil.
func (s *Snapshot) Type(schema OID, name string) *Type {
	return s.TypeByOID(s.holder(nameKey{spaceType, schema, name}))
}

// TypeByOID returns an enum or domain, or nil.
func (s *Snapshot) TypeByOID(oid OID) *Type {
	d, _ := s.object(KindType, oid).(*Type)
	return d
}

// TypeOfArray returns the enum or domain whose array type has that OID, or nil.
func (s *Snapshot) TypeOfArray(oid OID) *Type {
	if t := s.TypeByOID(s.part(oid)); t != nil && t.ArrayType == oid {
		return t
	}
	return nil
}

// TableOfRowType returns the relation whose row type has that OID, or nil.
func (s *Snapshot) TableOfRowType(oid OID) *Table {
	if t := s.TableByOID(s.part(oid)); t != nil && t.RowType == oid {
		return t
	}
	return nil
}

// TypeHolder returns what a type name stands for in one schema: an enum or domain, or a relation's row type.
func (s *Snapshot) TypeHolder(schema OID, name string) (*Type, *Table) {
	oid := s.holder(nameKey{spaceType, schema, name})
	return s.TypeByOID(oid), s.TableByOID(oid)
}

// Role returns the role of that name, or nil.
func (s *Snapshot) Role(name string) *Role {
	return s.RoleByOID(s.holder(nameKey{spaceRole, 0, name}))
}

// RoleByOID returns a role, or nil.
func (s *Snapshot) RoleByOID(oid OID) *Role {
	d, _ := s.object(KindRole, oid).(*Role)
	return d
}

// RoleName returns the name of a role, or what PostgreSQL prints for one that is gone.
func (s *Snapshot) RoleName(oid OID) string {
	if r := s.RoleByOID(oid); r != nil {
		return r.Name
	}
	return "unknown (OID=" + oidText(oid) + ")"
}

// Function returns a function by OID, or nil.
func (s *Snapshot) FunctionByOID(oid OID) *Function {
	d, _ := s.object(KindFunction, oid).(*Function)
	return d
}

// FunctionsNamed returns the functions of that name in a schema, by OID.
func (s *Snapshot) FunctionsNamed(schema OID, name string) []*Function {
	var out []*Function
	for f := range s.Functions() {
		if f.Name == name && f.Schema == schema {
			out = append(out, f)
		}
	}
	return out
}

// Tables iterates over all relations but indexes, by OID.
func (s *Snapshot) Tables() iter.Seq[*Table] { return all[*Table](s, KindTable) }

// Schemas iterates over all schemas, by OID.
func (s *Snapshot) Schemas() iter.Seq[*Schema] { return all[*Schema](s, KindSchema) }

// Types iterates over all enums and domains, by OID.
func (s *Snapshot) Types() iter.Seq[*Type] { return all[*Type](s, KindType) }

// Roles iterates over all roles, by OID.
func (s *Snapshot) Roles() iter.Seq[*Role] { return all[*Role](s, KindRole) }

// Functions iterates over all functions that users wrote, by OID.
func (s *Snapshot) Functions() iter.Seq[*Function] { return all[*Function](s, KindFunction) }

// DefaultACLs iterates over what ALTER DEFAULT PRIVILEGES set, by OID.
func (s *Snapshot) DefaultACLs() iter.Seq[*DefaultACL] { return all[*DefaultACL](s, KindDefaultACL) }

// all collects the objects of a kind through all layers and sorts them.
func all[T Descriptor](s *Snapshot, k Kind) iter.Seq[T] {
	return func(yield func(T) bool) {
		seen := map[OID]bool{}
		var list []T
		for l := s; l != nil; l = l.base {
			for key, d := range l.objects {
				if key.kind != k || seen[key.oid] {
					continue
				}
				seen[key.oid] = true
				if d != nil {
					list = append(list, d.(T))
				}
			}
		}
		slices.SortFunc(list, func(a, b T) int { return cmp.Compare(a.ObjectID(), b.ObjectID()) })
		for _, d := range list {
			if !yield(d) {
				return
			}
		}
	}
}

// newSnapshot makes an empty layer.
func newSnapshot(base *Snapshot) *Snapshot {
	return &Snapshot{base: base, objects: map[objectKey]Descriptor{}, holders: map[nameKey]OID{}, parts: map[OID]OID{}}
}

// add enters a descriptor into a layer that is still being built.
func (s *Snapshot) add(d Descriptor) {
	oid := d.ObjectID()
	s.objects[objectKey{d.DescriptorKind(), oid}] = d
	for _, n := range d.names() {
		s.holders[n] = oid
	}
	switch d := d.(type) {
	case *Table:
		for _, p := range d.partOIDs() {
			s.parts[p] = oid
		}
	case *Type:
		if d.ArrayType != 0 {
			s.parts[d.ArrayType] = oid
		}
		for _, c := range d.Checks {
			s.parts[c.OID] = oid
		}
	}
}

// remove hides a descriptor and its names in a layer that is still being built.
func (s *Snapshot) remove(d Descriptor) {
	s.objects[objectKey{d.DescriptorKind(), d.ObjectID()}] = nil
	for _, n := range d.names() {
		s.holders[n] = 0
	}
}

func (t *Table) partOIDs() []OID {
	var out []OID
	for _, oid := range []OID{t.RowType, t.ArrayType} {
		if oid != 0 {
			out = append(out, oid)
		}
	}
	for _, x := range t.Indexes {
		out = append(out, x.OID)
		if x.Constraint != 0 {
			out = append(out, x.Constraint)
		}
	}
	for _, c := range t.Checks {
		out = append(out, c.OID)
	}
	for _, f := range t.ForeignKeys {
		out = append(out, f.OID)
	}
	for _, c := range t.Columns {
		if c.DefaultOID != 0 {
			out = append(out, c.DefaultOID)
		}
	}
	return out
}

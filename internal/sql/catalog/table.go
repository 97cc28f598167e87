package catalog

import (
	"maps"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
)

// ColumnByName returns the visible column of that name with its position in Columns, or nil and -1.
func (t *Table) ColumnByName(name string) (*Column, int) {
	for i, c := range t.Columns {
		if c.Name == name && !c.Dropped && !c.Hidden {
			return c, i
		}
	}
	return nil, -1
}

// ColumnByID returns the column with its position in Columns, dropped ones included, or nil and -1.
func (t *Table) ColumnByID(id uint32) (*Column, int) {
	// Until a column has been rewritten ids follow positions.
	if i := int(id) - 1; i >= 0 && i < len(t.Columns) && t.Columns[i].ID == id {
		return t.Columns[i], i
	}
	for i, c := range t.Columns {
		if c.ID == id {
			return c, i
		}
	}
	return nil, -1
}

// ColumnByAttnum returns the column of that number, dropped ones included, or nil.
func (t *Table) ColumnByAttnum(attnum int16) *Column {
	for _, c := range t.Columns {
		if c.Attnum == attnum {
			return c
		}
	}
	return nil
}

// Stored is the type that the column's values have in keys and rows: the base type of a domain.
func (c *Column) Stored() datum.Type {
	if c.Storage != 0 {
		return datum.T(c.Storage)
	}
	return c.Type
}

// Visible says whether SQL sees the column.
func (c *Column) Visible() bool { return !c.Dropped && !c.Hidden }

// VisibleColumns returns the columns that SQL sees, in order.
func (t *Table) VisibleColumns() []*Column {
	out := make([]*Column, 0, len(t.Columns))
	for _, c := range t.Columns {
		if c.Visible() {
			out = append(out, c)
		}
	}
	return out
}

// RowStore returns the index that holds the rows, or nil for a relation without rows of its own.
func (t *Table) RowStore() *Index {
	if t.Kind != RelTable && t.Kind != RelMatView || t.Virtual || len(t.Indexes) == 0 {
		return nil
	}
	return t.Indexes[0]
}

// PrimaryKey returns the index of the PRIMARY KEY constraint, or nil. It is the row store unless the constraint was
// added to a table that had rows.
func (t *Table) PrimaryKey() *Index {
	for _, x := range t.Indexes {
		if x.Primary {
			return x
		}
	}
	return nil
}

// HasRowID says whether rows are keyed by the hidden row id.
func (t *Table) HasRowID() bool {
	return len(t.Indexes) > 0 && t.Indexes[0].Hidden
}

// IndexByName returns the index of that name, or nil.
func (t *Table) IndexByName(name string) *Index {
	for _, x := range t.Indexes {
		if x.Name == name && !x.Hidden {
			return x
		}
	}
	return nil
}

// IndexByOID returns an index, or nil.
func (t *Table) IndexByOID(oid OID) *Index {
	for _, x := range t.Indexes {
		if x.OID == oid {
			return x
		}
	}
	return nil
}

// IndexByID returns an index, or nil.
func (t *Table) IndexByID(id keys.IndexID) *Index {
	for _, x := range t.Indexes {
		if x.ID == id {
			return x
		}
	}
	return nil
}

// ForeignKeyByOID returns a foreign key of this table, or nil.
func (t *Table) ForeignKeyByOID(oid OID) *ForeignKey {
	for _, f := range t.ForeignKeys {
		if f.OID == oid {
			return f
		}
	}
	return nil
}

// HasConstraint says whether a constraint of that name exists on the table.
func (t *Table) HasConstraint(name string) bool {
	for _, c := range t.Checks {
		if c.Name == name {
			return true
		}
	}
	for _, f := range t.ForeignKeys {
		if f.Name == name {
			return true
		}
	}
	for _, x := range t.Indexes {
		if x.Constraint != 0 && x.Name == name {
			return true
		}
	}
	return false
}

// SchemaKey returns the everywhere key that users of the relation check and changes of it write.
func (t *Table) SchemaKey() keys.Key { return SchemaKey(t.OID) }

// SchemaKey returns the everywhere key of any object.
func SchemaKey(oid OID) keys.Key { return keys.SchemaKey(keys.TableID(oid)) }

// Clone returns a deep copy that may be changed until it is given to Txn.Put.
func (t *Table) Clone() *Table {
	c := *t
	c.Columns = clonePointers(t.Columns)
	for _, col := range c.Columns {
		col.DependsOn, col.ACL = slices.Clone(col.DependsOn), slices.Clone(col.ACL)
	}
	c.Indexes = clonePointers(t.Indexes)
	for _, x := range c.Indexes {
		x.Key, x.Include = slices.Clone(x.Key), slices.Clone(x.Include)
	}
	c.Checks = clonePointers(t.Checks)
	c.ForeignKeys = clonePointers(t.ForeignKeys)
	c.Inbound = slices.Clone(t.Inbound)
	c.ACL = slices.Clone(t.ACL)
	c.Options = maps.Clone(t.Options)
	if t.View != nil {
		v := *t.View
		c.View = &v
	}
	if t.Sequence != nil {
		s := *t.Sequence
		c.Sequence = &s
	}
	return &c
}

// Clone returns a deep copy.
func (s *Schema) Clone() *Schema {
	c := *s
	c.ACL = slices.Clone(s.ACL)
	return &c
}

// Clone returns a deep copy.
func (d *Database) Clone() *Database {
	c := *d
	c.ACL, c.Config = slices.Clone(d.ACL), maps.Clone(d.Config)
	return &c
}

// Clone returns a deep copy.
func (t *Type) Clone() *Type {
	c := *t
	c.Labels, c.ACL = slices.Clone(t.Labels), slices.Clone(t.ACL)
	c.Checks = clonePointers(t.Checks)
	return &c
}

// Clone returns a deep copy.
func (r *Role) Clone() *Role {
	c := *r
	c.MemberOf, c.Config, c.IAM = slices.Clone(r.MemberOf), maps.Clone(r.Config), slices.Clone(r.IAM)
	return &c
}

// Clone returns a deep copy.
func (f *Function) Clone() *Function {
	c := *f
	c.ACL = slices.Clone(f.ACL)
	return &c
}

// Clone returns a deep copy.
func (a *DefaultACL) Clone() *DefaultACL {
	c := *a
	c.ACL = slices.Clone(a.ACL)
	return &c
}

func clonePointers[T any](in []*T) []*T {
	if in == nil {
		return nil
	}
	out := make([]*T, len(in))
	for i, p := range in {
		c := *p
		out[i] = &c
	}
	return out
}

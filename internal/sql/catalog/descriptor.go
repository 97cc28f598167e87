package catalog

import (
	"encoding/binary"
	"math"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
)

// OID identifies an object. Tables, indexes, constraints, types and roles share one space; user objects start at
// FirstUserOID.
type OID = datum.OID

// Kind is the kind of a descriptor.
type Kind uint8

// The kinds of descriptors. Indexes, constraints and columns are parts of their table's descriptor.
const (
	KindNone Kind = iota
	KindDatabase
	KindSchema
	KindTable // every relation: tables, views, sequences, composite types
	KindType
	KindRole
	KindFunction
	KindStats      // of the table whose OID is Stats.Table
	KindDefaultACL // ALTER DEFAULT PRIVILEGES
)

// Descriptor is an object of the catalogue. Descriptors are immutable once they are in a Snapshot.
type Descriptor interface {
	// ObjectID returns the OID under which the descriptor is stored.
	ObjectID() OID
	// DescriptorKind says which kind it is.
	DescriptorKind() Kind
	// names lists the names that the object holds, for uniqueness.
	names() []nameKey
}

// RelKind is pg_class.relkind.
type RelKind byte

// The kinds of relations.
const (
	RelTable     RelKind = 'r'
	RelView      RelKind = 'v'
	RelMatView   RelKind = 'm'
	RelSequence  RelKind = 'S'
	RelComposite RelKind = 'c'
	RelIndex     RelKind = 'i'
)

// Database is the one database of the cluster.
type Database struct {
	OID     OID
	Name    string
	Owner   OID
	ACL     ACL     `json:",omitzero"`
	Comment string  `json:",omitempty"`
	Config  Setting `json:",omitempty"` // ALTER DATABASE … SET
}

// Setting is a list of configuration parameters, name to value.
type Setting map[string]string

// Schema is a namespace.
type Schema struct {
	OID     OID
	Name    string
	Owner   OID
	ACL     ACL    `json:",omitzero"`
	Comment string `json:",omitempty"`
}

// Table is a relation: a table, a view, a sequence, a materialized view or a composite type.
type Table struct {
	OID    OID
	Schema OID
	Name   string
	Kind   RelKind
	Owner  OID
	// Data is the table id of the rows' keys. It starts equal to OID and changes when the table is rewritten or
	// truncated, like PostgreSQL's relfilenode.
	Data keys.TableID
	// RowType and ArrayType are the types named after the table.
	RowType   OID
	ArrayType OID
	// Columns are in attnum order and include dropped and hidden ones: positions never change.
	Columns      []*Column `json:",omitempty"`
	NextColumnID uint32
	NextIndexID  keys.IndexID
	// Indexes holds all indexes. For a table with rows of its own (Kind RelTable), Indexes[0] is the row store with
	// ID keys.PrimaryIndex, whose Key is the primary key or the hidden row id.
	Indexes     []*Index      `json:",omitempty"`
	Checks      []*Check      `json:",omitempty"`
	ForeignKeys []*ForeignKey `json:",omitempty"`
	// Inbound lists the foreign keys of other tables (and this one) that refer to this table.
	Inbound []InboundKey `json:",omitempty"`
	// View is the definition of a view, Sequence of a sequence.
	View     *View     `json:",omitempty"`
	Sequence *Sequence `json:",omitempty"`
	// Virtual tables have no rows in the store: package syscat produces them.
	Virtual     bool    `json:",omitempty"`
	Persistence byte    `json:",omitempty"` // 'p', 'u', 't'; 0 is 'p'
	OnCommit    byte    `json:",omitempty"` // of a temporary table: 'd' deletes the rows, 'x' drops the table
	ACL         ACL     `json:",omitzero"`
	Comment     string  `json:",omitempty"`
	Options     Setting `json:",omitempty"`
}

// HiddenRowID is the name of the hidden key column of tables without a primary key.
const HiddenRowID = "meridian_rowid"

// HiddenAttnum is the attnum of the hidden row id column.
const HiddenAttnum = -100

// Column is a column of a relation.
type Column struct {
	// ID tags the column's value in stored rows. It is never used again for another column; a change of type that
	// changes the representation rewrites the table under a new Data id.
	ID uint32
	// Attnum is PostgreSQL's column number, from 1, never reused.
	Attnum int16
	Name   string
	Type   datum.Type
	// Storage is the type that values are stored as when it is not Type: what a domain stands for. 0 is Type.
	Storage datum.OID `json:",omitempty"`
	NotNull bool      `json:",omitempty"`
	// Default is the SQL text of the default, or of the generation expression when Generated. Constants of type
	// regclass are written as numbers, so that renaming a sequence leaves it alone. "" is no default.
	Default   string       `json:",omitempty"`
	Generated bool         `json:",omitempty"` // GENERATED ALWAYS AS (Default) STORED
	Identity  IdentityKind `json:",omitempty"`
	// DefaultOID is the OID of the pg_attrdef row when there is a default.
	DefaultOID OID `json:",omitempty"`
	// IdentitySequence is the sequence of an identity column.
	IdentitySequence OID `json:",omitempty"`
	// Missing is the value in rows written before the column was added; HasMissing when it is not NULL.
	Missing    datum.Datum `json:"-"`
	HasMissing bool        `json:",omitempty"`
	Collation  string      `json:",omitempty"` // "" is the type's default
	Dropped    bool        `json:",omitempty"`
	Hidden     bool        `json:",omitempty"` // the row id
	// Refs are the ids of the columns that a generation expression mentions.
	Refs []uint32 `json:",omitempty"`
	// DependsOn are the OIDs of sequences, functions and types that the default uses.
	DependsOn  []OID  `json:",omitempty"`
	Comment    string `json:",omitempty"`
	ACL        ACL    `json:",omitzero"`
	StatTarget int    `json:",omitempty"` // SET STATISTICS + 1; 0 is not set
}

// IdentityKind is pg_attribute.attidentity.
type IdentityKind byte

// The kinds of identity columns.
const (
	IdentityNone      IdentityKind = 0
	IdentityAlways    IdentityKind = 'a'
	IdentityByDefault IdentityKind = 'd'
)

// IndexState says who uses an index.
type IndexState uint8

// The states of an index. Writers maintain it in every state but IndexDropping; readers use it only when public.
const (
	IndexPublic IndexState = iota
	IndexWriteOnly
	IndexDropping
)

// Index is an index of a table. The row store is an index too.
type Index struct {
	ID   keys.IndexID
	OID  OID
	Name string
	// Unique indexes' keys leave the row key out, except in entries with a NULL among the key columns (unless
	// NullsNotDistinct).
	Unique           bool          `json:",omitempty"`
	NullsNotDistinct bool          `json:",omitempty"`
	Primary          bool          `json:",omitempty"` // backs the PRIMARY KEY constraint
	Key              []IndexColumn `json:",omitempty"`
	// Include are the ids of the INCLUDE columns.
	Include []uint32 `json:",omitempty"`
	// Predicate is the SQL text of a partial index's condition.
	Predicate     string     `json:",omitempty"`
	PredicateRefs []uint32   `json:",omitempty"` // ids of the columns in it
	State         IndexState `json:",omitempty"`
	// Failed marks an index whose build failed; it stays invalid until it is dropped.
	Failed bool `json:",omitempty"`
	// Constraint is the OID of the PRIMARY KEY or UNIQUE constraint that the index backs, or 0. The constraint has
	// the index's name.
	Constraint        OID    `json:",omitempty"`
	Deferrable        bool   `json:",omitempty"`
	InitDeferred      bool   `json:",omitempty"`
	Comment           string `json:",omitempty"`
	ConstraintComment string `json:",omitempty"`
	// Hidden row stores (keyed by the row id) are not shown in pg_index.
	Hidden bool `json:",omitempty"`
	// Job is the id of the job that builds the index, or 0.
	Job string `json:",omitempty"`
}

// IndexColumn is one key column of an index.
type IndexColumn struct {
	// Column is the id of the column, or 0 for an expression.
	Column uint32 `json:",omitempty"`
	// Expr is the SQL text of an expression, Type its type and Refs the ids of the columns in it.
	Expr       string     `json:",omitempty"`
	Type       datum.Type // of the column or the expression
	Refs       []uint32   `json:",omitempty"`
	Desc       bool       `json:",omitempty"`
	NullsFirst bool       `json:",omitempty"`
	Collation  string     `json:",omitempty"`
	OpClass    string     `json:",omitempty"` // "" is the type's default
}

// Check is a CHECK constraint.
type Check struct {
	OID       OID
	Name      string
	Expr      string   // SQL text
	Columns   []uint32 `json:",omitempty"` // ids of the columns in it
	DependsOn []OID    `json:",omitempty"`
	Validated bool
	NoInherit bool   `json:",omitempty"`
	Comment   string `json:",omitempty"`
}

// FKAction is pg_constraint.confupdtype and confdeltype.
type FKAction byte

// The referential actions.
const (
	FKNoAction   FKAction = 'a'
	FKRestrict   FKAction = 'r'
	FKCascade    FKAction = 'c'
	FKSetNull    FKAction = 'n'
	FKSetDefault FKAction = 'd'
)

// ForeignKey is a foreign key of the table that it is stored in.
type ForeignKey struct {
	OID        OID
	Name       string
	Columns    []uint32 // ids, in this table
	RefTable   OID
	RefColumns []uint32 // ids, in RefTable, in the order of Columns
	RefIndex   OID      // the unique index of RefTable that the key rests on
	OnUpdate   FKAction
	OnDelete   FKAction
	// OnDeleteColumns restricts SET NULL and SET DEFAULT; empty is all Columns.
	OnDeleteColumns []uint32 `json:",omitempty"`
	MatchFull       bool     `json:",omitempty"`
	Deferrable      bool     `json:",omitempty"`
	InitDeferred    bool     `json:",omitempty"`
	Validated       bool
	Comment         string `json:",omitempty"`
}

// InboundKey names a foreign key of another table.
type InboundKey struct {
	Table OID
	Key   OID
}

// View is the definition of a view.
type View struct {
	// Query is the SQL text of the query, with every relation qualified by its schema.
	Query string
	// DependsOn are the relations, functions and types that the query uses.
	DependsOn []OID `json:",omitempty"`
	// DependsOnColumns are the columns used, by relation.
	DependsOnColumns []ColumnUse `json:",omitempty"`
	CheckOption      string      `json:",omitempty"` // "", local, cascaded
	// System views are written in terms of virtual tables and expanded like any other view.
	System bool `json:",omitempty"`
}

// ColumnUse says which columns of a relation are used.
type ColumnUse struct {
	Table   OID
	Columns []uint32
}

// Sequence is the definition of a sequence. Its state is a row of its own under Table.Data.
type Sequence struct {
	Type      datum.Type // int2, int4 or int8
	Start     int64
	Increment int64
	Min, Max  int64
	Cache     int64
	Cycle     bool `json:",omitempty"`
	// Restart is the first value of the present state when ALTER SEQUENCE … RESTART set another than Start.
	Restart *int64 `json:",omitempty"`
	// OwnedByTable and OwnedByColumn (an id) are what OWNED BY, serial and identity columns set.
	OwnedByTable  OID    `json:",omitempty"`
	OwnedByColumn uint32 `json:",omitempty"`
	// Internal sequences belong to an identity column.
	Internal bool `json:",omitempty"`
}

// TypeKind is pg_type.typtype.
type TypeKind byte

// The kinds of user-defined types.
const (
	TypeEnum      TypeKind = 'e'
	TypeDomain    TypeKind = 'd'
	TypeComposite TypeKind = 'c'
)

// Type is an enum or a domain. Composite types are Tables of Kind RelComposite.
type Type struct {
	OID       OID
	Schema    OID
	Name      string
	Owner     OID
	Kind      TypeKind
	ArrayType OID
	Labels    []EnumLabel    `json:",omitempty"` // in sort order
	Base      datum.Type     // of a domain
	NotNull   bool           `json:",omitempty"`
	Default   string         `json:",omitempty"`
	Checks    []*DomainCheck `json:",omitempty"`
	Collation string         `json:",omitempty"`
	ACL       ACL            `json:",omitzero"`
	Comment   string         `json:",omitempty"`
}

// EnumLabel is a value of an enum.
type EnumLabel struct {
	OID   OID
	Label string
	Sort  float32
}

// Value is what a column of the enum's type holds: bytes that are ordered as the labels are, and that stay when the
// label is renamed.
func (l EnumLabel) Value() datum.Datum {
	sort := math.Float32bits(l.Sort)
	if l.Sort < 0 {
		sort = ^sort
	} else {
		sort |= 1 << 31
	}
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 8), sort)
	return datum.NewTextBytes(binary.BigEndian.AppendUint32(b, uint32(l.OID)))
}

// LabelText returns the label of one of the enum's values; ok is false when it has no such value.
func (t *Type) LabelText(d datum.Datum) (label string, ok bool) {
	v := d.Text()
	if len(v) != 8 {
		return "", false
	}
	oid := OID(v[4])<<24 | OID(v[5])<<16 | OID(v[6])<<8 | OID(v[7])
	for i := range t.Labels {
		if t.Labels[i].OID == oid {
			return t.Labels[i].Label, true
		}
	}
	return "", false
}

// DomainCheck is a CHECK constraint of a domain; the value is called VALUE in Expr.
type DomainCheck struct {
	OID       OID
	Name      string
	Expr      string
	Validated bool
	Comment   string `json:",omitempty"`
}

// Role is a role or user.
type Role struct {
	OID         OID
	Name        string
	Superuser   bool       `json:",omitempty"`
	Inherit     bool       `json:",omitempty"`
	CreateRole  bool       `json:",omitempty"`
	CreateDB    bool       `json:",omitempty"`
	Login       bool       `json:",omitempty"`
	Replication bool       `json:",omitempty"`
	BypassRLS   bool       `json:",omitempty"`
	ConnLimit   int        // -1 is none
	Password    string     `json:",omitempty"` // a SCRAM-SHA-256 verifier
	ValidUntil  string     `json:",omitempty"`
	MemberOf    []RoleLink `json:",omitempty"`
	Config      Setting    `json:",omitempty"`
	Comment     string     `json:",omitempty"`
	// IAM lists the principals that AWS IAM GRANT gave the role to.
	IAM []string `json:",omitempty"`
}

// RoleLink is a membership.
type RoleLink struct {
	Role    OID
	Grantor OID
	Admin   bool `json:",omitempty"`
}

// Function is a function written by a user.
type Function struct {
	OID        OID
	Schema     OID
	Name       string
	Owner      OID
	Procedure  bool         `json:",omitempty"`
	Language   string       // "sql"
	ArgTypes   []datum.Type `json:",omitempty"` // of the input arguments
	ArgNames   []string     `json:",omitempty"`
	Defaults   []string     `json:",omitempty"` // SQL texts of the last arguments' defaults
	ReturnType datum.Type
	ReturnSet  bool `json:",omitempty"`
	// OutNames and OutTypes are the columns of RETURNS TABLE and OUT arguments.
	OutNames   []string     `json:",omitempty"`
	Table      bool         `json:",omitempty"` // they are those of RETURNS TABLE
	OutTypes   []datum.Type `json:",omitempty"`
	Variadic   bool         `json:",omitempty"`
	Body       string       // SQL text
	Strict     bool         `json:",omitempty"`
	Volatility byte         // 'i', 's', 'v'
	ACL        ACL          `json:",omitzero"`
	Comment    string       `json:",omitempty"`
	DependsOn  []OID        `json:",omitempty"`
}

// DefaultACL is what ALTER DEFAULT PRIVILEGES set for objects that Role creates in Schema (0: any).
type DefaultACL struct {
	OID    OID
	Role   OID
	Schema OID
	Object byte // 'r', 'S', 'f', 'T', 'n'
	ACL    ACL
}

// ObjectID implements Descriptor.
func (d *Database) ObjectID() OID { return d.OID }

// ObjectID implements Descriptor.
func (s *Schema) ObjectID() OID { return s.OID }

// ObjectID implements Descriptor.
func (t *Table) ObjectID() OID { return t.OID }

// ObjectID implements Descriptor.
func (t *Type) ObjectID() OID { return t.OID }

// ObjectID implements Descriptor.
func (r *Role) ObjectID() OID { return r.OID }

// ObjectID implements Descriptor.
func (f *Function) ObjectID() OID { return f.OID }

// ObjectID implements Descriptor.
func (a *DefaultACL) ObjectID() OID { return a.OID }

// DescriptorKind implements Descriptor.
func (d *Database) DescriptorKind() Kind { return KindDatabase }

// DescriptorKind implements Descriptor.
func (s *Schema) DescriptorKind() Kind { return KindSchema }

// DescriptorKind implements Descriptor.
func (t *Table) DescriptorKind() Kind { return KindTable }

// DescriptorKind implements Descriptor.
func (t *Type) DescriptorKind() Kind { return KindType }

// DescriptorKind implements Descriptor.
func (r *Role) DescriptorKind() Kind { return KindRole }

// DescriptorKind implements Descriptor.
func (f *Function) DescriptorKind() Kind { return KindFunction }

// DescriptorKind implements Descriptor.
func (a *DefaultACL) DescriptorKind() Kind { return KindDefaultACL }

// nameSpace separates names that may be equal.
type nameSpace byte

const (
	spaceDatabase nameSpace = 'd'
	spaceSchema   nameSpace = 'n'
	spaceRelation nameSpace = 'r' // tables, views, sequences, indexes
	spaceType     nameSpace = 't'
	spaceRole     nameSpace = 'u'
	spaceFunction nameSpace = 'f'
)

// nameKey is a name that must be unique. parent is the schema, or 0.
type nameKey struct {
	space  nameSpace
	parent OID
	name   string
}

func (d *Database) names() []nameKey { return []nameKey{{spaceDatabase, 0, d.Name}} }

func (s *Schema) names() []nameKey { return []nameKey{{spaceSchema, 0, s.Name}} }

func (r *Role) names() []nameKey { return []nameKey{{spaceRole, 0, r.Name}} }

func (a *DefaultACL) names() []nameKey { return nil }

func (t *Table) names() []nameKey {
	ns := make([]nameKey, 0, 3+len(t.Indexes))
	ns = append(ns, nameKey{spaceRelation, t.Schema, t.Name})
	if t.RowType != 0 {
		ns = append(ns, nameKey{spaceType, t.Schema, t.Name})
	}
	for _, x := range t.Indexes {
		if !x.Hidden {
			ns = append(ns, nameKey{spaceRelation, t.Schema, x.Name})
		}
	}
	return ns
}

func (t *Type) names() []nameKey { return []nameKey{{spaceType, t.Schema, t.Name}} }

func (f *Function) names() []nameKey {
	return []nameKey{{spaceFunction, f.Schema, f.signature()}}
}

// signature is the function's name with the OIDs of its input types: what must be unique in a schema.
func (f *Function) signature() string {
	b := []byte(f.Name)
	for _, t := range f.ArgTypes {
		b = append(b, 0, byte(t.OID>>24), byte(t.OID>>16), byte(t.OID>>8), byte(t.OID))
	}
	return string(b)
}

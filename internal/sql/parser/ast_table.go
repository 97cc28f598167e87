package parser

// ColumnDef is a column of CREATE TABLE, ADD COLUMN, a composite type or a function's column list.
type ColumnDef struct {
	Pos         int
	Name        string
	Type        *TypeName // nil in CREATE TABLE OF and PARTITION OF
	Storage     string
	Compression string
	Collation   []string
	FDWOptions  []*DefElem
	Constraints []*Constraint
}

// ConstraintKind is a kind of constraint.
type ConstraintKind uint8

// The kinds of constraints. The attributes DEFERRABLE, INITIALLY … and NOT VALID are fields of the constraint that
// they follow.
const (
	ConstrNull ConstraintKind = iota
	ConstrNotNull
	ConstrDefault
	ConstrIdentity
	ConstrGenerated
	ConstrCheck
	ConstrPrimary
	ConstrUnique
	ConstrExclusion
	ConstrForeign
)

// FKAction is a referential action.
type FKAction uint8

// The referential actions.
const (
	FKNoAction FKAction = iota
	FKRestrict
	FKCascade
	FKSetNull
	FKSetDefault
)

// FKMatch is a foreign key's MATCH type.
type FKMatch uint8

// The MATCH types.
const (
	FKMatchSimple FKMatch = iota
	FKMatchFull
	FKMatchPartial
)

// Constraint is a column or table constraint. Column constraints leave Keys and FKColumns empty.
type Constraint struct {
	Pos  int
	Kind ConstraintKind
	Name string

	Deferrable     bool
	NotDeferrable  bool // NOT DEFERRABLE was written
	InitDeferred   bool
	InitImmediate  bool // INITIALLY IMMEDIATE was written
	NotValid       bool
	NoInherit      bool
	Expr           Expr       // DEFAULT, CHECK, GENERATED
	Always         bool       // identity: GENERATED ALWAYS rather than BY DEFAULT
	Sequence       []*DefElem // identity's sequence options
	Keys           []string
	NullsNotDist   bool // NULLS NOT DISTINCT
	Including      []string
	Options        []*DefElem // WITH (…)
	IndexSpace     string     // USING INDEX TABLESPACE
	IndexName      string     // USING INDEX
	AccessMethod   string     // EXCLUDE USING
	Exclusions     []*ExclusionElem
	Where          Expr // EXCLUDE … WHERE
	Ref            *RelationName
	FKColumns      []string
	RefColumns     []string
	Match          FKMatch
	OnUpdate       FKAction
	OnDelete       FKAction
	OnDeleteColumn []string // SET NULL/DEFAULT (columns)
}

// ExclusionElem is one element of EXCLUDE.
type ExclusionElem struct {
	Pos    int
	Elem   *IndexElem
	Schema []string
	Op     string
}

// LikeClause is LIKE table [INCLUDING … EXCLUDING …] in CREATE TABLE.
type LikeClause struct {
	Pos      int
	Relation RelationName
	Options  []LikeOption
}

// LikeOption is one INCLUDING or EXCLUDING of a LikeClause; Name is the upper-case word (ALL, DEFAULTS, …).
type LikeOption struct {
	Exclude bool
	Name    string
}

// OnCommitAction is what happens to a temporary table at commit.
type OnCommitAction uint8

// The ON COMMIT actions.
const (
	OnCommitNone OnCommitAction = iota
	OnCommitPreserve
	OnCommitDelete
	OnCommitDrop
)

// PartitionSpec is PARTITION BY.
type PartitionSpec struct {
	Pos      int
	Strategy string // as written, folded
	Elems    []*IndexElem
}

// PartitionBoundKind is a kind of partition bound.
type PartitionBoundKind uint8

// The kinds of partition bounds.
const (
	PartBoundDefault PartitionBoundKind = iota
	PartBoundList
	PartBoundRange
	PartBoundHash
)

// PartitionBound is FOR VALUES … or DEFAULT.
type PartitionBound struct {
	Pos       int
	Kind      PartitionBoundKind
	List      []Expr // IN (…), or FROM (…); MINVALUE and MAXVALUE are ColumnRefs
	To        []Expr
	Modulus   int
	Remainder int
}

// CreateTableStmt is CREATE TABLE with columns. CREATE TABLE AS is CreateTableAsStmt.
type CreateTableStmt struct {
	Pos          int
	Relation     RelationName
	Persistence  Persistence
	IfNotExists  bool
	Elements     []TableElement
	Inherits     []*RelationName
	OfType       *TypeName
	PartitionOf  *RelationName
	Bound        *PartitionBound
	PartitionBy  *PartitionSpec
	AccessMethod string
	Options      []*DefElem
	OnCommit     OnCommitAction
	Tablespace   string
	// Server and FDWOptions are those of CREATE FOREIGN TABLE; Server is "" otherwise.
	Server     string
	FDWOptions []*DefElem
}

// CreateTableAsStmt is CREATE TABLE AS or CREATE MATERIALIZED VIEW. Query is *SelectStmt or *ExecuteStmt.
type CreateTableAsStmt struct {
	Pos          int
	Materialized bool
	Relation     RelationName
	Persistence  Persistence
	IfNotExists  bool
	Columns      []string
	AccessMethod string
	Options      []*DefElem
	OnCommit     OnCommitAction
	Tablespace   string
	Query        Statement
	WithNoData   bool
}

// IndexElem is a key of an index, or an arbiter of ON CONFLICT. Exactly one of Name and Expr is set.
type IndexElem struct {
	Pos       int
	Name      string
	Expr      Expr
	Collation []string
	OpClass   []string
	OpOptions []*DefElem
	Dir       SortDir
	Nulls     SortNulls
}

// CreateIndexStmt is CREATE INDEX.
type CreateIndexStmt struct {
	Pos          int
	Unique       bool
	Async        bool // CREATE INDEX ASYNC
	Concurrently bool
	IfNotExists  bool
	Name         string // "" when not written
	Table        *RangeVar
	AccessMethod string // "" when not written
	Keys         []*IndexElem
	Include      []*IndexElem
	NullsNotDist bool
	// NullsDistinct says that NULLS DISTINCT, the default, was written.
	NullsDistinct bool
	Options       []*DefElem
	Tablespace    string
	Where         Expr
}

// ObjectType is a kind of object that DROP, ALTER, COMMENT, GRANT and the like are about.
type ObjectType uint8

// The kinds of objects.
const (
	ObjectTable ObjectType = iota
	ObjectSequence
	ObjectView
	ObjectMatView
	ObjectIndex
	ObjectForeignTable
	ObjectColumn
	ObjectCompositeAttribute
	ObjectTableConstraint
	ObjectDomainConstraint
	ObjectSchema
	ObjectDatabase
	ObjectRole
	ObjectTypeName
	ObjectDomain
	ObjectFunction
	ObjectProcedure
	ObjectRoutine
	ObjectAggregate
	ObjectOperator
	ObjectOperatorClass
	ObjectOperatorFamily
	ObjectCollation
	ObjectConversion
	ObjectCast
	ObjectTransform
	ObjectTrigger
	ObjectRule
	ObjectPolicy
	ObjectEventTrigger
	ObjectExtension
	ObjectLanguage
	ObjectLargeObject
	ObjectAccessMethod
	ObjectPublication
	ObjectSubscription
	ObjectForeignServer
	ObjectForeignDataWrapper
	ObjectUserMapping
	ObjectStatistics
	ObjectTablespace
	ObjectTextSearchParser
	ObjectTextSearchDictionary
	ObjectTextSearchTemplate
	ObjectTextSearchConfiguration
	ObjectParameter
)

// String returns the words that name the kind of object in SQL.
func (t ObjectType) String() string { return objectTypeNames[t] }

var objectTypeNames = [...]string{
	ObjectTable: "TABLE", ObjectSequence: "SEQUENCE", ObjectView: "VIEW", ObjectMatView: "MATERIALIZED VIEW",
	ObjectIndex: "INDEX", ObjectForeignTable: "FOREIGN TABLE", ObjectColumn: "COLUMN",
	ObjectCompositeAttribute: "ATTRIBUTE", ObjectTableConstraint: "CONSTRAINT",
	ObjectDomainConstraint: "CONSTRAINT", ObjectSchema: "SCHEMA", ObjectDatabase: "DATABASE", ObjectRole: "ROLE",
	ObjectTypeName: "TYPE", ObjectDomain: "DOMAIN", ObjectFunction: "FUNCTION", ObjectProcedure: "PROCEDURE",
	ObjectRoutine: "ROUTINE", ObjectAggregate: "AGGREGATE", ObjectOperator: "OPERATOR",
	ObjectOperatorClass: "OPERATOR CLASS", ObjectOperatorFamily: "OPERATOR FAMILY",
	ObjectCollation: "COLLATION", ObjectConversion: "CONVERSION", ObjectCast: "CAST",
	ObjectTransform: "TRANSFORM", ObjectTrigger: "TRIGGER", ObjectRule: "RULE", ObjectPolicy: "POLICY",
	ObjectEventTrigger: "EVENT TRIGGER", ObjectExtension: "EXTENSION", ObjectLanguage: "LANGUAGE",
	ObjectLargeObject: "LARGE OBJECT", ObjectAccessMethod: "ACCESS METHOD", ObjectPublication: "PUBLICATION",
	ObjectSubscription: "SUBSCRIPTION", ObjectForeignServer: "SERVER",
	ObjectForeignDataWrapper: "FOREIGN DATA WRAPPER", ObjectUserMapping: "USER MAPPING",
	ObjectStatistics: "STATISTICS", ObjectTablespace: "TABLESPACE",
	ObjectTextSearchParser: "TEXT SEARCH PARSER", ObjectTextSearchDictionary: "TEXT SEARCH DICTIONARY",
	ObjectTextSearchTemplate: "TEXT SEARCH TEMPLATE", ObjectTextSearchConfiguration: "TEXT SEARCH CONFIGURATION",
	ObjectParameter: "PARAMETER",
}

// Object names one object of a statement. Which fields are used depends on the ObjectType: Names for most kinds
// (for a column, constraint, trigger, rule or policy the relation's parts and then its own name), Type for types,
// domains and a domain constraint's domain, HasArgs and Args for functions, aggregates and operators.
type Object struct {
	Pos     int
	Names   []string
	Type    *TypeName
	HasArgs bool // an argument list was written
	Args    []*FunctionParam
	// AggStar is the argument list (*) of an aggregate; AggOrdered is how many leading Args are direct arguments of
	// an ordered-set aggregate, or -1.
	AggStar    bool
	AggOrdered int
	// Right is the target type of a cast, and the language of a transform is the last of Names.
	Right *TypeName
	// Using is the access method of an operator class or family.
	Using string
}

// AlterTableKind is a command of ALTER TABLE.
type AlterTableKind uint8

// The commands of ALTER TABLE, and the fields of AlterTableCmd that they use beside Behavior, IfExists.
const (
	ATAddColumn            AlterTableKind = iota // Column, IfNotExists
	ATDropColumn                                 // Name
	ATAlterColumnType                            // Name, Type, Collation, Expr (USING)
	ATSetDefault                                 // Name, Expr
	ATDropDefault                                // Name
	ATSetNotNull                                 // Name
	ATDropNotNull                                // Name
	ATDropExpression                             // Name
	ATSetStatistics                              // Name or Number > 0 (a column's number), Value
	ATSetStorage                                 // Name, Word
	ATSetCompression                             // Name, Word
	ATSetColumnOptions                           // Name, Options
	ATResetColumnOptions                         // Name, Options
	ATAlterColumnFDW                             // Name, Options
	ATAddIdentity                                // Name, Constraint
	ATSetIdentity                                // Name, Options
	ATDropIdentity                               // Name
	ATAddConstraint                              // Constraint
	ATAlterConstraint                            // Constraint (its Name and deferrability)
	ATValidateConstraint                         // Name
	ATDropConstraint                             // Name
	ATClusterOn                                  // Name
	ATSetWithoutCluster                          //
	ATSetLogged                                  //
	ATSetUnlogged                                //
	ATSetWithoutOIDs                             //
	ATSetAccessMethod                            // Name
	ATSetTablespace                              // Name
	ATSetOptions                                 // Options
	ATResetOptions                               // Options
	ATEnableTrigger                              // Name; also "" for ALL and USER with Word
	ATEnableAlwaysTrigger                        // Name
	ATEnableReplicaTrigger                       // Name
	ATDisableTrigger                             // Name or Word ALL, USER
	ATEnableRule                                 // Name
	ATEnableAlwaysRule                           // Name
	ATEnableReplicaRule                          // Name
	ATDisableRule                                // Name
	ATInherit                                    // Relation
	ATNoInherit                                  // Relation
	ATOf                                         // Type
	ATNotOf                                      //
	ATOwner                                      // Owner
	ATReplicaIdentity                            // Word: NOTHING, FULL, DEFAULT, INDEX; Name of the index
	ATEnableRowSecurity                          //
	ATDisableRowSecurity                         //
	ATForceRowSecurity                           //
	ATNoForceRowSecurity                         //
	ATGenericOptions                             // Options
	ATAttachPartition                            // Relation, Bound (nil for an index)
	ATDetachPartition                            // Relation, Concurrently
	ATDetachFinalize                             // Relation
	ATAddAttribute                               // Column (composite types)
	ATDropAttribute                              // Name
	ATAlterAttributeType                         // Name, Type, Collation
)

// AlterTableCmd is one command of ALTER TABLE.
type AlterTableCmd struct {
	Pos          int
	Kind         AlterTableKind
	Name         string
	Number       int
	Value        int
	Word         string
	IfExists     bool
	IfNotExists  bool
	Column       *ColumnDef
	Constraint   *Constraint
	Type         *TypeName
	Collation    []string
	Expr         Expr
	Options      []*DefElem
	Owner        *RoleSpec
	Relation     *RelationName
	Bound        *PartitionBound
	Concurrently bool
	Behavior     DropBehavior
}

// AlterTableStmt is ALTER TABLE, INDEX, SEQUENCE, VIEW, MATERIALIZED VIEW, FOREIGN TABLE or TYPE (composite) with a
// list of commands. Renames and SET SCHEMA are statements of their own.
type AlterTableStmt struct {
	Pos      int
	Object   ObjectType
	Async    bool // ALTER TABLE ASYNC
	IfExists bool
	Table    *RangeVar
	Cmds     []*AlterTableCmd
}

// RenameStmt is ALTER … RENAME. Object is the kind of thing renamed; for a column, attribute or constraint
// OfObject is the kind of its owner and SubName its old name.
type RenameStmt struct {
	Pos      int
	Async    bool
	Object   ObjectType
	OfObject ObjectType
	IfExists bool
	Relation *RangeVar // for relations and what belongs to them
	Target   *Object   // for everything else
	SubName  string
	NewName  string
	Behavior DropBehavior
}

// AlterObjectSchemaStmt is ALTER … SET SCHEMA.
type AlterObjectSchemaStmt struct {
	Pos       int
	Object    ObjectType
	IfExists  bool
	Relation  *RangeVar
	Target    *Object
	NewSchema string
}

// AlterOwnerStmt is ALTER … OWNER TO for things that are not relations.
type AlterOwnerStmt struct {
	Pos    int
	Object ObjectType
	Target *Object
	Owner  *RoleSpec
}

// AlterObjectDependsStmt is ALTER … [NO] DEPENDS ON EXTENSION.
type AlterObjectDependsStmt struct {
	Pos       int
	Object    ObjectType
	Relation  *RangeVar
	Target    *Object
	Remove    bool
	Extension string
}

// AlterTableMoveAllStmt is ALTER TABLE ALL IN TABLESPACE.
type AlterTableMoveAllStmt struct {
	Pos        int
	Object     ObjectType
	Tablespace string
	OwnedBy    []*RoleSpec
	New        string
	NoWait     bool
}

// DropStmt is DROP of anything but roles, databases, tablespaces and user mappings.
type DropStmt struct {
	Pos          int
	Object       ObjectType
	Objects      []*Object
	IfExists     bool
	Concurrently bool
	Behavior     DropBehavior
}

package parser

// ViewCheck is a view's WITH CHECK OPTION.
type ViewCheck uint8

// The check options.
const (
	ViewCheckNone ViewCheck = iota
	ViewCheckLocal
	ViewCheckCascaded
)

// ViewStmt is CREATE VIEW. With RECURSIVE the query refers to the view itself, as in WITH RECURSIVE.
type ViewStmt struct {
	Pos         int
	Relation    RelationName
	Persistence Persistence
	Replace     bool
	Recursive   bool
	Columns     []string
	Options     []*DefElem
	Query       *SelectStmt
	Check       ViewCheck
}

// RefreshMatViewStmt is REFRESH MATERIALIZED VIEW.
type RefreshMatViewStmt struct {
	Pos          int
	Concurrently bool
	Relation     RelationName
	WithNoData   bool
}

// CreateSchemaStmt is CREATE SCHEMA. Name is "" when only AUTHORIZATION was written.
type CreateSchemaStmt struct {
	Pos         int
	Name        string
	Owner       *RoleSpec
	IfNotExists bool
	Elements    []Statement
}

// CreateSeqStmt is CREATE SEQUENCE.
//
// Options are, by Name: "as" (*TypeName), "cache", "increment", "start", "restart" (*Const or nil), "minvalue",
// "maxvalue" (*Const; nil for NO …), "cycle" (*Const boolean), "owned_by", "sequence_name" (*QualifiedName).
type CreateSeqStmt struct {
	Pos         int
	Relation    RelationName
	Persistence Persistence
	IfNotExists bool
	Options     []*DefElem
}

// AlterSeqStmt is ALTER SEQUENCE with sequence options.
type AlterSeqStmt struct {
	Pos      int
	Relation RelationName
	IfExists bool
	Options  []*DefElem
}

// RoleStmtKind says whether ROLE, USER or GROUP was written.
type RoleStmtKind uint8

// The words for a role.
const (
	RoleStmtRole RoleStmtKind = iota
	RoleStmtUser
	RoleStmtGroup
)

// CreateRoleStmt is CREATE ROLE, USER or GROUP.
//
// Options are, by Name as in PostgreSQL: "superuser", "createrole", "isreplication", "createdb", "canlogin",
// "bypassrls", "inherit" (*Const boolean), "connectionlimit", "sysid" (*Const), "validUntil" (*Const),
// "password" (*Const, nil for PASSWORD NULL), "addroleto", "rolemembers", "adminmembers" (*RoleList).
type CreateRoleStmt struct {
	Pos     int
	Kind    RoleStmtKind
	Name    string
	Options []*DefElem
}

// RoleList is a list of roles given as an option's value.
type RoleList struct {
	Pos   int
	Roles []*RoleSpec
}

// AlterRoleStmt is ALTER ROLE, USER with options, or ALTER GROUP ADD/DROP USER (Option "rolemembers", Drop).
type AlterRoleStmt struct {
	Pos     int
	Kind    RoleStmtKind
	Role    *RoleSpec
	Drop    bool
	Options []*DefElem
}

// AlterRoleSetStmt is ALTER ROLE … SET/RESET. A nil Role is ALL.
type AlterRoleSetStmt struct {
	Pos      int
	Kind     RoleStmtKind
	Role     *RoleSpec
	Database string
	Set      *VariableSetStmt
}

// DropRoleStmt is DROP ROLE, USER or GROUP.
type DropRoleStmt struct {
	Pos      int
	Kind     RoleStmtKind
	Roles    []*RoleSpec
	IfExists bool
}

// GrantTargetKind says how the objects of a GRANT were named.
type GrantTargetKind uint8

// The ways to name the objects of a GRANT.
const (
	GrantObjects GrantTargetKind = iota
	GrantAllInSchema
	GrantDefaults // ALTER DEFAULT PRIVILEGES
)

// Privilege is one privilege, with columns where they were written. Name is in lower case; "" is ALL.
type Privilege struct {
	Pos     int
	Name    string
	Columns []string
}

// GrantStmt is GRANT or REVOKE of privileges. Empty Privileges means ALL PRIVILEGES. Objects holds Names for
// everything; with GrantAllInSchema they are schemas. Functions carry arguments. Large objects are decimal Names.
type GrantStmt struct {
	Pos         int
	Revoke      bool
	Target      GrantTargetKind
	Object      ObjectType
	TableWord   bool // TABLE was written (it is optional for tables)
	Privileges  []*Privilege
	Objects     []*Object
	Grantees    []*RoleSpec
	GrantOption bool // WITH GRANT OPTION, or REVOKE GRANT OPTION FOR
	Grantor     *RoleSpec
	Behavior    DropBehavior
}

// GrantRoleStmt is GRANT or REVOKE of roles.
type GrantRoleStmt struct {
	Pos         int
	Revoke      bool
	Roles       []*Privilege
	Grantees    []*RoleSpec
	AdminOption bool
	Grantor     *RoleSpec
	Behavior    DropBehavior
}

// AWSIAMStmt is Aurora DSQL's AWS IAM GRANT role TO 'arn' and AWS IAM REVOKE role FROM 'arn'.
type AWSIAMStmt struct {
	Pos    int
	Revoke bool
	Role   *RoleSpec
	ARN    string
	ARNPos int
}

// AlterDefaultPrivilegesStmt is ALTER DEFAULT PRIVILEGES. Action's Target is GrantDefaults.
type AlterDefaultPrivilegesStmt struct {
	Pos     int
	Schemas []string
	Roles   []*RoleSpec
	Action  *GrantStmt
}

// CreateDomainStmt is CREATE DOMAIN.
type CreateDomainStmt struct {
	Pos         int
	Name        *QualifiedName
	Type        *TypeName
	Collation   []string
	Constraints []*Constraint
}

// AlterDomainKind is a command of ALTER DOMAIN.
type AlterDomainKind uint8

// The commands of ALTER DOMAIN.
const (
	ADSetDefault AlterDomainKind = iota
	ADDropDefault
	ADSetNotNull
	ADDropNotNull
	ADAddConstraint
	ADDropConstraint
	ADValidateConstraint
)

// AlterDomainStmt is ALTER DOMAIN.
type AlterDomainStmt struct {
	Pos        int
	Kind       AlterDomainKind
	Domain     *QualifiedName
	Name       string
	Expr       Expr
	Constraint *Constraint
	IfExists   bool
	Behavior   DropBehavior
}

// CreateEnumStmt is CREATE TYPE … AS ENUM.
type CreateEnumStmt struct {
	Pos    int
	Name   *QualifiedName
	Values []string
}

// AlterEnumStmt is ALTER TYPE … ADD VALUE, or RENAME VALUE when OldValue is set.
type AlterEnumStmt struct {
	Pos         int
	Name        *QualifiedName
	HasOld      bool
	OldValue    string
	NewValue    string
	Neighbor    string
	HasNeighbor bool
	After       bool
	IfNotExists bool
}

// CompositeTypeStmt is CREATE TYPE … AS (columns).
type CompositeTypeStmt struct {
	Pos     int
	Name    *QualifiedName
	Columns []*ColumnDef
}

// CreateRangeStmt is CREATE TYPE … AS RANGE.
type CreateRangeStmt struct {
	Pos     int
	Name    *QualifiedName
	Options []*DefElem
}

// DefineStmt is CREATE AGGREGATE, OPERATOR, TYPE (base or shell), TEXT SEARCH … and COLLATION.
type DefineStmt struct {
	Pos         int
	Object      ObjectType
	Replace     bool
	IfNotExists bool
	Name        *QualifiedName
	Aggregate   *Object // the signature of a new-style aggregate
	OldStyle    bool    // an aggregate without a signature
	Definition  []*DefElem
	HasParens   bool     // a definition was written (CREATE TYPE name is a shell)
	From        []string // COLLATION … FROM
}

// AlterTypeStmt is ALTER TYPE/OPERATOR/AGGREGATE … SET (…).
type AlterTypeStmt struct {
	Pos     int
	Object  ObjectType
	Target  *Object
	Options []*DefElem
}

// ParamMode is the mode of a function's parameter.
type ParamMode uint8

// The modes; ParamDefault when none was written.
const (
	ParamDefault ParamMode = iota
	ParamIn
	ParamOut
	ParamInOut
	ParamVariadic
	ParamTable // a column of RETURNS TABLE
)

// FunctionParam is a parameter of a function. Type is nil for NONE in an operator's arguments.
type FunctionParam struct {
	Pos     int
	Name    string
	Mode    ParamMode
	Type    *TypeName
	Default Expr
}

// CreateFunctionStmt is CREATE FUNCTION or PROCEDURE.
//
// Options are, by Name as in PostgreSQL: "as" (*NameList of one or two strings), "language" (*Const),
// "transform" (*TypeList), "window", "strict", "security", "leakproof" (*Const boolean), "volatility",
// "parallel" (*Const string), "cost", "rows" (*Const), "support" (*QualifiedName), "set" (*VariableSetStmt).
type CreateFunctionStmt struct {
	Pos          int
	Procedure    bool
	Replace      bool
	Name         *QualifiedName
	Params       []*FunctionParam
	Returns      *TypeName
	ReturnsTable bool // the ParamTable parameters are the result
	Options      []*DefElem
	// Return is the body RETURN expr; Body the statements of BEGIN ATOMIC … END (HasBody).
	Return  Expr
	HasBody bool
	Body    []Statement
}

// ReturnStmt is RETURN expr in a BEGIN ATOMIC body.
type ReturnStmt struct {
	Pos   int
	Value Expr
}

// TypeList is a list of types given as an option's value.
type TypeList struct {
	Pos   int
	Types []*TypeName
}

// AlterFunctionStmt is ALTER FUNCTION, PROCEDURE or ROUTINE with options.
type AlterFunctionStmt struct {
	Pos     int
	Object  ObjectType
	Target  *Object
	Options []*DefElem
}

// CommentStmt is COMMENT ON; Comment is empty and IsNull set for IS NULL.
type CommentStmt struct {
	Pos     int
	Object  ObjectType
	Target  *Object
	Comment string
	IsNull  bool
}

// SecLabelStmt is SECURITY LABEL.
type SecLabelStmt struct {
	Pos      int
	Provider string
	Object   ObjectType
	Target   *Object
	Label    string
	IsNull   bool
}

// TruncateStmt is TRUNCATE.
type TruncateStmt struct {
	Pos         int
	Tables      []*RangeVar
	RestartSeqs bool
	Behavior    DropBehavior
}

// CreateStatsStmt is CREATE STATISTICS.
type CreateStatsStmt struct {
	Pos         int
	Name        *QualifiedName
	IfNotExists bool
	Kinds       []string
	Exprs       []*IndexElem
	From        []TableExpr
}

// AlterStatsStmt is ALTER STATISTICS … SET STATISTICS.
type AlterStatsStmt struct {
	Pos      int
	Name     *QualifiedName
	IfExists bool
	Target   int
}

// CreateTriggerStmt is CREATE [CONSTRAINT] TRIGGER.
type CreateTriggerStmt struct {
	Pos           int
	Replace       bool
	Constraint    bool
	Name          string
	Relation      RelationName
	Timing        string   // BEFORE, AFTER, INSTEAD OF
	Events        []string // INSERT, DELETE, UPDATE, TRUNCATE
	UpdateColumns []string
	Row           bool
	ForEach       bool // FOR [EACH] was written
	When          Expr
	Function      []string
	Args          []string
	Transitions   []TriggerTransition
	Ref           *RelationName
	Deferrable    bool
	InitDeferred  bool
}

// TriggerTransition is OLD or NEW TABLE AS name.
type TriggerTransition struct {
	New   bool
	Table bool
	Name  string
}

// RuleStmt is CREATE RULE. Event is SELECT, UPDATE, DELETE or INSERT.
type RuleStmt struct {
	Pos      int
	Replace  bool
	Name     string
	Event    string
	Relation RelationName
	Where    Expr
	Instead  bool
	Also     bool
	Actions  []Statement
}

// PolicyStmt is CREATE or ALTER POLICY.
type PolicyStmt struct {
	Pos        int
	Alter      bool
	Name       string
	Relation   RelationName
	Permissive string // "", permissive, restrictive
	Command    string // "", all, select, insert, update, delete
	Roles      []*RoleSpec
	Using      Expr
	Check      Expr
}

// CreateCastStmt is CREATE CAST. A nil Function is WITHOUT FUNCTION, or WITH INOUT when InOut.
type CreateCastStmt struct {
	Pos      int
	Source   *TypeName
	Target   *TypeName
	Function *Object
	InOut    bool
	Context  string // "", ASSIGNMENT, IMPLICIT
}

// CreateExtensionStmt is CREATE EXTENSION.
type CreateExtensionStmt struct {
	Pos         int
	Name        string
	IfNotExists bool
	Options     []*DefElem
}

// DatabaseStmt is CREATE, ALTER (options) or DROP DATABASE.
type DatabaseStmt struct {
	Pos      int
	Verb     string // CREATE, ALTER, DROP, REFRESH (ALTER … REFRESH COLLATION VERSION)
	Name     string
	IfExists bool
	Options  []*DefElem
}

// AlterDatabaseSetStmt is ALTER DATABASE … SET/RESET.
type AlterDatabaseSetStmt struct {
	Pos  int
	Name string
	Set  *VariableSetStmt
}

// AlterSystemStmt is ALTER SYSTEM.
type AlterSystemStmt struct {
	Pos int
	Set *VariableSetStmt
}

// OwnedStmt is DROP OWNED BY, or REASSIGN OWNED BY … TO when New is set.
type OwnedStmt struct {
	Pos      int
	Roles    []*RoleSpec
	New      *RoleSpec
	Behavior DropBehavior
}

// OtherStmt is a statement of PostgreSQL's grammar for which the tree keeps only what it takes to refuse it by name:
// administrative statements about tablespaces, foreign servers, languages, publications, text search and the like.
// Name is PostgreSQL's parse node name without "Stmt", such as CreateTableSpace; Text is what was written.
type OtherStmt struct {
	Pos  int
	Name string
	Tag  string // the command tag, such as CREATE TABLESPACE
	Text string
}

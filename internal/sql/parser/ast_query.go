package parser

// SetOp is a set operation.
type SetOp uint8

// The set operations.
const (
	SetOpNone SetOp = iota
	SetOpUnion
	SetOpIntersect
	SetOpExcept
)

// SelectStmt is SELECT, VALUES, TABLE, or a set operation of two of them.
//
// A leaf has Op SetOpNone and either Values or the clauses of SELECT. A set operation has Left and Right and no
// leaf clauses. OrderBy, Limit, Locking and With belong to the whole in both cases.
type SelectStmt struct {
	Pos int

	Distinct      bool
	DistinctOn    []Expr // DISTINCT ON (…); Distinct is set too
	Targets       []*ResTarget
	Into          *IntoClause
	From          []TableExpr
	Where         Expr
	GroupBy       []Expr // may hold *GroupingSet
	GroupDistinct bool
	Having        Expr
	Windows       []*WindowDef

	Values [][]Expr // VALUES lists; items may be *SetToDefault

	Op    SetOp
	All   bool
	Left  *SelectStmt
	Right *SelectStmt

	With     *WithClause
	OrderBy  []*SortBy
	Limit    Expr // nil: none, or LIMIT ALL when LimitAll
	LimitAll bool
	Offset   Expr
	WithTies bool
	Locking  []*LockingClause
}

// ResTarget is an item of a target or RETURNING list.
type ResTarget struct {
	Pos   int
	Name  string // AS name, "" when not written
	Value Expr
}

// IntoClause is SELECT INTO's target.
type IntoClause struct {
	Pos         int
	Relation    RelationName
	Persistence Persistence
}

// SortDir is an ordering's direction.
type SortDir uint8

// The directions.
const (
	SortDefault SortDir = iota
	SortAsc
	SortDesc
	SortUsing
)

// SortNulls is where nulls go.
type SortNulls uint8

// The places of nulls; the default is last for ascending, first for descending.
const (
	NullsDefault SortNulls = iota
	NullsFirst
	NullsLast
)

// SortBy is an item of ORDER BY.
type SortBy struct {
	Pos   int
	Expr  Expr
	Dir   SortDir
	Nulls SortNulls
	// UsingSchema and UsingOp are the operator of SortUsing.
	UsingSchema []string
	UsingOp     string
}

// GroupingSetKind is a kind of grouping set.
type GroupingSetKind uint8

// The kinds of grouping sets.
const (
	GroupingEmpty GroupingSetKind = iota // ()
	GroupingRollup
	GroupingCube
	GroupingSets
)

// GroupingSet is an item of GROUP BY that is not a plain expression.
type GroupingSet struct {
	Pos   int
	Kind  GroupingSetKind
	Items []Expr // may hold *GroupingSet (GROUPING SETS) and *RowExpr for (a, b)
}

// WindowFrameMode is the unit of a frame.
type WindowFrameMode uint8

// The frame modes; FrameNone when no frame was written.
const (
	FrameNone WindowFrameMode = iota
	FrameRange
	FrameRows
	FrameGroups
)

// FrameBoundKind is a kind of frame bound.
type FrameBoundKind uint8

// The frame bounds.
const (
	BoundUnboundedPreceding FrameBoundKind = iota
	BoundOffsetPreceding
	BoundCurrentRow
	BoundOffsetFollowing
	BoundUnboundedFollowing
)

// FrameBound is one end of a frame.
type FrameBound struct {
	Kind   FrameBoundKind
	Offset Expr
}

// FrameExclusion is a frame's EXCLUDE clause.
type FrameExclusion uint8

// The exclusions.
const (
	ExcludeNoOthers FrameExclusion = iota
	ExcludeCurrentRow
	ExcludeGroup
	ExcludeTies
)

// WindowFrame is a frame clause. End is CURRENT ROW when only the start was written.
type WindowFrame struct {
	Pos     int
	Mode    WindowFrameMode
	Between bool // BETWEEN … AND … was written
	Start   FrameBound
	End     FrameBound
	Exclude FrameExclusion
}

// WindowDef is a window's definition: in the WINDOW clause (Name set), or after OVER. OVER name has Name set and
// nothing else; OVER (name …) has RefName.
type WindowDef struct {
	Pos         int
	Name        string
	RefName     string
	PartitionBy []Expr
	OrderBy     []*SortBy
	Frame       *WindowFrame
}

// LockStrength is the strength of a row lock, weakest first.
type LockStrength uint8

// The strengths.
const (
	LockForKeyShare LockStrength = iota
	LockForShare
	LockForNoKeyUpdate
	LockForUpdate
)

// LockWait is what to do about a row that is locked.
type LockWait uint8

// The wait policies.
const (
	LockWaitBlock LockWait = iota
	LockWaitSkip
	LockWaitError
)

// LockingClause is FOR UPDATE and its kin. An empty Of means all tables.
type LockingClause struct {
	Pos      int
	Strength LockStrength
	Of       []*RelationName
	Wait     LockWait
}

// WithClause is WITH [RECURSIVE].
type WithClause struct {
	Pos       int
	Recursive bool
	CTEs      []*CommonTableExpr
}

// CTEMaterialize is the MATERIALIZED option.
type CTEMaterialize uint8

// The MATERIALIZED options.
const (
	MaterializeDefault CTEMaterialize = iota
	MaterializeAlways
	MaterializeNever
)

// CommonTableExpr is one query of WITH. Query is *SelectStmt, *InsertStmt, *UpdateStmt or *DeleteStmt.
type CommonTableExpr struct {
	Pos          int
	Name         string
	Columns      []string
	Materialized CTEMaterialize
	Query        Statement
	Search       *CTESearch
	Cycle        *CTECycle
}

// CTESearch is SEARCH … FIRST BY … SET ….
type CTESearch struct {
	Pos          int
	Columns      []string
	BreadthFirst bool
	SetColumn    string
}

// CTECycle is CYCLE … SET … [TO … DEFAULT …] USING ….
type CTECycle struct {
	Pos         int
	Columns     []string
	MarkColumn  string
	MarkValue   Expr // nil when not written: true
	MarkDefault Expr // nil when not written: false
	PathColumn  string
}

// Alias is [AS] name [(columns)].
type Alias struct {
	Pos     int
	Name    string
	Columns []string
}

// RangeVar is a relation in FROM.
type RangeVar struct {
	Pos      int
	Relation RelationName
	Only     bool
	Alias    *Alias
	Sample   *TableSample
}

// TableSample is TABLESAMPLE method (args) [REPEATABLE (seed)].
type TableSample struct {
	Pos        int
	Method     []string
	Args       []Expr
	Repeatable Expr
}

// RangeSubselect is a subquery in FROM.
type RangeSubselect struct {
	Pos     int
	Lateral bool
	Query   *SelectStmt
	Alias   *Alias
}

// RangeFunctionItem is one function of ROWS FROM.
type RangeFunctionItem struct {
	Pos     int
	Func    Expr // *FuncCall, or another expression with function syntax
	ColDefs []*ColumnDef
}

// RangeFunction is a function (or ROWS FROM several) in FROM.
type RangeFunction struct {
	Pos        int
	Lateral    bool
	Ordinality bool
	RowsFrom   bool
	Funcs      []*RangeFunctionItem
	Alias      *Alias
	ColDefs    []*ColumnDef // AS alias (name type, …)
}

// RangeTableFunc is XMLTABLE in FROM.
type RangeTableFunc struct {
	Pos        int
	Lateral    bool
	Namespaces []*ResTarget // Name "" for DEFAULT
	RowExpr    Expr
	DocExpr    Expr
	Columns    []*RangeTableFuncCol
	Alias      *Alias
}

// RangeTableFuncCol is a column of XMLTABLE.
type RangeTableFuncCol struct {
	Pos           int
	Name          string
	ForOrdinality bool
	Type          *TypeName
	Path          Expr
	Default       Expr
	NotNull       bool
}

// JoinKind is a kind of join.
type JoinKind uint8

// The kinds of joins.
const (
	JoinInner JoinKind = iota
	JoinLeft
	JoinRight
	JoinFull
	JoinCross
)

// JoinExpr is a join. JoinCross has no condition; the others have exactly one of Natural, Using and On.
type JoinExpr struct {
	Pos        int
	Kind       JoinKind
	Natural    bool
	Left       TableExpr
	Right      TableExpr
	Using      []string
	UsingAlias *Alias
	On         Expr
	Alias      *Alias // of the parenthesized join
}

// OverridingKind is INSERT's OVERRIDING clause.
type OverridingKind uint8

// The OVERRIDING clauses.
const (
	OverridingNone OverridingKind = iota
	OverridingUser
	OverridingSystem
)

// InsertStmt is INSERT. Source is nil for DEFAULT VALUES.
type InsertStmt struct {
	Pos        int
	With       *WithClause
	Relation   RelationName
	Alias      string
	Columns    []*AssignTarget
	Overriding OverridingKind
	Source     *SelectStmt
	OnConflict *OnConflict
	Returning  []*ResTarget
}

// AssignTarget is a column that is assigned to, with subscripts or fields after it.
type AssignTarget struct {
	Pos         int
	Name        string
	Indirection []IndirectionElem
}

// Assignment is one item of SET. With Multi it was written (a, b) = Value, where Value is a *RowExpr, a *SubLink, or
// something that bind refuses; otherwise there is one target and Value may be *SetToDefault.
type Assignment struct {
	Pos     int
	Multi   bool
	Targets []*AssignTarget
	Value   Expr
}

// OnConflict is ON CONFLICT. At most one of Elems and Constraint is set.
type OnConflict struct {
	Pos        int
	Elems      []*IndexElem
	ElemsWhere Expr
	Constraint string
	DoUpdate   bool
	Set        []*Assignment
	Where      Expr
}

// UpdateStmt is UPDATE.
type UpdateStmt struct {
	Pos       int
	With      *WithClause
	Table     *RangeVar
	Set       []*Assignment
	From      []TableExpr
	Where     Expr // may be *CurrentOf
	Returning []*ResTarget
}

// DeleteStmt is DELETE.
type DeleteStmt struct {
	Pos       int
	With      *WithClause
	Table     *RangeVar
	Using     []TableExpr
	Where     Expr // may be *CurrentOf
	Returning []*ResTarget
}

// MergeStmt is MERGE.
type MergeStmt struct {
	Pos    int
	With   *WithClause
	Table  *RangeVar
	Source TableExpr
	On     Expr
	Whens  []*MergeWhen
}

// MergeAction is what a MERGE branch does.
type MergeAction uint8

// The MERGE actions.
const (
	MergeDoNothing MergeAction = iota
	MergeUpdate
	MergeDelete
	MergeInsert
)

// MergeWhen is one WHEN of MERGE. An insert without Values is DEFAULT VALUES.
type MergeWhen struct {
	Pos        int
	Matched    bool
	Cond       Expr
	Action     MergeAction
	Set        []*Assignment
	Columns    []*AssignTarget
	Overriding OverridingKind
	Values     []Expr
}

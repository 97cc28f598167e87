package plan

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// ColID names a column of a logical query: a column of one mention of a table, or a computed value. Ids are unique in
// a statement, so operators can be moved without renumbering. Zero is no column.
type ColID int32

// Rel is a logical operator: what bind makes and opt rewrites. It produces columns known by their ids; which of them
// are needed is the consumer's business. The concrete types are pointers to the Rel structs.
//
// Unless said otherwise an operator passes all columns of its inputs through and adds its own.
type Rel interface{ rel() }

// OutCol is an output column of a Query.
type OutCol struct {
	ID ColID
	ColumnInfo
}

// Query is a bound query: an operator tree and its output columns. The order of its rows is that of a RelSort (under
// RelLimit, RelLock and RelProject) at its top.
type Query struct {
	Rel  Rel
	Cols []OutCol
}

// RelColumn is a computed column.
type RelColumn struct {
	ID   ColID
	Expr Expr
	Name string
}

// RelOne is one row without columns: the input of SELECT without FROM.
type RelOne struct{}

// RelValues is a VALUES list.
type RelValues struct {
	Cols  []ColID
	Types []datum.Type
	Names []string
	Rows  [][]Expr
}

// RelScan is a mention of a table. The column at position i of Table.Columns has id Base+i.
type RelScan struct {
	Table *catalog.Table
	Alias string
	Base  ColID
	// System is set for virtual tables.
	System *SystemTable
	// Target marks the table that UPDATE, DELETE or MERGE changes: all its columns are needed.
	Target bool
}

// RelFunction is a function in FROM. The functions' columns have ids Base, Base+1, … and the ordinality column is last.
type RelFunction struct {
	Funcs      []ScanFunc
	Ordinality bool
	Alias      string
	Base       ColID
	Names      []string
	Types      []datum.Type
}

// RelCTE is a mention of a common table expression; column i of the CTE has id Base+i here.
type RelCTE struct {
	CTE  *RelCTEDef
	Base ColID
	// Alias is the name it goes by.
	Alias string
	// Work marks the recursive mention inside the CTE itself: the working table.
	Work bool
}

// RelCTEDef is a common table expression. Refs counts its mentions. When it is neither recursive nor modifying, and
// mentioned once (or NOT MATERIALIZED), opt may put Query in the place of a mention.
type RelCTEDef struct {
	ID           int
	Name         string
	Query        *Query     // not for a modifying or recursive one
	DML          *BoundStmt // a modifying one: its columns are those of RETURNING
	Recursive    *RelRecursive
	Cols         []ColumnInfo
	Materialized bool
	Inline       bool // NOT MATERIALIZED was written
	Volatile     bool // volatile functions inside: never put in place
	Refs         int
}

// RelRecursive is the body of a recursive CTE: the columns of Left and Right correspond by position.
type RelRecursive struct {
	Left, Right *Query
	All         bool
}

// RelWith makes CTEs known to Input.
type RelWith struct {
	CTEs  []*RelCTEDef
	Input Rel
}

// RelFilter passes rows for which all of Conds are true.
type RelFilter struct {
	Input Rel
	Conds []Expr
}

// RelJoin joins. Right may mention columns of Left when Lateral. On is a conjunction.
type RelJoin struct {
	Kind        JoinKind
	Left, Right Rel
	On          []Expr
	Lateral     bool
}

// RelProject computes columns.
type RelProject struct {
	Input Rel
	Items []RelColumn
}

// RelProjectSet computes set-returning calls, the top of every item, as ProjectSet.
type RelProjectSet struct {
	Input Rel
	Items []RelColumn
}

// RelGroup is a grouping column: In of the input is known as Out above.
type RelGroup struct{ In, Out ColID }

// RelAggregate is an aggregate of a RelAgg.
type RelAggregate struct {
	ID   ColID
	Call *AggCall
}

// RelGrouping is a GROUPING call of a RelAgg: Cols are positions in Groups.
type RelGrouping struct {
	ID   ColID
	Cols []int
}

// RelAgg groups: only its own columns pass. Plain says that there is no GROUP BY: one row in any case.
type RelAgg struct {
	Input    Rel
	Groups   []RelGroup
	Aggs     []RelAggregate
	Sets     [][]int
	Grouping []RelGrouping
	Plain    bool
}

// RelOrder is a sort key.
type RelOrder struct {
	ID         ColID
	Desc       bool
	NullsFirst bool
}

// RelWindowCall is a call of a RelWindow.
type RelWindowCall struct {
	ID   ColID
	Call *WindowCall
}

// RelWindow computes window functions over one window.
type RelWindow struct {
	Input     Rel
	Partition []ColID
	Order     []RelOrder
	Frame     Frame
	Calls     []RelWindowCall
	Name      string
}

// RelSort orders.
type RelSort struct {
	Input Rel
	Keys  []RelOrder
}

// RelLimit cuts.
type RelLimit struct {
	Input  Rel
	Count  Expr
	Offset Expr
	Ties   []RelOrder // WITH TIES: the ordering
}

// RelDistinct passes one row for each combination of Cols: the first by Order's ordering of the input for DISTINCT ON
// (On set).
type RelDistinct struct {
	Input Rel
	Cols  []ColID
	On    bool
}

// RelSetOp is a set operation; only Cols pass, which correspond to LeftCols and RightCols.
type RelSetOp struct {
	Op                  SetOpKind
	All                 bool
	Left, Right         Rel
	LeftCols, RightCols []ColID
	Cols                []ColID
	Types               []datum.Type
	Names               []string
}

// RelLockTarget is a table that RelLock locks.
type RelLockTarget struct {
	Scan     *RelScan
	Strength LockStrength
}

// RelLock locks rows.
type RelLock struct {
	Input   Rel
	Targets []RelLockTarget
}

// RelFence keeps predicates from being pushed through (OFFSET 0 and security barriers).
type RelFence struct{ Input Rel }

func (*RelOne) rel()        {}
func (*RelValues) rel()     {}
func (*RelScan) rel()       {}
func (*RelFunction) rel()   {}
func (*RelCTE) rel()        {}
func (*RelWith) rel()       {}
func (*RelFilter) rel()     {}
func (*RelJoin) rel()       {}
func (*RelProject) rel()    {}
func (*RelProjectSet) rel() {}
func (*RelAgg) rel()        {}
func (*RelWindow) rel()     {}
func (*RelSort) rel()       {}
func (*RelLimit) rel()      {}
func (*RelDistinct) rel()   {}
func (*RelSetOp) rel()      {}
func (*RelLock) rel()       {}
func (*RelFence) rel()      {}

// Privilege is a privilege that a statement needs. Columns are attribute numbers; with none the whole relation is meant,
// or, with AnyColumn, any one column of it.
// The check is made as CheckAs (a view's owner) when that is not 0.
type Privilege struct {
	Relation datum.OID
	Priv     catalog.Privilege
	Columns  []int16
	CheckAs  datum.OID
	// AnyColumn is set where a table is read but none of its columns.
	AnyColumn bool
}

// BoundStmt is a bound SELECT, VALUES, INSERT, UPDATE, DELETE or MERGE.
type BoundStmt struct {
	Kind StatementKind
	// Query is the query of a SELECT, or the rows that a data change works on: for INSERT one column for each of the
	// table's columns (Target.Columns); for UPDATE and DELETE the join of the target with the other tables; for MERGE
	// likewise.
	Query *Query
	DML   *BoundDML
	// With holds the statement's CTEs when it is a data change.
	With []*RelCTEDef

	Params     []datum.Type
	Privileges []Privilege
	// Objects are the OIDs of every relation, type and function with a descriptor that the statement depends on.
	Objects []datum.OID
	// NextCol is the first id that is not in use.
	NextCol ColID
	// NextCTE likewise.
	NextCTE int
	// ReadOnly says that the statement neither writes nor locks rows.
	ReadOnly bool
}

// BoundColumn is an assignment to the column at Ordinal of the target.
type BoundColumn struct {
	Ordinal int
	Expr    Expr
}

// BoundCheck is a condition on a new row.
type BoundCheck struct {
	Name string
	Expr Expr
}

// BoundIndex has the expressions of an index over expressions or with a predicate.
type BoundIndex struct {
	Index *catalog.Index
	Keys  []Expr
	Pred  Expr
}

// BoundRules are the rules for new rows of the target, written with Vars: the column at ordinal i is NewBase+i.
type BoundRules struct {
	Generated  []BoundColumn
	Checks     []BoundCheck
	Indexes    []BoundIndex
	ViewChecks []BoundCheck
}

// BoundDML is a data change. Expressions on old target rows use the ids of Scan (UPDATE, DELETE, MERGE), expressions on
// new rows NewBase+ordinal, and on the excluded row of ON CONFLICT ExclBase+ordinal.
type BoundDML struct {
	Table   *catalog.Table
	Alias   string
	Scan    *RelScan
	NewBase ColID
	Rules   BoundRules
	Set     []BoundColumn
	// Returning is nil without a RETURNING clause.
	Returning []OutCol
	Exprs     []Expr // of Returning

	// ON CONFLICT. OldBase are the ids of the existing row in Set and Where.
	Conflict      ConflictKind
	Arbiters      []*catalog.Index
	ConflictSet   []BoundColumn
	ConflictWhere Expr
	OldBase       ColID
	ExclBase      ColID

	// MERGE: Matched is the column that tells whether the target matched.
	Matched ColID
	Whens   []BoundMergeWhen
}

// BoundMergeWhen is a branch of MERGE.
type BoundMergeWhen struct {
	Matched bool
	Cond    Expr
	Action  MergeAction
	Set     []BoundColumn
	Values  []Expr // one for each of the table's columns
}

package plan

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// A *table row* below is a row with one datum for each entry of Table.Columns, in that order (dropped columns are
// NULL).

// ColumnExpr computes a column of a table row.
type ColumnExpr struct {
	Ordinal int // in Table.Columns
	Expr    Expr
}

// CheckExpr is a CHECK constraint: Expr is on the table row and violated only by false (23514).
type CheckExpr struct {
	Name string
	Expr Expr
}

// IndexExpr gives the computed parts of an index over expressions or with a predicate, on the table row. Keys[i] is
// nil for a plain column.
type IndexExpr struct {
	Index *catalog.Index
	Keys  []Expr
	Pred  Expr // the row has an entry only when true; nil for a whole index
}

// ForeignKeyCheck is what an insert or update of a child must find: a row of Parent whose columns ParentCols
// (ordinals) equal the child's Cols. With match simple nothing is checked when one of Cols is NULL; with match full,
// only when all are, and a mixture is an error. The parent's row is added to the checks (CheckKeyShare).
type ForeignKeyCheck struct {
	Name       string
	Cols       []int
	Parent     *catalog.Table
	Index      *catalog.Index // the unique index of Parent over ParentCols, in the index's column order
	ParentCols []int
	MatchFull  bool
	// Deferred constraints are checked at COMMIT.
	Deferrable, InitiallyDeferred bool
}

// RefAction is what a delete or a change of key of a referenced row does to the rows that refer to it.
type RefAction uint8

// The actions.
const (
	RefNoAction RefAction = iota
	RefRestrict
	RefCascade
	RefSetNull
	RefSetDefault
)

// Reference is a foreign key that points at the table being changed: for every row deleted, or whose Cols change, the
// executor runs Plan with the old values of Cols in the slots 0 … len(Cols)-1 of a fresh slot array (and for a cascading
// update the new ones behind them). For RefNoAction and RefRestrict Plan reads the referring rows: any is an
// error 23503 naming Child and Name. For the others it is a Delete or Update of Child. Plans may be cyclic.
type Reference struct {
	Name      string
	Child     *catalog.Table
	ChildCols []int // ordinals in Child, in the order of Cols
	Cols      []int // ordinals in the changed table
	Action    RefAction
	Plan      *Statement
	// Recheck, for RefSetDefault alone, reads the rows that refer to the old values once Plan has run: the default may be
	// the key that goes away.
	Recheck *Statement
	// Deferrable checks (RefNoAction alone) may wait for COMMIT.
	Deferrable, InitiallyDeferred bool
}

// ConflictKind is what INSERT does about a duplicate key.
type ConflictKind uint8

// The kinds of ON CONFLICT.
const (
	ConflictError ConflictKind = iota
	ConflictNothing
	ConflictUpdate
)

// OnConflict is an ON CONFLICT clause. Arbiters are the unique indexes that matter; empty with ConflictNothing means
// all. For ConflictUpdate, Set, Where and the checks see the existing table row followed by the proposed (excluded)
// table row.
type OnConflict struct {
	Kind     ConflictKind
	Arbiters []*catalog.Index
	Set      []ColumnExpr
	Where    Expr
	// Update has what is needed to write the changed row: generated columns, checks, foreign keys, references.
	Update *RowRules
}

// RowRules is what every new version of a row goes through, in this order: Generated are computed, NOT NULL is
// checked from the descriptor, then Checks, then index entries are made (Indexes), then ForeignKeys.
type RowRules struct {
	Generated   []ColumnExpr
	Checks      []CheckExpr
	Indexes     []IndexExpr
	ForeignKeys []ForeignKeyCheck
	// References are used by updates and deletes.
	References []Reference
	// ViewChecks are WITH CHECK OPTIONs: violated by false and by NULL (44000); Name is the view's.
	ViewChecks []CheckExpr
}

// Insert adds table rows. Source gives, for each row, one datum for each of Table.Columns with defaults already
// filled in and assignments coerced; generated columns and dropped ones are NULL in it.
//
// Output: Returning on the new table row (the updated one after DO UPDATE), or no rows when it is nil. The number of
// rows for the command tag is that of rows inserted or updated.
type Insert struct {
	Props
	Table      *catalog.Table
	Source     Node
	Rules      RowRules
	OnConflict *OnConflict
	Returning  []Expr
	Alias      string
}

// Update changes rows. Source gives the old table row followed by whatever else Set and Returning need (columns of
// FROM tables). Set is on the source row. A row that comes twice is changed once.
//
// Returning is on the new table row followed by the source row from position len(Table.Columns) on.
type Update struct {
	Props
	Table     *catalog.Table
	Source    Node
	Set       []ColumnExpr
	Rules     RowRules
	Returning []Expr
	Alias     string
}

// Delete removes rows. Source gives the old table row followed by whatever else Returning needs; Returning is on the
// source row.
type Delete struct {
	Props
	Table     *catalog.Table
	Source    Node
	Rules     RowRules // Indexes and References alone
	Returning []Expr
	Alias     string
}

// MergeAction is what a branch of MERGE does.
type MergeAction uint8

// The actions.
const (
	MergeNothing MergeAction = iota
	MergeUpdate
	MergeDelete
	MergeInsert
)

// MergeWhen is a branch of MERGE: the first whose Matched fits and whose Cond is true is taken. Cond and Set are on the
// source row; Values, for an insert, make a table row from the source row.
type MergeWhen struct {
	Matched bool
	Cond    Expr
	Action  MergeAction
	Set     []ColumnExpr
	Values  []Expr
}

// Merge is MERGE. Source gives the target's old table row (all NULL when not matched), then a boolean that says
// whether the target matched, then the columns of the data source.
type Merge struct {
	Props
	Table  *catalog.Table
	Source Node
	Whens  []MergeWhen
	Rules  RowRules
	Alias  string
}

// SystemTable produces the rows of a virtual table (of pg_catalog, information_schema or sys). It is made once by
// package syscat.
type SystemTable struct {
	// Table is the descriptor; Virtual is set in it.
	Table *catalog.Table
	// Keys are ordinals of columns for which Rows makes use of an equality.
	Keys []int
	// Rows calls emit for every row (one datum for each of Table.Columns), at least those that satisfy eq, and stops at
	// the first error. env is what the session put into the executor's environment for system tables. emit keeps the
	// row.
	Rows func(ctx context.Context, env any, eq []SystemEq, emit func(row []datum.Datum) error) error
	// EstRows guesses the number of rows for the planner.
	EstRows float64
}

// SystemEq is an equality on a column of a system table, with a value that is not NULL.
type SystemEq struct {
	Column int
	Value  datum.Datum
}

// SystemScan reads a system table. Eq are values without columns for some of Table.Keys; a NULL value gives no rows.
// The output row has the columns Ordinals of the table. Filter is on the output row and repeats the conditions of Eq.
type SystemScan struct {
	Props
	Table    *SystemTable
	Ordinals []int
	Eq       []SystemScanEq
	Filter   Expr
	Alias    string
}

// SystemScanEq is an equality handed to SystemTable.Rows.
type SystemScanEq struct {
	Column int
	Expr   Expr
}

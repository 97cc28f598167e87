package plan

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
)

// Node is a physical operator. The concrete types are pointers to the structs of this package that embed Props.
type Node interface {
	// Columns describe the output row.
	Columns() []ColumnInfo
	// Estimate is the planner's guess of rows and cost.
	Estimate() *Estimate
	// Children are the inputs, left to right.
	Children() []Node
}

// ColumnInfo describes an output column, as RowDescription needs it.
type ColumnInfo struct {
	Name string
	Type datum.Type
	// Table and Attr are the table's OID and the column's attribute number when the value is a plain column; else 0.
	Table datum.OID
	Attr  int16
}

// Estimate is the planner's guess: PostgreSQL's cost units, rows, bytes in a row.
type Estimate struct {
	Startup float64
	Total   float64
	Rows    float64
	Width   int
}

// Props is embedded by every physical operator.
type Props struct {
	Cols []ColumnInfo
	Est  Estimate
}

// Columns implements Node.
func (p *Props) Columns() []ColumnInfo { return p.Cols }

// Estimate implements Node.
func (p *Props) Estimate() *Estimate { return &p.Est }

// StatementKind says what a statement does, for its command tag.
type StatementKind uint8

// The kinds of statements.
const (
	KindSelect StatementKind = iota
	KindInsert
	KindUpdate
	KindDelete
	KindMerge
)

// Statement is a planned statement.
type Statement struct {
	Kind StatementKind
	// Root produces the result rows. For data changes without RETURNING it produces none and has no columns.
	Root Node
	// NumSlots is the size of the array of slots.
	NumSlots int
	// Params are the types of $1 ….
	Params []datum.Type
	// ReadOnly says that nothing in the statement writes or locks.
	ReadOnly bool
	// Objects are the OIDs of every object with a descriptor that the plan depends on (tables, views, types,
	// functions), once each, sorted: the transaction checks their schema keys.
	Objects []datum.OID
	// Privileges are what the user needs.
	Privileges []Privilege
}

// Values produces constant rows: each inner list is a row. Expressions may have Params, slots and calls but no
// Columns.
type Values struct {
	Props
	Rows [][]Expr
}

// Result produces one row from Exprs (SELECT without FROM), or nothing when Filter is set and not true.
type Result struct {
	Props
	Exprs  []Expr
	Filter Expr
}

// Empty produces no rows.
type Empty struct{ Props }

// KeyPartKind says how a leading column of an index is bound.
type KeyPartKind uint8

// The ways to bind a key column.
const (
	KeyEq     KeyPartKind = iota // equal to Exprs[0]; NULL matches nothing
	KeyIn                        // equal to any of Exprs; NULLs are skipped
	KeyArray                     // equal to any element of the array Exprs[0]; NULL elements are skipped
	KeyIsNull                    // the column is NULL
)

// KeyPart binds one leading column of an index. The values have the kind of the column's key encoding.
type KeyPart struct {
	Kind  KeyPartKind
	Exprs []Expr
}

// KeyBound is one end of a range on the key column after the bound ones. A NULL value matches nothing.
type KeyBound struct {
	Expr      Expr
	Inclusive bool
}

// KeySpan is a set of spans of an index: the leading columns bound by Parts (their product, when several are lists),
// and on the next column the range from Lo to Hi. Lo and Hi are in terms of SQL values, whatever the direction of the
// column in the index. When only one end is given, NULLs of the column are excluded too, as a comparison is never true
// for them; NotNull with neither end excludes NULLs alone. Prefix, when set, is a text that values of the column start
// with, in place of Lo and Hi.
//
// The expressions are evaluated without an input row: constants, Params and slots. A value that lies outside the
// column's type (numeric digits for an int column never get here; an int8 out of the range of int4 may) simply makes
// an empty or half-open span.
type KeySpan struct {
	Parts   []KeyPart
	Lo, Hi  *KeyBound
	NotNull bool
	Prefix  Expr
}

// Access is what every reader of a table says: the table, the index to walk, and which columns to give.
type Access struct {
	Table *catalog.Table
	Index *catalog.Index // the primary index for the rows themselves
	// Ordinals are the positions in Table.Columns of the output columns, in output order.
	Ordinals []int
	// IndexOnly says that every column needed is in the entries of Index, a secondary index: rows are not fetched.
	// When Index is secondary and IndexOnly is false the rows are fetched in batches by primary key.
	IndexOnly bool
	// Alias is the name the query knows the table by.
	Alias string
	// Cond is the condition that keys or spans stand for, on the output row where its columns are in it. It is for
	// EXPLAIN alone.
	Cond Expr
}

// PointGet reads at most one row by all columns of a unique index (usually the primary one): Keys[i] is the value of
// key column i. A NULL key gives no row. Filter is evaluated on the output row.
type PointGet struct {
	Props
	Access
	Keys   []Expr
	Filter Expr
}

// BatchGet reads rows by many full keys of a unique index: the product of lists in Parts, which bind every key
// column. Duplicate keys give one row. Rows come in no particular order unless Ordered, then in index order.
type BatchGet struct {
	Props
	Access
	Parts   []KeyPart
	Ordered bool
	Filter  Expr
}

// Scan walks an index, or the primary index for a scan of the table.
//
// Spans are alternatives that may overlap: a row comes once. Nil Spans walk the whole index. Rows come in index order
// (reversed when Reverse). Filter is evaluated on the output row, after what Push already removed. The program's columns
// are those of the entries of Index. LimitHint only tells how much to fetch at a time; Limit itself is enforced by the
// Limit operator.
type Scan struct {
	Props
	Access
	Spans   []KeySpan
	Reverse bool
	Push    *Push
	// Pushed is the condition that Push stands for, for EXPLAIN.
	Pushed Expr
	Filter Expr
	// LimitHint, when not nil, is the number of rows that the consumer will take at most if Filter is nil.
	LimitHint Expr
}

// LookupJoin joins each row of Input with the rows of an index whose leading columns equal Keys, which are
// expressions of the input row. The executor looks up many input rows in one call.
//
// Output: the input row followed by the columns of Access.Ordinals; for semi and anti joins the input row alone. The
// output keeps the order of the input. On is evaluated on input row ‖ looked-up row and is part of the join
// condition. Left joins give NULLs for rows without a match. Unique says that at most one row can match.
type LookupJoin struct {
	Props
	Access
	Kind   JoinKind
	Input  Node
	Keys   []Expr
	On     Expr
	Unique bool
}

// JoinKind is a kind of join.
type JoinKind uint8

// The kinds of joins. Semi gives the left rows with a match, Anti those without one.
const (
	JoinInner JoinKind = iota
	JoinLeft
	JoinRight
	JoinFull
	JoinSemi
	JoinAnti
	// JoinAntiNull is NOT IN: like Anti, but a left row with a NULL key has no result unless Right is empty, and a NULL
	// key on the right makes the whole result empty.
	JoinAntiNull
)

// HashJoin builds a table of Right's rows by RightKeys and probes it with Left's by LeftKeys; keys[i] are compared by
// the natural equality of their kind, and NULL equals nothing. On is evaluated on left ‖ right and is part of the join
// condition. Output: left ‖ right, or left alone for semi and anti.
type HashJoin struct {
	Props
	Kind        JoinKind
	Left, Right Node
	LeftKeys    []Expr
	RightKeys   []Expr
	On          Expr
}

// MergeJoin joins inputs that are both sorted by their keys, ascending, nulls last. Otherwise like HashJoin.
type MergeJoin struct {
	Props
	Kind        JoinKind
	Left, Right Node
	LeftKeys    []Expr
	RightKeys   []Expr
	On          Expr
}

// NestLoop joins every pair that On (nil: true) accepts. With Args it is a lateral join: for each left row Args are
// evaluated into slots ArgSlots and Right is run anew; without, Right may be kept in memory. Output as HashJoin.
type NestLoop struct {
	Props
	Kind        JoinKind
	Left, Right Node
	On          Expr
	Args        []Expr
	ArgSlots    []int
}

// Filter passes the rows for which Cond is true.
type Filter struct {
	Props
	Input Node
	Cond  Expr
}

// Project computes Exprs for each row.
type Project struct {
	Props
	Input Node
	Exprs []Expr
}

// ProjectSet computes Exprs, some of which are set-returning FuncCalls at the top: for each input row it gives as many
// rows as the longest set, NULL where a set has ended; none when all sets are empty. A function with several OUT columns
// gives records here.
type ProjectSet struct {
	Props
	Input Node
	Exprs []Expr
	// Sets marks the set-returning items of Exprs.
	Sets []bool
}

// SortKey orders by an input column.
type SortKey struct {
	Index      int
	Desc       bool
	NullsFirst bool
}

// Sort orders its input; the order of equal rows is not defined. Top, when not nil, is the number of rows that will be
// taken from the front (a bounded heap will do); it is an expression without columns, NULL meaning all.
type Sort struct {
	Props
	Input Node
	Keys  []SortKey
	Top   Expr
	// Presorted is how many leading Keys the input is already ordered by.
	Presorted int
}

// Limit skips Offset rows and passes Count rows. Nil or NULL: no limit, no offset. Negative values are errors 2201W
// and 2201X. With Ties, rows equal to the last one by TieKeys pass too.
type Limit struct {
	Props
	Input   Node
	Count   Expr
	Offset  Expr
	Ties    bool
	TieKeys []SortKey
}

// Distinct passes one row for each distinct combination of Keys (positions). With Sorted the input has equal keys
// together, and the first row of each group passes (DISTINCT ON); otherwise a hash table is used and order is kept.
type Distinct struct {
	Props
	Input  Node
	Keys   []int
	Sorted bool
}

// AggCall is one call of an aggregate. Expressions are on the aggregation's input row.
type AggCall struct {
	Fn *builtin.Func
	// Args are the aggregated arguments (without any for count(*), which has Star set). Ordered-set aggregates have their
	// direct arguments in Direct, evaluated once per group, Args are those of WITHIN GROUP, and OrderBy sorts them.
	Args     []Expr
	Direct   []Expr
	Star     bool
	Distinct bool
	// OrderBy orders the input of the aggregate; its expressions are on the input row as well.
	OrderBy []AggOrder
	Filter  Expr
	Typ     datum.Type
	// Variadic says that the last argument was marked VARIADIC.
	Variadic bool
}

// AggOrder is one ORDER BY item of an aggregate or a window.
type AggOrder struct {
	Expr       Expr
	Desc       bool
	NullsFirst bool
}

// AggStrategy is how an Agg finds its groups.
type AggStrategy uint8

// The strategies.
const (
	AggPlain  AggStrategy = iota // no grouping columns: exactly one row, also for empty input
	AggSorted                    // the input has equal groups together; output in that order
	AggHashed
)

// Agg groups its input by the columns Groups (positions) and computes Aggs. Output: the grouping columns, then the
// aggregates, then for each of Grouping an int4 whose bits say which of the columns (positions in Groups, the last one
// in the lowest bit) are not part of the current grouping set.
//
// Sets, when not nil, are grouping sets as positions in Groups: the input is aggregated once for each set, columns
// outside the set are NULL in its rows, and an empty set gives one row also for empty input.
type Agg struct {
	Props
	Input    Node
	Strategy AggStrategy
	Groups   []int
	Aggs     []*AggCall
	Sets     [][]int
	Grouping [][]int
}

// FrameMode is the unit of a window frame.
type FrameMode uint8

// The frame modes.
const (
	FrameRange FrameMode = iota
	FrameRows
	FrameGroups
)

// FrameBoundKind is a kind of frame bound.
type FrameBoundKind uint8

// The frame bounds.
const (
	UnboundedPreceding FrameBoundKind = iota
	OffsetPreceding
	CurrentRow
	OffsetFollowing
	UnboundedFollowing
)

// FrameExclusion is a frame's EXCLUDE clause.
type FrameExclusion uint8

// The exclusions.
const (
	ExcludeNoOthers FrameExclusion = iota
	ExcludeCurrentRow
	ExcludeGroup
	ExcludeTies
)

// Frame is a window frame. Offsets are without columns; in range mode InRange is PostgreSQL's in_range function
// (value, base, offset, sub bool, less bool) for the one ordering column.
type Frame struct {
	Mode        FrameMode
	Start, End  FrameBoundKind
	StartOffset Expr
	EndOffset   Expr
	Exclude     FrameExclusion
	StartRange  *builtin.Func
	EndRange    *builtin.Func
}

// WindowCall is one call of a window function or of an aggregate over a window. Expressions are on the input row.
type WindowCall struct {
	Fn     *builtin.Func
	Args   []Expr
	Star   bool
	Filter Expr
	Typ    datum.Type
	// Agg says that Fn is an aggregate.
	Agg bool
}

// WindowAgg computes the calls of one window. The input is sorted by Partition, then Order. Output: the input row
// followed by the results.
type WindowAgg struct {
	Props
	Input     Node
	Partition []int
	Order     []SortKey
	Frame     Frame
	Calls     []*WindowCall
	// Name is for EXPLAIN.
	Name string
}

// SetOpKind is a set operation.
type SetOpKind uint8

// The set operations.
const (
	SetUnion SetOpKind = iota
	SetIntersect
	SetExcept
)

// SetOp is INTERSECT or EXCEPT [ALL] by hashing; rows are compared with IS NOT DISTINCT FROM over all columns.
type SetOp struct {
	Props
	Op          SetOpKind
	All         bool
	Left, Right Node
}

// Append gives the rows of its inputs one input after the other (UNION ALL).
type Append struct {
	Props
	Inputs []Node
}

// With runs Input, in which CTEScans read the CTEs. A CTE is run at most once, when it is first read, into memory
// (or disk); a data-modifying one is run to its end in any case, at the latest when Input is done, in list order.
// All of them see the snapshot from before the statement.
type With struct {
	Props
	CTEs  []*CTE
	Input Node
}

// CTE is a common table expression that is kept, known by its ID in the statement.
type CTE struct {
	ID        int
	Name      string
	Plan      Node
	Modifying bool
}

// CTEScan reads the rows of a CTE.
type CTEScan struct {
	Props
	ID   int
	Name string
	// Filter is evaluated on the row.
	Filter Expr
}

// RecursiveUnion is WITH RECURSIVE: Left's rows are given out and become the working table, then Right is run again
// and again, its WorkTableScan (of the same ID) reading the working table, and its rows are given out and become the
// next working table, until there are none. Unless All, rows given out before are dropped.
type RecursiveUnion struct {
	Props
	ID          int
	Left, Right Node
	All         bool
}

// WorkTableScan reads the working table of the RecursiveUnion with the same ID.
type WorkTableScan struct {
	Props
	ID   int
	Name string
}

// FunctionScan runs the functions of a ROWS FROM side by side, padding the shorter with NULLs. Ordinality adds an
// int8 column that counts from 1. Calls may have slots and Params but no Columns.
type FunctionScan struct {
	Props
	Funcs      []ScanFunc
	Ordinality bool
	Alias      string
	Filter     Expr
}

// ScanFunc is one function of a FunctionScan: Call is a FuncCall, set-returning or not, or any other scalar
// expression (one row). Width is its number of columns; a composite result is spread when Composite is set (a NULL
// record gives a row of NULLs).
type ScanFunc struct {
	Call      Expr
	Width     int
	Composite bool
	// Types are the types of the columns, for functions that return record with a column definition list.
	Types []datum.Type
	Names []string
}

// LockTarget is one table of LockRows: Keys are the positions of its primary key's columns in the input row, all of
// them NULL when an outer join gave no row.
type LockTarget struct {
	Table    *catalog.Table
	Keys     []int
	Strength LockStrength
}

// LockStrength is the strength of a row lock, weakest first.
type LockStrength uint8

// The strengths, as txn.CheckMode.
const (
	LockKeyShare LockStrength = iota
	LockShare
	LockNoKeyUpdate
	LockUpdate
)

// LockRows adds the rows it passes to the transaction's checks. There is no waiting: NOWAIT and SKIP LOCKED mean
// nothing more.
type LockRows struct {
	Props
	Input   Node
	Targets []LockTarget
}

// Materialize keeps its input's rows, so that the parent can read them again without running it again, unless one
// of the slots Deps has changed.
type Materialize struct {
	Props
	Input Node
	Deps  []int
}

package plan

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/sql/builtin"
)

// Expr is a typed scalar expression. The concrete types are the pointers to the structs of this file.
type Expr interface {
	// Type is the SQL type of the value.
	Type() datum.Type
}

// Const is a literal, or an expression that was folded.
type Const struct {
	Val datum.Datum
	Typ datum.Type
	Pos int32 // byte offset of a literal, for errors; 0 when it is not known
}

// Column is a value of the input row.
type Column struct {
	Index int
	Typ   datum.Type
	Name  string // for EXPLAIN: "a" or "t.a"
}

// Param is $Index+1 of the statement.
type Param struct {
	Index int
	Typ   datum.Type
}

// OuterParam reads a slot that an enclosing operator has set.
type OuterParam struct {
	Slot int
	Typ  datum.Type
	Name string // for EXPLAIN
}

// Var is a column of the logical query, by its id, which is unique in the statement: a subquery that mentions a column
// it does not produce is correlated. Var exists only before planning; physical expressions have Column and OuterParam.
type Var struct {
	ID   ColID
	Pos  int32 // byte offset of the mention, for errors
	Typ  datum.Type
	Name string
}

// FuncCall calls a function with arguments already coerced to its parameter types and defaults filled in. Trailing
// arguments of a variadic function have been gathered into an ArrayCtor; those of VARIADIC "any" are passed as they are.
type FuncCall struct {
	Fn   *builtin.Func
	Args []Expr
	Typ  datum.Type
	// Op is the operator's name when the call was written as one, "" otherwise.
	Op string
	// Variadic says that the last argument was marked VARIADIC in the text (for deparsing and "any" variadics).
	Variadic bool
}

// CastKind is how a Cast works.
type CastKind uint8

// The kinds of casts.
const (
	// CastRelabel changes the static type and nothing else (varchar to text, int4 to oid).
	CastRelabel CastKind = iota
	// CastIO goes through the output function of the source and the input function of the target.
	CastIO
	// CastFunc calls Fn: with the value; with (value, target typmod) when Fn has two parameters; with (value, target
	// typmod, Explicit) when it has three.
	CastFunc
	// CastArray applies Elem to each element of an array.
	CastArray
	// CastRow coerces a record field by field to the composite type Typ.
	CastRow
	// CastDomain checks Arg against the constraints of domain Typ (not null, checks); Arg has the base type.
	CastDomain
)

// Cast converts Arg to Typ. NULL gives NULL except with CastDomain of a NOT NULL domain.
type Cast struct {
	Kind     CastKind
	Arg      Expr
	Typ      datum.Type
	Explicit bool
	Fn       *builtin.Func // CastFunc
	Elem     Expr          // CastArray: an expression of the element, which is Column 0 of its one-column row
	Domain   *Domain       // CastDomain
	// Implicit casts were not written by the user and are not shown.
	Implicit bool
}

// Domain is what CastDomain checks. Checks are expressions of the value, which is Column 0 of a one-column row.
type Domain struct {
	Name    string
	Shown   string    // the name as messages have it
	Schema  datum.OID // of the schema it is in
	NotNull bool
	Checks  []DomainCheck
}

// DomainCheck is one CHECK of a domain.
type DomainCheck struct {
	Name string
	Expr Expr
}

// Typmod enforces a type modifier on a value that has the type already: varchar(n) and bpchar(n) length, numeric
// precision and scale, bit lengths, time precisions. Explicit casts cut silently where PostgreSQL does.
type Typmod struct {
	Arg      Expr
	Typ      datum.Type // with the modifier to enforce
	Explicit bool
	Fn       *builtin.Func // PostgreSQL's length coercion function: (value, typmod [, explicit])
}

// And is the n-ary conjunction with SQL's three-valued logic; evaluation may stop at the first false.
type And struct{ Args []Expr }

// Or is the n-ary disjunction; evaluation may stop at the first true.
type Or struct{ Args []Expr }

// Not is the negation.
type Not struct{ Arg Expr }

// IsNull is Arg IS [NOT] NULL. For a row value (Row set): every field NULL, respectively every field not NULL.
type IsNull struct {
	Arg Expr
	Not bool
	Row bool
}

// BoolTestKind is what a BoolTest tests for.
type BoolTestKind uint8

// The values tested for.
const (
	IsTrue BoolTestKind = iota
	IsFalse
	IsUnknown
)

// BoolTest is Arg IS [NOT] TRUE/FALSE/UNKNOWN; never NULL.
type BoolTest struct {
	Arg  Expr
	Kind BoolTestKind
	Not  bool
}

// IsDistinct is Left IS [NOT] DISTINCT FROM Right; never NULL. Eq is the equality function of the operands.
type IsDistinct struct {
	Left, Right Expr
	Not         bool
	Eq          *builtin.Func
}

// Case is a searched CASE: the first When whose condition is true gives the value, Else (NULL when nil) otherwise.
// A simple CASE x WHEN y has its operand in Arg, evaluated once; conditions read it through CaseArg.
type Case struct {
	Arg   Expr
	Whens []When
	Else  Expr
	Typ   datum.Type
}

// When is one branch of a Case.
type When struct{ Cond, Result Expr }

// CaseArg is the operand of the innermost enclosing simple Case.
type CaseArg struct{ Typ datum.Type }

// Coalesce is the first argument that is not NULL; later ones are not evaluated.
type Coalesce struct {
	Args []Expr
	Typ  datum.Type
}

// NullIf is NULL when Eq(Left, Right) is true, and Left otherwise. EqLeft and EqRight are the operands coerced for
// Eq; EqLeft is the same expression as Left unless a coercion was needed. Both are evaluated.
type NullIf struct {
	Left            Expr
	EqLeft, EqRight Expr
	Eq              *builtin.Func
	Typ             datum.Type
}

// MinMax is GREATEST or LEAST by the default order of the type, NULL arguments ignored.
type MinMax struct {
	Least bool
	Args  []Expr
	Typ   datum.Type
}

// InList is Arg [NOT] IN (constants): all Vals have the type of Arg, whose equality is the kind's natural one, so the
// executor may hash them. HasNull says that NULL was among the list: a miss is then NULL.
type InList struct {
	Arg     Expr
	Vals    []datum.Datum
	HasNull bool
	Not     bool
	Eq      *builtin.Func
}

// ScalarArrayOp is Left Op ANY (Array), or ALL. Fn is the operator's function on (Left, element).
type ScalarArrayOp struct {
	Fn    *builtin.Func
	Op    string
	All   bool
	Left  Expr
	Array Expr
}

// Row makes a record. Typ is record or the composite type; Names may be nil.
type Row struct {
	Args  []Expr
	Names []string
	Typ   datum.Type
	// Present, when not nil, tells a row of NULLs from no row at all: the value is NULL when it is.
	Present Expr
}

// RowCompareKind is the comparison of a RowCompare.
type RowCompareKind uint8

// The row comparisons that are orderings; = and <> of rows are And/Or of columns' comparisons.
const (
	RowLT RowCompareKind = iota
	RowLE
	RowGE
	RowGT
)

// RowCompare compares two lists lexicographically. Cmp holds for each column the operator's function pair: Eq to move
// on to the next column, and the strict inequality that decides.
type RowCompare struct {
	Kind        RowCompareKind
	Left, Right []Expr
	// Less are the columns' "<" functions (RowLT, RowLE) or ">" functions (RowGE, RowGT); Eq their "=" functions.
	Less, Eq []*builtin.Func
}

// ArrayCtor is ARRAY[…]. With Nested the elements are arrays of the same type, which become its slices.
type ArrayCtor struct {
	Elems  []Expr
	Nested bool
	Typ    datum.Type // the array type
	Elem   datum.Type
}

// Subscript is Arg[…]: of an array (Index, or slices when Slice), or of jsonb (Index of int4 or text).
// In a slice Lower or Upper entries may be nil; a plain index has Lower nil.
type Subscript struct {
	Arg   Expr
	Slice bool
	Lower []Expr
	Upper []Expr
	Typ   datum.Type
}

// ArrayAssign is the value of an array (or jsonb) with the element or slice replaced: UPDATE t SET a[1] = x.
type ArrayAssign struct {
	Arg   Expr
	Slice bool
	Lower []Expr
	Upper []Expr
	Value Expr
	Typ   datum.Type
}

// FieldSelect is field Index (from 0) of a record.
type FieldSelect struct {
	Arg   Expr
	Index int
	Name  string
	Typ   datum.Type
}

// FieldAssign is the record Arg with field Index replaced.
type FieldAssign struct {
	Arg   Expr
	Index int
	Name  string
	Value Expr
	Typ   datum.Type
}

// SubPlanKind is how a subquery becomes a value.
type SubPlanKind uint8

// The kinds of subplans.
const (
	SubScalar SubPlanKind = iota // the one column of the one row; NULL for none; 21000 for more than one
	SubExists                    // whether there is a row
	SubAny                       // whether Test is true for any row; NULL when none is true and one is NULL
	SubAll                       // whether Test is true for all rows; NULL when none is false and one is NULL
	SubArray                     // the rows' one column as an array
	SubRow                       // the columns of the one row as a record (multi-column assignment)
)

// SubPlan runs Plan for the current row. Before running it the executor evaluates Args on the current row into slots
// ArgSlots. The result may be kept as long as none of the values of Args and of the slots Deps (set by enclosing
// plans) has changed: with neither it is computed at most once for each execution of the statement.
type SubPlan struct {
	Kind     SubPlanKind
	Plan     Node
	Args     []Expr
	ArgSlots []int
	Deps     []int
	Typ      datum.Type

	// Test is the comparison of SubAny and SubAll. It is evaluated on the current row with the columns of the
	// subquery's row in slots TestSlots.
	Test      Expr
	TestSlots []int
	// Hashed says that the subquery is uncorrelated and Test is a conjunction of hashable equalities: HashLeft[i] (on
	// the current row) equals column i of the subquery. The executor may then probe a hash table, with care for NULLs.
	Hashed   bool
	HashLeft []Expr
	// Name is "SubPlan 1" or "InitPlan 1 (returns $0)", for EXPLAIN.
	Name string
}

// SQLValueKind names a niladic function with a syntax of its own.
type SQLValueKind uint8

// The niladic functions.
const (
	CurrentDate SQLValueKind = iota
	CurrentTime
	CurrentTimestamp
	LocalTime
	LocalTimestamp
	CurrentRole
	CurrentUser
	User
	SessionUser
	CurrentCatalog
	CurrentSchema
)

// SQLValue is CURRENT_TIMESTAMP and its kin. The time kinds are those of the transaction's start, rounded to the
// precision in Typ.Mod when that is not -1.
type SQLValue struct {
	Kind SQLValueKind
	Typ  datum.Type
}

// SetToDefault stands for DEFAULT in a VALUES list and is replaced during binding.
type SetToDefault struct{ Typ datum.Type }

// Subquery is a subquery in an expression before planning. Test is written with Vars of the subquery's output
// columns (of Query.Rel) at level 0 beside those of the outer query.
type Subquery struct {
	Kind  SubPlanKind
	Query *Query
	Test  Expr
	// TestLeft are the left operands when Test is a conjunction of "left = column" in the order of the columns.
	TestLeft []Expr
	Typ      datum.Type
}

// Type implements Expr.
func (e *Const) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *Column) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *Param) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *OuterParam) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *Var) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *FuncCall) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *Cast) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *Typmod) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *And) Type() datum.Type { return boolType }

// Type implements Expr.
func (e *Or) Type() datum.Type { return boolType }

// Type implements Expr.
func (e *Not) Type() datum.Type { return boolType }

// Type implements Expr.
func (e *IsNull) Type() datum.Type { return boolType }

// Type implements Expr.
func (e *BoolTest) Type() datum.Type { return boolType }

// Type implements Expr.
func (e *IsDistinct) Type() datum.Type { return boolType }

// Type implements Expr.
func (e *Case) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *CaseArg) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *Coalesce) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *NullIf) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *MinMax) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *InList) Type() datum.Type { return boolType }

// Type implements Expr.
func (e *ScalarArrayOp) Type() datum.Type { return boolType }

// Type implements Expr.
func (e *Row) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *RowCompare) Type() datum.Type { return boolType }

// Type implements Expr.
func (e *ArrayCtor) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *Subscript) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *ArrayAssign) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *FieldSelect) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *FieldAssign) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *SubPlan) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *SQLValue) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *SetToDefault) Type() datum.Type { return e.Typ }

// Type implements Expr.
func (e *Subquery) Type() datum.Type { return e.Typ }

var boolType = datum.T(datum.OIDBool)

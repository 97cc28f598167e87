package parser

// ConstKind is the kind of a literal.
type ConstKind uint8

// The kinds of literals.
const (
	ConstNull ConstKind = iota
	ConstInteger
	ConstFloat
	ConstString
	ConstBitString
	ConstBoolean
)

// Const is a literal. An untyped string has type unknown; a number that does not fit 32 bits is a ConstFloat, as in
// PostgreSQL (bind makes it bigint when it fits 64 bits, otherwise numeric).
type Const struct {
	Pos  int
	Kind ConstKind
	Int  int32  // ConstInteger
	Bool bool   // ConstBoolean
	Str  string // ConstFloat: the digits; ConstString: the value; ConstBitString: 'b' or 'x' and the digits
}

// ParamRef is $Number.
type ParamRef struct {
	Pos    int
	Number int // from 1
}

// ColumnRef is a name in an expression: column, table.column, schema.table.column, …, or the same ending in ".*".
// A lone "*" has no Parts and Star set.
type ColumnRef struct {
	Pos   int
	Parts []string
	Star  bool
}

// OpExpr is an operator call; Left is nil for a prefix operator. Pos is the operator's.
type OpExpr struct {
	Pos    int
	Schema []string // of OPERATOR(schema.op), usually nil
	Op     string
	Left   Expr
	Right  Expr
}

// AnyAllExpr is Left Op ANY (array) or Left Op ALL (array). LIKE ANY and the like come with operators ~~, !~~,
// ~~* and !~~*. With a subquery it is a SubLink.
type AnyAllExpr struct {
	Pos    int
	All    bool
	Schema []string
	Op     string
	Left   Expr
	Right  Expr
}

// InExpr is Left [NOT] IN (List). With a subquery it is a SubLink.
type InExpr struct {
	Pos  int
	Not  bool
	Left Expr
	List []Expr
}

// LikeKind tells the pattern languages apart.
type LikeKind uint8

// The pattern languages.
const (
	LikeLike LikeKind = iota
	LikeILike
	LikeSimilar
)

// LikeExpr is Left [NOT] LIKE/ILIKE/SIMILAR TO Pattern [ESCAPE Escape]. LIKE is operator ~~ (NOT: !~~), ILIKE ~~*
// (!~~*), SIMILAR TO ~ (!~) with the pattern through similar_to_escape; ESCAPE goes through like_escape.
type LikeExpr struct {
	Pos     int
	Kind    LikeKind
	Not     bool
	Left    Expr
	Pattern Expr
	Escape  Expr // nil when not written
}

// BetweenExpr is Arg [NOT] BETWEEN [SYMMETRIC] Low AND High.
type BetweenExpr struct {
	Pos       int
	Not       bool
	Symmetric bool
	Arg       Expr
	Low       Expr
	High      Expr
}

// DistinctExpr is Left IS [NOT] DISTINCT FROM Right. Not is set for IS NOT DISTINCT FROM.
type DistinctExpr struct {
	Pos   int
	Not   bool
	Left  Expr
	Right Expr
}

// NullIfExpr is NULLIF(Left, Right).
type NullIfExpr struct {
	Pos   int
	Left  Expr
	Right Expr
}

// BoolOp is a Boolean connective.
type BoolOp uint8

// The connectives.
const (
	BoolAnd BoolOp = iota
	BoolOr
	BoolNot
)

// BoolExpr is AND or OR of two or more Args, or NOT of one. Left-associative chains of the same connective are one
// node.
type BoolExpr struct {
	Pos  int
	Op   BoolOp
	Args []Expr
}

// NullTest is Arg IS [NOT] NULL.
type NullTest struct {
	Pos int
	Not bool
	Arg Expr
}

// BooleanTestKind is the value that a BooleanTest tests for.
type BooleanTestKind uint8

// The values tested for.
const (
	TestTrue BooleanTestKind = iota
	TestFalse
	TestUnknown
)

// BooleanTest is Arg IS [NOT] TRUE/FALSE/UNKNOWN.
type BooleanTest struct {
	Pos  int
	Not  bool
	Kind BooleanTestKind
	Arg  Expr
}

// TypeCast is Arg::Type, CAST(Arg AS Type), or Type 'literal'.
type TypeCast struct {
	Pos  int
	Arg  Expr
	Type *TypeName
}

// CollateExpr is Arg COLLATE Collation.
type CollateExpr struct {
	Pos       int
	Arg       Expr
	Collation []string
}

// FuncCall is a call of a function, aggregate or window function. Special syntax (EXTRACT, POSITION, SUBSTRING,
// TRIM, OVERLAY, AT TIME ZONE, OVERLAPS, …) comes as the call that PostgreSQL makes of it, in pg_catalog, with
// SQLSyntax set so that it prints as it was written.
type FuncCall struct {
	Pos         int
	Name        []string
	Args        []Expr // may hold *NamedArgExpr
	OrderBy     []*SortBy
	Filter      Expr
	Over        *WindowDef
	WithinGroup bool // OrderBy is that of WITHIN GROUP
	Star        bool // f(*)
	Distinct    bool
	Variadic    bool // the last argument was marked VARIADIC
	SQLSyntax   bool
	SQLSimilar  bool // SUBSTRING(a SIMILAR b ESCAPE c)
}

// NamedArgExpr is "name => value" in a call's arguments.
type NamedArgExpr struct {
	Pos  int
	Name string
	Arg  Expr
}

// CaseWhen is one WHEN of a CASE.
type CaseWhen struct {
	Pos    int
	Cond   Expr
	Result Expr
}

// CaseExpr is CASE [Arg] WHEN … [ELSE Else] END.
type CaseExpr struct {
	Pos   int
	Arg   Expr
	Whens []*CaseWhen
	Else  Expr
}

// CoalesceExpr is COALESCE(Args).
type CoalesceExpr struct {
	Pos  int
	Args []Expr
}

// MinMaxExpr is GREATEST(Args) or LEAST(Args).
type MinMaxExpr struct {
	Pos   int
	Least bool
	Args  []Expr
}

// ArrayExpr is ARRAY[Elems]; the inner brackets of a multidimensional array are *ArrayExpr that are not Explicit.
type ArrayExpr struct {
	Pos      int
	Explicit bool // ARRAY was written
	Elems    []Expr
}

// RowExpr is ROW(Args), or (a, b, …) when not Explicit.
type RowExpr struct {
	Pos      int
	Explicit bool
	Args     []Expr
}

// SubLinkKind is how a subquery's result becomes a value.
type SubLinkKind uint8

// The kinds of subqueries in expressions.
const (
	SubLinkExists SubLinkKind = iota
	SubLinkAll                // Test Op ALL (query)
	SubLinkAny                // Test Op ANY (query), or Test IN (query) when Op is ""
	SubLinkScalar             // (query)
	SubLinkArray              // ARRAY(query)
)

// SubLink is a subquery in an expression. NOT IN (query) is a BoolExpr NOT around an ANY link.
type SubLink struct {
	Pos    int
	Kind   SubLinkKind
	Test   Expr
	Schema []string
	Op     string
	Query  *SelectStmt
}

// IndirectionKind is one way to reach into a value.
type IndirectionKind uint8

// The ways to reach into a value.
const (
	IndirField IndirectionKind = iota // .name
	IndirStar                         // .*
	IndirIndex                        // [Lower]
	IndirSlice                        // [Lower:Upper], either may be nil
)

// IndirectionElem is one step of an Indirection.
type IndirectionElem struct {
	Pos   int
	Kind  IndirectionKind
	Name  string
	Lower Expr
	Upper Expr
}

// Indirection is Arg with subscripts, slices and fields after it: (row).field, arr[1], $1.name.
type Indirection struct {
	Pos   int
	Arg   Expr
	Elems []IndirectionElem
}

// CurrentOf is WHERE CURRENT OF cursor.
type CurrentOf struct {
	Pos    int
	Cursor string
}

// SetToDefault is DEFAULT where a value is expected (INSERT, UPDATE, MERGE).
type SetToDefault struct{ Pos int }

// SQLValueKind names a niladic function with a syntax of its own.
type SQLValueKind uint8

// The niladic functions.
const (
	SVFCurrentDate SQLValueKind = iota
	SVFCurrentTime
	SVFCurrentTimestamp
	SVFLocaltime
	SVFLocaltimestamp
	SVFCurrentRole
	SVFCurrentUser
	SVFUser
	SVFSessionUser
	SVFCurrentCatalog
	SVFCurrentSchema
)

// SQLValueFunction is CURRENT_DATE and its kin.
type SQLValueFunction struct {
	Pos       int
	Kind      SQLValueKind
	Precision int // of the time kinds; -1 when not written
}

// GroupingFunc is GROUPING(Args).
type GroupingFunc struct {
	Pos  int
	Args []Expr
}

// XMLOp is an XML function with a syntax of its own.
type XMLOp uint8

// The XML functions.
const (
	XMLConcat XMLOp = iota
	XMLElement
	XMLForest
	XMLParse
	XMLPI
	XMLRoot
	XMLIsDocument
	XMLSerialize
)

// XMLExpr is one of the XML functions with a syntax of their own.
type XMLExpr struct {
	Pos      int
	Op       XMLOp
	Name     string       // XMLELEMENT, XMLPI
	Named    []*ResTarget // XMLATTRIBUTES, XMLFOREST
	Args     []Expr
	Document bool      // DOCUMENT rather than CONTENT
	Preserve bool      // XMLPARSE … PRESERVE WHITESPACE
	Type     *TypeName // XMLSERIALIZE
	// Standalone is of XMLROOT: 0 none, 1 YES, 2 NO, 3 NO VALUE.
	Standalone uint8
}

// Package pushdown is the small program that storage runs next to the data: which columns a filter needs and the
// filter itself. It is a subset of SQL that every node computes alike; whatever does not fit is evaluated by the query
// processor.
package pushdown

import "github.com/meridiandb/meridian/internal/datum"

// Program filters the rows of a scan. It is immutable and shared between scans.
type Program struct {
	// Columns are the columns that Filter refers to by position.
	Columns []Column
	// KeyColumns describe the encoded columns of the key, in key order, as far as Columns needs them.
	KeyColumns []KeyColumn
	// Filter is evaluated for each row: only rows for which it is true are returned. Nil keeps all.
	Filter *Expr
	// KeysOnly drops the values: the caller needs only keys (counts, existence).
	KeysOnly bool
}

// Column says where a column of the row is found.
type Column struct {
	Type datum.Type
	// KeyPos is the position in KeyColumns when the column is read from the key, -1 when it is in the value.
	KeyPos int
	// ID is the column id in the value.
	ID uint32
	// Missing is the value of the column in rows written before it was added.
	Missing datum.Datum
}

// KeyColumn is one encoded column of a key.
type KeyColumn struct {
	Type datum.Type
	Desc bool
}

// Op is an operator of the filter language.
type Op uint8

// The operators. Comparisons are SQL's: NULL in, NULL out; both sides have the same Kind.
const (
	OpColumn Op = iota // Arg: position in Columns
	OpConst
	OpEq
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	OpAnd // n-ary
	OpOr  // n-ary
	OpNot
	OpIsNull
	OpIsNotNull
	OpIn         // first argument among the others
	OpLikePrefix // text starts with the constant
)

// Expr is a node of the filter.
type Expr struct {
	Op    Op
	Arg   int
	Const datum.Datum
	Args  []*Expr
}

package builtin

import (
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// Impl computes a function for one row. When the function is strict the caller has made sure that no argument is NULL.
// The args slice belongs to the caller and is reused; the datums in it may be kept.
type Impl func(c *Context, args []datum.Datum) (datum.Datum, error)

// Bind makes the Impl of a function that depends on its argument types (to_json, array_append, concat, pg_typeof) or
// that gains from knowing constants (regular expressions). It runs once per call site.
type Bind func(call *Call) (Impl, error)

// SetImpl starts a set-returning function. The datums of args may be kept, the slice may not.
type SetImpl func(call *Call, c *Context, args []datum.Datum) (RowIter, error)

// RowIter yields the rows of a set-returning function: one datum per row for a scalar result, one per OUT parameter
// otherwise.
type RowIter interface {
	// Next returns the next row, or nil at the end. The slice is valid until the next call; its datums may be kept.
	Next(c *Context) ([]datum.Datum, error)
}

// Call describes one call site to Bind, SetImpl, AggImpl and WindowImpl.
type Call struct {
	Facts    *Facts // required
	Func     *Func
	Args     []datum.Type // actual types of the arguments after coercion
	Ret      datum.Type   // actual result type
	Variadic bool         // the last argument was marked VARIADIC: a VARIADIC "any" function then gets an array
	// Consts holds the values of arguments that are constants, nil elsewhere; it may be shorter than Args.
	Consts []*datum.Datum
	// Order is how a hypothetical-set or ordered-set aggregate's input is sorted (WITHIN GROUP).
	Order []SortKey
	// Columns are the column names and types of a function that returns records (json_to_record … AS (…)).
	Columns []Column
	// Collation is the collation of the call, 0 when it has none.
	Collation OID
}

// SortKey is one key of an ordering.
type SortKey struct {
	Type       datum.Type
	Desc       bool
	NullsFirst bool
}

// Column is a column of a record that a function returns.
type Column struct {
	Name string
	Type datum.Type
}

// constant returns the value of argument i when the call site has it as a constant.
func (c *Call) constant(i int) (datum.Datum, bool) {
	if i < len(c.Consts) && c.Consts[i] != nil {
		return *c.Consts[i], true
	}
	return datum.Null, false
}

// argType returns the OID of argument i, or unknown.
func (c *Call) argType(i int) OID {
	if i < len(c.Args) {
		return c.Args[i].OID
	}
	return datum.OIDUnknown
}

// Prepare returns the function specialised to a call site, or 0A000 when Meridian does not have it.
func (fn *Func) Prepare(call *Call) (Impl, error) {
	switch {
	case fn.Impl != nil:
		return fn.Impl, nil
	case fn.Bind != nil:
		return fn.Bind(call)
	}
	return nil, fn.notSupported(call.Facts)
}

func (fn *Func) notSupported(f *Facts) error {
	return failure.NotSupported("function %s", f.Signature(fn))
}

// PrepareSet returns a set-returning function's implementation, or 0A000.
func (fn *Func) PrepareSet(call *Call) (SetImpl, error) {
	if fn.Set == nil {
		return nil, fn.notSupported(call.Facts)
	}
	return fn.Set, nil
}

// PrepareAggregate returns an aggregate's implementation for a call site, or 0A000.
func (fn *Func) PrepareAggregate(call *Call) (Aggregate, error) {
	if fn.Agg == nil || fn.Agg.Impl == nil {
		return nil, fn.notSupported(call.Facts)
	}
	return fn.Agg.Impl(call)
}

// PrepareWindow returns a window function's implementation for a call site, or 0A000. Aggregates over windows go
// through PrepareAggregate.
func (fn *Func) PrepareWindow(call *Call) (WindowFunc, error) {
	if fn.Window == nil {
		return nil, fn.notSupported(call.Facts)
	}
	return fn.Window(call)
}

// AggImpl prepares an aggregate for a call site.
type AggImpl func(call *Call) (Aggregate, error)

// Aggregate makes the state of one group. It is shared by all groups of a call site and keeps nothing itself.
type Aggregate interface {
	New() AggState
}

// AggState accumulates one group.
//
// Unlike a plain function's, an aggregate's strictness is its state's own affair: Add is called for every row, NULLs
// included. Input of ordered-set aggregates arrives sorted by WITHIN GROUP.
type AggState interface {
	// Add takes one row's aggregated arguments. The slice is the caller's; the datums may be kept.
	Add(c *Context, args []datum.Datum) error
	// Result returns the value for the rows so far and may be called again after more Adds. Direct arguments are
	// those of ordered-set aggregates, nil otherwise.
	Result(c *Context, direct []datum.Datum) (datum.Datum, error)
	// Size is the approximate number of bytes that the state holds, for memory accounting.
	Size() int
}

// Merger is an AggState that can take in the state of another part of the same group. The other state, made by the
// same Aggregate, is not used afterwards.
type Merger interface {
	Merge(c *Context, other AggState) error
}

// Inverter is an AggState that can take back the earliest added row, for moving window frames. ok is false when the
// state must be built anew.
type Inverter interface {
	Remove(c *Context, args []datum.Datum) (ok bool, err error)
}

// WindowImpl prepares a window function for a call site.
type WindowImpl func(call *Call) (WindowFunc, error)

// WindowFunc computes a window function for the rows of partitions. It is used for one partition after the other: a
// row number of 0 starts a new one.
type WindowFunc interface {
	Next(c *Context, w Window) (datum.Datum, error)
}

// Window is a partition as the executor shows it: rows in order, one of them current.
type Window interface {
	Rows() int // in the partition
	Row() int  // the current row, from 0
	// Arg evaluates an argument of the function in a row of the partition.
	Arg(row, arg int) (datum.Datum, error)
	// Peers returns the rows [start, end) that are equal to a row in the window's order.
	Peers(row int) (start, end int, err error)
	// Frame returns the bounds [start, end) of the current row's frame.
	Frame() (start, end int, err error)
	// Excluded says whether EXCLUDE takes a row out of the current row's frame.
	Excluded(row int) bool
}

// Package plan is the language between the SQL front end and the executor: typed scalar expressions, the logical
// query that bind makes of a syntax tree, and the physical operators that opt makes of that.
//
// Everything here is plain data, immutable once built and shared between executions: a plan is cached and run by many
// sessions at once, so the executor keeps its state elsewhere. Parameters ($1 …) stay in the plan as Param and are
// read at run time.
//
// # Rows
//
// A physical operator produces rows of datums; its Columns describe them. Column{Index: i} in an expression of an
// operator is position i of its input row. Operators with two inputs (joins) see the left row followed by the right
// row. What an operator's own output looks like is said at each type.
//
// # Slots
//
// A correlated subplan, a lateral join and a recursive foreign-key action read values of an enclosing row from
// numbered slots (OuterParam). Slot numbers are unique in one Statement; whoever sets a slot does so before it opens
// (or reopens) the plan that reads it. Statement.NumSlots is the size of the slot array of one execution.
//
// # Functions with a role of their own
//
// Operators of SQL are FuncCalls of the function behind the operator, with Op kept for EXPLAIN. Strict functions
// (Fn.Strict) are not called with a NULL argument: the result is NULL. Set-returning calls appear only as the items
// of ProjectSet and FunctionScan.
package plan

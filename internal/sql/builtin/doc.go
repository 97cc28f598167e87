// Package builtin knows PostgreSQL's types, functions, operators, casts and aggregates, resolves calls to them as
// PostgreSQL does, and holds their Go implementations.
//
// The facts are PostgreSQL's own catalogue rows, written by tools/pgfacts and embedded. Load parses them once. An
// implementation is registered under the prosrc name of its pg_proc row (functions in the SQL language under their
// signature), so that one Go function serves every row that shares it. A function without implementation resolves like
// any other and answers 0A000, naming itself, when it is called.
//
// The life of a call: bind asks ResolveFunc or ResolveOperator and adds the coercions it is told; plan and exec call
// Func.Prepare once per call site, which specialises polymorphic functions to their argument types, and then the Impl
// for each row. The caller skips the call when the function is strict and an argument is NULL.
package builtin

// Package ddl carries out schema changes: as changes of descriptors inside the caller's transaction, and, where rows
// have to be visited, as jobs in small steps (jobs.go).
//
// An Env is what one statement has to work with; Env.Run carries a statement out. It needs a binder and an executor
// for expressions, view queries and for reading rows; it declares what it needs as Engine, which the session wires up.
//
// A statement that fails leaves the transaction's write buffer and catalogue dirty: the caller rolls both back to the
// marks it took before the statement.
package ddl

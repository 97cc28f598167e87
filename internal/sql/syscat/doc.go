// Package syscat is the system catalogue that SQL sees: pg_catalog, information_schema and sys as virtual tables, and
// the functions that print and look up what is in them.
//
// The columns are PostgreSQL 15's, from the facts of package builtin and from this package's own list of the
// information schema. Rows come from a catalog.Snapshot, from the facts, and from the server through Server. A catalogue
// of something that Meridian does not have (publications, triggers …) is there and empty.
//
// A virtual table is a producer of Go values and a getter for each column (define.go). Equalities on the columns that a
// producer names are handed to it, so that looking up one object does not build the rows of all.
package syscat

// Package catalog holds descriptors of schemas, tables, sequences, views, types, functions and roles, and answers
// look-ups of them.
//
// Readers get immutable values: a *Snapshot is the set of all descriptors at one schema time, a Cache hands out the
// Snapshot that fits a transaction, and a Txn lays the uncommitted schema changes of one transaction over it. A
// descriptor that is part of a Snapshot is never changed; who wants to change one makes a copy (Clone) and gives it to
// Txn.Put.
//
// Descriptors are rows of system tables in the same store as everything else (docs/formats/catalog.md). Every change
// writes the descriptor's schema key, which every transaction that uses the object checks (architecture.md, section
// 6), and the keys of the names it takes or gives up, so that two transactions cannot create the same name.
package catalog

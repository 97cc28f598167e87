// Package load is what simulated clients do and how it is judged: bank transfers, list appends, a ring, unique inserts,
// children with parents, registers. A load talks to any txn.DB, remembers what it was told, and Verify compares that with
// what the database holds and with what its histories allow under strong snapshot isolation.
package load

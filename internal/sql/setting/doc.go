// Package setting keeps a session's run-time parameters: what SET, SHOW and RESET see, with PostgreSQL's names, units
// and error texts, and their rollback with the transaction.
package setting

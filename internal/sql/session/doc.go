// Package session is a client's connection as SQL sees it: transactions and savepoints, prepared statements and
// portals, run-time parameters, the plan cache, and the retry of lone statements that lost a conflict.
//
// A Session is a state machine driven by one goroutine: the wire server calls its methods for the messages that arrive,
// and the session writes its answers to a Sink. Errors are returned, not sent: the caller sends them once.
//
// # Transactions
//
// A statement outside BEGIN … COMMIT runs in an implicit transaction, which ends with the simple-protocol string or at
// Sync. No transaction of the store is opened, and no snapshot taken, before the first statement that needs one. An
// implicit transaction of one statement that loses a conflict at commit is run again, as long as nothing of its result
// has gone to the client.
package session

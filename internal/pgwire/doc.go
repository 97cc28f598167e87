// Package pgwire is the door for PostgreSQL clients: protocol 3 on a TCP connection, in front of a Session.
//
// One goroutine serves one connection: it reads a message, has the session act on it, and writes the answer into one
// buffer, which is flushed when no further message has arrived yet. The messages are those of the PostgreSQL manual,
// chapter "Frontend/Backend Protocol".
package pgwire

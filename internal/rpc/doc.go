// Package rpc carries everything that nodes say to each other: calls, messages and streams, on one connection a direction
// and peer.
//
//	Call     request and answer, concurrent, with a deadline; the error says whether it may have been executed
//	Send     one way, in order, dropped rather than waited for
//	Stream   the answerer pushes items, as fast as the receiver takes them
//
// Whoever dials speaks first: its calls, messages and stream openings go one way, the answers the other way. So two nodes that talk to each
// other have two connections, and nobody needs to decide which of two is kept.
//
//	Call, Send ──▶ prompt queue ─┐                       ┌─▶ message handler (the reader's goroutine, in order)
//	                             ├─▶ writer ══ TCP/TLS ══▶ reader ─▶ call handler (a goroutine each)
//	bodies > 32 KiB, streams ──▶ bulk queue ┘            └─▶ stream handler (a goroutine each)
//
// The writer takes everything prompt and then at most 64 KiB of bulk at a time: large bodies never stand in the way of Raft.
// Streams hold no more than the receiver's credit in flight.
//
// docs/formats/rpc.md describes the bytes.
package rpc

// Package coordinator is the life of one transaction on the side of the query processor: it takes the snapshot, buffers
// writes and lays them over what storage answers, and asks the adjudicators for one decision at commit.
//
//	SQL ──txn.Txn──▶ coordinator ──Get, Scan at τs──────────────▶ Snapshots (storage)
//	                      │
//	                      └──Commit │ Prepare, GoAhead─────────▶ Adjudicators, found through Ranges
//
// It keeps no durable state: losing it loses its open transactions and nothing else. It serves I1 (the snapshot is the
// clock's latest edge, nobody hears "committed" before the earliest edge has passed the commit time), I8 (a retry of an
// attempt keeps its leader, a lost reply is resolved at the leader's journal) and I9 (reads talk to storage only).
package coordinator

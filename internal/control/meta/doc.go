// Package meta is the cluster's map and the state machine that holds it.
//
//	command ──Propose──▶ log of the control group ──Apply──▶ Map, Version+1 ──▶ everybody, by long poll
//
// The map says which nodes there are, which of them hold replicas of which journal, which journal decides which part of
// the hash space, and what is set. It is a hint: acting on an old one may cost a retry and never gives a wrong answer,
// because who may append to a journal is decided by the journal itself.
//
// A Map is never changed: each effective command makes a new one with the next version. Apply is a pure function of map
// and command, so that all replicas agree. Commands that can be repeated (after a lost answer) are idempotent, or name the
// epoch of what they change, so that a repeated one is refused instead of being carried out twice.
package meta

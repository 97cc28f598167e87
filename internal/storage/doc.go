// Package storage follows the journals and answers reads at a time, filters included. It is a cache of the journals: it
// never syncs on the commit path, and after a crash it replays from the positions that it had applied.
//
//	crossbar ──entries, per journal──▶ apply ──▶ mvcc ◀── Get, Scan at τs ◀── coordinator
//	    ▲                                │
//	    └──Promise(τs), when a reader waits; it is woken when the promised index is applied
//
// I5 is kept here: a read at τs is answered only when every journal's watermark has passed τs and everything at or below
// it is applied. A watermark (n, w) counts only once index n is applied. No timer takes part: a reader whose time is not
// reached asks the owners, in the usual case learns that nothing is missing, and goes on at once. I9 holds because that
// question is the only thing a read ever sends.
package storage

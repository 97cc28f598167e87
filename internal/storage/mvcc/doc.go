// Package mvcc keeps versions of rows on Pebble: key ‖ inverted commit time → value, newest first.
//
//	Apply ──▶ one Pebble batch: versions and the applied position of every journal ──▶ hot-row cache
//	Get   ──▶ hot-row cache, else the newest version at or below the time
//	Scan  ──▶ newest versions at or below the time, filtered, in batches
//
// There is no write-ahead log and no sync on the commit path: the journals are the log. Data and positions share a
// batch, a memtable reaches the disk whole and in order, so after a crash the store is what it was at some batch, and
// its positions say where to replay from. Versions carry their own time, so applying a record again changes nothing,
// and records of different journals may be applied in any order.
//
// The on-disk form is described in docs/formats/storage.md.
package mvcc

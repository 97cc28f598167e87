package storage

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/storage/mvcc"
	"github.com/meridiandb/meridian/internal/txn"
)

const (
	// batchBytes is the size at which a batch is applied although more records are at hand. A transaction may be spread
	// over several batches: nobody reads at its time before all are applied. Pebble keeps the memory of batches up to 1 MB
	// for the next one, and memory that is new costs more than what is copied into it.
	batchBytes = 512 << 10
	// bulkLife is how long chunks wait for their transaction, in commit time. Its snapshot is then far below every
	// adjudicator's floor, so that it can never commit.
	bulkLife = time.Hour
	// largeBytes is the size of a transaction after which a flush is asked for: a restart replays it from its first chunk
	// until its end is durable here.
	largeBytes = 8 << 20
)

// follower applies one journal. deliver is called by one goroutine; the atomics are read by all.
type follower struct {
	id       txn.JournalID
	store    *mvcc.Store
	applied  atomic.Uint64 // every record at or below this index is applied
	complete atomic.Uint64 // no record at or below this time will come any more, and all are applied
	held     atomic.Uint64 // a restart would replay records above this time, of transactions whose chunks wait
	lastTime clock.Timestamp
	digest   mvcc.Digest // of what was delivered
	bulk     map[txn.ID]*bulk
	large    func()        // called, without blocking, when a large transaction has been applied
	size     int           // bytes of the chunks that have been applied and are not behind a position yet
	closed   chan struct{} // closed when nothing will be applied any more

	waiting atomic.Int32 // waiters that are in the list or about to be
	mu      sync.Mutex
	waiters []waiter
	marks   []mvcc.Digest // at indexes that all replicas share
}

// Digests are kept at every markEvery-th index, the last marksKept of them.
const (
	markEvery = 256
	marksKept = 128
)

// bulk is the chunks of a transaction that has not been decided yet.
type bulk struct {
	first  uint64          // index of the first chunk: a restart must replay from there
	before clock.Timestamp // every record from the first chunk on has a time above it
	digest mvcc.Digest     // of what comes before
	chunks []txn.RecordView
}

type waiter struct {
	index uint64
	wake  chan struct{}
}

// raise lifts an atomic time, never lowering it.
func raise(a *atomic.Uint64, to clock.Timestamp) {
	for {
		old := a.Load()
		if old >= uint64(to) || a.CompareAndSwap(old, uint64(to)) {
			return
		}
	}
}

// deliver applies the effective records below next and publishes that they are.
func (f *follower) deliver(entries []txn.Entry, next uint64) error {
	b := f.store.NewBatch()
	defer func() { b.Close() }() // the batch of that time
	closed := clock.Timestamp(0)
	for i := range entries {
		r := entries[i].Record
		switch r.Kind() {
		case txn.RecordTx:
			invariant.Check(r.Time() > f.lastTime, "I2: commit time %v after %v in journal %d", r.Time(), f.lastTime, f.id)
			invariant.Check(uint64(r.Time()) > f.complete.Load(), "I4: record at %v below the watermark of journal %d", r.Time(), f.id)
			f.lastTime = r.Time()
			var err error
			if b, err = f.addTx(b, r); err != nil {
				return err
			}
		case txn.RecordBulk:
			f.keepBulk(entries[i])
		case txn.RecordTombstone:
			delete(f.bulk, r.ID())
		case txn.RecordOwn:
			closed = max(closed, r.Time()) // everything older is closed
		}
		f.addDigest(entries[i].Index, r.Bytes())
	}
	p, d := f.position(next)
	if err := b.SetPosition(f.id, p); err != nil {
		return err
	}
	if err := b.SetDigest(f.id, d); err != nil {
		return err
	}
	if err := f.store.Apply(b); err != nil {
		return err
	}
	f.publish(next-1, closed)
	if f.size >= largeBytes {
		f.large()
	}
	f.size = 0
	return nil
}

// addDigest sums a record up, and keeps the sum before it when it is the first behind a mark.
func (f *follower) addDigest(index uint64, record []byte) {
	if at := (index - 1) / markEvery * markEvery; at > f.digest.Since && f.digest.Index <= at {
		f.mu.Lock()
		if len(f.marks) == marksKept {
			f.marks = append(f.marks[:0], f.marks[1:]...)
		}
		f.marks = append(f.marks, mvcc.Digest{Since: f.digest.Since, Index: at, Sum: f.digest.Sum})
		f.mu.Unlock()
	}
	f.digest.Add(index, record)
}

// addTx adds a transaction's images, its chunks' first.
func (f *follower) addTx(b *mvcc.Batch, r txn.RecordView) (*mvcc.Batch, error) {
	at := r.Time()
	if n := int(r.Chunks()); n > 0 {
		chunks := f.bulk[r.ID()]
		if chunks == nil || len(chunks.chunks) < n {
			return b, failure.New(failure.DataCorrupted, "journal %d lacks chunks of transaction %s", f.id, r.ID())
		}
		for _, c := range chunks.chunks[:n] {
			var err error
			if b, err = f.addImages(b, c, at); err != nil {
				return b, err
			}
			f.size += len(c.Bytes())
		}
	}
	delete(f.bulk, r.ID())
	if r.Hashes(txn.HashSchemaWrite) > 0 {
		if err := b.SchemaChange(at); err != nil {
			return b, err
		}
	}
	return f.addImages(b, r, at)
}

func (f *follower) addImages(b *mvcc.Batch, r txn.RecordView, at clock.Timestamp) (*mvcc.Batch, error) {
	for i := range r.Images() {
		m := r.Image(i)
		var err error
		if span, ok := keys.DroppedSpan(m.Key, m.Value); ok {
			err = b.DropSpan(span, at)
		} else if m.Delete {
			err = b.Delete(m.Key, at)
		} else {
			err = b.Put(m.Key, at, m.Value)
		}
		if err != nil {
			return b, err
		}
	}
	if b.Len() < batchBytes {
		return b, nil
	}
	// The position stays behind: after a crash the record is applied again.
	if err := f.store.Apply(b); err != nil {
		return b, err
	}
	return f.store.NewBatchLike(b), nil
}

// keepBulk remembers a chunk until its transaction comes. Chunks may be sent again; they are numbered.
func (f *follower) keepBulk(e txn.Entry) {
	id := e.Record.ID()
	k := f.bulk[id]
	if k == nil {
		k = &bulk{first: e.Index, digest: f.digest, before: max(f.lastTime, clock.Timestamp(f.complete.Load()))}
		f.bulk[id] = k
	}
	if n := int(e.Record.Chunks()); n == len(k.chunks) {
		k.chunks = append(k.chunks, e.Record)
	}
}

// position is where a restart has to go on: behind everything applied, but not behind chunks that are still waiting.
func (f *follower) position(next uint64) (mvcc.Position, mvcc.Digest) {
	p := mvcc.Position{Index: next - 1, Time: f.lastTime}
	d := f.digest
	held := clock.MaxTimestamp
	for id, k := range f.bulk {
		started := clock.Timestamp(binary.BigEndian.Uint64(id[:8]))
		if started.Add(bulkLife) < f.lastTime {
			delete(f.bulk, id)
			continue
		}
		if k.first <= p.Index {
			p.Index, d = k.first-1, k.digest
		}
		p.Time, held = min(p.Time, k.before), min(held, k.before)
	}
	f.held.Store(uint64(held))
	return p, d
}

// publish says that records are applied and wakes who waited for that. closed, when not zero, is a time that a new owner
// has closed.
func (f *follower) publish(applied uint64, closed clock.Timestamp) {
	f.applied.Store(applied)
	if closed != 0 {
		raise(&f.complete, closed)
	}
	if f.waiting.Load() == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	rest := f.waiters[:0]
	for _, w := range f.waiters {
		// A change of owner wakes everybody: what the old owner spoke of may never come.
		if w.index <= applied || closed != 0 {
			w.wake <- struct{}{}
		} else {
			rest = append(rest, w)
		}
	}
	clear(f.waiters[len(rest):])
	f.waiters = rest
}

// waitApplied waits until a record index is applied. reached is false when it was woken for another reason.
func (f *follower) waitApplied(ctx context.Context, index uint64) (reached bool, err error) {
	if f.applied.Load() >= index {
		return true, nil
	}
	w := waiter{index: index, wake: make(chan struct{}, 1)}
	f.waiting.Add(1)
	defer f.waiting.Add(-1)
	f.mu.Lock()
	if f.applied.Load() >= index {
		f.mu.Unlock()
		return true, nil
	}
	f.waiters = append(f.waiters, w)
	f.mu.Unlock()
	select {
	case <-w.wake:
		return f.applied.Load() >= index, nil
	case <-f.closed:
		f.forget(w)
		return false, failure.New(failure.AdminShutdown, "storage is closed")
	case <-ctx.Done():
		f.forget(w)
		return false, ctx.Err()
	}
}

func (f *follower) forget(w waiter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.waiters {
		if f.waiters[i].wake == w.wake {
			f.waiters = append(f.waiters[:i], f.waiters[i+1:]...)
			return
		}
	}
}

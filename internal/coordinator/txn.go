package coordinator

import (
	"context"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// Txn is one transaction; see txn.Txn for what its methods promise.
type Txn struct {
	db   *DB
	opts txn.Options

	id       txn.ID
	hasID    bool
	named    bool
	released bool // the earliest edge has passed the snapshot: rows may be shown
	done     bool
	snapshot clock.Timestamp

	buf    buffer
	checks []txn.Check
	reads  reads // of a serializable transaction

	missKeys   []keys.Key
	missAt     []int
	missValues [][]byte
}

// empty is the value of a key that is present with no bytes.
var empty = []byte{}

// ID names the transaction; from then on Outcome knows it as in progress.
func (t *Txn) ID() txn.ID {
	t.makeID()
	if !t.named && !t.done {
		t.named = true
		t.db.nameOpen(t.id)
	}
	return t.id
}

func (t *Txn) makeID() {
	if t.hasID {
		return
	}
	at := t.snapshot
	if at == 0 {
		// A clock without a bound refuses the commit later; a name can be had all the same.
		now, _ := t.db.cfg.Clock.Now()
		at = now.Latest
	}
	t.id, t.hasID = t.db.newID(at), true
}

// Snapshot takes τs at the first call: the latest edge, so that nothing that was acknowledged before is missed (I1).
func (t *Txn) Snapshot(ctx context.Context) (clock.Timestamp, error) {
	if t.snapshot != 0 {
		return t.snapshot, nil
	}
	if t.done {
		return 0, errOver()
	}
	now, ok := t.db.cfg.Clock.Now()
	if !ok {
		return 0, errNoClock()
	}
	if nb := t.opts.NotBefore; nb > now.Latest {
		if !t.db.cfg.Clock.WaitPast(nb, ctx.Done()) {
			return 0, ctxErr(ctx)
		}
		if now, ok = t.db.cfg.Clock.Now(); !ok {
			return 0, errNoClock()
		}
	}
	t.snapshot = now.Latest
	if t.opts.AsOf != 0 {
		if t.opts.AsOf > now.Latest {
			t.snapshot = 0
			return 0, failure.New(failure.InvalidParameterValue, "cannot read at a time in the future")
		}
		t.snapshot = t.opts.AsOf
	}
	return t.snapshot, nil
}

// release is the read release: rows are shown only when the snapshot is certainly in the past.
func (t *Txn) release(ctx context.Context) error {
	if t.released {
		return nil
	}
	if !t.db.cfg.Clock.WaitPast(t.snapshot, ctx.Done()) {
		return ctxErr(ctx)
	}
	t.released = true
	return nil
}

// SchemaTime returns the commit time of the newest schema change that the snapshot sees.
func (t *Txn) SchemaTime(ctx context.Context) (clock.Timestamp, error) {
	at, err := t.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	return t.db.cfg.Snapshots.SchemaTimeAt(ctx, at)
}

// Get looks up keys, own writes first.
func (t *Txn) Get(ctx context.Context, ks []keys.Key, values [][]byte) error {
	at, err := t.Snapshot(ctx)
	if err != nil {
		return err
	}
	if t.buf.n == 0 {
		if t.opts.Serializable {
			t.readKeys(ks)
		}
		if err := t.db.cfg.Snapshots.Get(ctx, at, ks, values); err != nil {
			return err
		}
		return t.release(ctx)
	}
	t.missKeys, t.missAt = t.missKeys[:0], t.missAt[:0]
	for i, k := range ks {
		e := t.buf.find(k)
		if e < 0 {
			t.missKeys, t.missAt = append(t.missKeys, k), append(t.missAt, i)
			continue
		}
		values[i] = t.buf.at(e).present()
	}
	if len(t.missKeys) == 0 {
		return nil
	}
	if t.opts.Serializable {
		t.readKeys(t.missKeys)
	}
	if cap(t.missValues) < len(t.missKeys) {
		t.missValues = make([][]byte, len(t.missKeys))
	}
	found := t.missValues[:len(t.missKeys)]
	if err := t.db.cfg.Snapshots.Get(ctx, at, t.missKeys, found); err != nil {
		return err
	}
	for i, v := range found {
		values[t.missAt[i]] = v
	}
	clear(found)
	return t.release(ctx)
}

// present returns the value as Get shows it: nil for a deletion.
func (e *entry) present() []byte {
	switch {
	case e.flags&flagDelete != 0:
		return nil
	case e.value == nil:
		return empty
	}
	return e.value
}

// Scan reads a span. It sees own writes made before the call and none made after it.
func (t *Txn) Scan(ctx context.Context, req txn.ScanRequest) (txn.Scan, error) {
	at, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.release(ctx); err != nil {
		return nil, err
	}
	if t.opts.Serializable {
		t.readSpan(req.Span)
	}
	own := t.buf.overlay(req.Span, req.Reverse)
	if own == nil {
		return t.db.cfg.Snapshots.Scan(ctx, at, req)
	}
	return newMergeScan(ctx, t.db.cfg.Snapshots, at, req, own)
}

// Write buffers writes.
func (t *Txn) Write(_ context.Context, ws ...txn.Write) error {
	if t.done {
		return errOver()
	}
	if t.opts.ReadOnly {
		return errReadOnly()
	}
	for i := range ws {
		t.buf.put(&ws[i])
	}
	if limit := t.limits().Rows; limit > 0 && int(t.buf.rows) > limit && !t.opts.Internal {
		return failure.New(failure.ProgramLimitExceeded, "transaction row limit exceeded").
			WithDetail("The limit is %d rows.", limit)
	}
	return nil
}

// Check adds keys to be validated at commit.
func (t *Txn) Check(_ context.Context, cs ...txn.Check) error {
	if t.done {
		return errOver()
	}
	t.checks = append(t.checks, cs...)
	return nil
}

// Mark packs the lengths of the two logs into one number.
func (t *Txn) Mark() txn.Mark {
	return txn.Mark(int64(t.buf.n)<<32 | int64(len(t.checks)))
}

// RollbackTo cuts the logs back.
func (t *Txn) RollbackTo(m txn.Mark) {
	writes, checks := int32(int64(m)>>32), int(uint32(int64(m)))
	invariant.Check(writes <= t.buf.n && checks <= len(t.checks), "rollback to a mark in the future")
	t.buf.truncate(writes)
	t.checks = t.checks[:checks]
}

// Stats returns the number of distinct keys written, of checks, and the bytes of the writes.
func (t *Txn) Stats() (writes, checks int, bytes int64) {
	return int(t.buf.live), len(t.checks), t.buf.bytes
}

// Rollback ends the transaction. Nothing was ever sent, so there is nothing to undo.
func (t *Txn) Rollback() { t.end() }

func (t *Txn) end() {
	if t.done {
		return
	}
	t.done = true
	if t.named {
		t.db.nameClosed(t.id)
	}
	t.buf, t.checks, t.reads = buffer{}, nil, reads{}
	t.missKeys, t.missAt, t.missValues = nil, nil, nil
}

func errOver() error {
	return failure.New(failure.InvalidTransactionState, "transaction is over")
}

// ctxErr is the error of a wait that was cut short.
func ctxErr(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errNoClock()
}

package mvcc

import (
	"bytes"
	"context"

	"github.com/cockroachdb/pebble/v2"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/pushdown"
	"github.com/meridiandb/meridian/internal/txn"
)

// Batches start small, because many scans want few rows, and double up to these bounds.
const (
	firstRows  = 16
	firstBytes = 2 << 10
	maxRows    = 1024
	maxBytes   = 256 << 10
	// seekAfter is how many versions of one key are stepped over before the iterator jumps.
	seekAfter = 4
	// scannedRows is how many rows a scan looks at between two looks at its context.
	scannedRows = 4096
)

// Scan walks the newest versions of a span at a time. It holds a view of the store: one that is left open keeps files
// from being deleted. It implements txn.Scan.
type Scan struct {
	s       *Store
	it      *pebble.Iterator
	at      clock.Timestamp
	reverse bool
	filter  *pushdown.Evaluator
	keys    bool
	limit   int64 // rows still wanted, -1 is all

	valid bool // the iterator stands on a row to be looked at
	want  int  // rows of the next batch
	room  int  // bytes of the next batch
	seen  int  // rows looked at
	*scanMemory
}

// scanMemory is what a scan needs room for; the store keeps it for the next one.
type scanMemory struct {
	rows  []txn.KV
	arena []byte
	seek  []byte
	lower []byte
	upper []byte
	cand  candidate
}

// keepArena is the largest arena that is kept for another scan.
const keepArena = 64 << 10

// candidate is the version of the current key that a reverse scan would return so far.
type candidate struct{ key, value []byte }

// Scan opens a scan. The caller has made sure that everything at or below the time is applied.
func (s *Store) Scan(at clock.Timestamp, req txn.ScanRequest) (*Scan, error) {
	c := &Scan{s: s, at: at, reverse: req.Reverse, limit: -1, want: firstRows, room: firstBytes}
	if req.Limit > 0 {
		c.limit = req.Limit
	}
	if req.Program != nil {
		var err error
		if c.filter, err = pushdown.NewEvaluator(req.Program); err != nil {
			return nil, err
		}
		if req.Program.Filter == nil {
			c.filter = nil
		}
		c.keys = req.Program.KeysOnly
	}
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	start := req.Span.Start
	if len(start) == 0 {
		start = keys.Key{metaPrefix + 1}
	}
	if len(req.Span.End) > 0 && bytes.Compare(start, req.Span.End) >= 0 {
		return c, nil
	}
	m := s.scans.Get().(*scanMemory)
	c.scanMemory = m
	m.lower = appendBare(m.lower[:0], start)
	o := pebble.IterOptions{KeyTypes: pebble.IterKeyTypePointsOnly, LowerBound: m.lower}
	if len(req.Span.End) > 0 {
		m.upper = appendBare(m.upper[:0], req.Span.End)
		o.UpperBound = m.upper
	}
	var err error
	if c.it, err = s.db.NewIter(&o); err != nil {
		return nil, readError(err)
	}
	s.views.Add(1)
	// Asked after the view was taken: what a later collection removes, the view still has.
	if err := s.checkHorizon(at); err != nil {
		c.Close()
		return nil, err
	}
	if c.reverse {
		c.valid = c.it.Last()
	} else {
		c.valid = c.it.First()
	}
	return c, nil
}

// Scans returns how many scans are open: the store cannot be closed before they are.
func (s *Store) Scans() int { return int(s.views.Load()) }

// Close ends the scan and releases its view.
func (c *Scan) Close() {
	if c.it != nil {
		_ = c.it.Close()
		c.it = nil
		c.s.views.Add(-1)
	}
	if m := c.scanMemory; m != nil {
		c.scanMemory, c.valid = nil, false
		if cap(m.arena) <= keepArena {
			clear(m.rows[:cap(m.rows)])
			c.s.scans.Put(m)
		}
	}
}

// Next returns the next batch, empty at the end; see txn.Scan.
func (c *Scan) Next(ctx context.Context) ([]txn.KV, error) {
	if c.it == nil || c.limit == 0 {
		return nil, nil
	}
	if !c.valid {
		if err := c.it.Error(); err != nil {
			return nil, readError(err)
		}
		return nil, nil
	}
	if err := c.s.enter(); err != nil {
		return nil, err
	}
	defer c.s.leave()
	c.begin()
	for c.valid && len(c.rows) < c.want && c.limit != 0 {
		if c.seen++; c.seen%scannedRows == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		full, err := c.step()
		if err != nil {
			return nil, readError(err)
		}
		if full {
			break
		}
	}
	if !c.valid {
		if err := c.it.Error(); err != nil {
			return nil, readError(err)
		}
	}
	c.want, c.room = min(2*c.want, maxRows), min(2*c.room, maxBytes)
	return c.rows, nil
}

// begin makes room for a batch, reusing the memory of the last when it is large enough.
func (c *Scan) begin() {
	if c.limit > 0 && int64(c.want) > c.limit {
		c.want = int(c.limit)
	}
	if cap(c.rows) < c.want {
		c.rows = make([]txn.KV, 0, c.want)
	}
	if cap(c.arena) < c.room {
		c.arena = make([]byte, 0, c.room)
	}
	c.rows, c.arena = c.rows[:0], c.arena[:0]
}

func (c *Scan) step() (full bool, err error) {
	if c.reverse {
		return c.stepBack()
	}
	return c.stepForward()
}

// stepForward looks at the key the iterator stands on, newest version first, and moves to the next key. full means that
// the row does not fit into this batch: nothing has moved.
func (c *Scan) stepForward() (full bool, err error) {
	for n := 0; ; n++ {
		k, t, ok := splitKey(c.it.Key())
		if !ok {
			c.valid = c.it.Next()
			return false, nil
		}
		if t <= c.at {
			v, err := c.it.ValueAndErr()
			if err != nil {
				return false, err
			}
			if full, err := c.emit(k, v); full || err != nil {
				return full, err
			}
			c.valid = c.it.NextPrefix()
			return false, nil
		}
		if n == seekAfter {
			c.seek = appendKey(c.seek[:0], k, c.at)
			c.valid = c.it.SeekGE(c.seek)
			return false, nil
		}
		if c.valid = c.it.Next(); !c.valid {
			return false, nil
		}
	}
}

// stepBack does the same in falling key order, where versions come oldest first: the last one at or below the time is
// the one to return.
func (c *Scan) stepBack() (full bool, err error) {
	k, t, ok := splitKey(c.it.Key())
	if !ok {
		c.valid = c.it.Prev()
		return false, nil
	}
	c.cand.key = append(c.cand.key[:0], k...)
	found := false
	for n := 0; ; n++ {
		if t <= c.at {
			v, err := c.it.ValueAndErr()
			if err != nil {
				return false, err
			}
			c.cand.value = append(c.cand.value[:0], v...)
			found = true
		}
		if n == seekAfter {
			return c.jumpBack()
		}
		if c.valid = c.it.Prev(); !c.valid {
			break
		}
		if k, t, ok = splitKey(c.it.Key()); !ok || !bytes.Equal(k, c.cand.key) {
			break
		}
	}
	if !found {
		return false, nil
	}
	full, err = c.emit(c.cand.key, c.cand.value)
	if full {
		c.returnTo()
	}
	return full, err
}

// jumpBack handles a key with many versions: it seeks the wanted one, and then the key before.
func (c *Scan) jumpBack() (full bool, err error) {
	c.seek = appendKey(c.seek[:0], c.cand.key, c.at)
	if c.it.SeekGE(c.seek) {
		k, _, ok := splitKey(c.it.Key())
		if ok && bytes.Equal(k, c.cand.key) {
			v, err := c.it.ValueAndErr()
			if err != nil {
				return false, err
			}
			if full, err = c.emit(k, v); err != nil {
				return false, err
			}
		}
	}
	if full {
		c.returnTo()
		return true, nil
	}
	c.seek = appendBare(c.seek[:0], c.cand.key)
	c.valid = c.it.SeekLT(c.seek)
	return false, nil
}

// returnTo puts the iterator back on the oldest version of the candidate's key, for the next batch.
func (c *Scan) returnTo() {
	c.seek = appendAfter(c.seek[:0], c.cand.key)
	c.valid = c.it.SeekLT(c.seek)
}

// emit appends a row to the batch, unless it is a tombstone or the filter drops it.
func (c *Scan) emit(k, v []byte) (full bool, err error) {
	if len(v) == 0 {
		return false, corrupt("row value")
	}
	if v[0] == valueDeleted {
		return false, nil
	}
	v = v[1:]
	if c.filter != nil {
		ok, err := c.filter.Match(k, v)
		if err != nil || !ok {
			return false, err
		}
	}
	if c.keys {
		v = nil
	}
	need := len(k) + len(v)
	if len(c.arena)+need > cap(c.arena) {
		if len(c.rows) > 0 {
			return true, nil
		}
		c.arena = make([]byte, 0, max(need, 2*cap(c.arena)))
	}
	from := len(c.arena)
	c.arena = append(append(c.arena, k...), v...)
	mid, to := from+len(k), from+need
	kv := txn.KV{Key: c.arena[from:mid:mid]}
	if !c.keys {
		kv.Value = c.arena[mid:to:to]
	}
	c.rows = append(c.rows, kv)
	if c.limit > 0 {
		c.limit--
	}
	return false, nil
}

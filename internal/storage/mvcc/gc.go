package mvcc

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/keys"
)

const (
	// bucketBits groups commit times, in microseconds, for collection: 2^23 µs are 8.4 seconds.
	bucketBits = 23 + clock.FractionBits
	// bucketBytes bounds the keys that one bucket remembers one by one; beyond it, whole indexes are swept.
	bucketBytes = 2 << 20
	// recentKeys is the size of the table that keeps a hot row from being noted again and again.
	recentKeys = 4096
)

// collector remembers which keys got a new version when, so that collection looks at those only.
type collector struct {
	mu      sync.Mutex // guards buckets and drops; the applier takes it
	buckets map[uint64]*bucket
	drops   []drop

	work  sync.Mutex // held while collecting; guards the work at hand: keys of buckets, then spans
	keys  []byte
	spans []keys.Span
}

// bucket is the keys with versions of one stretch of commit times.
type bucket struct {
	keys    []byte // length (uvarint) and key, repeated
	recent  [recentKeys]uint64
	indexes map[string]struct{} // prefixes of indexes to sweep whole
	last    []byte              // the prefix noted last
}

// drop is a span that nobody can see from a time on.
type drop struct {
	span keys.Span
	at   clock.Timestamp
}

func (c *collector) init() { c.buckets = make(map[uint64]*bucket) }

// note remembers which keys got versions.
func (c *collector) note(versions []touch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b *bucket
	last := ^uint64(0)
	for i := range versions {
		v := &versions[i]
		if n := uint64(v.at) >> bucketBits; n != last {
			if b = c.buckets[n]; b == nil {
				b = &bucket{}
				c.buckets[n] = b
			}
			last = n
		}
		if r := &b.recent[v.hash%recentKeys]; *r != v.hash {
			*r = v.hash
			b.add(v.key)
		}
	}
}

func (b *bucket) add(k keys.Key) {
	if len(b.keys) < bucketBytes {
		b.keys = binary.AppendUvarint(b.keys, uint64(len(k)))
		b.keys = append(b.keys, k...)
		return
	}
	p := k[:min(len(k), keys.PrefixLen)]
	if bytes.Equal(p, b.last) {
		return
	}
	b.last = append(b.last[:0], p...)
	if b.indexes == nil {
		b.indexes = make(map[string]struct{})
	}
	b.indexes[string(p)] = struct{}{}
}

// SweepAll makes collection look at everything once: after a restart nobody remembers what is old.
func (s *Store) SweepAll() {
	s.gc.work.Lock()
	s.gc.spans = []keys.Span{{Start: keys.Key{metaPrefix + 1}}}
	s.gc.work.Unlock()
}

// Horizon returns the time below which reads are refused.
func (s *Store) Horizon() clock.Timestamp { return clock.Timestamp(s.horizon.Load()) }

func dropKey(d drop) []byte {
	return metaKey(metaDrop, append(binary.BigEndian.AppendUint64(nil, uint64(d.at)), d.span.Start...)...)
}

func (s *Store) loadDrops() error {
	return s.eachMeta(metaDrop, false, func(rest, value []byte) error {
		if len(rest) < 8 {
			return corrupt("dropped span")
		}
		s.gc.drops = append(s.gc.drops, drop{
			span: keys.Span{Start: bytes.Clone(rest[8:]), End: bytes.Clone(value)},
			at:   clock.Timestamp(binary.BigEndian.Uint64(rest)),
		})
		return nil
	})
}

// Collect removes versions that no read at or above the horizon can see: those that a newer version at or below it
// hides, and tombstones at or below it. It looks at about budget versions and says whether there is more to do. Reads
// below the horizon are refused from now on.
//
// The horizon must not be above the time that every journal has been applied to, nor above that of any entry that a
// restart would replay: a tombstone that is gone cannot hide a row that is applied once more.
func (s *Store) Collect(horizon clock.Timestamp, budget int) (more bool, err error) {
	if err := s.enter(); err != nil {
		return false, err
	}
	defer s.leave()
	if uint64(horizon) < s.horizon.Load() {
		return false, nil
	}
	s.horizon.Store(uint64(horizon))
	s.gc.work.Lock()
	defer s.gc.work.Unlock()
	s.gc.take(horizon)
	due := s.gc.takeDrops(horizon)
	if len(s.gc.keys) == 0 && len(s.gc.spans) == 0 && len(due) == 0 {
		return false, nil
	}
	w := sweep{b: s.db.NewBatch(), horizon: horizon, budget: budget}
	defer w.b.Close()
	if err := w.b.Set(metaKey(metaHorizon), binary.BigEndian.AppendUint64(nil, uint64(horizon)), nil); err != nil {
		return false, err
	}
	for _, d := range due {
		if err := w.drop(d); err != nil {
			return false, err
		}
	}
	if w.it, err = s.db.NewIter(&pebble.IterOptions{KeyTypes: pebble.IterKeyTypePointsOnly}); err != nil {
		return false, readError(err)
	}
	err = w.run(&s.gc)
	if cerr := w.it.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return false, readError(err)
	}
	if err := w.b.Commit(pebble.NoSync); err != nil {
		s.fail(err)
		return false, s.err.Load()
	}
	if len(due) > 0 {
		s.hot.clear()
	}
	s.trimSchemas(horizon)
	return len(s.gc.keys) > 0 || len(s.gc.spans) > 0, nil
}

// take turns the buckets that lie wholly below the horizon into work, when there is none left.
func (c *collector) take(horizon clock.Timestamp) {
	if len(c.keys) > 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, b := range c.buckets {
		if (n+1)<<bucketBits > uint64(horizon) {
			continue
		}
		c.keys = append(c.keys, b.keys...)
		for p := range b.indexes {
			c.addSpan(keys.Span{Start: keys.Key(p), End: keys.PrefixEnd(keys.Key(p))})
		}
		delete(c.buckets, n)
	}
}

// addSpan queues a span, unless one with the same end is waiting, which then starts over.
func (c *collector) addSpan(sp keys.Span) {
	for i := range c.spans {
		if bytes.Equal(c.spans[i].End, sp.End) {
			if bytes.Compare(sp.Start, c.spans[i].Start) < 0 {
				c.spans[i].Start = sp.Start
			}
			return
		}
	}
	c.spans = append(c.spans, sp)
}

func (c *collector) takeDrops(horizon clock.Timestamp) []drop {
	c.mu.Lock()
	defer c.mu.Unlock()
	var due []drop
	rest := c.drops[:0]
	for _, d := range c.drops {
		if d.at <= horizon {
			due = append(due, d)
		} else {
			rest = append(rest, d)
		}
	}
	c.drops = rest
	return due
}

// sweep is one stretch of collection work.
type sweep struct {
	b       *pebble.Batch
	it      *pebble.Iterator
	horizon clock.Timestamp
	budget  int
	seek    []byte
	key     []byte
}

func (w *sweep) drop(d drop) error {
	if len(d.span.End) > 0 {
		if err := w.b.DeleteRange(appendBare(nil, d.span.Start), appendBare(nil, d.span.End), nil); err != nil {
			return err
		}
	}
	return w.b.Delete(dropKey(d), nil)
}

func (w *sweep) run(c *collector) error {
	for w.budget > 0 && len(c.keys) > 0 {
		n, size := binary.Uvarint(c.keys)
		k := c.keys[size : size+int(n)]
		w.seek = appendKey(w.seek[:0], k, w.horizon)
		if w.it.SeekGE(w.seek) {
			if err := w.one(k); err != nil {
				return err
			}
		}
		w.budget--
		c.keys = c.keys[size+int(n):]
	}
	if len(c.keys) == 0 {
		c.keys = nil
	}
	for w.budget > 0 && len(c.spans) > 0 {
		done, err := w.span(&c.spans[0])
		if err != nil {
			return err
		}
		if done {
			c.spans = c.spans[1:]
		}
	}
	return w.it.Error()
}

// one cleans one key. The iterator stands at its newest version at or below the horizon, or behind the key; afterwards
// it stands behind the key.
func (w *sweep) one(k []byte) error {
	for keep := true; w.it.Valid(); w.it.Next() {
		at, _, ok := splitKey(w.it.Key())
		if !ok || !bytes.Equal(at, k) {
			return nil
		}
		v, err := w.it.ValueAndErr()
		if err != nil {
			return err
		}
		if !keep || len(v) > 0 && v[0] == valueDeleted {
			if err := w.b.Delete(w.it.Key(), nil); err != nil {
				return err
			}
		}
		keep = false
		w.budget--
	}
	return nil
}

// span cleans a span as far as the budget goes, and moves its start up to where it came.
func (w *sweep) span(sp *keys.Span) (done bool, err error) {
	w.seek = appendBare(w.seek[:0], sp.Start)
	for ok := w.it.SeekGE(w.seek); ok; ok = w.it.Valid() {
		k, t, versioned := splitKey(w.it.Key())
		if len(sp.End) > 0 && versioned && bytes.Compare(k, sp.End) >= 0 {
			return true, nil
		}
		if !versioned || t > w.horizon {
			w.it.Next()
			w.budget--
			continue
		}
		w.key = append(w.key[:0], k...)
		if w.budget <= 0 {
			sp.Start = bytes.Clone(w.key)
			return false, nil
		}
		if err := w.one(w.key); err != nil {
			return false, err
		}
	}
	return true, w.it.Error()
}

// trimSchemas forgets schema times that no read can ask for.
func (s *Store) trimSchemas(horizon clock.Timestamp) {
	keep := s.SchemaTimeAt(horizon)
	for _, t := range *s.schemas.Load() {
		if t < keep {
			_ = s.db.Delete(metaKey(metaSchema, binary.BigEndian.AppendUint64(nil, uint64(t))...), pebble.NoSync)
		}
	}
}

package ddl

import (
	"context"
	"encoding/binary"
	"sync"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/txn"
)

// Sequences hands out the values of sequences on one node. It reserves blocks of values durably, each in a small
// transaction of its own, and hands them out in order; values of a block that were not used when the node stops are
// lost, as PostgreSQL loses those it has logged ahead. It is safe for concurrent use.
type Sequences struct {
	db txn.DB
	mu struct {
		sync.Mutex
		blocks map[keys.TableID]*sequenceBlock
	}
}

// sequenceBlock is what this node knows of one sequence's state.
type sequenceBlock struct {
	mu   sync.Mutex
	last int64 // the last value handed out here, or the state's
	left int64 // reserved values after last
	size int64 // of the next block: it doubles while blocks are used up
	// called is false when last itself is the next value; known that last and called are set.
	called, known bool
}

// Blocks start small, as PostgreSQL logs 32 values ahead, and grow with use.
const (
	sequenceBlockMin = 33
	sequenceBlockMax = 1 << 13
)

// NewSequences makes an allocator.
func NewSequences(db txn.DB) *Sequences {
	s := &Sequences{db: db}
	s.mu.blocks = map[keys.TableID]*sequenceBlock{}
	return s
}

func (s *Sequences) block(t *catalog.Table) *sequenceBlock {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.mu.blocks[t.Data]
	if b == nil {
		b = &sequenceBlock{size: sequenceBlockMin}
		s.mu.blocks[t.Data] = b
	}
	return b
}

// Next returns the next value (nextval). The descriptor is the caller's, so a sequence made by a transaction that has
// not committed works too.
func (s *Sequences) Next(ctx context.Context, t *catalog.Table) (int64, error) {
	b := s.block(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left == 0 {
		if err := s.reserve(ctx, t, b); err != nil {
			return 0, err
		}
	}
	b.left--
	if !b.called {
		b.called = true
		return b.last, nil
	}
	v, err := advance(t, b.last)
	if err != nil {
		return 0, err
	}
	b.last = v
	return v, nil
}

// advance returns the value after last, or 2200H at the end.
func advance(t *catalog.Table, last int64) (int64, error) {
	d := t.Sequence
	next := last + d.Increment
	overflow := d.Increment > 0 && (next < last || next > d.Max) || d.Increment < 0 && (next > last || next < d.Min)
	if !overflow {
		return next, nil
	}
	if d.Cycle {
		if d.Increment > 0 {
			return d.Min, nil
		}
		return d.Max, nil
	}
	if d.Increment > 0 {
		return 0, failure.New(failure.SequenceGeneratorLimitExceeded,
			"nextval: reached maximum value of sequence \"%s\" (%d)", t.Name, d.Max)
	}
	return 0, failure.New(failure.SequenceGeneratorLimitExceeded,
		"nextval: reached minimum value of sequence \"%s\" (%d)", t.Name, d.Min)
}

// reserve takes the next block: it moves the stored state as far as the block reaches. A sequence near its end gives
// short blocks, one that cycles blocks of one at the turn.
func (s *Sequences) reserve(ctx context.Context, t *catalog.Table, b *sequenceBlock) error {
	want := max(b.size, t.Sequence.Cache)
	err := s.update(ctx, t, func(last int64, called bool) (int64, bool, error) {
		first := last
		if called {
			var err error
			if first, err = advance(t, last); err != nil {
				return 0, false, err
			}
		}
		n, end := int64(1), first
		for ; n < want; n++ {
			next := end + t.Sequence.Increment
			if t.Sequence.Increment > 0 && (next > t.Sequence.Max || next < end) ||
				t.Sequence.Increment < 0 && (next < t.Sequence.Min || next > end) {
				break
			}
			end = next
		}
		b.last, b.called, b.left, b.known = first, false, n, true
		return end, true, nil
	})
	if err == nil && b.size < sequenceBlockMax {
		b.size *= 2
	}
	return err
}

// Set is setval.
func (s *Sequences) Set(ctx context.Context, t *catalog.Table, v int64, called bool) error {
	if v < t.Sequence.Min || v > t.Sequence.Max {
		return failure.New(failure.NumericValueOutOfRange,
			"setval: value %d is out of bounds for sequence \"%s\" (%d..%d)", v, t.Name, t.Sequence.Min, t.Sequence.Max)
	}
	b := s.block(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	err := s.update(ctx, t, func(int64, bool) (int64, bool, error) { return v, called, nil })
	if err == nil {
		b.last, b.called, b.known, b.left, b.size = v, called, true, 0, sequenceBlockMin
	}
	return err
}

// State returns what SELECT last_value, log_cnt, is_called FROM sequence shows. On the node that hands values out it is
// exact; elsewhere it shows values as used that are reserved.
func (s *Sequences) State(ctx context.Context, t *catalog.Table) (last, left int64, called bool, err error) {
	b := s.block(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known {
		return b.last, b.left, b.called, nil
	}
	tx := s.db.Begin(txn.Options{ReadOnly: true, Internal: true})
	defer tx.Rollback()
	last, called, err = readSequence(ctx, tx, t)
	return last, 0, called, err
}

// update changes the stored state in a transaction of its own.
func (s *Sequences) update(ctx context.Context, t *catalog.Table, f func(last int64, called bool) (int64, bool, error)) error {
	for {
		err := s.updateOnce(ctx, t, f)
		if !failure.Retryable(err) || ctx.Err() != nil {
			return err
		}
	}
}

func (s *Sequences) updateOnce(ctx context.Context, t *catalog.Table, f func(int64, bool) (int64, bool, error)) error {
	tx := s.db.Begin(txn.Options{Internal: true})
	defer tx.Rollback()
	last, called, err := readSequence(ctx, tx, t)
	if err != nil {
		return err
	}
	if last, called, err = f(last, called); err != nil {
		return err
	}
	v := append([]byte{sequenceFormat, 0}, binary.BigEndian.AppendUint64(nil, uint64(last))...)
	if called {
		v[1] = 1
	}
	if err := tx.Write(ctx, txn.Write{Key: sequenceKey(t), Value: v}); err != nil {
		return err
	}
	_, err = tx.Commit(ctx)
	return err
}

// sequenceFormat is the first byte of a stored state; a byte for is_called and 8 bytes of last_value follow.
const sequenceFormat = 1

func sequenceKey(t *catalog.Table) keys.Key { return keys.AppendPrefix(nil, t.Data, keys.PrimaryIndex) }

func readSequence(ctx context.Context, tx txn.Txn, t *catalog.Table) (last int64, called bool, err error) {
	var v [1][]byte
	if err := tx.Get(ctx, []keys.Key{sequenceKey(t)}, v[:]); err != nil {
		return 0, false, err
	}
	switch {
	case v[0] == nil && t.Sequence.Restart != nil:
		return *t.Sequence.Restart, false, nil
	case v[0] == nil:
		return t.Sequence.Start, false, nil
	case len(v[0]) != 10 || v[0][0] != sequenceFormat:
		return 0, false, failure.New(failure.DataCorrupted, "state of sequence \"%s\" cannot be read", t.Name)
	}
	return int64(binary.BigEndian.Uint64(v[0][2:])), v[0][1] == 1, nil
}

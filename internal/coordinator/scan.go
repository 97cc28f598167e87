package coordinator

import (
	"bytes"
	"context"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/pushdown"
	"github.com/meridiandb/meridian/internal/txn"
)

// mergeBatch is how many rows a merged scan returns at most in one batch.
const mergeBatch = 512

// mergeScan lays own writes over the rows that storage returns.
type mergeScan struct {
	base    txn.Scan
	own     *overlayIter
	filter  *pushdown.Evaluator // nil keeps all
	keys    bool                // drop values
	reverse bool
	limit   int64 // rows still wanted; -1 is all

	batch    []txn.KV // what storage returned last
	pos      int
	finished bool // storage has no more
	out      []txn.KV
}

func newMergeScan(ctx context.Context, s Snapshots, at clock.Timestamp, req txn.ScanRequest, own *overlayIter) (txn.Scan, error) {
	m := &mergeScan{own: own, reverse: req.Reverse, limit: -1}
	if req.Program != nil {
		var err error
		if m.filter, err = pushdown.NewEvaluator(req.Program); err != nil {
			return nil, err
		}
		m.keys = req.Program.KeysOnly
	}
	if req.Limit > 0 {
		m.limit = req.Limit
		// Each own write can hide one stored row, so that many more may be needed.
		req.Limit += own.size()
	}
	var err error
	m.base, err = s.Scan(ctx, at, req)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Next merges until the batch of storage is used up, whose memory ends with the next one.
func (m *mergeScan) Next(ctx context.Context) ([]txn.KV, error) {
	for {
		if m.limit == 0 {
			return nil, nil
		}
		if m.pos == len(m.batch) && !m.finished {
			batch, err := m.base.Next(ctx)
			if err != nil {
				return nil, err
			}
			m.batch, m.pos = batch, 0
			m.finished = len(batch) == 0
		}
		m.out = m.out[:0]
		if err := m.merge(); err != nil {
			return nil, err
		}
		if m.limit > 0 {
			if int64(len(m.out)) > m.limit {
				m.out = m.out[:m.limit]
			}
			m.limit -= int64(len(m.out))
		}
		if len(m.out) > 0 || m.finished && m.own.entry() == nil {
			return m.out, nil
		}
	}
}

func (m *mergeScan) merge() error {
	for len(m.out) < mergeBatch {
		e := m.own.entry()
		if m.pos == len(m.batch) {
			if !m.finished || e == nil {
				return nil
			}
			if err := m.emitOwn(e); err != nil {
				return err
			}
			continue
		}
		if e == nil {
			m.out = append(m.out, m.batch[m.pos:]...)
			m.pos = len(m.batch)
			continue
		}
		c := bytes.Compare(e.key, m.batch[m.pos].Key)
		if m.reverse {
			c = -c
		}
		if c > 0 {
			m.out = append(m.out, m.batch[m.pos])
			m.pos++
			continue
		}
		if c == 0 {
			m.pos++
		}
		if err := m.emitOwn(e); err != nil {
			return err
		}
	}
	return nil
}

// emitOwn appends an own write, unless it is a deletion or the filter drops it, and moves on.
func (m *mergeScan) emitOwn(e *entry) error {
	defer m.own.next()
	if e.flags&flagDelete != 0 {
		return nil
	}
	v := e.present()
	if m.filter != nil {
		ok, err := m.filter.Match(e.key, v)
		if err != nil || !ok {
			return err
		}
	}
	if m.keys {
		v = nil
	}
	m.out = append(m.out, txn.KV{Key: e.key, Value: v})
	return nil
}

// Close ends the scan at storage too.
func (m *mergeScan) Close() { m.base.Close() }

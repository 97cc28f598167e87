package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
)

// Batches start small, so that LIMIT 1 stays cheap, and grow to maxBatch rows.
const (
	firstBatch = 16
	maxBatch   = 1024
	// keepBatch is the largest buffer that stays with a cached plan between executions.
	keepBatch = 64
)

// rowBuf is an operator's output batch: rows of one width whose memory is used again for the next batch.
type rowBuf struct {
	width int
	rows  [][]datum.Datum
	n     int
	size  int
}

// begin empties the buffer and lets it grow.
func (b *rowBuf) begin() {
	if b.n > 0 || b.size == 0 {
		b.size = min(max(firstBatch, b.size*4), maxBatch)
	}
	b.n = 0
}

// beginAtMost is begin for a batch that will not have more than n rows.
func (b *rowBuf) beginAtMost(n int) {
	b.n = 0
	b.size = min(max(n, 1), maxBatch)
}

// row returns the next row to fill. Its old content is arbitrary.
func (b *rowBuf) row() []datum.Datum {
	if b.n == len(b.rows) {
		b.grow()
	}
	r := b.rows[b.n]
	b.n++
	return r
}

// grow doubles the memory, up to the size of the batch.
func (b *rowBuf) grow() {
	n := len(b.rows)
	if n == 0 {
		n = firstBatch
	}
	if left := b.size - len(b.rows); left > 0 {
		n = min(n, left)
	}
	flat := make([]datum.Datum, n*b.width)
	for range n {
		b.rows = append(b.rows, flat[:b.width:b.width])
		flat = flat[b.width:]
	}
}

// drop takes back the last row.
func (b *rowBuf) drop() { b.n-- }

func (b *rowBuf) full() bool { return b.n >= b.size }

func (b *rowBuf) batch() Batch { return b.rows[:b.n] }

// reset makes the next batch a small first one again, and frees large buffers.
func (b *rowBuf) reset() {
	b.n, b.size = 0, 0
	if len(b.rows) > keepBatch {
		b.rows = nil
	}
}

// puller reads an operator row by row.
type puller struct {
	op    operator
	batch Batch
	pos   int
	done  bool
}

func (p *puller) open(ctx context.Context, st *state) error {
	p.batch, p.pos, p.done = nil, 0, false
	return p.op.open(ctx, st)
}

func (p *puller) close(st *state) {
	p.batch = nil
	p.op.close(st)
}

// next returns the next row, valid until the next call, or nil at the end.
func (p *puller) next(ctx context.Context, st *state) ([]datum.Datum, error) {
	for p.pos >= len(p.batch) {
		if p.done {
			return nil, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, canceled(ctx, err)
		}
		b, err := p.op.next(ctx, st)
		if err != nil {
			return nil, err
		}
		p.batch, p.pos = b, 0
		if len(b) == 0 {
			p.done = true
			return nil, nil
		}
	}
	r := p.batch[p.pos]
	p.pos++
	return r, nil
}

// drain calls f for every row that op gives.
func drain(ctx context.Context, st *state, op operator, f func(row []datum.Datum) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return canceled(ctx, err)
		}
		b, err := op.next(ctx, st)
		if err != nil || len(b) == 0 {
			return err
		}
		for _, r := range b {
			if err := f(r); err != nil {
				return err
			}
		}
	}
}

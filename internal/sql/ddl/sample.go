package ddl

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/txn"
)

const (
	// wholeBytes is the size on disk up to which ANALYZE reads a whole table.
	wholeBytes = 48 << 20
	// pieces is how many places of a larger table it reads rows at, and pieceRows how many there.
	pieces    = 150
	pieceRows = sampleRows / pieces
	// measureRows is how many neighbouring rows tell how many bytes on disk a row takes.
	measureRows = 20_000
)

// reservoir keeps a uniform sample of rows.
type reservoir struct {
	rows  [][]datum.Datum
	place []int64 // of each row in the table
	seen  int64   // rows of the table: counted, or estimated
	state uint64
}

func (r *reservoir) random() uint64 {
	r.state ^= r.state << 13
	r.state ^= r.state >> 7
	r.state ^= r.state << 17
	return r.state
}

// slot says where the next row of a table is kept, and -1 when it is not.
func (r *reservoir) slot() int {
	r.seen++
	if len(r.rows) < sampleRows {
		r.rows, r.place = append(r.rows, nil), append(r.place, r.seen)
		return len(r.rows) - 1
	}
	if i := r.random() % uint64(r.seen); i < sampleRows {
		r.place[i] = r.seen
		return int(i)
	}
	return -1
}

// arrange puts the rows into the order in which they lie in the table.
func (r *reservoir) arrange() {
	order := make([]int, len(r.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(r.place[a], r.place[b]) })
	rows := make([][]datum.Datum, len(order))
	for i, o := range order {
		rows[i] = r.rows[o]
	}
	r.rows = rows
}

// sampler reads rows of a table for ANALYZE.
type sampler struct {
	tx   txn.Txn
	dec  *layout.Decoder
	cols int
	into *reservoir
}

// sample reads a table, or pieces of it all over its key space when it is large, and leaves what it has read in r.
func (e *Env) sample(ctx context.Context, t *catalog.Table, cols []*catalog.Column, r *reservoir) error {
	lay, err := layout.New(t)
	if err != nil {
		return err
	}
	ords := make([]int, len(cols))
	for i, c := range cols {
		ords[i] = slices.Index(t.Columns, c)
	}
	dec, err := layout.NewDecoder(lay.Rows, ords)
	if err != nil {
		return err
	}
	s := &sampler{tx: e.Cat.Store(), dec: dec, cols: len(cols), into: r}
	span := keys.Span{Start: lay.Rows.Prefix, End: keys.PrefixEnd(lay.Rows.Prefix)}
	if e.SpanBytes != nil {
		total, err := e.SpanBytes(span)
		if err != nil {
			return err
		}
		if total > wholeBytes {
			return s.pieces(ctx, span, total, e.SpanBytes)
		}
	}
	return s.whole(ctx, span)
}

// whole reads every row and keeps some.
func (s *sampler) whole(ctx context.Context, span keys.Span) error {
	_, err := s.scan(ctx, span, 0, func(kv txn.KV) error {
		if i := s.into.slot(); i >= 0 {
			row, err := s.decode(kv)
			s.into.rows[i] = row
			return err
		}
		return nil
	})
	s.into.arrange()
	return err
}

// scan calls f for at most limit rows (0: all) and returns the key of the last one.
func (s *sampler) scan(ctx context.Context, span keys.Span, limit int64, f func(kv txn.KV) error) (last keys.Key, err error) {
	sc, err := s.tx.Scan(ctx, txn.ScanRequest{Span: span, Limit: limit})
	if err != nil {
		return nil, err
	}
	defer sc.Close()
	for {
		kvs, err := sc.Next(ctx)
		if err != nil || len(kvs) == 0 {
			return last, err
		}
		for i := range kvs {
			if err := f(kvs[i]); err != nil {
				return last, err
			}
		}
		last = append(last[:0], kvs[len(kvs)-1].Key...)
	}
}

func (s *sampler) decode(kv txn.KV) ([]datum.Datum, error) {
	row := make([]datum.Datum, s.cols)
	return row, s.dec.Decode(bytes.Clone(kv.Key), bytes.Clone(kv.Value), row)
}

// pieces reads some rows at many places, as far apart from each other in bytes on disk, and estimates how many rows there
// are: bytes on disk by bytes of a row, whose compression a longer run of neighbours tells.
func (s *sampler) pieces(ctx context.Context, span keys.Span, total int64, bytesOf func(keys.Span) (int64, error)) error {
	first, err := s.edge(ctx, span, false)
	if err != nil || first == nil {
		return err
	}
	last, err := s.edge(ctx, span, true)
	if err != nil || last == nil {
		return err
	}
	c := cutter{bytesOf: bytesOf, most: max(total/pieces, 1)}
	if err := c.cut(keys.Span{Start: first, End: append(last, 0)}, total, 0); err != nil {
		return err
	}
	if len(c.starts) == 0 {
		return s.whole(ctx, span)
	}
	raw := int64(0)
	for i, start := range c.starts {
		piece := keys.Span{Start: start, End: span.End}
		if i+1 < len(c.starts) {
			piece.End = c.starts[i+1]
		}
		_, err := s.scan(ctx, piece, pieceRows, func(kv txn.KV) error {
			raw += int64(len(kv.Key) + len(kv.Value))
			row, err := s.decode(kv)
			s.into.rows = append(s.into.rows, row)
			return err
		})
		if err != nil {
			return err
		}
	}
	run := keys.Span{Start: c.starts[s.into.random()%uint64(len(c.starts)*3/4+1)], End: span.End}
	runRaw := int64(0)
	if run.End, err = s.scan(ctx, run, measureRows, func(kv txn.KV) error {
		runRaw += int64(len(kv.Key) + len(kv.Value))
		return nil
	}); err != nil {
		return err
	}
	stored, err := bytesOf(run)
	if err != nil {
		return err
	}
	perRow := float64(raw) / float64(max(len(s.into.rows), 1))
	if runRaw > 0 && stored > 0 {
		perRow *= float64(stored) / float64(runRaw)
	}
	s.into.seen = max(int64(float64(total)/max(perRow, 1)), int64(len(s.into.rows)))
	return nil
}

// edge returns the first or last key of a span, nil when there is none.
func (s *sampler) edge(ctx context.Context, span keys.Span, last bool) (keys.Key, error) {
	sc, err := s.tx.Scan(ctx, txn.ScanRequest{Span: span, Limit: 1, Reverse: last})
	if err != nil {
		return nil, err
	}
	defer sc.Close()
	kvs, err := sc.Next(ctx)
	if err != nil || len(kvs) == 0 {
		return nil, err
	}
	return bytes.Clone(kvs[0].Key), nil
}

// cutter cuts a span into parts of about the same number of bytes on disk.
type cutter struct {
	bytesOf func(keys.Span) (int64, error)
	most    int64
	starts  []keys.Key
}

// cut halves a span in the middle of its keys until its parts are small enough. Keys are not spread evenly, so that a
// half may hold nearly all of it.
func (c *cutter) cut(span keys.Span, size int64, depth int) error {
	mid := middle(span.Start, span.End)
	if size <= c.most || depth > 64 || mid == nil {
		if size > 0 && len(c.starts) < 2*pieces {
			c.starts = append(c.starts, span.Start)
		}
		return nil
	}
	lower := keys.Span{Start: span.Start, End: mid}
	n, err := c.bytesOf(lower)
	if err != nil {
		return err
	}
	n = min(n, size)
	if err := c.cut(lower, n, depth+1); err != nil {
		return err
	}
	return c.cut(keys.Span{Start: mid, End: span.End}, size-n, depth+1)
}

// middle returns a key about half way between two, or nil when they are too close.
func middle(a, b keys.Key) keys.Key {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	var x, y [8]byte
	copy(x[:], a[n:])
	copy(y[:], b[n:])
	lo, hi := binary.BigEndian.Uint64(x[:]), binary.BigEndian.Uint64(y[:])
	if hi <= lo+1 {
		return nil
	}
	return binary.BigEndian.AppendUint64(append(keys.Key(nil), a[:n]...), lo+(hi-lo)/2)
}

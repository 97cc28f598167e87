package exec

import (
	"bytes"
	"context"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/pushdown"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// lookupBatch is how many rows are fetched by one Get.
const lookupBatch = 256

// scan walks spans of an index.
type scan struct {
	*access
	spans   []spanEval
	whole   bool
	reverse bool
	filter  predFn
	hint    evalFn
	push    *plan.Push
	consts  map[plan.Expr]evalFn
	// keysOnly is the program of a scan that needs no values and has no other program.
	keysOnly *pushdown.Program

	todo    []keys.Span
	program *pushdown.Program
	limit   int64
	run     txn.Scan
	kvs     []txn.KV
	pos     int
	own     []byte
	out     rowBuf
}

func (c *compiler) scan(n *plan.Scan) operator {
	s := &scan{access: c.access(&n.Access), whole: n.Spans == nil, reverse: n.Reverse, filter: c.pred(n.Filter),
		hint: c.optional(n.LimitHint), push: n.Push}
	for i := range n.Spans {
		s.spans = append(s.spans, c.keySpan(&n.Spans[i]))
	}
	s.out.width = len(n.Ordinals)
	if n.Push != nil && n.Push.Static == nil {
		s.consts = map[plan.Expr]evalFn{}
		c.pushConsts(n.Push.Filter, s.consts)
	}
	if n.Push == nil && s.dec != nil && !s.dec.NeedsValue() && !s.lookup {
		s.keysOnly = &pushdown.Program{KeysOnly: true}
	}
	return s
}

func (c *compiler) pushConsts(e *plan.PushExpr, m map[plan.Expr]evalFn) {
	if e == nil {
		return
	}
	if e.Value != nil {
		m[e.Value] = c.expr(e.Value)
	}
	for _, a := range e.Args {
		c.pushConsts(a, m)
	}
}

func (s *scan) open(ctx context.Context, st *state) error {
	s.todo = s.todo[:0]
	s.run, s.kvs, s.pos, s.limit = nil, nil, 0, 0
	s.out.reset()
	if s.whole {
		s.todo = append(s.todo, keys.Span{Start: s.idx.Prefix, End: keys.PrefixEnd(s.idx.Prefix)})
	}
	var err error
	for i := range s.spans {
		if s.todo, err = s.spans[i].spans(ctx, st, s.idx, s.todo); err != nil {
			return err
		}
	}
	s.todo = mergeSpans(s.todo)
	if s.reverse {
		slices.Reverse(s.todo)
	}
	s.program = s.keysOnly
	if s.push != nil {
		s.program, err = s.push.Program(func(e plan.Expr) (datum.Datum, error) { return s.consts[e](ctx, st, nil) })
		if err != nil {
			return err
		}
	}
	if s.hint != nil && s.filter == nil && !s.lookup {
		d, err := s.hint(ctx, st, nil)
		if err != nil {
			return err
		}
		if !d.IsNull() {
			s.limit = max(d.Int(), 0)
		}
	}
	return nil
}

func (s *scan) close(*state) {
	if s.run != nil {
		s.run.Close()
	}
	s.run, s.kvs, s.own, s.program = nil, nil, nil, nil
	clear(s.todo)
	s.get.release()
	s.out.reset()
}

// fill makes the next entries available; false at the end.
func (s *scan) fill(ctx context.Context, st *state) (bool, error) {
	for s.pos >= len(s.kvs) {
		if s.run == nil {
			if len(s.todo) == 0 {
				return false, nil
			}
			var err error
			s.run, err = st.txn.Scan(ctx, txn.ScanRequest{Span: s.todo[0], Reverse: s.reverse, Program: s.program, Limit: s.limit})
			if err != nil {
				return false, err
			}
			s.todo = s.todo[1:]
		}
		if err := ctx.Err(); err != nil {
			return false, canceled(ctx, err)
		}
		kvs, err := s.run.Next(ctx)
		if err != nil {
			return false, err
		}
		s.kvs, s.pos = kvs, 0
		if len(kvs) == 0 {
			s.run.Close()
			s.run = nil
		}
	}
	return true, nil
}

func (s *scan) next(ctx context.Context, st *state) (Batch, error) {
	s.out.begin()
	for !s.out.full() {
		if s.out.n > 0 && s.pos >= len(s.kvs) {
			break
		}
		ok, err := s.fill(ctx, st)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if s.lookup {
			err = s.lookupRows(ctx, st)
		} else {
			err = s.decodeRows(ctx, st)
		}
		if err != nil {
			return nil, err
		}
	}
	return s.out.batch(), nil
}

// decodeRows turns entries into rows until the batch is full.
func (s *scan) decodeRows(ctx context.Context, st *state) error {
	s.reserve()
	for s.pos < len(s.kvs) && !s.out.full() {
		row := s.out.row()
		if err := s.decode(s.kvs[s.pos], row, &s.own); err != nil {
			return err
		}
		s.pos++
		if s.filter != nil {
			ok, err := s.filter(ctx, st, row)
			if err != nil {
				return err
			}
			if !ok {
				s.out.drop()
			}
		}
	}
	return nil
}

// reserve makes room for the memory of the rows to come in one allocation.
func (s *scan) reserve() {
	if !s.dec.Aliases() {
		return
	}
	n := 0
	for i := s.pos; i < len(s.kvs) && i-s.pos < s.out.size-s.out.n; i++ {
		n += len(s.kvs[i].Key) + len(s.kvs[i].Value)
	}
	if cap(s.own)-len(s.own) < n {
		s.own = make([]byte, 0, n)
	}
}

// lookupRows fetches the rows of the next entries.
func (s *scan) lookupRows(ctx context.Context, st *state) error {
	s.get.reset()
	for s.pos < len(s.kvs) && s.get.len() < min(s.out.size-s.out.n, lookupBatch) {
		kv := s.kvs[s.pos]
		s.pos++
		var err error
		if s.get.buf, err = s.idx.RowKey(s.get.buf, kv.Key, kv.Value); err != nil {
			return err
		}
		s.get.add()
	}
	var row []datum.Datum
	return s.fetch(ctx, st, func() []datum.Datum { row = s.out.row(); return row }, func(_ int, ok bool) error {
		if !ok {
			return s.dangling()
		}
		if s.filter != nil {
			pass, err := s.filter(ctx, st, row)
			if err != nil {
				return err
			}
			if !pass {
				s.out.drop()
			}
		}
		return nil
	})
}

// batchGet reads rows by many full keys.
type batchGet struct {
	*access
	parts   []keyPart
	ordered bool
	filter  predFn
	todo    []keys.Key
	out     rowBuf
}

func (c *compiler) batchGet(n *plan.BatchGet) operator {
	g := &batchGet{access: c.access(&n.Access), parts: c.keyParts(n.Parts), ordered: n.Ordered, filter: c.pred(n.Filter)}
	g.out.width = len(n.Ordinals)
	if g.idx != nil && len(n.Parts) != len(g.idx.Cols) {
		c.fail(failure.New(failure.InternalError, "plan gets by a part of a key"))
	}
	return g
}

func (g *batchGet) open(ctx context.Context, st *state) error {
	g.out.reset()
	var err error
	if g.todo, err = prefixes(ctx, st, g.idx, g.parts); err != nil {
		return err
	}
	// Sorting finds duplicates, and neighbours in storage are read together.
	slices.SortFunc(g.todo, func(a, b keys.Key) int { return bytes.Compare(a, b) })
	g.todo = slices.CompactFunc(g.todo, func(a, b keys.Key) bool { return bytes.Equal(a, b) })
	return nil
}

func (g *batchGet) close(*state) {
	g.todo = nil
	g.get.release()
	g.out.reset()
}

func (g *batchGet) next(ctx context.Context, st *state) (Batch, error) {
	for len(g.todo) > 0 {
		g.out.begin()
		n := min(len(g.todo), lookupBatch)
		g.get.reset()
		for _, k := range g.todo[:n] {
			g.get.buf = append(g.get.buf, k...)
			g.get.add()
		}
		g.todo = g.todo[n:]
		if g.lookup {
			if err := g.toRowKeys(ctx, st); err != nil {
				return nil, err
			}
		}
		var row []datum.Datum
		err := g.fetch(ctx, st, func() []datum.Datum { row = g.out.row(); return row }, func(_ int, ok bool) error {
			if !ok {
				return nil
			}
			if g.filter != nil {
				pass, err := g.filter(ctx, st, row)
				if err != nil {
					return err
				}
				if !pass {
					g.out.drop()
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if g.out.n > 0 {
			return g.out.batch(), nil
		}
	}
	return nil, nil
}

// toRowKeys replaces the keys of entries in a.get by those of their rows; entries that are not there are dropped.
func (a *access) toRowKeys(ctx context.Context, st *state) error {
	if err := a.get.run(ctx, st.txn); err != nil {
		return err
	}
	var rows getter
	for i, v := range a.get.vals {
		if v == nil {
			continue
		}
		var err error
		if rows.buf, err = a.idx.RowKey(rows.buf, a.get.key(i), v); err != nil {
			return err
		}
		rows.add()
	}
	a.get.buf, a.get.ends = rows.buf, rows.ends
	return nil
}

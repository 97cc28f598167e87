package exec

import (
	"bytes"
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// change is what the data-changing operators share: the source, the writes of the current batch, and RETURNING.
type change struct {
	*rules
	source operator
	// one says that the source gives at most one batch; stream, that writing while it is being read is safe.
	one, stream bool
	// own says that the transaction has made the table's data itself: nobody else can write the keys of new rows.
	own bool
	// counts is set on the statement's own operator, whose rows are counted.
	counts bool
	what   string
	ret    returning
	done   bool

	// buf is fresh memory for keys and values, which the transaction keeps.
	buf    []byte
	hint   int // bytes a row has needed
	writes []txn.Write
	cands  []candidate
	ks     []keys.Key
	vals   [][]byte
	set    keySet
}

// candidate is a write whose key must not exist yet.
type candidate struct {
	write int
	row   int
	x     *layout.Index
}

func (c *compiler) change(n plan.Node, r *rules, source plan.Node, ret []plan.Expr, width int, what string) change {
	c.noteSubPlans(ret...)
	ch := change{rules: r, source: c.node(source), one: oneBatch(source), stream: streamable(source), counts: n == c.root,
		what: what, hint: 64}
	ch.ret = returning{exprs: c.exprs(ret), on: ret != nil, in: make([]datum.Datum, width)}
	ch.ret.out.width = len(ret)
	return ch
}

// oneBatch says whether a node certainly gives no second batch.
func oneBatch(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.PointGet, *plan.Result, *plan.Empty:
		return true
	case *plan.Values:
		return len(n.Rows) <= maxBatch
	case *plan.Project:
		return oneBatch(n.Input)
	case *plan.Filter:
		return oneBatch(n.Input)
	case *plan.LockRows:
		return oneBatch(n.Input)
	}
	return false
}

// streamable says whether a node's rows cannot depend on writes made while they are being read.
func streamable(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Values:
		for _, r := range n.Rows {
			if hasSubPlan(r...) {
				return false
			}
		}
		return true
	case *plan.FunctionScan:
		for i := range n.Funcs {
			if hasSubPlan(n.Funcs[i].Call) {
				return false
			}
		}
		return !hasSubPlan(n.Filter)
	case *plan.Scan:
		secondary := n.Index != nil && n.Table.RowStore() != nil && n.Index.ID != n.Table.RowStore().ID
		return len(n.Spans) <= 1 && (n.IndexOnly || !secondary) && !hasSubPlan(n.Filter) && onePart(n.Spans)
	case *plan.Project:
		return streamable(n.Input) && !hasSubPlan(n.Exprs...)
	case *plan.ProjectSet:
		return streamable(n.Input) && !hasSubPlan(n.Exprs...)
	case *plan.Filter:
		return streamable(n.Input) && !hasSubPlan(n.Cond)
	}
	return oneBatch(n)
}

// onePart says that the span is one: no list of values multiplies it.
func onePart(ss []plan.KeySpan) bool {
	for i := range ss {
		for _, p := range ss[i].Parts {
			if p.Kind == plan.KeyIn || p.Kind == plan.KeyArray {
				return false
			}
		}
	}
	return true
}

// noteSubPlans holds the statement's writes back when one of the expressions has a subquery, which is run between them
// and must see what was there before the statement.
func (c *compiler) noteSubPlans(es ...plan.Expr) {
	c.deferWrites = c.deferWrites || hasSubPlan(es...)
}

func hasSubPlan(es ...plan.Expr) bool {
	for _, e := range es {
		if e != nil && plan.Any(e, func(x plan.Expr) bool { _, ok := x.(*plan.SubPlan); return ok }) {
			return true
		}
	}
	return false
}

func (ch *change) open(ctx context.Context, st *state) error {
	ch.done = false
	ch.ret.reset()
	ch.own = st.env.Catalog != nil && st.env.Catalog.OwnData(ch.table)
	if err := st.writable(ctx, ch.what); err != nil {
		return err
	}
	return ch.source.open(ctx, st)
}

func (ch *change) close(st *state) {
	ch.source.close(st)
	ch.ret.close()
	ch.buf = nil
	clear(ch.writes)
	clear(ch.ks)
	clear(ch.vals)
	if cap(ch.writes) > 4*keepBatch {
		ch.writes, ch.cands, ch.ks, ch.vals = nil, nil, nil, nil
	}
	ch.set.release()
}

// each calls f for every batch of the source, having read it to its end first where that matters.
func (ch *change) each(ctx context.Context, st *state, f func(b Batch) error) error {
	if ch.one || ch.stream || st.deferWrites {
		for {
			b, err := ch.source.next(ctx, st)
			if err != nil || len(b) == 0 {
				return err
			}
			if err := f(b); err != nil || ch.one {
				return err
			}
			if err := ctx.Err(); err != nil {
				return canceled(ctx, err)
			}
		}
	}
	s := spill.NewStore(st.mem())
	defer s.Close()
	if err := drain(ctx, st, ch.source, s.Add); err != nil {
		return err
	}
	if err := s.Finish(); err != nil {
		return err
	}
	r := s.Reader()
	var rows [][]datum.Datum
	for {
		b, err := readStore(r, &rows)
		if err != nil || len(b) == 0 {
			return err
		}
		if err := f(b); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return canceled(ctx, err)
		}
	}
}

// finished counts the rows and, for the statement's own operator, runs the checks at its end, so that no row goes out
// before them.
func (ch *change) finished(ctx context.Context, st *state, n int64) error {
	if st.env.Changes != nil && n > 0 {
		st.env.Changes.Changed(ch.table, n)
	}
	if !ch.counts {
		return nil
	}
	st.affected += n
	if st.deferWrites {
		return nil
	}
	return st.finish(ctx)
}

// begin starts a batch of about n rows.
func (ch *change) begin(n int) {
	ch.writes, ch.cands = ch.writes[:0], ch.cands[:0]
	ch.buf = make([]byte, 0, n*ch.hint)
}

// space makes sure that appending to buf does not move what was appended before and handed on. (Moving would be
// harmless, but would keep the old memory as well.)
func (ch *change) space() {
	if cap(ch.buf)-len(ch.buf) < ch.hint {
		ch.buf = make([]byte, 0, max(4*ch.hint, 256))
	}
}

// tail cuts what was appended to buf since from as a slice of its own.
func (ch *change) tail(from int) []byte { return ch.buf[from:len(ch.buf):len(ch.buf)] }

// rowKey appends the key of a row.
func (ch *change) rowKey(row []datum.Datum) keys.Key {
	from := len(ch.buf)
	ch.buf = ch.lay.AppendRowKey(ch.buf, row)
	return ch.tail(from)
}

// put appends the writes of a new row and its entries. rowIndex is its position for candidates.
func (ch *change) put(ctx context.Context, st *state, row []datum.Datum, rowIndex int) error {
	ch.space()
	start := len(ch.buf)
	key := ch.rowKey(row)
	from := len(ch.buf)
	ch.buf = ch.lay.AppendRowValue(ch.buf, row, ch.scratch)
	if ch.hidden < 0 {
		ch.cands = append(ch.cands, candidate{len(ch.writes), rowIndex, ch.lay.Rows})
	}
	ch.writes = append(ch.writes, txn.Write{Key: key, Value: ch.tail(from), Blind: ch.hidden >= 0 || ch.own})
	for _, e := range ch.indexes {
		if err := ch.putEntry(ctx, st, e, row, key, rowIndex); err != nil {
			return err
		}
	}
	if n := len(ch.buf) - start; n > ch.hint {
		ch.hint = min(n+16, 1<<20)
	}
	return nil
}

// putEntry appends the write of a new entry, if the index has one for the row.
func (ch *change) putEntry(ctx context.Context, st *state, e *entryRules, row []datum.Datum, key keys.Key, rowIndex int) error {
	from := len(ch.buf)
	b, unique, ok, err := e.entryKey(ctx, st, ch.buf, row, key[keys.PrefixLen:])
	if err != nil || !ok {
		return err
	}
	ch.buf = b
	k := ch.tail(from)
	ch.putEntryKey(e, row, key, k, unique, rowIndex)
	return nil
}

func (ch *change) putEntryKey(e *entryRules, row []datum.Datum, key, entry keys.Key, unique bool, rowIndex int) {
	from := len(ch.buf)
	ch.buf = e.x.AppendEntryValue(ch.buf, row, key[keys.PrefixLen:], unique, ch.scratch)
	if unique {
		ch.cands = append(ch.cands, candidate{len(ch.writes), rowIndex, e.x})
	}
	ch.writes = append(ch.writes, txn.Write{Key: entry, Value: ch.tail(from), Blind: !unique || ch.own})
}

// dropRow appends the deletions of a row and its entries.
func (ch *change) dropRow(ctx context.Context, st *state, row []datum.Datum) error {
	ch.space()
	key := ch.rowKey(row)
	ch.writes = append(ch.writes, txn.Write{Key: key, Delete: true, Identity: true})
	for _, e := range ch.indexes {
		from := len(ch.buf)
		b, unique, ok, err := e.entryKey(ctx, st, ch.buf, row, key[keys.PrefixLen:])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		ch.buf = b
		ch.writes = append(ch.writes, txn.Write{Key: ch.tail(from), Delete: true, Blind: !unique, Identity: unique})
	}
	return nil
}

// replace appends the writes that turn the old row into the new one, whose row keys are equal when sameKey is set.
// Indexes that depend on none of the changed columns are left alone.
func (ch *change) replace(ctx context.Context, st *state, old, row []datum.Datum, sameKey bool, touched []*entryRules, rowIndex int) error {
	if !sameKey {
		if err := ch.dropRow(ctx, st, old); err != nil {
			return err
		}
		return ch.put(ctx, st, row, rowIndex)
	}
	ch.space()
	key := ch.rowKey(row)
	from := len(ch.buf)
	ch.buf = ch.lay.AppendRowValue(ch.buf, row, ch.scratch)
	ch.writes = append(ch.writes, txn.Write{Key: key, Value: ch.tail(from)})
	for _, e := range touched {
		if err := ch.replaceEntry(ctx, st, e, old, row, key, rowIndex); err != nil {
			return err
		}
	}
	return nil
}

func (ch *change) replaceEntry(ctx context.Context, st *state, e *entryRules, old, row []datum.Datum, key keys.Key, rowIndex int) error {
	from := len(ch.buf)
	b, oldUnique, had, err := e.entryKey(ctx, st, ch.buf, old, key[keys.PrefixLen:])
	if err != nil {
		return err
	}
	mid := len(b)
	b, unique, has, err := e.entryKey(ctx, st, b, row, key[keys.PrefixLen:])
	if err != nil {
		return err
	}
	ch.buf = b
	oldKey, newKey := keys.Key(b[from:mid:mid]), ch.tail(mid)
	if had && has && bytes.Equal(oldKey, newKey) {
		if e.x.HasValues() && !ch.sameValues(e, old, row) {
			from := len(ch.buf)
			ch.buf = e.x.AppendEntryValue(ch.buf, row, key[keys.PrefixLen:], unique, ch.scratch)
			ch.writes = append(ch.writes, txn.Write{Key: newKey, Value: ch.tail(from), Blind: !unique})
		}
		return nil
	}
	if had {
		ch.writes = append(ch.writes, txn.Write{Key: oldKey, Delete: true, Blind: !oldUnique, Identity: oldUnique})
	}
	if has {
		ch.putEntryKey(e, row, key, newKey, unique, rowIndex)
	}
	return nil
}

func (ch *change) sameValues(e *entryRules, old, row []datum.Datum) bool {
	for _, o := range e.x.ValueOrdinals() {
		if !identical(old[o], row[o]) {
			return false
		}
	}
	return true
}

// lookup gets the present values of the candidates' keys into vals.
func (ch *change) lookup(ctx context.Context, st *state) error {
	ch.ks = ch.ks[:0]
	for i := range ch.cands {
		ch.ks = append(ch.ks, ch.writes[ch.cands[i].write].Key)
	}
	if cap(ch.vals) < len(ch.ks) {
		ch.vals = make([][]byte, len(ch.ks))
	}
	ch.vals = ch.vals[:len(ch.ks)]
	clear(ch.vals)
	if len(ch.ks) == 0 {
		return nil
	}
	return st.txn.Get(ctx, ch.ks, ch.vals)
}

// returning evaluates RETURNING and keeps the rows until the change is done.
type returning struct {
	on     bool
	exprs  []evalFn
	in     []datum.Datum // for operators whose RETURNING is on a row made of parts
	out    rowBuf
	store  *spill.Store
	reader *spill.StoreReader
	rows   [][]datum.Datum
	given  bool
}

func (r *returning) reset() {
	r.given = false
	r.out.beginAtMost(maxBatch)
	r.out.size = maxBatch
}

func (r *returning) add(ctx context.Context, st *state, row []datum.Datum) error {
	if !r.on {
		return nil
	}
	if r.out.full() {
		if r.store == nil {
			r.store = spill.NewStore(st.mem())
		}
		for _, b := range r.out.batch() {
			if err := r.store.Add(b); err != nil {
				return err
			}
		}
		r.out.n = 0
	}
	return evalInto(ctx, st, r.exprs, row, r.out.row())
}

// next gives the rows.
func (r *returning) next() (Batch, error) {
	if r.store != nil {
		if r.reader == nil {
			if err := r.store.Finish(); err != nil {
				return nil, err
			}
			r.reader = r.store.Reader()
		}
		if b, err := readStore(r.reader, &r.rows); err != nil || len(b) > 0 {
			return b, err
		}
	}
	if r.given || !r.on {
		return nil, nil
	}
	r.given = true
	return r.out.batch(), nil
}

func (r *returning) close() {
	if r.store != nil {
		r.store.Close()
	}
	r.store, r.reader, r.rows = nil, nil, nil
	r.out.reset()
}

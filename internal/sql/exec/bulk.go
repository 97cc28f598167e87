package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// RowSource gives the rows of a bulk insert: table rows (one datum for each of Table.Columns, as plan.Insert.Source
// gives them), at most a batch at a time, empty at the end. The rows may be changed by the receiver, until the next
// call.
type RowSource interface {
	Next(ctx context.Context) ([][]datum.Datum, error)
}

// BulkInsert runs a statement whose root is a plan.Insert on the rows of src in place of its Source, and returns the
// number of rows inserted: COPY FROM.
func (p *Prepared) BulkInsert(ctx context.Context, env *Env, src RowSource) (int64, error) {
	op, ok := p.root.(*insertOp)
	if !ok {
		return 0, failure.New(failure.InternalError, "bulk insert into a plan that does not insert")
	}
	cur, err := p.Open(ctx, env)
	if err != nil {
		return 0, err
	}
	defer cur.Close()
	if cur.p != p {
		op = cur.p.root.(*insertOp)
	}
	plain := op.source
	op.source.close(&cur.p.st)
	op.source = &rowSourceOp{src: src}
	one, stream := op.one, op.stream
	op.one, op.stream = false, true
	defer func() { op.source, op.one, op.stream = plain, one, stream }()
	for {
		b, err := cur.Next(ctx)
		if err != nil {
			return 0, err
		}
		if len(b) == 0 {
			return cur.RowsAffected(), nil
		}
	}
}

// rowSourceOp is a RowSource as an operator.
type rowSourceOp struct{ src RowSource }

func (r *rowSourceOp) open(context.Context, *state) error { return nil }
func (r *rowSourceOp) close(*state)                       {}
func (r *rowSourceOp) next(ctx context.Context, _ *state) (Batch, error) {
	return r.src.Next(ctx)
}

// Backfill writes the entries of an index for rows of the row store from a key on (nil: the start), at most limit of
// them (0: all). It returns where to go on, nil at the end. x has the index's expressions.
func Backfill(ctx context.Context, env *Env, facts *builtin.Facts, t *catalog.Table, x *plan.IndexExpr, from keys.Key, limit int) (next keys.Key, rows int64, err error) {
	c := &compiler{facts: facts, onlyIndex: x.Index.ID}
	r := c.rules(t, &plan.RowRules{Indexes: []plan.IndexExpr{*x}})
	if c.err != nil {
		return nil, 0, c.err
	}
	idx := r.lay.Index(x.Index)
	ch := change{rules: r, hint: 64}
	var entry *entryRules
	for _, e := range r.indexes {
		if e.x == idx {
			entry = e
		}
	}
	if entry == nil {
		return nil, 0, failure.New(failure.UndefinedObject, "index \"%s\" does not exist", x.Index.Name)
	}
	dec := c.tableDecoder(r)
	if c.err != nil {
		return nil, 0, c.err
	}
	b := &backfill{ch: &ch, dec: dec, entry: entry, limit: int64(limit)}
	b.st.start(env)
	if err := b.st.writable(ctx, "CREATE INDEX"); err != nil {
		return nil, 0, err
	}
	span := keys.Span{Start: r.lay.Rows.Prefix, End: keys.PrefixEnd(r.lay.Rows.Prefix)}
	if from != nil {
		span.Start = from
	}
	return b.run(ctx, span)
}

// backfill is one run of Backfill.
type backfill struct {
	st    state
	ch    *change
	dec   *layout.Decoder
	entry *entryRules
	limit int64
	rows  int64
	buf   Batch
}

func (b *backfill) run(ctx context.Context, span keys.Span) (keys.Key, int64, error) {
	req := txn.ScanRequest{Span: span}
	if b.limit > 0 {
		req.Limit = b.limit + 1
	}
	s, err := b.st.txn.Scan(ctx, req)
	if err != nil {
		return nil, 0, err
	}
	defer s.Close()
	for {
		if err := ctx.Err(); err != nil {
			return nil, b.rows, canceled(ctx, err)
		}
		kvs, err := s.Next(ctx)
		if err != nil {
			return nil, b.rows, err
		}
		if len(kvs) == 0 {
			return nil, b.rows, nil
		}
		next, err := b.batch(ctx, kvs)
		if err != nil || next != nil {
			return next, b.rows, err
		}
	}
}

// batch writes the entries of some rows; next is set when the limit is reached.
func (b *backfill) batch(ctx context.Context, kvs []txn.KV) (next keys.Key, err error) {
	ch := b.ch
	ch.begin(len(kvs))
	b.buf = b.buf[:0]
	for _, kv := range kvs {
		if b.limit > 0 && b.rows == b.limit {
			next = append(keys.Key(nil), kv.Key...)
			break
		}
		b.rows++
		row := make([]datum.Datum, len(ch.table.Columns))
		key := append(keys.Key(nil), kv.Key...)
		if err := b.dec.Decode(key, append([]byte(nil), kv.Value...), row); err != nil {
			return nil, err
		}
		b.buf = append(b.buf, row)
		ch.space()
		if err := ch.putEntry(ctx, &b.st, b.entry, row, key, len(b.buf)-1); err != nil {
			return nil, err
		}
	}
	if err := b.unique(ctx); err != nil {
		return nil, err
	}
	return next, b.st.txn.Write(ctx, ch.writes...)
}

// unique is change.unique for an index that writers may have maintained already: an entry of the same row is none of
// its business.
func (b *backfill) unique(ctx context.Context) error {
	ch := b.ch
	if len(ch.cands) == 0 {
		return nil
	}
	if err := ch.lookup(ctx, &b.st); err != nil {
		return err
	}
	ch.set.reset()
	for i, v := range ch.vals {
		_, added := ch.set.add(ch.ks[i])
		row := b.buf[ch.cands[i].row]
		if added && v != nil {
			owner, err := b.entry.x.RowKey(nil, ch.ks[i], v)
			if err != nil {
				return err
			}
			added = string(owner) == string(ch.lay.AppendRowKey(nil, row))
		}
		if !added {
			return b.notUnique(ctx, row)
		}
	}
	return nil
}

func (b *backfill) notUnique(ctx context.Context, row []datum.Datum) error {
	err := b.ch.duplicate(ctx, &b.st, b.entry.x, row)
	e := failure.As(err)
	if e == nil {
		return err
	}
	c := e.Edit()
	c.Message = "could not create unique index \"" + b.entry.x.Desc.Name + "\""
	if n := len(c.Detail) - len(" already exists."); n > 0 {
		c.Detail = c.Detail[:n] + " is duplicated."
	}
	return c
}

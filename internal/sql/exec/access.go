package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// access is a plan.Access ready to run: which entries are read and how rows come out of them.
type access struct {
	lay *layout.Table
	idx *layout.Index
	dec *layout.Decoder // of rows, or of entries when nothing is looked up
	// lookup says that rows are fetched by the row keys in the entries of a secondary index.
	lookup bool
	width  int
	get    getter
}

// layout returns the layout of a table, made once for a statement.
func (c *compiler) layout(t *catalog.Table) *layout.Table {
	if l := c.layouts[t]; l != nil {
		return l
	}
	l, err := layout.New(t)
	if err != nil {
		c.fail(err)
		return nil
	}
	if c.layouts == nil {
		c.layouts = map[*catalog.Table]*layout.Table{}
	}
	c.layouts[t] = l
	return l
}

func (c *compiler) access(p *plan.Access) *access {
	a := &access{lay: c.layout(p.Table), width: len(p.Ordinals)}
	if a.lay == nil {
		return a
	}
	a.idx = a.lay.Rows
	if p.Index != nil {
		a.idx = a.lay.Index(p.Index)
	}
	if a.idx == nil {
		c.fail(failure.New(failure.InternalError, "plan uses an index that table \"%s\" does not have", p.Table.Name))
		return a
	}
	from := a.idx
	if a.idx != a.lay.Rows && !(p.IndexOnly && a.idx.Covers(p.Ordinals)) {
		a.lookup, from = true, a.lay.Rows
	}
	var err error
	if a.dec, err = layout.NewDecoder(from, p.Ordinals); err != nil {
		c.fail(err)
	}
	return a
}

// getter gathers keys for one batched Get. Its memory is used again for the next.
type getter struct {
	buf  []byte
	ends []int
	ks   []keys.Key
	vals [][]byte
}

func (g *getter) reset() { g.buf, g.ends = g.buf[:0], g.ends[:0] }

// add ends the key whose bytes have been appended to buf.
func (g *getter) add() { g.ends = append(g.ends, len(g.buf)) }

func (g *getter) len() int { return len(g.ends) }

// key returns key i, valid until reset.
func (g *getter) key(i int) keys.Key {
	from := 0
	if i > 0 {
		from = g.ends[i-1]
	}
	return g.buf[from:g.ends[i]:g.ends[i]]
}

// run looks the keys up: the value of key i is then vals[i].
func (g *getter) run(ctx context.Context, t txn.Txn) error {
	g.ks = g.ks[:0]
	for i := range g.ends {
		g.ks = append(g.ks, g.key(i))
	}
	if cap(g.vals) < len(g.ks) {
		g.vals = make([][]byte, max(len(g.ks), 2*cap(g.vals)))
	}
	g.vals = g.vals[:len(g.ks)]
	clear(g.vals)
	if len(g.ks) == 0 {
		return nil
	}
	return t.Get(ctx, g.ks, g.vals)
}

// release drops values and large buffers between executions.
func (g *getter) release() {
	if cap(g.vals) > keepBatch {
		*g = getter{}
		return
	}
	clear(g.vals[:cap(g.vals)])
}

// decode reads a row from its entry, copying the memory first when it does not outlive the batch.
func (a *access) decode(kv txn.KV, out []datum.Datum, own *[]byte) error {
	if !a.dec.Aliases() {
		return a.dec.Decode(kv.Key, kv.Value, out)
	}
	n := len(kv.Key) + len(kv.Value)
	if cap(*own)-len(*own) < n {
		*own = make([]byte, 0, max(n, 1024))
	}
	b := *own
	from := len(b)
	b = append(b, kv.Key...)
	mid := len(b)
	b = append(b, kv.Value...)
	*own = b
	return a.dec.Decode(keys.Key(b[from:mid:mid]), b[mid:len(b):len(b)], out)
}

// fetch looks rows up by the keys in a.get and calls f for each that is there, with the position of its key. The values
// of a Get stay valid, but its keys are in a buffer, so texts from keys are copied.
func (a *access) fetch(ctx context.Context, st *state, out func() []datum.Datum, f func(i int, ok bool) error) error {
	if err := a.get.run(ctx, st.txn); err != nil {
		return err
	}
	var ownKeys []byte
	if a.dec.Aliases() {
		ownKeys = append(ownKeys, a.get.buf...)
	}
	from := 0
	for i, v := range a.get.vals {
		end := a.get.ends[i]
		if v != nil {
			k := keys.Key(a.get.buf[from:end])
			if ownKeys != nil {
				k = ownKeys[from:end:end]
			}
			if err := a.dec.Decode(k, v, out()); err != nil {
				return err
			}
		}
		from = end
		if err := f(i, v != nil); err != nil {
			return err
		}
	}
	return nil
}

// dangling is the error of an entry whose row is not there.
func (a *access) dangling() error {
	return failure.New(failure.IndexCorrupted, "index \"%s\" has an entry without a row", a.idx.Desc.Name)
}

// pointGet reads one row by a full key.
type pointGet struct {
	*access
	keys   []evalFn
	filter predFn
	out    rowBuf
	done   bool
	vals   []datum.Datum
}

func (c *compiler) pointGet(n *plan.PointGet) operator {
	g := &pointGet{access: c.access(&n.Access), keys: c.exprs(n.Keys), filter: c.pred(n.Filter)}
	g.out.width = len(n.Ordinals)
	g.vals = make([]datum.Datum, len(n.Keys))
	return g
}

func (g *pointGet) open(context.Context, *state) error {
	g.done = false
	g.out.beginAtMost(1)
	return nil
}

func (g *pointGet) close(*state) { g.get.release() }

func (g *pointGet) next(ctx context.Context, st *state) (Batch, error) {
	if g.done {
		return nil, nil
	}
	g.done = true
	for i, k := range g.keys {
		d, err := k(ctx, st, nil)
		if err != nil || d.IsNull() {
			return nil, err
		}
		g.vals[i] = d
	}
	g.get.reset()
	g.get.buf = append(g.get.buf, g.idx.Prefix...)
	g.get.buf = g.idx.AppendColumns(g.get.buf, g.vals)
	g.get.add()
	kv := txn.KV{}
	for pass := 0; ; pass++ {
		if err := g.get.run(ctx, st.txn); err != nil {
			return nil, err
		}
		kv = txn.KV{Key: g.get.key(0), Value: g.get.vals[0]}
		if kv.Value == nil {
			if pass > 0 {
				return nil, g.dangling()
			}
			return nil, nil
		}
		if !g.lookup || pass > 0 {
			break
		}
		b, err := g.idx.RowKey(nil, kv.Key, kv.Value)
		if err != nil {
			return nil, err
		}
		g.get.reset()
		g.get.buf = append(g.get.buf, b...)
		g.get.add()
	}
	row := g.out.row()
	if g.dec.Aliases() {
		kv.Key = append(keys.Key(nil), kv.Key...)
	}
	if err := g.dec.Decode(kv.Key, kv.Value, row); err != nil {
		return nil, err
	}
	if g.filter != nil {
		if ok, err := g.filter(ctx, st, row); err != nil || !ok {
			return nil, err
		}
	}
	return g.out.batch(), nil
}

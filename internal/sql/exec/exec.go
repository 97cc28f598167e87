// Package exec runs physical plans on a txn.Txn.
//
// Compile turns a plan.Statement into a Prepared: a tree of operators and of closures for the expressions, with every
// buffer they need. A session keeps a Prepared in its plan cache and opens it again for each execution; nothing in it
// is shared with other sessions. Operators pull batches of rows from their inputs.
//
// # Memory
//
// Datums are immutable and kept alive by the garbage collector; only the row slices that carry them are reused. A
// batch and its row slices are valid until the next call of Next or Close on the operator that gave them: who keeps a row
// copies the slice. Operators that keep many rows have an account on the query's spill.Memory.
//
// # Writes
//
// A data-changing operator reads its source to the end before it writes (unless the source cannot give a second
// batch), so that it never meets its own writes. What a statement does at its end (foreign keys, referential actions,
// uniqueness of changed keys) therefore sees the statement's whole effect, in whatever order the rows came. In this
// it is more generous than PostgreSQL, which checks non-deferrable unique constraints row by row.
package exec

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/exec/spill"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// Batch is a number of rows.
type Batch = [][]datum.Datum

// Env is what one execution runs in.
type Env struct {
	Txn txn.Txn
	// State is the transaction's, made by the session with the transaction.
	State *TxnState
	Ctx   *builtin.Context
	// Params are the values of $1 …, of the types in Statement.Params.
	Params []datum.Datum
	// Memory bounds the execution; nil is the defaults without a place to spill to.
	Memory *spill.Config
	// System is handed to the functions behind system tables.
	System any
	// RowID makes unique ids for rows of tables without a primary key; ids that grow with time keep neighbours together.
	RowID func() [16]byte
	// Catalog says which tables' data the transaction itself has made; nil says it of none.
	Catalog *catalog.Txn
	// Changes hears how many rows a statement has changed in a table; nil does not.
	Changes Changes
	// SchemaName returns the name of a schema, for the fields of errors; it may be nil.
	SchemaName func(oid datum.OID) string
	// Monotonic measures time for EXPLAIN ANALYZE; nil measures nothing.
	Monotonic func() time.Duration
	// ReadOnly makes every write fail with 25006.
	ReadOnly bool
}

// Changes counts changed rows.
type Changes interface {
	Changed(t *catalog.Table, rows int64)
}

// TxnState is what the executor remembers from one statement of a transaction to the next: the schema checks made, and
// the constraints to check at commit. The zero value is that of a new transaction.
type TxnState struct {
	uses     []schemaUse
	deferred []deferredCheck
	wrote    bool
	// modes is what SET CONSTRAINTS said of constraints by name, allModes what it said last of all.
	modes    map[string]bool
	allModes constraintMode
}

// schemaUse is an object whose descriptor the transaction depends on; checked once a Check is in the transaction's
// buffer, at position mark.
type schemaUse struct {
	oid     datum.OID
	checked bool
	mark    txn.Mark
}

// Reset makes the state that of a new transaction.
func (s *TxnState) Reset() {
	clear(s.deferred)
	*s = TxnState{uses: s.uses[:0], deferred: s.deferred[:0]}
}

// RollbackTo undoes what was done since the mark, in the transaction too.
func (s *TxnState) RollbackTo(t txn.Txn, m txn.Mark) {
	t.RollbackTo(m)
	for i := range s.uses {
		if s.uses[i].checked && s.uses[i].mark >= m {
			s.uses[i].checked = false
			s.wrote = false
		}
	}
	n := len(s.deferred)
	for n > 0 && s.deferred[n-1].mark >= m {
		n--
	}
	clear(s.deferred[n:])
	s.deferred = s.deferred[:n]
}

// Wrote says whether the transaction has tried to write.
func (s *TxnState) Wrote() bool { return s.wrote }

// use notes that the transaction depends on descriptors.
func (s *TxnState) use(ctx context.Context, t txn.Txn, objects []datum.OID) error {
next:
	for _, id := range objects {
		for i := range s.uses {
			if s.uses[i].oid == id {
				continue next
			}
		}
		s.uses = append(s.uses, schemaUse{oid: id})
		if s.wrote {
			if err := s.check(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// check adds the schema checks that are still missing. A transaction that only reads needs none.
func (s *TxnState) check(ctx context.Context, t txn.Txn) error {
	s.wrote = true
	for i := range s.uses {
		u := &s.uses[i]
		if u.checked {
			continue
		}
		u.mark = t.Mark()
		if err := t.Check(ctx, txn.Check{Key: catalog.SchemaKey(u.oid), Mode: txn.CheckSchema}); err != nil {
			return err
		}
		u.checked = true
	}
	return nil
}

// Options of Compile.
type Options struct {
	// Facts knows the types and functions of the session's database.
	Facts *builtin.Facts
	// Analyze measures every operator, for EXPLAIN ANALYZE.
	Analyze bool
}

// Prepared is a compiled statement. It is used by one session; executions may overlap (two open portals), in which
// case all but the first are compiled anew.
type Prepared struct {
	stmt *plan.Statement
	opts Options
	root operator
	st   state
	cur  Cursor
	busy bool
	// stats are the measurements by node, when Options.Analyze is set.
	stats map[plan.Node]*NodeStats
}

// Compile compiles a statement. An expression that needs a function Meridian does not have fails when it is evaluated.
func Compile(stmt *plan.Statement, o Options) (*Prepared, error) {
	if o.Facts == nil {
		o.Facts = builtin.Load()
	}
	c := &compiler{facts: o.Facts, analyze: o.Analyze, root: ownNode(stmt.Root), lazy: stmt.Kind == plan.KindSelect && stmt.ReadOnly}
	p := &Prepared{stmt: stmt, opts: o}
	if o.Analyze {
		c.stats = map[plan.Node]*NodeStats{}
		p.stats = c.stats
	}
	p.root = c.node(stmt.Root)
	if c.err != nil {
		return nil, c.err
	}
	p.st.slots = make([]datum.Datum, stmt.NumSlots)
	p.st.deferWrites = c.deferWrites
	p.st.facts = o.Facts
	return p, nil
}

// Statement returns what was compiled.
func (p *Prepared) Statement() *plan.Statement { return p.stmt }

// Open starts an execution. The caller closes the cursor, also after an error of Next. The context given to Open is not
// kept.
func (p *Prepared) Open(ctx context.Context, env *Env) (*Cursor, error) {
	return p.openWith(ctx, env, nil)
}

// openWith is Open with values for the first slots.
func (p *Prepared) openWith(ctx context.Context, env *Env, slots []datum.Datum) (*Cursor, error) {
	if p.busy {
		q, err := Compile(p.stmt, p.opts)
		if err != nil {
			return nil, err
		}
		return q.openWith(ctx, env, slots)
	}
	if len(env.Params) < len(p.stmt.Params) {
		return nil, failure.New(failure.ProtocolViolation, "statement needs %d parameters but %d were given",
			len(p.stmt.Params), len(env.Params))
	}
	p.st.start(env)
	copy(p.st.slots, slots)
	if err := p.st.use(ctx, p.stmt.Objects); err != nil {
		return nil, err
	}
	p.busy = true
	p.cur = Cursor{p: p}
	if err := p.root.open(ctx, &p.st); err != nil {
		p.cur.Close()
		return nil, err
	}
	return &p.cur, nil
}

// Cursor gives the rows of one execution.
type Cursor struct {
	p    *Prepared
	done bool
	rows int64
}

// Next returns the next batch, empty at the end. It is valid until the next call of Next or Close. After an error only
// Close may be called.
func (c *Cursor) Next(ctx context.Context) (Batch, error) {
	if c.done {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, canceled(ctx, err)
	}
	b, err := c.p.root.next(ctx, &c.p.st)
	if err != nil {
		c.done = true
		return nil, canceled(ctx, err)
	}
	if len(b) == 0 {
		c.done = true
		if err := c.p.st.finish(ctx); err != nil {
			return nil, canceled(ctx, err)
		}
	}
	c.rows += int64(len(b))
	return b, nil
}

// RowsAffected is the number for the command tag: rows changed by INSERT, UPDATE, DELETE and MERGE, rows given so far by
// others.
func (c *Cursor) RowsAffected() int64 {
	if c.p == nil {
		return c.rows
	}
	if c.p.stmt.Kind != plan.KindSelect {
		return c.p.st.affected
	}
	return c.rows
}

// Close ends the execution. It may be called again.
func (c *Cursor) Close() {
	p := c.p
	if p == nil {
		return
	}
	c.rows = c.RowsAffected()
	c.p = nil
	c.done = true
	p.root.close(&p.st)
	p.st.end()
	p.busy = false
}

// canceled makes 57014 of a context's end, unless its cause is an error of its own.
func canceled(ctx context.Context, err error) error {
	if failure.As(err) != nil || ctx.Err() == nil {
		return err
	}
	if cause := failure.As(context.Cause(ctx)); cause != nil {
		return cause
	}
	return failure.New(failure.QueryCanceled, "canceling statement due to user request").WithCause(err)
}

// state is one execution.
type state struct {
	env    *Env
	facts  *builtin.Facts
	txn    txn.Txn
	bctx   *builtin.Context
	params []datum.Datum
	slots  []datum.Datum
	memory *spill.Memory
	// affected counts changed rows of the statement's own (outermost) data change.
	affected int64
	// deferWrites is set for statements with data-modifying CTEs, whose parts do not see each other's writes: these
	// wait in held until the end.
	deferWrites bool
	held        []txn.Write
	heldKeys    map[string]struct{}
	after       []afterCheck
	noBctx      builtin.Context
	// run counts executions: what a subplan keeps belongs to one of them.
	run uint64
	// kept are the holders of rows that outlive a close; they are emptied at the end.
	kept []interface{ release() }
}

func (st *state) start(env *Env) {
	st.env, st.txn, st.bctx, st.params = env, env.Txn, env.Ctx, env.Params
	if st.bctx == nil {
		st.bctx = &st.noBctx
	}
	st.affected = 0
	st.run++
}

// end drops what the execution referred to.
func (st *state) end() {
	if st.memory != nil {
		st.memory.Close()
	}
	for _, k := range st.kept {
		k.release()
	}
	clear(st.kept)
	st.kept = st.kept[:0]
	for _, a := range st.after {
		a.forget()
	}
	clear(st.slots)
	clear(st.held)
	clear(st.after)
	st.env, st.txn, st.bctx, st.params, st.memory = nil, nil, nil, nil, nil
	st.held, st.after, st.heldKeys = st.held[:0], st.after[:0], nil
}

func (st *state) use(ctx context.Context, objects []datum.OID) error {
	if len(objects) == 0 || st.env.State == nil {
		return nil
	}
	return st.env.State.use(ctx, st.txn, objects)
}

// mem returns the execution's budget, which most short statements never ask for.
func (st *state) mem() *spill.Memory {
	if st.memory == nil {
		var c spill.Config
		if st.env.Memory != nil {
			c = *st.env.Memory
		}
		st.memory = spill.NewMemory(c)
	}
	return st.memory
}

// operator is a running node. After open it gives batches until an empty one; close ends it, and it may be opened
// again. close is called once for each open, also after an error of open.
type operator interface {
	open(ctx context.Context, st *state) error
	next(ctx context.Context, st *state) (Batch, error)
	close(st *state)
}

// ownNode is the node that does the statement's own work, below its WITH.
func ownNode(n plan.Node) plan.Node {
	for {
		w, ok := n.(*plan.With)
		if !ok {
			return n
		}
		n = w.Input
	}
}

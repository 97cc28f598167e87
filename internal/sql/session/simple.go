package session

import (
	"container/list"
	"context"
	"time"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// Query implements the wire server's Session: a simple-protocol string of any number of statements.
func (s *Session) Query(ctx context.Context, sql string) error {
	s.activity.begin(sql, s.engine.now())
	if p := s.portals[""]; p != nil {
		p.close()
		delete(s.portals, "")
	}
	err := s.limited(ctx, func(ctx context.Context) error { return s.query(ctx, sql) })
	if err != nil {
		return guard(ctx, err)
	}
	s.reportChanges()
	s.activity.done(s.Status(), s.engine.now())
	return nil
}

func (s *Session) query(ctx context.Context, sql string) error {
	s.sql = sql
	if st := s.plans.get(sql); st != nil {
		return s.lone(ctx, st, nil)
	}
	if st := s.shared(ctx, sql); st != nil {
		return s.lone(ctx, st, s.normal.params)
	}
	if !utf8.ValidString(sql) {
		return invalidUTF8(sql)
	}
	stmts, err := parser.Parse(sql)
	if err != nil {
		return err
	}
	switch len(stmts) {
	case 0:
		s.sink.EmptyQuery()
		return nil
	case 1:
		st := &statement{sql: sql, raw: stmts[0], oids: noParams()}
		err := s.lone(ctx, st, nil)
		if err == nil && st.plan != nil {
			s.plans.put(sql, st)
		}
		return err
	}
	for i := range stmts {
		if s.t.block == idle {
			s.t.block = implicit
		}
		if err := s.step(ctx, &statement{sql: sql, raw: stmts[i], oids: noParams()}, nil); err != nil {
			return err
		}
	}
	return s.endImplicit(ctx)
}

// shared finds or makes the plan that a text shares with others that differ from it in constants only, whose values are
// then in s.normal. It answers nil when there is none: the text is then planned for itself, which also finds its errors
// with their positions.
func (s *Session) shared(ctx context.Context, sql string) *statement {
	if s.t.block == failed || !s.normal.normalize(sql) {
		return nil
	}
	text := len(s.normal.text)
	key := s.normal.key()
	st := s.plans.peek(key)
	known := st != nil
	if !known {
		stmts, err := parser.Parse(string(key[:text]))
		if err != nil || len(stmts) != 1 || !plannable(stmts[0].Stmt) || selectInto(stmts[0].Stmt) != nil {
			return nil
		}
		st = &statement{sql: string(key[:text]), raw: stmts[0], oids: append([]datum.OID(nil), s.normal.types...)}
	}
	s.ctx = ctx
	if s.prepare(ctx, st) != nil || !s.typed(st) {
		if s.t.block == idle {
			s.abandon()
		}
		return nil
	}
	if !known {
		s.plans.put(string(key), st)
	}
	return st
}

// typed gives the strings of s.normal the types that the plan found for them.
func (s *Session) typed(st *statement) bool {
	for i, t := range s.normal.types {
		if t != 0 {
			continue
		}
		d, err := s.parseValue(st.plan.Params[i], s.normal.params[i].Text())
		if err != nil {
			return false
		}
		s.normal.params[i] = d
	}
	return true
}

// noParams are the parameters of a statement that can have none.
func noParams() []datum.OID { return []datum.OID{} }

func (s *Session) endImplicit(ctx context.Context) error {
	if s.t.block == inBlock || s.t.block == failed {
		return nil
	}
	return s.commit(ctx)
}

// lone runs the only statement of a string. Outside a block it is its own transaction, run again when it loses.
func (s *Session) lone(ctx context.Context, st *statement, params []datum.Datum) error {
	if s.t.block != idle {
		return s.step(ctx, st, params)
	}
	at := s.sink.Position()
	for try := 0; ; try++ {
		err := s.step(ctx, st, params)
		if err == nil {
			err = s.endImplicit(ctx)
		}
		if err == nil || s.t.block != idle || !s.mayRetry(ctx, err, try) || !s.sink.Rewind(at) {
			return err
		}
	}
}

// step runs one statement and sends its result.
func (s *Session) step(ctx context.Context, st *statement, params []datum.Datum) error {
	e, err := s.open(ctx, st, params)
	if err != nil {
		return err
	}
	defer e.close()
	if len(e.cols) > 0 || (plannable(st.raw.Stmt) && returnsRows(st)) {
		s.sink.RowDescription(e.cols, nil)
	}
	if _, err := s.send(ctx, e, nil, 0); err != nil {
		return err
	}
	s.sink.CommandComplete(e.commandTag())
	return nil
}

// mayRetry decides whether a lone statement that failed is run again, and prepares for it: the next snapshot lies past
// what was lost against, and contenders that keep losing spread out.
func (s *Session) mayRetry(ctx context.Context, err error, try int) bool {
	if !failure.Retryable(err) || try >= s.engine.cfg.MaxRetries || ctx.Err() != nil {
		return false
	}
	s.abandon()
	s.t.notBefore = clock.Timestamp(failure.As(err).RetryAfter)
	if try >= 2 {
		most := time.Duration(min(try, 10)) * 200 * time.Microsecond
		pause := time.Duration(s.engine.cfg.Host.Uint64() % uint64(most))
		if s.engine.cfg.Host.Sleep(ctx, pause) != nil {
			return false
		}
	}
	return true
}

// limited runs f under statement_timeout.
func (s *Session) limited(ctx context.Context, f func(context.Context) error) error {
	limit := s.statementTimeout()
	if limit == 0 {
		return f(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := s.engine.cfg.Host.AfterFunc(limit, func() {
		cancel(failure.New(failure.QueryCanceled, "canceling statement due to statement timeout"))
	})
	defer cancel(nil)
	defer stop()
	return guard(ctx, f(ctx))
}

// planCacheSize is the number of simple-protocol texts whose plans a session keeps.
const planCacheSize = 64

// planCache keeps the plans of texts that come again. A text is kept at its second appearance: programs that put
// constants into their statements would fill it with what never comes back.
type planCache struct {
	size  int
	order *list.List // of *cached, most recent first
	byKey map[string]*list.Element
	seen  [256]uint32 // hashes of texts seen once
}

type cached struct {
	sql string
	st  *statement
}

func newPlanCache(size int) *planCache {
	return &planCache{size: size, order: list.New(), byKey: map[string]*list.Element{}}
}

func (c *planCache) get(sql string) *statement {
	e := c.byKey[sql]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).st
}

// peek is get for a key that is not a string yet.
func (c *planCache) peek(key []byte) *statement {
	e := c.byKey[string(key)]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).st
}

func (c *planCache) put(sql string, st *statement) {
	const longest = 16 << 10
	if len(sql) > longest || c.byKey[sql] != nil {
		return
	}
	h := uint32(2166136261)
	for i := 0; i < len(sql); i++ {
		h = (h ^ uint32(sql[i])) * 16777619
	}
	if slot := &c.seen[h%uint32(len(c.seen))]; *slot != h {
		*slot = h
		return
	}
	c.byKey[sql] = c.order.PushFront(&cached{sql, st})
	if c.order.Len() > c.size {
		last := c.order.Back()
		delete(c.byKey, last.Value.(*cached).sql)
		c.order.Remove(last)
	}
}

func (c *planCache) clear() {
	c.order.Init()
	clear(c.byKey)
}

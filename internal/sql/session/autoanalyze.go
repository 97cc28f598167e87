package session

import (
	"context"
	"sync"

	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/txn"
)

// tableChanges is how many rows of a table a transaction has changed, what it took back again included.
type tableChanges struct {
	table catalog.OID
	rows  int64
}

// Changed implements exec.Changes.
func (s *Session) Changed(t *catalog.Table, n int64) {
	if t.OID < catalog.FirstUserOID {
		return
	}
	for i := range s.t.changed {
		if c := &s.t.changed[i]; c.table == t.OID {
			c.rows += n
			return
		}
	}
	s.t.changed = append(s.t.changed, tableChanges{t.OID, n})
}

// changeCounts counts, by table, the rows that this node's transactions have changed since the table was analysed.
type changeCounts struct {
	mu   sync.Mutex
	rows map[catalog.OID]int64
}

// add takes over what a committed transaction has changed.
func (c *changeCounts) add(cs []tableChanges) {
	if len(cs) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows == nil {
		c.rows = map[catalog.OID]int64{}
	}
	for _, t := range cs {
		c.rows[t.table] += t.rows
	}
}

func (c *changeCounts) forget(t catalog.OID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.rows, t)
}

// above returns the tables with more than a number of changes.
func (c *changeCounts) above(least int64) map[catalog.OID]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out map[catalog.OID]int64
	for t, n := range c.rows {
		if n > least {
			if out == nil {
				out = map[catalog.OID]int64{}
			}
			out[t] = n
		}
	}
	return out
}

// AutoAnalyze says when a table is analysed without being asked: after more changed rows than Threshold plus Scale times
// its rows, as PostgreSQL's autovacuum_analyze_threshold and autovacuum_analyze_scale_factor say.
type AutoAnalyze struct {
	Threshold int64
	Scale     float64
}

// AutoAnalyze analyses the tables that have changed much, one after the other, and returns how many they were. It blocks
// nobody: each is an ordinary transaction on a snapshot. To be called now and then by one goroutine.
func (e *Engine) AutoAnalyze(ctx context.Context, when AutoAnalyze) (int, error) {
	changed := e.changed.above(when.Threshold)
	if len(changed) == 0 {
		return 0, nil
	}
	due, err := e.dueTables(ctx, changed, when)
	for i, name := range due {
		s := e.newSession(Startup{User: "admin", Database: "postgres"}, discardSink{})
		err := s.connect(ctx)
		if err == nil {
			err = s.Query(ctx, "ANALYZE "+name)
		}
		if err != nil {
			s.abandon()
			return i, err
		}
	}
	return len(due), err
}

// dueTables chooses among the changed tables and returns their names.
func (e *Engine) dueTables(ctx context.Context, changed map[catalog.OID]int64, when AutoAnalyze) ([]string, error) {
	tx := e.cfg.DB.Begin(txn.Options{ReadOnly: true, Internal: true})
	defer tx.Rollback()
	cat, err := e.cfg.Catalog.Begin(ctx, tx)
	if err != nil {
		return nil, err
	}
	snap := cat.Snapshot()
	var due []string
	for oid, n := range changed {
		t := snap.TableByOID(oid)
		if t == nil || t.RowStore() == nil {
			e.changed.forget(oid)
			continue
		}
		rows := 0.0
		if st := snap.Stats(oid); st != nil {
			rows = st.Rows
		}
		if float64(n) > float64(when.Threshold)+when.Scale*rows {
			due = append(due, catalog.QuoteIdent(snap.SchemaName(t.Schema))+"."+catalog.QuoteIdent(t.Name))
		}
	}
	return due, nil
}

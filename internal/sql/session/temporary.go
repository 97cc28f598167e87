package session

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/ddl"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// tempName names the schema of the session's temporary objects: the query processor's random number and the process id
// tell it from those of all others.
func (e *Engine) tempName(pid int32) string {
	return fmt.Sprintf("pg_temp_%d", uint64(e.salt)<<24+uint64(uint32(pid)))
}

// endTemporary does at commit what ON COMMIT says of the session's temporary tables.
func (s *Session) endTemporary(ctx context.Context) error {
	if !s.temporary || s.t.cat == nil {
		return nil
	}
	schema := s.t.cat.Snapshot().Schema(s.temp)
	if schema == nil {
		return nil
	}
	var drop []catalog.OID
	for t := range s.t.cat.Snapshot().Tables() {
		switch {
		case t.Schema != schema.OID:
		case t.OnCommit == ddl.OnCommitDrop:
			drop = append(drop, t.OID)
		case t.OnCommit == ddl.OnCommitDelete && s.t.state.Wrote():
			sql := "DELETE FROM " + schema.Name + "." + catalog.QuoteIdent(t.Name)
			stmt, err := parser.ParseOne(sql)
			if err != nil {
				return err
			}
			if _, err := s.runInternal(ctx, stmt.Stmt, sql, nil); err != nil {
				return err
			}
		}
	}
	if len(drop) == 0 {
		return nil
	}
	return s.superDDL(ctx).DropTables(ctx, drop...)
}

// superDDL is the environment of a schema change that the session makes of its own accord, without notices.
func (s *Session) superDDL(ctx context.Context) *ddl.Env {
	env := s.ddlEnv(ctx)
	env.User, env.Notice = catalog.OIDPostgres, nil
	if s.engine.cfg.Jobs != nil {
		s.t.atCommit = append(s.t.atCommit, s.engine.cfg.Jobs.Wake)
	}
	return env
}

// dropTemporary drops the schemas of temporary objects with these names, in a transaction of its own.
func (s *Session) dropTemporary(ctx context.Context, names ...string) error {
	for try := 0; ; try++ {
		err := s.begun(ctx)
		if err == nil {
			err = s.superDDL(ctx).DropTemporary(ctx, names...)
		}
		if err == nil {
			err = s.commit(ctx)
		}
		if err == nil || !s.mayRetry(ctx, err, try) {
			s.abandon()
			return err
		}
	}
}

// closeTemporary drops the session's temporary objects at its end. What cannot be dropped now is swept away at the next
// start.
func (s *Session) closeTemporary() {
	if !s.temporary {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer s.engine.cfg.Host.AfterFunc(10*time.Second, cancel)()
	s.temporary = false
	if err := s.dropTemporary(ctx, s.temp); err != nil {
		s.engine.cfg.Log.Warn("temporary tables are left behind", "schema", s.temp, "error", err)
	}
}

// sweepTemporary drops what sessions left behind that did not end in order, once in the life of the process.
func (s *Session) sweepTemporary(ctx context.Context) error {
	if s.engine.cfg.Shared || s.engine.swept.Swap(true) {
		return nil
	}
	if err := s.begun(ctx); err != nil {
		return err
	}
	var left []string
	for d := range s.t.cat.Snapshot().Schemas() {
		if strings.HasPrefix(d.Name, "pg_temp_") {
			left = append(left, d.Name)
		}
	}
	s.abandon()
	if len(left) == 0 {
		return nil
	}
	return s.dropTemporary(ctx, left...)
}

package session

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/setting"
	"github.com/meridiandb/meridian/internal/sql/strict"
	"github.com/meridiandb/meridian/internal/txn"
)

// compatState caches whether meridian.compat is "dsql".
type compatState struct {
	at uint64 // version of the settings, plus one
	on bool
}

// strict says whether the session refuses what Aurora DSQL refuses.
func (s *Session) strict() bool {
	if v := s.settings.Version() + 1; s.compat.at != v {
		mode, _ := s.settings.Get(setting.CompatName)
		s.compat = compatState{v, mode == setting.CompatDSQL}
		if s.bctx.FullVersion = ""; s.compat.on {
			s.bctx.FullVersion = strict.Version
		}
	}
	return s.compat.on
}

// admit decides whether strict mode lets a statement run.
func (s *Session) admit(ctx context.Context, st *statement) error {
	if err := strict.Check(st.raw.Stmt); err != nil {
		return err
	}
	class := strict.ClassOf(st.raw.Stmt)
	if err := s.t.blocks.Admit(class); err != nil {
		return err
	}
	if v, ok := st.raw.Stmt.(*parser.VacuumStmt); ok && v.Analyze && s.t.block != idle {
		return failure.New(failure.ActiveSQLTransaction, "ANALYZE cannot run inside a transaction block")
	}
	if class != strict.DDL {
		return nil
	}
	if err := s.begun(ctx); err != nil {
		return err
	}
	return strict.CheckCatalog(st.raw.Stmt, s.t.cat.Snapshot(), s.path())
}

// strictLimits are the limits of a new transaction.
func (s *Session) strictLimits() txn.Limits {
	if !s.strict() {
		return txn.Limits{}
	}
	return txn.Limits{Rows: strict.TransactionRows, Bytes: strict.TransactionBytes, Age: strict.TransactionSeconds * time.Second}
}

// strictShow is what strict mode answers instead of a parameter's value.
func (s *Session) strictShow(name string) (string, bool) {
	if !s.strict() {
		return "", false
	}
	return strict.Show(name)
}

// strictStartup checks a parameter that the client sends at its start.
func (s *Session) strictStartup(name string) error {
	if !s.strict() {
		return nil
	}
	return strict.Startup(name)
}

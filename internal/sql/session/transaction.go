package session

import (
	"context"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/catalog"
	"github.com/meridiandb/meridian/internal/sql/exec"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/strict"
	"github.com/meridiandb/meridian/internal/txn"
)

// blockState is where the session is with respect to BEGIN … COMMIT.
type blockState uint8

const (
	idle     blockState = iota // no transaction, or an implicit one
	inBlock                    // after BEGIN
	failed                     // after an error inside a block: everything but ROLLBACK is refused
	implicit                   // inside a multi-statement string or pipeline that BEGIN has not turned into a block
)

// transaction is the session's open transaction. tx is nil until a statement needs it.
type transaction struct {
	tx         txn.Txn
	cat        *catalog.Txn
	state      exec.TxnState
	block      blockState
	savepoints []savepoint
	// started is the transaction's timestamp for now(), in microseconds since 2000; 0 before the first statement.
	started int64
	// settings is the mark of the run-time parameters at the start.
	settings int
	// statements counts the planned statements that have run.
	statements int
	// advisory are the advisory locks that end with the transaction; waited says that one had to be waited for.
	advisory []advisoryHeld
	waited   bool
	// notBefore is a time that the next snapshot must reach.
	notBefore clock.Timestamp
	// atCommit are actions to take once the transaction has committed (starting jobs that it created).
	atCommit []func()
	modes    txnModes
	// changed counts changed rows, for AutoAnalyze.
	changed []tableChanges
	// blocks is what strict mode remembers of the statements before.
	blocks strict.Blocks
}

// txnModes are the modes of a transaction.
type txnModes struct {
	readOnly, deferrable bool
	// serializable counts once leveled says that the level is settled: it is asked for, or the default at the beginning.
	serializable, leveled bool
}

type savepoint struct {
	name     string
	tx       txn.Mark
	begun    bool // the store's transaction was open already
	cat      catalog.Mark
	settings int
	advisory int
}

// Status implements the wire server's Session: the letter of ReadyForQuery.
func (s *Session) Status() byte {
	switch s.t.block {
	case inBlock:
		return 'T'
	case failed:
		return 'E'
	default:
		return 'I'
	}
}

// begun makes sure that the store's transaction is open and the catalogue loaded at its snapshot.
func (s *Session) begun(ctx context.Context) error {
	if s.t.tx != nil {
		return nil
	}
	if s.t.block != inBlock && s.settings.Bool("default_transaction_read_only") {
		s.t.modes.readOnly = true
	}
	if !s.t.modes.leveled {
		s.t.modes.leveled, s.t.modes.serializable = true, s.serializableByDefault()
	}
	tx := s.engine.cfg.DB.Begin(txn.Options{ReadOnly: s.t.modes.readOnly, NotBefore: s.t.notBefore,
		Serializable: s.t.modes.serializable, Limits: s.strictLimits()})
	cat, err := s.engine.cfg.Catalog.Begin(ctx, tx)
	if err != nil {
		tx.Rollback()
		return err
	}
	s.t.tx, s.t.cat, s.catalogStart = tx, cat, cat.Mark()
	s.t.notBefore = 0
	if s.t.started == 0 {
		s.t.started = s.engine.now()
	}
	return nil
}

// commit ends the transaction. On error it is over too, and nothing of it has happened unless the error is 40003.
func (s *Session) commit(ctx context.Context) error {
	t := &s.t
	var err error
	if t.tx != nil {
		if err = s.beforeCommit(ctx); err == nil {
			_, err = t.tx.Commit(ctx)
		}
	}
	if err != nil {
		s.abandon()
		return err
	}
	s.engine.changed.add(t.changed)
	after := t.atCommit
	s.settings.Commit()
	s.finish()
	for _, f := range after {
		f()
	}
	return nil
}

// beforeCommit runs what was deferred to the end: constraints, and the rows of holdable cursors.
func (s *Session) beforeCommit(ctx context.Context) error {
	if s.t.state.HasDeferred() {
		env, err := s.execEnv(ctx, nil)
		if err != nil {
			return err
		}
		if err := s.t.state.RunDeferred(ctx, env); err != nil {
			return err
		}
	}
	if err := s.endTemporary(ctx); err != nil {
		return err
	}
	return s.holdCursors(ctx)
}

// abandon rolls everything back and leaves the block.
func (s *Session) abandon() {
	if s.t.tx != nil {
		s.t.tx.Rollback()
	}
	s.settings.RollbackTo(s.t.settings)
	s.finish()
}

// finish clears the transaction's state after its end.
func (s *Session) finish() {
	s.closePortals()
	if s.t.tx != nil {
		s.t.tx.Rollback() // releases what a finished transaction still holds
	}
	st := s.t.state
	st.Reset()
	locks := s.releaseAdvisory(s.t.advisory, 0)
	s.t = transaction{state: st, savepoints: s.t.savepoints[:0], changed: s.t.changed[:0],
		settings: s.settings.Mark(), advisory: locks}
	if s.changedTransactionSettings {
		s.resetTransactionSettings()
	}
}

// fail notes an error: an explicit block waits for ROLLBACK, an implicit transaction is gone.
func (s *Session) fail() {
	switch s.t.block {
	case inBlock:
		s.closeExecutions()
		s.t.block = failed
	case failed:
	default:
		s.abandon()
	}
}

// refusedInFailed is the answer to everything inside a failed block.
func refusedInFailed() error {
	return failure.New(failure.InFailedSQLTransaction,
		"current transaction is aborted, commands ignored until end of transaction block")
}

// allowedInFailed says whether a statement may run in a failed block.
func allowedInFailed(stmt parser.Statement) bool {
	t, ok := stmt.(*parser.TransactionStmt)
	if !ok {
		return false
	}
	switch t.Kind {
	case parser.TransCommit, parser.TransRollback, parser.TransRollbackTo, parser.TransPrepare:
		return true
	}
	return false
}

func (s *Session) warn(code failure.Code, format string, args ...any) {
	s.notice(failure.New(code, format, args...).WithSeverity(failure.SeverityWarning))
}

// transactionStatement runs BEGIN, COMMIT and their kin and returns the command tag.
func (s *Session) transactionStatement(ctx context.Context, stmt *parser.TransactionStmt) (string, error) {
	switch stmt.Kind {
	case parser.TransBegin, parser.TransStart:
		tag := "BEGIN"
		if stmt.Kind == parser.TransStart {
			tag = "START TRANSACTION"
		}
		if s.t.block == inBlock {
			s.warn(failure.ActiveSQLTransaction, "there is already a transaction in progress")
			return tag, s.setModes(stmt.Modes)
		}
		return tag, s.beginBlock(stmt.Modes)
	case parser.TransCommit:
		return s.commitStatement(ctx, stmt)
	case parser.TransRollback:
		return s.rollbackStatement(stmt)
	case parser.TransSavepoint:
		return "SAVEPOINT", s.savepoint(stmt.Name)
	case parser.TransRelease:
		return "RELEASE", s.release(stmt.Name)
	case parser.TransRollbackTo:
		return "ROLLBACK", s.rollbackTo(stmt.Name)
	default:
		return "", failure.New(failure.ObjectNotInPrerequisiteState, "prepared transactions are disabled").
			WithHint("Meridian does not support two-phase commit by clients.")
	}
}

// beginBlock opens an explicit block. Modes that were not written come from the defaults.
func (s *Session) beginBlock(m parser.TransactionModes) error {
	if !m.ReadOnly && !m.ReadWrite && s.settings.Bool("default_transaction_read_only") {
		m.ReadOnly = true
	}
	if err := s.setModes(m); err != nil {
		return err
	}
	if !s.t.modes.leveled {
		s.t.modes.leveled, s.t.modes.serializable = true, s.serializableByDefault()
	}
	s.t.block = inBlock
	if s.t.started == 0 {
		s.t.started = s.engine.now()
	}
	return nil
}

func (s *Session) commitStatement(ctx context.Context, stmt *parser.TransactionStmt) (string, error) {
	switch s.t.block {
	case inBlock, implicit:
		if s.t.block == implicit {
			if stmt.Chain {
				return "", noBlock("COMMIT AND CHAIN")
			}
			s.warn(failure.NoActiveSQLTransaction, "there is no transaction in progress")
		}
		modes := s.t.modes
		if err := s.commit(ctx); err != nil {
			return "", err
		}
		if stmt.Chain {
			s.t.block, s.t.modes = inBlock, modes
		}
		return "COMMIT", nil
	case failed:
		modes := s.t.modes
		s.abandon()
		if stmt.Chain {
			s.t.block, s.t.modes = inBlock, modes
		}
		return "ROLLBACK", nil
	default:
		if stmt.Chain {
			return "", noBlock("COMMIT AND CHAIN")
		}
		s.warn(failure.NoActiveSQLTransaction, "there is no transaction in progress")
		return "COMMIT", nil
	}
}

func noBlock(what string) error {
	return failure.New(failure.NoActiveSQLTransaction, "%s can only be used in transaction blocks", what)
}

func (s *Session) rollbackStatement(stmt *parser.TransactionStmt) (string, error) {
	if s.t.block != inBlock && s.t.block != failed {
		if stmt.Chain {
			return "", noBlock("ROLLBACK AND CHAIN")
		}
		s.warn(failure.NoActiveSQLTransaction, "there is no transaction in progress")
		if s.t.block == implicit {
			s.abandon()
		}
		return "ROLLBACK", nil
	}
	modes := s.t.modes
	s.abandon()
	if stmt.Chain {
		s.t.block, s.t.modes = inBlock, modes
	}
	return "ROLLBACK", nil
}

func (s *Session) savepoint(name string) error {
	if s.t.block != inBlock {
		return noBlock("SAVEPOINT")
	}
	sp := savepoint{name: name, settings: s.settings.Mark(), advisory: len(s.t.advisory)}
	if s.t.tx != nil {
		sp.begun, sp.tx, sp.cat = true, s.t.tx.Mark(), s.t.cat.Mark()
	}
	s.t.savepoints = append(s.t.savepoints, sp)
	return nil
}

func (s *Session) findSavepoint(name string) (int, error) {
	for i := len(s.t.savepoints) - 1; i >= 0; i-- {
		if s.t.savepoints[i].name == name {
			return i, nil
		}
	}
	return 0, failure.New(failure.SEInvalidSpecification, "savepoint \"%s\" does not exist", name)
}

func (s *Session) release(name string) error {
	if s.t.block != inBlock {
		return noBlock("RELEASE SAVEPOINT")
	}
	i, err := s.findSavepoint(name)
	if err != nil {
		return err
	}
	s.t.savepoints = s.t.savepoints[:i]
	return nil
}

func (s *Session) rollbackTo(name string) error {
	if s.t.block != inBlock && s.t.block != failed {
		return noBlock("ROLLBACK TO SAVEPOINT")
	}
	i, err := s.findSavepoint(name)
	if err != nil {
		return err
	}
	sp := s.t.savepoints[i]
	s.closePortals()
	if s.t.tx != nil {
		if sp.begun {
			s.t.state.RollbackTo(s.t.tx, sp.tx)
			s.t.cat.RollbackTo(sp.cat)
		} else {
			// Opened after the savepoint: keep the snapshot, forget every write.
			s.t.state.RollbackTo(s.t.tx, 0)
			s.t.cat.RollbackTo(s.catalogStart)
		}
	}
	s.settings.RollbackTo(sp.settings)
	s.t.advisory = s.releaseAdvisory(s.t.advisory, sp.advisory)
	s.search = searchPath{}
	s.t.savepoints = s.t.savepoints[:i+1]
	s.t.block = inBlock
	return nil
}

// setModes applies the modes of BEGIN and SET TRANSACTION.
func (s *Session) setModes(m parser.TransactionModes) error {
	if m.Isolation != "" {
		if err := s.setLevel(m.Isolation); err != nil {
			return err
		}
	}
	if m.ReadOnly {
		s.t.modes.readOnly = true
		s.assignTransaction("transaction_read_only", "on")
	}
	if m.ReadWrite {
		if s.t.modes.readOnly && s.t.tx != nil {
			return failure.New(failure.ActiveSQLTransaction, "transaction read-write mode must be set before any query")
		}
		s.t.modes.readOnly = false
		s.assignTransaction("transaction_read_only", "off")
	}
	if m.Deferrable || m.NotDeferrable {
		s.t.modes.deferrable = m.Deferrable
	}
	return nil
}

// setLevel sets the level of the current transaction, which must not have read anything yet if that changes it.
func (s *Session) setLevel(level string) error {
	serializable, err := isolation(level)
	if err != nil {
		return err
	}
	if s.t.tx != nil && serializable != s.t.modes.serializable {
		return failure.New(failure.ActiveSQLTransaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query")
	}
	s.t.modes.leveled, s.t.modes.serializable = true, serializable
	return nil
}

func (s *Session) serializableByDefault() bool {
	level, _ := s.settings.Get("default_transaction_isolation")
	return level == "serializable"
}

// isolation knows two levels: snapshot isolation stands for all that are weaker than serializable.
func isolation(level string) (serializable bool, err error) {
	switch strings.ToLower(level) {
	case "repeatable read", "read committed", "read uncommitted":
		return false, nil
	case "serializable":
		return true, nil
	}
	return false, failure.New(failure.InvalidParameterValue, "invalid value for parameter \"transaction_isolation\": \"%s\"", level)
}

// IdleTimeout implements the wire server's Session.
func (s *Session) IdleTimeout() (time.Duration, error) {
	if s.t.block == inBlock || s.t.block == failed {
		if d := s.settings.Duration("idle_in_transaction_session_timeout"); d > 0 {
			return d, failure.New(failure.IdleInTransactionSessionTimeout,
				"terminating connection due to idle-in-transaction timeout").WithSeverity(failure.SeverityFatal)
		}
		return 0, nil
	}
	if d := s.settings.Duration("idle_session_timeout"); d > 0 {
		return d, failure.New(failure.IdleSessionTimeout,
			"terminating connection due to idle-session timeout").WithSeverity(failure.SeverityFatal)
	}
	return 0, nil
}

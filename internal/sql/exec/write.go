package exec

import (
	"context"
	"slices"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/txn"
)

// afterCheck is what a statement does at its end, when all its writes are in the transaction.
type afterCheck interface {
	runAfter(ctx context.Context, st *state) error
	// forget drops what was noted, when the statement has failed.
	forget()
}

// deferredCheck is a constraint to be checked at commit.
type deferredCheck struct {
	name  string
	mark  txn.Mark
	check func(ctx context.Context, env *Env) error
}

// constraintMode is what SET CONSTRAINTS ALL said.
type constraintMode uint8

const (
	modeDeclared constraintMode = iota
	modeDeferred
	modeImmediate
)

// defers says whether a deferrable constraint waits for the commit.
func (s *TxnState) defers(name string, initially bool) bool {
	if s == nil {
		return false
	}
	if m, ok := s.modes[name]; ok {
		return m
	}
	switch s.allModes {
	case modeDeferred:
		return true
	case modeImmediate:
		return false
	}
	return initially
}

// later queues a check.
func (s *TxnState) later(name string, mark txn.Mark, check func(ctx context.Context, env *Env) error) {
	s.deferred = append(s.deferred, deferredCheck{name, mark, check})
}

// SetConstraints is SET CONSTRAINTS: it defers deferrable constraints to the commit, or makes them immediate, which
// checks at once what waits. No names are all constraints. Names are those of the constraints, without schema.
func (s *TxnState) SetConstraints(ctx context.Context, env *Env, names []string, deferred bool) error {
	if len(names) == 0 {
		s.modes, s.allModes = nil, modeImmediate
		if deferred {
			s.allModes = modeDeferred
		}
	} else if s.modes == nil {
		s.modes = map[string]bool{}
	}
	for _, n := range names {
		s.modes[n] = deferred
	}
	if deferred {
		return nil
	}
	return s.runDeferred(ctx, env, func(d *deferredCheck) bool {
		return len(names) == 0 || slices.Contains(names, d.name)
	})
}

// RunDeferred checks the deferred constraints at commit.
func (s *TxnState) RunDeferred(ctx context.Context, env *Env) error {
	return s.runDeferred(ctx, env, func(*deferredCheck) bool { return true })
}

// runDeferred runs and forgets the checks that match. They may queue others.
func (s *TxnState) runDeferred(ctx context.Context, env *Env, match func(*deferredCheck) bool) error {
	for i := 0; i < len(s.deferred); {
		d := s.deferred[i]
		if !match(&d) {
			i++
			continue
		}
		s.deferred = slices.Delete(s.deferred, i, i+1)
		if err := d.check(ctx, env); err != nil {
			return err
		}
	}
	return nil
}

// HasDeferred says whether constraints wait for the commit.
func (s *TxnState) HasDeferred() bool { return len(s.deferred) > 0 }

// writable makes sure that the transaction may write and checks the schemas it depends on.
func (st *state) writable(ctx context.Context, what string) error {
	if st.env.ReadOnly {
		return failure.New(failure.ReadOnlySQLTransaction, "cannot execute %s in a read-only transaction", what)
	}
	if st.env.State != nil {
		return st.env.State.check(ctx, st.txn)
	}
	return nil
}

// write hands writes to the transaction, or holds them back for the end of the statement.
func (st *state) write(ctx context.Context, ws []txn.Write) error {
	if st.deferWrites {
		st.held = append(st.held, ws...)
		return nil
	}
	return st.txn.Write(ctx, ws...)
}

// onEnd asks for a check at the end of the statement, once.
func (st *state) onEnd(a afterCheck) {
	for _, b := range st.after {
		if a == b {
			return
		}
	}
	st.after = append(st.after, a)
}

// finish ends the statement: held writes go out, then the checks run, which may ask for more checks.
func (st *state) finish(ctx context.Context) error {
	if len(st.held) > 0 {
		if err := st.txn.Write(ctx, st.held...); err != nil {
			return err
		}
		clear(st.held)
		st.held = st.held[:0]
	}
	for i := 0; i < len(st.after); i++ {
		if err := st.after[i].runAfter(ctx, st); err != nil {
			return err
		}
	}
	clear(st.after)
	st.after = st.after[:0]
	return nil
}

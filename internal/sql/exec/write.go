package exec

import (
	"context"

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
	mark  txn.Mark
	check func(ctx context.Context, env *Env) error
}

// RunDeferred checks the deferred constraints, at commit or for SET CONSTRAINTS … IMMEDIATE. Those that hold are
// forgotten.
func (s *TxnState) RunDeferred(ctx context.Context, env *Env) error {
	for len(s.deferred) > 0 {
		todo := s.deferred
		s.deferred = nil
		for _, d := range todo {
			if err := d.check(ctx, env); err != nil {
				return err
			}
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

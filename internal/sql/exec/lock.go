package exec

import (
	"context"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/sql/layout"
	"github.com/meridiandb/meridian/internal/sql/plan"
	"github.com/meridiandb/meridian/internal/txn"
)

// lockRows adds the rows it passes to the transaction's checks: a conflict is found at commit.
type lockRows struct {
	input   operator
	targets []lockTarget
}

type lockTarget struct {
	lay  *layout.Table
	keys []int
	mode txn.CheckMode
	vals []datum.Datum
}

func (c *compiler) lockRows(n *plan.LockRows) operator {
	l := &lockRows{input: c.node(n.Input)}
	for _, t := range n.Targets {
		l.targets = append(l.targets, lockTarget{c.layout(t.Table), t.Keys, checkMode(t.Strength),
			make([]datum.Datum, len(t.Keys))})
	}
	return l
}

func checkMode(s plan.LockStrength) txn.CheckMode {
	switch s {
	case plan.LockKeyShare:
		return txn.CheckKeyShare
	case plan.LockShare:
		return txn.CheckShare
	case plan.LockNoKeyUpdate:
		return txn.CheckNoKeyUpdate
	default:
		return txn.CheckUpdate
	}
}

func (l *lockRows) open(ctx context.Context, st *state) error {
	if err := st.writable(ctx, "SELECT FOR UPDATE"); err != nil {
		return err
	}
	return l.input.open(ctx, st)
}

func (l *lockRows) close(st *state) { l.input.close(st) }

func (l *lockRows) next(ctx context.Context, st *state) (Batch, error) {
	b, err := l.input.next(ctx, st)
	if err != nil {
		return nil, err
	}
	for _, row := range b {
		for i := range l.targets {
			if err := l.targets[i].lock(ctx, st, row); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

func (t *lockTarget) lock(ctx context.Context, st *state, row []datum.Datum) error {
	for i, k := range t.keys {
		if row[k].IsNull() {
			return nil
		}
		t.vals[i] = row[k]
	}
	x := t.lay.Rows
	key := t.lay.Rows.AppendColumns(append(make(keys.Key, 0, len(x.Prefix)+9*len(t.vals)), x.Prefix...), t.vals)
	return st.txn.Check(ctx, txn.Check{Key: key, Mode: t.mode})
}

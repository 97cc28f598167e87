package coordinator

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// TestLeaderIsFarthest: one round trip suffices when whoever is farthest away decides; among equals the one with the most
// keys does.
func TestLeaderIsFarthest(t *testing.T) {
	of := func(d Distance, n int) share {
		return share{distance: d, conflicts: txn.Conflicts{Exclusive: make([]keys.Hash, n)}}
	}
	for i, c := range []struct {
		shares []share
		want   int
	}{
		{[]share{of(Here, 1)}, 0},
		{[]share{of(Here, 1), of(Here, 3), of(Here, 2)}, 1},
		{[]share{of(Here, 9), of(FarAway, 1), of(Near, 5)}, 1},
		{[]share{of(FarAway, 0), of(Here, 9), of(FarAway, 2)}, 2},
	} {
		if got := leaderOf(c.shares); got != c.want {
			t.Errorf("case %d: %d, want %d", i, got, c.want)
		}
	}
	for random := range 20 {
		at := nearest([]Range{{Distance: FarAway}, {Distance: Near}, {Distance: FarAway}, {Distance: Near}}, random)
		if at != 1 && at != 3 {
			t.Fatal(at)
		}
	}
}

// slow is a leader far away, which does not answer before its caller gives up.
type slow struct{ *scripted }

func (s slow) Commit(ctx context.Context, r *CommitRequest) (Result, error) {
	<-ctx.Done()
	return Result{}, failure.New(failure.StatementCompletionUnknown, "gave up")
}

// here is a local replica that knows at once.
type here struct {
	outcome   txn.Outcome
	cancelled int
}

func (h *here) Learn(_ txn.JournalID, _ txn.ID, f func(txn.Outcome, clock.Timestamp)) (func(), bool) {
	f(h.outcome, 7777)
	return func() { h.cancelled++ }, true
}

type oneRange struct {
	*world
	Range
}

func (r oneRange) Ranges() []Range { return []Range{r.Range} }

func write(t *testing.T, db *DB) (clock.Timestamp, error) {
	t.Helper()
	tx := db.Begin(txn.Options{})
	if err := tx.Write(context.Background(), txn.Write{Key: keys.Key("k"), Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	return tx.Commit(context.Background())
}

// TestLearn: the local replica's word is enough, and a tombstone there is left to the leader to report.
func TestLearn(t *testing.T) {
	h := &here{outcome: txn.OutcomeCommitted}
	w := newWorld(t, 1, nil)
	w.db.cfg.Learn, w.db.cfg.Ranges = h, oneRange{w, Range{Journal: 1, Adjudicator: slow{w.adjs[0]}, Distance: FarAway}}
	if c, err := write(t, w.db); err != nil || c != 7777 || h.cancelled != 1 || w.now < 7777 {
		t.Fatal(c, err, h.cancelled, w.now)
	}
	h.outcome = txn.OutcomeAborted
	w.db.cfg.Ranges = oneRange{w, Range{Journal: 1, Adjudicator: w.adjs[0], Distance: Near}}
	if c, err := write(t, w.db); err != nil || c != 5000 {
		t.Fatal(c, err)
	}
}

// TestNewIDAfterLostAnswer: an attempt that was settled as aborted is repeated under another id, unless somebody knows this
// one's (I8).
func TestNewIDAfterLostAnswer(t *testing.T) {
	lost := failure.New(failure.StatementCompletionUnknown, "lost").WithCause(errors.New("lost"))
	for _, named := range []bool{false, true} {
		w := newWorld(t, 1, nil)
		w.adjs[0].commits = []any{lost, Result{Time: 6000}}
		w.adjs[0].resolved = clock.Timestamp(0)
		tx := w.db.Begin(txn.Options{}).(*Txn)
		if err := tx.Write(context.Background(), txn.Write{Key: keys.Key("k"), Value: []byte("v")}); err != nil {
			t.Fatal(err)
		}
		if named {
			tx.ID()
		}
		c, err := tx.Commit(context.Background())
		if named && !failure.Retryable(err) || !named && (err != nil || c != 6000) {
			t.Fatal(named, c, err, strings.Join(w.adjs[0].calls, "\n"))
		}
	}
}

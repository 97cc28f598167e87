package stub

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// gone is a network on which one node names another, and after that nobody is reached, which is known at once.
type gone struct {
	Net
	calls int
	now   time.Duration
}

func (g *gone) Handle(rpc.Service, rpc.CallHandler)           {}
func (g *gone) HandleMessage(rpc.Service, rpc.MessageHandler) {}

func (g *gone) Call(context.Context, rpc.NodeID, rpc.Service, []byte) ([]byte, error) {
	if g.calls++; g.calls > 1 {
		return nil, rpc.ErrUnreachable
	}
	w := newWriter(answerNotOwner, 16)
	w.uint(3)
	w.uint(7)
	return w.b, nil
}

func (g *gone) Now() time.Time                              { return time.Time{} }
func (g *gone) Monotonic() time.Duration                    { return g.now }
func (g *gone) AfterFunc(time.Duration, func()) func() bool { return nil }
func (g *gone) Uint64() uint64                              { return 1 }
func (g *gone) Sleep(_ context.Context, d time.Duration) error {
	g.now += d
	return nil
}

// TestHintThenNobody follows a hint to a node that is down: what follows must not be asked without pauses.
func TestHintThenNobody(t *testing.T) {
	g := &gone{}
	all := NewAdjudicators(AdjudicatorsConfig{Self: 1, Net: g, Time: g, Random: g, Leader: func(txn.JournalID) (rpc.NodeID, txn.Generation) { return 0, 0 },
		Voters: func(txn.JournalID) []rpc.NodeID { return []rpc.NodeID{2, 3} }})
	done := make(chan error, 1)
	go func() {
		_, err := all.Of(1).Prepare(t.Context(), &txn.PrepareRequest{})
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, rpc.ErrUnreachable) || g.calls > 1000 {
			t.Errorf("after %d calls: %v", g.calls, err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it asks without pauses")
	}
}

package stub

import (
	"context"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// opOpen asks a node whether a transaction is open there.
const opOpen byte = 1

// OpenElsewhere lets other nodes ask whether a transaction is open here (coordinator.DB.Open), and returns how to ask
// them (coordinator.Config.Elsewhere).
func OpenElsewhere(net Net, open func(txn.ID) bool) func(ctx context.Context, node uint16, id txn.ID) (bool, error) {
	net.Handle(rpc.Learn, func(_ context.Context, _ rpc.NodeID, body []byte) ([]byte, error) {
		op, in := newReader(body)
		id := in.id()
		if in.err != nil {
			return nil, in.err
		}
		if op != opOpen {
			return nil, failure.NotSupported("request %d about transactions is", op)
		}
		w := newWriter(answerOK, 1)
		w.bool(open(id))
		return w.b, nil
	})
	return func(ctx context.Context, node uint16, id txn.ID) (bool, error) {
		w := newWriter(opOpen, 16)
		w.id(id)
		b, err := net.Call(ctx, rpc.NodeID(node), rpc.Learn, w.b)
		if err != nil {
			return false, err
		}
		_, in := newReader(b)
		yes := in.bool()
		return yes, in.err
	}
}

package control

import (
	"context"
	"encoding/json"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/rpc"
)

// Client asks a node from outside the cluster, for the command line.
type Client struct {
	Network interface {
		CallAddress(ctx context.Context, address string, s rpc.Service, body []byte) ([]byte, error)
	}
	Random host.Random
	// Address is that of any member, Token the cluster's.
	Address, Token string
}

// Status describes the cluster.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	r, err := c.ask(ctx, &question{Op: opStatus})
	if err != nil {
		return nil, err
	}
	st := &Status{}
	if err := json.Unmarshal(r.Status, st); err != nil || st.Map == nil {
		return nil, failure.New(failure.ProtocolViolation, "malformed status of %s", c.Address).WithCause(err)
	}
	return st, nil
}

// Do has an operator's command carried out.
func (c *Client) Do(ctx context.Context, a Admin) error {
	_, err := c.ask(ctx, &question{Op: opAdmin, Admin: &a})
	return err
}

func (c *Client) ask(ctx context.Context, q *question) (*reply, error) {
	q.Node = meta.Node{Incarnation: "client-" + Incarnation(c.Random)}
	q.Proof = proof(c.Token, q.Node.Incarnation)
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	out, err := c.Network.CallAddress(ctx, c.Address, rpc.Join, body)
	if err != nil {
		return nil, err
	}
	r := &reply{}
	if err := json.Unmarshal(out, r); err != nil {
		return nil, failure.New(failure.ProtocolViolation, "malformed answer of %s", c.Address).WithCause(err)
	}
	return r, nil
}

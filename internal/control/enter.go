package control

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/rpc"
)

// Membership is what a data folder remembers of the node's place in a cluster.
type Membership struct {
	// Incarnation is a random word that tells this folder from all others; it is made before anything else.
	Incarnation string `json:"incarnation,omitempty"`
	// Node is the node's number, 0 while it has none.
	Node meta.NodeID `json:"node,omitempty"`
	// First is the map with which the node became a member: with version 1 that of a cluster it founds with others.
	First *meta.Map `json:"first,omitempty"`
}

// Network is the part of *rpc.Network that is used here.
type Network interface {
	Handle(rpc.Service, rpc.CallHandler)
	Call(ctx context.Context, to rpc.NodeID, s rpc.Service, body []byte) ([]byte, error)
	CallAddress(ctx context.Context, address string, s rpc.Service, body []byte) ([]byte, error)
	SetPeer(id rpc.NodeID, address string)
	Remove(id rpc.NodeID)
	Peers() []rpc.PeerStatus
}

// EnterConfig says how a node becomes a member. Zero durations mean the defaults in parentheses.
type EnterConfig struct {
	Host interface {
		host.Time
		host.Random
	}
	Log     *slog.Logger
	Network Network
	// Self describes this node: everything but ID, State and Incarnation. An empty Address is found out from the join list.
	Self meta.Node
	// Join is the addresses of the founders, or of members of a cluster.
	Join []string
	// Member is what the data folder says, Save makes it say something else, durably.
	Member Membership
	Save   func(Membership) error
	// Token is a secret that all nodes share; empty when certificates say who may join.
	Token string
	// Journals is how many journals a new cluster has (as many as data nodes, at least 2).
	Journals int
	// MaxOffset is how far the clocks of two nodes may be apart (500 ms).
	MaxOffset time.Duration
	// Retry is the pause between two rounds (250 ms), Patience how long a member that restarts waits for a word of the
	// others (1 s).
	Retry, Patience time.Duration
}

func (c *EnterConfig) ensureDefaults() {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	c.MaxOffset = cmp.Or(c.MaxOffset, 500*time.Millisecond)
	c.Retry = cmp.Or(c.Retry, 250*time.Millisecond)
	c.Patience = cmp.Or(c.Patience, time.Second)
}

// question is what is asked of whoever listens at an address. Fields that are not known are not looked at.
type question struct {
	Op string `json:"op"` // ask, join, status, admin
	// Proof shows that the asker knows the cluster's token.
	Proof string `json:"proof,omitempty"`
	// Node is the asker, as it knows itself; Cluster its cluster.
	Node    meta.Node `json:"node"`
	Cluster string    `json:"cluster,omitempty"`
	Admin   *Admin    `json:"admin,omitempty"`
}

const (
	opAsk    = "ask"
	opJoin   = "join"
	opStatus = "status"
	opAdmin  = "admin"
)

// reply is the answer to a question.
type reply struct {
	// Member is set when the answerer is a member of a cluster; Node is who it is.
	Member bool      `json:"member"`
	Node   meta.Node `json:"node"`
	// Wall is its clock, in Unix nanoseconds.
	Wall int64 `json:"wall"`
	// You is the asker's number, when it has one, and Map the map in which it has.
	You     meta.NodeID     `json:"you,omitempty"`
	Map     []byte          `json:"map,omitempty"`
	Cluster string          `json:"cluster,omitempty"`
	Status  json.RawMessage `json:"status,omitempty"`
	Done    string          `json:"done,omitempty"`
}

// proof binds a token to who shows it.
func proof(token, incarnation string) string {
	if token == "" {
		return ""
	}
	h := hmac.New(sha256.New, []byte(token))
	h.Write([]byte("meridian join " + incarnation))
	return hex.EncodeToString(h.Sum(nil))
}

func checkProof(token string, q *question) error {
	if hmac.Equal([]byte(proof(token, q.Node.Incarnation)), []byte(q.Proof)) {
		return nil
	}
	return failure.New(failure.InvalidAuthorizationSpecification, "the join token is not that of this cluster").
		WithHint("Start every node with the same --join-token.")
}

// Incarnation makes the random word of a new data folder.
func Incarnation(r host.Random) string { return fmt.Sprintf("%016x", r.Uint64()) }

// reachable takes addresses that others cannot use (of a listener on all interfaces) out of what a node says of itself.
func reachable(n meta.Node) meta.Node {
	if everywhere(n.Address) {
		n.Address = ""
	}
	if host, _, err := net.SplitHostPort(n.Address); err == nil && everywhere(n.SQLAddress) {
		if _, port, err := net.SplitHostPort(n.SQLAddress); err == nil {
			n.SQLAddress = net.JoinHostPort(host, port)
		}
	}
	return n
}

// everywhere says whether an address names all interfaces of its machine, and so none that another machine can reach.
func everywhere(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address == ""
	}
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// entrance is a node on its way in.
type entrance struct {
	cfg  EnterConfig
	self meta.Node
	said string // what was logged last
}

// Enter returns the node's membership once it is in the data folder: at once when it is there, else after forming or
// joining a cluster, however long that takes. An error says that the node must not start, and why.
func Enter(ctx context.Context, cfg EnterConfig) (Membership, error) {
	cfg.ensureDefaults()
	if cfg.Member.Incarnation == "" {
		cfg.Member.Incarnation = Incarnation(cfg.Host)
		if err := cfg.Save(cfg.Member); err != nil {
			return Membership{}, err
		}
	}
	e := &entrance{cfg: cfg, self: reachable(cfg.Self)}
	e.self.Incarnation, e.self.ID = cfg.Member.Incarnation, cfg.Member.Node
	cfg.Network.Handle(rpc.Join, e.answer)
	if cfg.Member.Node != 0 {
		return cfg.Member, e.comeBack(ctx)
	}
	for {
		m, err := e.round(ctx)
		if err != nil || m.Node != 0 {
			return m, err
		}
		if err := cfg.Host.Sleep(ctx, cfg.Retry); err != nil {
			return Membership{}, err
		}
	}
}

// answer tells others that this node is here and has no cluster yet.
func (e *entrance) answer(_ context.Context, _ rpc.NodeID, body []byte) ([]byte, error) {
	q, err := decodeQuestion(body)
	if err != nil {
		return nil, err
	}
	if err := checkProof(e.cfg.Token, q); err != nil {
		return nil, err
	}
	if q.Op != opAsk || e.self.ID != 0 {
		return nil, failure.New(failure.CannotConnectNow, "the node is starting")
	}
	return json.Marshal(reply{Node: e.self, Wall: e.cfg.Host.Now().UnixNano()})
}

func decodeQuestion(body []byte) (*question, error) {
	q := &question{}
	if err := json.Unmarshal(body, q); err != nil {
		return nil, failure.New(failure.ProtocolViolation, "malformed question of another node").WithCause(err)
	}
	return q, nil
}

// heard is the answer of an address.
type heard struct {
	address string
	reply   *reply
	err     error
	// offMin and offMax bound how far that clock is ahead.
	offMin, offMax time.Duration
}

func (e *entrance) ask(ctx context.Context, address string, op string) heard {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	body, err := json.Marshal(question{Op: op, Node: e.self, Proof: proof(e.cfg.Token, e.self.Incarnation), Cluster: e.cluster()})
	if err != nil {
		return heard{address: address, err: err}
	}
	sent := e.cfg.Host.Now()
	out, err := e.cfg.Network.CallAddress(ctx, address, rpc.Join, body)
	got := e.cfg.Host.Now()
	if err != nil {
		return heard{address: address, err: err}
	}
	r := &reply{}
	if err := json.Unmarshal(out, r); err != nil {
		return heard{address: address, err: failure.New(failure.ProtocolViolation, "malformed answer of %s", address).WithCause(err)}
	}
	wall := time.Unix(0, r.Wall)
	return heard{address: address, reply: r, offMin: wall.Sub(got), offMax: wall.Sub(sent)}
}

func (e *entrance) cluster() string {
	if e.cfg.Member.First != nil {
		return e.cfg.Member.First.Cluster
	}
	return ""
}

func (e *entrance) askAll(ctx context.Context, addresses []string) []heard {
	out := make([]heard, len(addresses))
	var wg sync.WaitGroup
	for i, a := range addresses {
		wg.Go(func() { out[i] = e.ask(ctx, a, opAsk) })
	}
	wg.Wait()
	return out
}

// refused says whether an answer is a definite no, which asking again does not change.
func refused(err error) bool {
	if errors.Is(err, rpc.ErrUnreachable) || errors.Is(err, rpc.ErrLost) {
		return false
	}
	switch failure.CodeOf(err) {
	case failure.InvalidAuthorizationSpecification, failure.ObjectNotInPrerequisiteState, failure.ObjectInUse:
		return true
	}
	return false
}

// checkClock refuses to go near nodes whose clock is far from this one's.
func (e *entrance) checkClock(h heard) error {
	off := max(h.offMin, -h.offMax)
	if off <= e.cfg.MaxOffset {
		return nil
	}
	word := "ahead of"
	if h.offMax < 0 {
		word = "behind"
	}
	return failure.New(failure.ObjectNotInPrerequisiteState, "the clock of %s is %s %s this one", h.address, off.Round(time.Millisecond), word).
		WithDetail("Clocks of a cluster may be %s apart at most.", e.cfg.MaxOffset).
		WithHint("Let a time service such as chrony set the clocks of all nodes, then start again.")
}

// round asks everybody once. The membership is zero when it has to be tried again.
func (e *entrance) round(ctx context.Context) (Membership, error) {
	answers := e.askAll(ctx, e.cfg.Join)
	var away []string
	var members []heard
	for _, h := range answers {
		if h.err != nil {
			if refused(h.err) {
				return Membership{}, h.err
			}
			away = append(away, fmt.Sprintf("%s (%v)", h.address, brief(h.err)))
			continue
		}
		if err := e.checkClock(h); err != nil {
			return Membership{}, err
		}
		if h.reply.Member {
			members = append(members, h)
		}
	}
	if len(members) > 0 {
		return e.join(ctx, members, answers)
	}
	if len(away) > 0 {
		e.say("waiting for the other nodes of the join list", "missing", strings.Join(away, ", "))
		return Membership{}, nil
	}
	return e.form(answers)
}

func brief(err error) string {
	if f := failure.As(err); f != nil {
		if f.Detail != "" {
			return f.Detail
		}
		return f.Message
	}
	return err.Error()
}

// say logs what the node waits for, once.
func (e *entrance) say(text string, args ...any) {
	if key := fmt.Sprint(text, args); key != e.said {
		e.said = key
		e.cfg.Log.Info(text, args...)
	}
}

// form makes a cluster out of nodes that have none, when this node is the first of the list. The map is in this node's
// folder before anybody else hears of it, and is never made twice; the others find it when they ask. Each of them takes
// part in one cluster only, because its incarnation is in no other map.
func (e *entrance) form(answers []heard) (Membership, error) {
	var nodes []meta.Node
	mine := -1
	for i, h := range answers {
		n := h.reply.Node
		if n.Incarnation == e.self.Incarnation {
			if mine >= 0 {
				continue // the list names this node twice
			}
			mine = i
		}
		n.Address = cmp.Or(n.Address, h.address)
		n = reachable(n)
		if slices.ContainsFunc(nodes, func(o meta.Node) bool { return o.Incarnation == n.Incarnation }) {
			return Membership{}, failure.New(failure.InvalidParameterValue, "the join list names one node twice: %s is the node %s", h.address, n.Address).
				WithHint("If these are two nodes, one has a copy of the other's data folder: empty it.")
		}
		nodes = append(nodes, n)
	}
	switch {
	case mine < 0:
		e.say("waiting until the nodes of the join list have formed a cluster")
		return Membership{}, nil
	case mine > 0:
		e.say("waiting until the first node of the join list has formed the cluster", "first", e.cfg.Join[0])
		return Membership{}, nil
	}
	first, err := Found(nodes, e.cfg.Journals, e.cfg.Host)
	if err != nil {
		return Membership{}, err
	}
	e.cfg.Log.Info("forming a cluster", "cluster", first.Cluster, "nodes", len(first.Nodes), "journals", len(first.Journals))
	return e.adopt(first, 1)
}

// join becomes a member of the cluster that others are members of.
func (e *entrance) join(ctx context.Context, members, answers []heard) (Membership, error) {
	for _, h := range members[1:] {
		if h.reply.Cluster != members[0].reply.Cluster {
			return Membership{}, failure.New(failure.InvalidParameterValue, "%s belongs to cluster %s, and %s to cluster %s", members[0].address,
				members[0].reply.Cluster, h.address, h.reply.Cluster).WithHint("Check --join.")
		}
	}
	for _, h := range answers {
		if e.self.Address == "" && h.err == nil && h.reply.Node.Incarnation == e.self.Incarnation {
			e.self.Address = h.address // the list leads here, too
			e.self = reachable(e.self)
		}
	}
	for _, h := range members {
		if h.reply.You != 0 {
			return e.adoptFrom(h.reply)
		}
	}
	if e.self.Address == "" {
		return Membership{}, failure.New(failure.InvalidParameterValue, "the address under which other nodes reach this one is not known").
			WithHint("Say it with --advertise HOST:PORT.")
	}
	e.say("joining a cluster", "cluster", members[0].reply.Cluster)
	for _, h := range members {
		got := e.ask(ctx, h.address, opJoin)
		switch {
		case got.err == nil && got.reply.You != 0:
			return e.adoptFrom(got.reply)
		case got.err != nil && refused(got.err):
			return Membership{}, got.err
		case got.err != nil:
			e.say("joining does not work yet", "through", h.address, "error", got.err)
		}
	}
	return Membership{}, nil
}

func (e *entrance) adoptFrom(r *reply) (Membership, error) {
	m, err := meta.DecodeMap(r.Map)
	if err != nil {
		return Membership{}, err
	}
	return e.adopt(m, r.You)
}

// adopt makes the folder that of a member.
func (e *entrance) adopt(m *meta.Map, id meta.NodeID) (Membership, error) {
	if n, ok := m.Node(id); !ok || n.Incarnation != e.self.Incarnation {
		return Membership{}, failure.New(failure.ProtocolViolation, "the cluster's map does not name this node")
	}
	member := Membership{Incarnation: e.self.Incarnation, Node: id, First: m}
	if err := e.cfg.Save(member); err != nil {
		return Membership{}, err
	}
	e.cfg.Log.Info("this node is a member", "cluster", m.Cluster, "node", id)
	return member, nil
}

// comeBack asks the others whether they still know this node. Silence is consent: the whole cluster may be starting.
func (e *entrance) comeBack(ctx context.Context) error {
	list := slices.Clone(e.cfg.Join)
	for _, n := range e.cfg.Member.First.Nodes {
		if n.ID != e.self.ID {
			list = append(list, n.Address)
		}
	}
	slices.Sort(list)
	list = slices.DeleteFunc(slices.Compact(list), func(a string) bool { return a == e.self.Address })
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan heard, len(list))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for _, a := range list {
		wg.Go(func() { answers <- e.ask(ctx, a, opAsk) })
	}
	patience := make(chan struct{})
	stop := e.cfg.Host.AfterFunc(e.cfg.Patience, func() { close(patience) })
	defer stop()
	for range list {
		select {
		case h := <-answers:
			if done, err := e.recognised(h); done || err != nil {
				return err
			}
		case <-patience:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// recognised says whether an answer settles that this node may come back.
func (e *entrance) recognised(h heard) (bool, error) {
	if h.err != nil {
		if refused(h.err) {
			return true, h.err
		}
		return false, nil
	}
	if err := e.checkClock(h); err != nil {
		return true, err
	}
	if !h.reply.Member {
		return false, nil
	}
	if h.reply.Cluster != e.cluster() {
		return true, failure.New(failure.ObjectNotInPrerequisiteState, "%s belongs to cluster %s, and this node to cluster %s", h.address,
			h.reply.Cluster, e.cluster()).WithHint("Check --join and --data-dir.")
	}
	return true, nil
}

// welcome is a member's view of whoever asks: its number, 0 for a newcomer, or why it may not come in.
func welcome(m *meta.Map, q *question) (meta.NodeID, error) {
	if q.Cluster != "" && q.Cluster != m.Cluster {
		return 0, failure.New(failure.ObjectNotInPrerequisiteState, "this is cluster %s, and the node that asks belongs to cluster %s", m.Cluster, q.Cluster).
			WithHint("Check --join and --data-dir.")
	}
	for _, n := range m.Nodes {
		if n.Incarnation != q.Node.Incarnation {
			continue
		}
		if n.State == meta.Removed {
			return 0, meta.RemovedNode(n.ID)
		}
		return n.ID, nil
	}
	if q.Node.ID != 0 {
		// It has a number, and under that number the cluster knows another folder, or none.
		if r := m.Apply(&meta.Command{Update: &q.Node}); r.Err != nil {
			return 0, r.Err
		}
	}
	return 0, nil
}

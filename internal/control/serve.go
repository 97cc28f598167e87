package control

import (
	"context"
	"encoding/json"
	"time"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// request and response are the bodies of rpc.Control. As everywhere in the control plane they are JSON, and fields that
// are not known are not looked at: a rolling upgrade needs no more than that.
type request struct {
	Op      string        `json:"op"`
	After   uint64        `json:"after,omitempty"`
	Wait    time.Duration `json:"wait,omitempty"`
	Command *meta.Command `json:"command,omitempty"`
	Report  *Report       `json:"report,omitempty"`
}

type response struct {
	// Leader is whom the answerer takes for the control leader.
	Leader  meta.NodeID `json:"leader,omitempty"`
	Map     []byte      `json:"map,omitempty"`
	Propose *proposed   `json:"propose,omitempty"`
	Order   *order      `json:"order,omitempty"`
	Status  *Status     `json:"status,omitempty"`
}

// proposed is what became of a command; it is missing when the answerer does not lead.
type proposed struct {
	Node    meta.NodeID `json:"node,omitempty"`
	Version uint64      `json:"version"`
}

const (
	opWatch   = "watch"
	opPropose = "propose"
	opBeat    = "beat"
)

// call asks another node's control service.
func (s *Service) call(ctx context.Context, to meta.NodeID, q *request) (*response, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	out, err := s.cfg.Network.Call(ctx, rpc.NodeID(to), rpc.Control, body)
	if err != nil {
		return nil, err
	}
	a := &response{}
	if err := json.Unmarshal(out, a); err != nil {
		return nil, failure.New(failure.ProtocolViolation, "malformed answer of node %d", to).WithCause(err)
	}
	return a, nil
}

func (s *Service) serveControl(ctx context.Context, from rpc.NodeID, body []byte) ([]byte, error) {
	q := &request{}
	if err := json.Unmarshal(body, q); err != nil {
		return nil, failure.New(failure.ProtocolViolation, "malformed request to the control plane").WithCause(err)
	}
	a, err := s.answer(ctx, meta.NodeID(from), q)
	if err != nil {
		return nil, err
	}
	if a.Leader == 0 {
		a.Leader = s.Leader()
	}
	return json.Marshal(a)
}

func (s *Service) answer(ctx context.Context, from meta.NodeID, q *request) (*response, error) {
	switch q.Op {
	case opWatch:
		return s.serveWatch(ctx, q)
	case opPropose:
		r := s.replica()
		if r == nil || r.machine.View().Term == 0 || q.Command == nil {
			return &response{}, nil
		}
		res, err := r.machine.Propose(ctx, q.Command)
		if err != nil {
			return nil, err
		}
		return &response{Propose: &proposed{Node: res.Node, Version: res.Map.Version}}, nil
	case opBeat:
		if q.Report == nil || q.Report.Node != from {
			return nil, failure.New(failure.ProtocolViolation, "a heartbeat in another node's name")
		}
		o := s.heartbeat(q.Report)
		return &response{Order: &o}, nil
	case opStatus:
		if st := s.ownStatus(); st.Leader == s.self {
			return &response{Status: st}, nil
		}
		return &response{}, nil
	}
	return nil, failure.NotSupported("request %q to the control plane", q.Op)
}

func (s *Service) serveWatch(ctx context.Context, q *request) (*response, error) {
	wait, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := s.cfg.Host.AfterFunc(min(max(q.Wait, 0), 2*pollTime), cancel)
	defer stop()
	m := s.Map()
	if m.Version <= q.After && q.Wait > 0 {
		var err error
		if m, err = s.Watch(wait, q.After); err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	a := &response{}
	if m != nil && m.Version > q.After {
		a.Map = m.Encode()
	}
	return a, nil
}

// serveStranger answers processes that are not members: nodes that want to be, and the command line.
func (s *Service) serveStranger(ctx context.Context, _ rpc.NodeID, body []byte) ([]byte, error) {
	q, err := decodeQuestion(body)
	if err != nil {
		return nil, err
	}
	if err := checkProof(s.cfg.Token, q); err != nil {
		return nil, err
	}
	m := s.Map()
	self, _ := m.Node(s.self)
	a := reply{Member: true, Node: self, Wall: s.cfg.Host.Now().UnixNano(), Cluster: m.Cluster}
	switch q.Op {
	case opAsk, opJoin:
		err = s.letIn(ctx, q, m, &a)
	case opStatus:
		a.Status, err = json.Marshal(s.Status(ctx))
	case opAdmin:
		if q.Admin == nil {
			return nil, failure.New(failure.ProtocolViolation, "a command without content")
		}
		a.Done, err = s.carryOut(ctx, q.Admin)
	default:
		return nil, failure.NotSupported("question %q to a node", q.Op)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(a)
}

// letIn gives a node its number.
func (s *Service) letIn(ctx context.Context, q *question, m *meta.Map, a *reply) error {
	id, err := welcome(m, q)
	if err != nil {
		return err
	}
	if id == 0 && q.Op == opJoin {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		n := q.Node
		r, err := s.Propose(ctx, meta.Command{Join: &n})
		if err != nil {
			return err
		}
		id, m = r.Node, r.Map
		s.cfg.Log.Info("a node has joined", "node", id, "address", n.Address, "region", n.Region, "zone", n.Zone)
	}
	if id != 0 {
		a.You, a.Map = id, m.Encode()
	}
	return nil
}

// carryOut does what an operator wants.
func (s *Service) carryOut(ctx context.Context, c *Admin) (string, error) {
	cmd, done := meta.Command{}, ""
	switch c.Do {
	case "drain":
		cmd.State, done = &meta.StateChange{Node: c.Node, To: meta.Draining}, "draining"
	case "undrain":
		cmd.State, done = &meta.StateChange{Node: c.Node, To: meta.Up}, "up"
	case "remove":
		cmd.State, done = &meta.StateChange{Node: c.Node, To: meta.Removed}, "removed"
	case "set":
		if err := checkSetting(c.Name, c.Value); err != nil {
			return "", err
		}
		cmd.Setting, done = &meta.Setting{Name: c.Name, Value: c.Value}, "set"
	default:
		return "", failure.NotSupported("command %q", c.Do)
	}
	_, err := s.Propose(ctx, cmd)
	return done, err
}

// change is a request to a group's leader, the body of rpc.Journal.
type change struct {
	Group txn.JournalID `json:"group"`
	Op    string        `json:"op"` // status, learner, promote, remove, transfer
	Node  meta.NodeID   `json:"node,omitempty"`
}

func (s *Service) serveJournal(ctx context.Context, _ rpc.NodeID, body []byte) ([]byte, error) {
	c := &change{}
	if err := json.Unmarshal(body, c); err != nil {
		return nil, failure.New(failure.ProtocolViolation, "malformed request to a journal's leader").WithCause(err)
	}
	g, err := s.changeGroup(ctx, c)
	if err != nil {
		return nil, err
	}
	return json.Marshal(g)
}

func (s *Service) group(id txn.JournalID) *raftgroup.Group {
	if id != 0 {
		return s.cfg.Group(id)
	}
	if r := s.replica(); r != nil {
		return r.group
	}
	return nil
}

// changeGroup carries a change out on a group that is led here, and reports on the group.
func (s *Service) changeGroup(ctx context.Context, c *change) (*GroupReport, error) {
	g := s.group(c.Group)
	if g == nil {
		return nil, failure.New(failure.ObjectNotInPrerequisiteState, "node %d has no replica of journal %d", s.self, c.Group)
	}
	var err error
	switch c.Op {
	case "status":
	case "learner":
		err = g.Change(ctx, raftgroup.AddLearner, uint64(c.Node))
	case "promote":
		err = g.Change(ctx, raftgroup.Promote, uint64(c.Node))
	case "remove":
		err = g.Change(ctx, raftgroup.Remove, uint64(c.Node))
	case "transfer":
		if s.cfg.Release != nil && c.Group != 0 {
			s.cfg.Release(ctx, c.Group)
		}
		err = g.TransferLeader(uint64(c.Node))
	default:
		err = failure.NotSupported("change %q of a journal", c.Op)
	}
	if err != nil {
		return nil, err
	}
	r, ok := s.groupReport(c.Group)
	if !ok {
		return nil, failure.New(failure.ObjectNotInPrerequisiteState, "node %d has no replica of journal %d", s.self, c.Group)
	}
	return &r, nil
}

// groupReport describes a group that has a replica here.
func (s *Service) groupReport(id txn.JournalID) (GroupReport, bool) {
	g := s.group(id)
	if g == nil {
		return GroupReport{}, false
	}
	st, err := g.Status()
	if err != nil {
		return GroupReport{}, false
	}
	r := GroupReport{Group: id, Term: st.Term, Leader: meta.NodeID(st.Leader), Applied: st.Applied}
	if r.Leader != s.self {
		return r, true
	}
	r.Commit = st.Commit
	for _, v := range st.Voters {
		r.Voters = append(r.Voters, meta.NodeID(v))
	}
	for _, v := range st.Learners {
		r.Learners = append(r.Learners, meta.NodeID(v))
	}
	for _, m := range st.Members {
		r.Members = append(r.Members, MemberReport{Node: meta.NodeID(m.Node), Match: m.Match, Active: m.Active})
	}
	return r, true
}

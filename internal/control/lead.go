package control

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/control/placement"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// SettingReplicas is the cluster-wide setting of how many voters a journal has: 1, 3 or 5.
const SettingReplicas = "replicas"

func checkSetting(name, value string) error {
	if name != SettingReplicas {
		return failure.New(failure.UndefinedObject, "unrecognized cluster setting \"%s\"", name)
	}
	switch value {
	case "", "1", "3", "5":
		return nil
	}
	return failure.New(failure.InvalidParameterValue, "invalid value for cluster setting \"%s\": \"%s\"", name, value).WithHint("Use 1, 3 or 5.")
}

// table is what the control leader has heard of the nodes. It is kept in memory only: a new leader hears everything again
// within a heartbeat.
type table struct {
	sync.Mutex
	heard map[meta.NodeID]heardOf
	since time.Duration // when this node's leadership began: until it has listened for a while, silence means nothing
	leads bool
}

type heardOf struct {
	report *Report
	at     time.Duration
}

// reign notes the begin and the end of this node's leadership.
func (t *table) reign(leads bool, now time.Duration) {
	t.Lock()
	defer t.Unlock()
	if leads && !t.leads {
		t.since = now
		clear(t.heard)
	}
	t.leads = leads
}

func (t *table) put(r *Report, now time.Duration) {
	t.Lock()
	defer t.Unlock()
	t.heard[r.Node] = heardOf{r, now}
}

// snapshot copies the table.
func (t *table) snapshot() (heard map[meta.NodeID]heardOf, since time.Duration) {
	t.Lock()
	defer t.Unlock()
	heard = make(map[meta.NodeID]heardOf, len(t.heard))
	for id, h := range t.heard {
		heard[id] = h
	}
	return heard, t.since
}

// view is one look of the leader at the cluster.
type view struct {
	m     *meta.Map
	now   time.Duration
	since time.Duration
	heard map[meta.NodeID]heardOf
	cfg   *Config
}

func (s *Service) look(m *meta.Map) *view {
	v := &view{m: m, now: s.cfg.Host.Monotonic(), cfg: &s.cfg}
	v.heard, v.since = s.table.snapshot()
	return v
}

// silence is how long nothing was heard of a node.
func (v *view) silence(id meta.NodeID) time.Duration {
	if h, ok := v.heard[id]; ok {
		return v.now - h.at
	}
	return v.now - v.since
}

func (v *view) health(id meta.NodeID) placement.Health {
	h, ever := v.heard[id]
	quiet := v.silence(id)
	switch {
	case ever && quiet < v.cfg.Silent && !h.report.Stopping:
		return placement.Alive
	case quiet < v.cfg.Grace:
		return placement.Silent
	}
	return placement.Dead
}

// leader returns the report of a group's leader.
func (v *view) leader(id txn.JournalID) (meta.NodeID, *GroupReport) {
	var node meta.NodeID
	var best *GroupReport
	for from, h := range v.heard {
		if v.now-h.at >= v.cfg.Silent {
			continue
		}
		for i := range h.report.Groups {
			g := &h.report.Groups[i]
			if g.Group == id && g.Leader == from && (best == nil || g.Term > best.Term) {
				node, best = from, g
			}
		}
	}
	return node, best
}

func (v *view) replicas(nodes []placement.Node) int {
	n, _ := strconv.Atoi(v.m.Settings[SettingReplicas])
	return placement.Replicas(nodes, n)
}

// horizons are the records that every storage has made durable by itself. A node that was never heard of keeps everything,
// until it has been away for too long: then its storage is built anew when it comes back.
func (v *view) horizons() map[txn.JournalID]uint64 {
	out := map[txn.JournalID]uint64{}
	for _, j := range v.m.Journals {
		low, any := uint64(0), false
		for _, n := range v.m.Members() {
			if n.Witness || v.silence(n.ID) > v.cfg.TrimHold {
				continue
			}
			durable := uint64(0)
			if h, ok := v.heard[n.ID]; ok {
				durable = h.report.Storage[j.ID].Durable
			}
			if !any || durable < low {
				low, any = durable, true
			}
		}
		if any && low > 0 {
			out[j.ID] = low
		}
	}
	return out
}

// heartbeat takes a node's report.
func (s *Service) heartbeat(r *Report) order {
	rep := s.replica()
	if rep == nil || rep.machine.View().Term == 0 {
		hint := s.Leader()
		if hint == s.self {
			hint = 0
		}
		return order{Leader: hint}
	}
	m := s.Map()
	if n, ok := m.Node(r.Node); ok && n.Incarnation == r.Incarnation && n.State != meta.Removed {
		s.table.put(r, s.cfg.Host.Monotonic())
	}
	v := s.look(m)
	o := order{Leads: true, Leader: s.self, MapVersion: m.Version, Horizons: v.horizons(), Health: map[meta.NodeID]string{}}
	for _, n := range m.Members() {
		o.Health[n.ID] = healthName(v.health(n.ID))
	}
	return o
}

func healthName(h placement.Health) string {
	return [...]string{placement.Alive: "alive", placement.Silent: "silent", placement.Dead: "dead"}[h]
}

// lead reconciles the cluster while this node leads the control plane.
func (s *Service) lead(ctx context.Context) {
	transferred := map[txn.JournalID]time.Duration{}
	for s.pause(ctx, s.cfg.Beat) {
		r := s.replica()
		if r == nil {
			s.table.reign(false, 0)
			continue
		}
		s.compact(r)
		v := r.machine.View()
		s.table.reign(v.Term != 0, s.cfg.Host.Monotonic())
		if v.Term == 0 {
			continue
		}
		one, cancel := context.WithTimeout(ctx, max(20*s.cfg.Beat, 5*time.Second))
		if err := s.reconcile(one, v.Map, transferred); err != nil && ctx.Err() == nil {
			s.cfg.Log.Warn("keeping the cluster in order failed, and will be tried again", "error", err)
		}
		cancel()
	}
}

// compact saves the map and lets go of the log before it when that frees a file.
func (s *Service) compact(r *replica) {
	index, data, err := r.machine.Snapshot()
	if err != nil || index <= r.group.Base() || !r.group.Reclaimable(index) {
		return
	}
	if err := r.group.Checkpoint(index, data); err != nil {
		s.cfg.Log.Warn("saving the cluster's map failed", "error", err)
		return
	}
	r.group.Trim(index)
}

// reconcile does for each group the one next thing.
func (s *Service) reconcile(ctx context.Context, m *meta.Map, transferred map[txn.JournalID]time.Duration) error {
	if m.Version == 0 {
		if s.cfg.Member.First.Version != 1 {
			return failure.New(failure.DataCorrupted, "the control group has no map, and this node has not founded the cluster")
		}
		_, err := s.Propose(ctx, meta.Command{Form: s.cfg.Member.First})
		return err
	}
	if err := s.raise(ctx, m); err != nil {
		return err
	}
	v := s.look(m)
	nodes := placement.Nodes(m, v.health)
	seats := map[meta.NodeID]int{}
	for _, n := range nodes {
		seats[n.ID] = m.Seats(n.ID)
	}
	leaders := s.preferred(v, nodes)
	control := plan{id: 0, recorded: m.Control, replicas: placement.ControlReplicas(nodes)}
	errs := s.tend(ctx, v, nodes, seats, control, transferred)
	for _, j := range m.Journals {
		p := plan{id: j.ID, recorded: j.Group, replicas: v.replicas(nodes), preferred: leaders[j.ID]}
		if err := s.tend(ctx, v, nodes, seats, p, transferred); err != nil && errs == nil {
			errs = err
		}
	}
	return errs
}

// raise moves the cluster to the newest protocol that all members know.
func (s *Service) raise(ctx context.Context, m *meta.Map) error {
	to := 0
	for _, n := range m.Members() {
		if n.State == meta.Joining {
			return nil // not heard of yet
		}
		if to == 0 || n.MaxProtocol < to {
			to = n.MaxProtocol
		}
	}
	if to <= m.Protocol {
		return nil
	}
	_, err := s.Propose(ctx, meta.Command{Protocol: to})
	return err
}

// preferred chooses who should lead the journals.
func (s *Service) preferred(v *view, nodes []placement.Node) map[txn.JournalID]meta.NodeID {
	var leads []placement.Lead
	for _, j := range v.m.Journals {
		l := placement.Lead{Journal: j.ID, Voters: j.Voters, Preferred: j.Preferred}
		if node, _ := v.leader(j.ID); node != 0 {
			if load, ok := v.heard[node].report.Load[j.ID]; ok {
				l.Writes = load.Regions
			}
		}
		leads = append(leads, l)
	}
	return placement.Leaders(nodes, leads)
}

// plan is what is wanted of a group.
type plan struct {
	id        txn.JournalID
	recorded  meta.Group
	replicas  int
	preferred meta.NodeID
}

// transferPause is how long a group is left alone after it was asked to hand over.
const transferPause = 5 * time.Second

// tend does the next thing that a group needs. Heartbeats say whether there is anything; before something is done, the
// group's leader is asked how things are now.
func (s *Service) tend(ctx context.Context, v *view, nodes []placement.Node, seats map[meta.NodeID]int, p plan, transferred map[txn.JournalID]time.Duration) error {
	leader, g := v.leader(p.id)
	step, differs := s.decide(nodes, seats, p, leader, g)
	doing := step.String()
	if step.Kind == placement.Stay {
		doing = step.Why
	}
	fresh := s.note(p.id, doing)
	if leader == 0 || step.Kind == placement.Stay && !differs {
		return nil
	}
	if at, ok := transferred[p.id]; ok && step.Kind == placement.Transfer && v.now-at < transferPause {
		return nil
	}
	g, err := s.ask(ctx, leader, &change{Group: p.id, Op: "status"})
	if err != nil {
		return err
	}
	if g.Leader != leader {
		return nil
	}
	if step, differs = s.decide(nodes, seats, p, leader, g); differs {
		return s.record(ctx, p, g)
	}
	op := ""
	switch step.Kind {
	case placement.Stay:
		return nil
	case placement.Transfer:
		transferred[p.id] = v.now
		op = "transfer"
	case placement.AddLearner:
		if !slices.Contains(p.recorded.Learners, step.Node) {
			// The newcomer starts an empty replica when it finds itself in the map.
			c := p.change(p.recorded.Voters, append(slices.Clone(p.recorded.Learners), step.Node))
			if _, err := s.Propose(ctx, meta.Command{Group: c}); err != nil {
				return err
			}
		}
		op = "learner"
	case placement.Promote:
		op = "promote"
	case placement.RemoveVoter, placement.RemoveLearner:
		op = "remove"
	}
	level := slog.LevelDebug
	if fresh {
		level = slog.LevelInfo
	}
	s.cfg.Log.Log(ctx, level, "changing a group", "group", groupName(p.id), "step", step.String(), "voters", fmt.Sprint(g.Voters))
	_, err = s.ask(ctx, leader, &change{Group: p.id, Op: op, Node: step.Node})
	return err // what has come of it the next look records
}

func groupName(id txn.JournalID) string {
	if id == 0 {
		return "control"
	}
	return fmt.Sprintf("journal %d", id)
}

// decide compares a group with what it should be. Differs says that the map must be brought up to date first.
func (s *Service) decide(nodes []placement.Node, seats map[meta.NodeID]int, p plan, leader meta.NodeID, g *GroupReport) (step placement.Step, differs bool) {
	if leader == 0 {
		return placement.Step{Why: "no leader"}, false
	}
	want := placement.Voters(nodes, g.Voters, p.replicas, seats)
	step = placement.Next(nodes, placement.Members{Voters: g.Voters, Learners: g.Learners, Leader: leader, Caught: g.caught}, want, p.replicas, p.preferred)
	if !sameNodes(p.recorded.Voters, g.Voters) {
		return step, true
	}
	for _, id := range g.Learners {
		if !slices.Contains(p.recorded.Learners, id) {
			return step, true
		}
	}
	for _, id := range p.recorded.Learners {
		if !slices.Contains(g.Learners, id) && !(step.Kind == placement.AddLearner && step.Node == id) {
			return step, true
		}
	}
	return step, p.preferred != p.recorded.Preferred && slices.Contains(p.recorded.Voters, p.preferred)
}

func sameNodes(a, b []meta.NodeID) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// record writes a group as it is into the map.
func (s *Service) record(ctx context.Context, p plan, g *GroupReport) error {
	_, err := s.Propose(ctx, meta.Command{Group: p.change(g.Voters, g.Learners)})
	return err
}

func (p plan) change(voters, learners []meta.NodeID) *meta.GroupChange {
	c := &meta.GroupChange{Journal: p.id, IfEpoch: p.recorded.Epoch, Voters: voters, Learners: learners}
	for _, id := range [...]meta.NodeID{p.preferred, p.recorded.Preferred} {
		if c.Preferred == 0 && slices.Contains(voters, id) {
			c.Preferred = id
		}
	}
	return c
}

// ask has a group's leader do something.
func (s *Service) ask(ctx context.Context, leader meta.NodeID, c *change) (*GroupReport, error) {
	if leader == s.self {
		return s.changeGroup(ctx, c)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := s.cfg.Network.Call(ctx, rpc.NodeID(leader), rpc.Journal, body)
	if err != nil {
		return nil, err
	}
	g := &GroupReport{}
	if err := json.Unmarshal(out, g); err != nil {
		return nil, failure.New(failure.ProtocolViolation, "malformed answer of node %d", leader).WithCause(err)
	}
	return g, nil
}

// note keeps what is being done about a group, for the status, and says whether that is news.
func (s *Service) note(id txn.JournalID, what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.mu.states[id]
	s.mu.states[id] = what
	return old != what
}

package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// GroupID is the control group's number in the log; a journal's group has the journal's id.
const GroupID raftgroup.GroupID = 0xFFFFFFFF

// Config of the service. Zero durations mean the defaults in parentheses.
type Config struct {
	Host    host.Host
	Log     *slog.Logger
	Network Network
	// Raft is the node's log, running.
	Raft *raftgroup.Log
	// Dir is the folder in which the newest map is kept, in the file MAP.
	Dir    string
	Member Membership
	// Self describes this node as for Enter.
	Self  meta.Node
	Token string
	// Group returns a journal's group, nil when no replica of it runs here.
	Group func(txn.JournalID) *raftgroup.Group
	// Fill, when not nil, adds to a report what the data plane knows.
	Fill func(*Report)
	// Horizons, when not nil, is told up to which record each journal is durable in every storage.
	Horizons func(map[txn.JournalID]uint64)
	// Release, when not nil, is called before a journal that is led here is handed over: its adjudicator should end its lease.
	Release func(context.Context, txn.JournalID)
	// Fatal is called when this node must stop, for example because it was removed.
	Fatal func(error)

	// ElectionTicks and HeartbeatTicks are those of the control group.
	ElectionTicks, HeartbeatTicks int
	Beat                          time.Duration // heartbeat of a node (500 ms)
	Silent                        time.Duration // without a heartbeat a node gets nothing new (3 s)
	Grace                         time.Duration // and then others take its seats (60 s)
	TrimHold                      time.Duration // and then the journals are no longer kept for its storage (1 h)
	MaxOffset                     time.Duration // that clocks may be apart before it is a problem (500 ms)
}

func (c *Config) ensureDefaults() {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	c.Beat = cmp.Or(c.Beat, 500*time.Millisecond)
	c.Silent = cmp.Or(c.Silent, 3*time.Second)
	c.Grace = cmp.Or(c.Grace, time.Minute)
	c.TrimHold = cmp.Or(c.TrimHold, time.Hour)
	c.MaxOffset = cmp.Or(c.MaxOffset, 500*time.Millisecond)
	if c.Group == nil {
		c.Group = func(txn.JournalID) *raftgroup.Group { return nil }
	}
	if c.Fatal == nil {
		c.Fatal = func(error) {}
	}
}

// Service is the control plane's part on this node. All methods may be called from anywhere.
type Service struct {
	cfg   Config
	self  meta.NodeID
	stop  context.CancelFunc
	wg    sync.WaitGroup
	table table

	mu struct {
		sync.Mutex
		m        *meta.Map
		changed  chan struct{} // closed when there is a newer map
		replica  *replica
		hint     meta.NodeID // who leads the control plane, as far as is known
		turn     int         // which voter to try next when nothing is known
		saved    uint64      // version of the map in the file
		gone     map[meta.NodeID]bool
		stopping bool
		states   map[txn.JournalID]string // what the leader does about its groups
	}
}

// replica is the control group on this node.
type replica struct {
	machine *meta.Machine
	group   *raftgroup.Group
}

// Start runs the service with the newest map that the folder has. The log must run already. Close ends it.
func Start(cfg Config) (*Service, error) {
	cfg.ensureDefaults()
	s := &Service{cfg: cfg, self: cfg.Member.Node}
	s.cfg.Self.ID, s.cfg.Self.Incarnation = s.self, cfg.Member.Incarnation
	s.table.heard = map[meta.NodeID]heardOf{}
	s.mu.m, s.mu.changed = cfg.Member.First, make(chan struct{})
	s.mu.gone, s.mu.states = map[meta.NodeID]bool{}, map[txn.JournalID]string{}
	if m, err := s.load(); err != nil {
		return nil, err
	} else if m != nil && m.Version > s.mu.m.Version && m.Cluster == s.mu.m.Cluster {
		s.mu.m, s.mu.saved = m, m.Version
	}
	s.cfg.Self = reachable(s.cfg.Self)
	if n, ok := s.mu.m.Node(s.self); ok && s.cfg.Self.Address == "" {
		s.cfg.Self.Address = n.Address
		s.cfg.Self = reachable(s.cfg.Self)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	if err := s.adapt(ctx, s.Map()); err != nil {
		stop()
		return nil, err
	}
	cfg.Network.Handle(rpc.Control, s.serveControl)
	cfg.Network.Handle(rpc.Journal, s.serveJournal)
	cfg.Network.Handle(rpc.Join, s.serveStranger)
	for _, run := range []func(context.Context){s.adaptAll, s.follow, s.poll, s.beat, s.announce, s.lead} {
		s.wg.Go(func() { run(ctx) })
	}
	return s, nil
}

// Close ends the service. The control group stays in the log, which its owner closes.
func (s *Service) Close() {
	s.stop()
	s.wg.Wait()
}

// Map returns the newest map that this node knows.
func (s *Service) Map() *meta.Map {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.m
}

// Watch waits for a map with a version above the given one.
func (s *Service) Watch(ctx context.Context, after uint64) (*meta.Map, error) {
	for {
		m, changed := s.current()
		if m.Version > after {
			return m, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Service) current() (*meta.Map, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.m, s.mu.changed
}

// Leader returns who leads the control plane, 0 when that is not known.
func (s *Service) Leader() meta.NodeID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.hint
}

// publish takes a map over when it is newer.
func (s *Service) publish(m *meta.Map) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m != nil && m.Version > s.mu.m.Version && m.Cluster == s.mu.m.Cluster {
		s.mu.m = m
		close(s.mu.changed)
		s.mu.changed = make(chan struct{})
	}
}

func (s *Service) replica() *replica {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.replica
}

func (s *Service) setHint(id meta.NodeID) {
	s.mu.Lock()
	s.mu.hint = id
	s.mu.Unlock()
}

// pause waits, and says whether to go on.
func (s *Service) pause(ctx context.Context, d time.Duration) bool {
	return s.cfg.Host.Sleep(ctx, d) == nil
}

// adaptAll makes the node what each new map says.
func (s *Service) adaptAll(ctx context.Context) {
	done := s.Map().Version
	for {
		m, err := s.Watch(ctx, done)
		if err != nil {
			return
		}
		for s.adapt(ctx, m) != nil {
			if !s.pause(ctx, s.cfg.Beat) {
				return
			}
		}
		done = m.Version
	}
}

// adapt keeps the map in its file, the network's addresses and the control group's replica up to date with a map.
func (s *Service) adapt(ctx context.Context, m *meta.Map) error {
	if err := s.save(m); err != nil {
		s.cfg.Log.Warn("keeping the cluster's map failed", "error", err)
	}
	for _, n := range m.Nodes {
		switch {
		case n.ID == s.self && n.State == meta.Removed:
			s.cfg.Fatal(meta.RemovedNode(s.self))
		case n.ID == s.self:
		case n.State == meta.Removed:
			s.forget(ctx, n.ID)
		default:
			s.cfg.Network.SetPeer(rpc.NodeID(n.ID), n.Address)
		}
	}
	if err := s.adaptReplica(m); err != nil {
		s.cfg.Log.Error("the control plane's replica cannot be run here", "error", err)
		return err
	}
	return nil
}

// forget refuses a removed node from now on, once it has had the time to hear of it.
func (s *Service) forget(ctx context.Context, id meta.NodeID) {
	s.mu.Lock()
	known := s.mu.gone[id]
	s.mu.gone[id] = true
	s.mu.Unlock()
	if known {
		return
	}
	s.wg.Go(func() {
		if s.pause(ctx, 4*s.cfg.Beat) {
			s.cfg.Network.Remove(rpc.NodeID(id))
		}
	})
}

// adaptReplica starts or ends the control group here.
func (s *Service) adaptReplica(m *meta.Map) error {
	r := s.replica()
	holds := m.Control.Holds(s.self)
	if holds == (r != nil) {
		return nil
	}
	if !holds {
		s.mu.Lock()
		s.mu.replica = nil
		s.mu.Unlock()
		s.cfg.Log.Info("this node does not hold the cluster's map any more")
		return s.cfg.Raft.RemoveGroup(GroupID)
	}
	cfg := raftgroup.GroupConfig{ID: GroupID, Node: uint64(s.self), Join: m.Control.Epoch > 1,
		ElectionTicks: s.cfg.ElectionTicks, HeartbeatTicks: s.cfg.HeartbeatTicks}
	if !cfg.Join {
		for _, id := range m.Control.Voters {
			cfg.Voters = append(cfg.Voters, uint64(id))
		}
	}
	r = &replica{}
	var err error
	r.group, err = s.cfg.Raft.Group(cfg, func(checkpoint []byte) (raftgroup.Machine, error) {
		var err error
		r.machine, err = meta.NewMachine(checkpoint)
		return r.machine, err
	})
	if err != nil {
		return fmt.Errorf("opening the control group: %w", err)
	}
	r.machine.OnWork(r.group.Wake)
	s.mu.Lock()
	s.mu.replica = r
	close(s.mu.changed) // whoever waits looks at the replica from now on
	s.mu.changed = make(chan struct{})
	s.mu.Unlock()
	return nil
}

func (s *Service) load() (*meta.Map, error) {
	f, err := s.cfg.Host.FS().Open(path.Join(s.cfg.Dir, "MAP"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 64<<20))
	if err != nil {
		return nil, err
	}
	m, err := meta.DecodeMap(b)
	if err != nil {
		// The file is a help for starting only: the first map and the others know better.
		s.cfg.Log.Warn("the file MAP cannot be read and is not used", "error", err)
		return nil, nil
	}
	return m, nil
}

// save keeps a map for the next start, when the addresses of the first map may be out of date.
func (s *Service) save(m *meta.Map) error {
	s.mu.Lock()
	saved := s.mu.saved
	s.mu.Unlock()
	if m.Version <= saved {
		return nil
	}
	fsys, full := s.cfg.Host.FS(), path.Join(s.cfg.Dir, "MAP")
	f, err := fsys.Create(full + ".tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(m.Encode())
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = fsys.Rename(full+".tmp", full)
	}
	if err == nil {
		err = fsys.SyncDir(s.cfg.Dir)
	}
	if err == nil {
		s.mu.Lock()
		s.mu.saved = m.Version
		s.mu.Unlock()
	}
	return err
}

// Propose has a command carried out by the control leader, whoever that is, and returns when this node knows the map
// behind it. The command's ID is set here. It is tried until ctx ends.
func (s *Service) Propose(ctx context.Context, c meta.Command) (meta.Result, error) {
	c.ID = s.cfg.Host.Uint64()
	var last error
	for {
		r, again, err := s.tryPropose(ctx, &c)
		if !again {
			if err != nil {
				return r, err
			}
			m, err := s.Watch(ctx, r.Map.Version-1)
			r.Map = m
			return r, err
		}
		if err != nil {
			last = err
		}
		if !s.pause(ctx, 50*time.Millisecond) {
			e := failure.New(failure.CannotConnectNow, "the control plane does not answer")
			if last != nil {
				e.WithDetail("%s", last.Error())
			}
			return meta.Result{}, e.WithHint("A majority of its nodes must be up and connected: meridian status").WithCause(ctx.Err())
		}
	}
}

// tryPropose makes one attempt. Again says that another one may help.
func (s *Service) tryPropose(ctx context.Context, c *meta.Command) (_ meta.Result, again bool, _ error) {
	if r := s.replica(); r != nil && r.machine.View().Term != 0 {
		res, err := r.machine.Propose(ctx, c)
		if err == nil {
			s.publish(res.Map)
		}
		return res, passing(err), err
	}
	to := s.target()
	if to == 0 || to == s.self {
		return meta.Result{}, true, nil
	}
	call, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	a, err := s.call(call, to, &request{Op: opPropose, Command: c})
	if err != nil {
		s.missed(to)
		return meta.Result{}, passing(err), err
	}
	if a.Propose == nil {
		s.setHint(a.Leader)
		return meta.Result{}, true, nil
	}
	return meta.Result{Node: a.Propose.Node, Map: &meta.Map{Version: a.Propose.Version}}, false, nil
}

// passing says whether an error is about the way to the leader and not about the command.
func passing(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, rpc.ErrUnreachable) || errors.Is(err, rpc.ErrLost) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	switch failure.CodeOf(err) {
	case failure.CannotConnectNow, failure.StatementCompletionUnknown, failure.QueryCanceled, failure.ConnectionFailure,
		failure.FeatureNotSupported: // of a node that is starting: nobody serves the control plane there yet
		return true
	}
	return false
}

// target is whom to ask for the control leader's services: the leader, or each voter in turn.
func (s *Service) target() meta.NodeID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.hint != 0 {
		return s.mu.hint
	}
	v := s.mu.m.Control.Voters
	s.mu.turn++
	return v[s.mu.turn%len(v)]
}

// missed forgets the leader when it does not answer.
func (s *Service) missed(id meta.NodeID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.hint == id {
		s.mu.hint = 0
	}
}

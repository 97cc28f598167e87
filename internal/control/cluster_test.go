package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/simhost"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// A cluster of control planes in a simulated world. Journals are Raft groups with a machine that keeps nothing.

const nodePort = 7432

type world struct {
	t     *testing.T
	w     *simhost.World
	nodes []*testNode
	tune  func(*EnterConfig)
}

type testNode struct {
	w       *world
	i       int
	join    []string
	region  string
	witness bool
	token   string

	life   *simhost.Life
	cancel context.CancelFunc
	done   sync.WaitGroup
	mu     sync.Mutex
	net    *rpc.Network
	log    *raftgroup.Log
	svc    *Service
	groups map[txn.JournalID]*raftgroup.Group
	err    error // why the node ended
}

// simulate runs a test on n machines in as many regions.
func simulate(t *testing.T, n int, seed uint64, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, w: simhost.New(n, simhost.Config{Seed: seed})}
		for i := range n {
			w.nodes = append(w.nodes, &testNode{w: w, i: i, region: fmt.Sprintf("r%d", i)})
		}
		defer func() {
			for _, n := range w.nodes {
				n.stop()
			}
			w.w.Sleep(time.Minute) // what is on its way arrives
		}()
		test(w)
	})
}

// address is what a node says of itself: the founders find out from the join list.
func (w *world) address(i int) string {
	if i < 2 {
		return "0.0.0.0:7432"
	}
	return simhost.Address(i, nodePort)
}

func addresses(n int) (out []string) {
	for i := range n {
		out = append(out, simhost.Address(i, nodePort))
	}
	return out
}

// founders starts the first n nodes, which form a cluster.
func (w *world) founders(n int) {
	for _, node := range w.nodes[:n] {
		node.start(addresses(n))
	}
}

// eventually lets time go on until a condition holds.
func (w *world) eventually(what string, limit time.Duration, ok func() bool) {
	w.t.Helper()
	for began := w.w.Elapsed(); !ok(); w.w.Sleep(50 * time.Millisecond) {
		if w.w.Elapsed()-began > limit {
			for _, n := range w.nodes {
				if s := n.service(); s != nil {
					w.t.Logf("node %d: leader %d, map:\n%s", n.i, s.Leader(), s.Map())
				} else {
					w.t.Logf("machine %d: not in, %v", n.i, n.failure())
				}
			}
			w.t.Fatalf("not after %s: %s", limit, what)
		}
	}
}

func (n *testNode) service() *Service {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.svc
}

func (n *testNode) failure() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

func (n *testNode) start(join []string) {
	n.join = join
	n.life = n.w.w.Machine(n.i).Boot()
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	n.mu.Lock()
	n.err, n.groups = nil, map[txn.JournalID]*raftgroup.Group{}
	n.mu.Unlock()
	life := n.life
	n.done.Go(func() {
		if err := n.run(ctx, life); err != nil && ctx.Err() == nil {
			n.mu.Lock()
			n.err = err
			n.mu.Unlock()
		}
	})
}

// stop ends the node's process, in good order or after a crash of its machine.
func (n *testNode) stop() {
	if n.cancel != nil {
		n.cancel()
		n.done.Wait()
	}
}

func (n *testNode) crash(power bool) {
	n.w.w.Machine(n.i).Crash(power)
	n.stop()
}

// run is what a node does, as the package's documentation says.
func (n *testNode) run(ctx context.Context, life *simhost.Life) error {
	logger := slog.New(slog.NewTextHandler(n.w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})).With("machine", n.i)
	net := rpc.New(rpc.Config{Host: life, Log: logger})
	defer net.Close()
	l, err := life.Listen("tcp", simhost.Address(n.i, nodePort))
	if err != nil {
		return err
	}
	n.done.Go(func() { _ = net.Serve(ctx, l) })
	self := meta.Node{Region: n.region, Zone: "z", Witness: n.witness, Software: "test", MinProtocol: 1, MaxProtocol: 1,
		Address: n.w.address(n.i), SQLAddress: "0.0.0.0:5432"}
	member, err := loadMember(life.FS())
	if err != nil {
		return err
	}
	enter := EnterConfig{Host: life, Log: logger, Network: net, Self: self, Join: n.join, Member: member, Token: n.token,
		Save: func(m Membership) error { return saveMember(life.FS(), m) }}
	if n.w.tune != nil {
		n.w.tune(&enter)
	}
	if member, err = Enter(ctx, enter); err != nil {
		return err
	}
	net.SetIdentity(rpc.NodeID(member.Node), member.First.Cluster)
	log, err := raftgroup.OpenLog(life.FS(), "log", raftgroup.LogConfig{SegmentBytes: 2 << 20, Transport: transport{net}, Time: life, Tick: 50 * time.Millisecond})
	if err != nil {
		return err
	}
	defer log.Close()
	net.HandleMessage(rpc.Raft, func(from rpc.NodeID, body []byte) {
		if batch, err := raftgroup.DecodeMessages(body); err == nil {
			log.Step(uint64(from), batch)
		}
	})
	log.Start()
	fatal := make(chan error, 1)
	svc, err := Start(Config{Host: life, Log: logger, Network: net, Raft: log, Dir: "", Member: member, Self: self, Token: n.token, Grace: 10 * time.Second,
		Group: func(j txn.JournalID) *raftgroup.Group {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.groups[j]
		},
		Fatal: func(err error) {
			select {
			case fatal <- err:
			default:
			}
		}})
	if err != nil {
		return err
	}
	defer svc.Close()
	n.mu.Lock()
	n.net, n.log, n.svc = net, log, svc
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.svc = nil
		n.mu.Unlock()
	}()
	n.done.Go(func() { n.journals(ctx, svc, log, uint64(member.Node)) })
	select {
	case err := <-fatal:
		return err
	case <-ctx.Done():
		return nil
	}
}

// journals keeps the replicas that the map wants here.
func (n *testNode) journals(ctx context.Context, svc *Service, log *raftgroup.Log, self uint64) {
	for version := uint64(0); ; {
		m, err := svc.Watch(ctx, version)
		if err != nil {
			return
		}
		version = m.Version
		for _, j := range m.Journals {
			n.mu.Lock()
			g := n.groups[j.ID]
			n.mu.Unlock()
			switch holds := j.Holds(meta.NodeID(self)); {
			case holds && g == nil:
				cfg := raftgroup.GroupConfig{ID: raftgroup.GroupID(j.ID), Node: self, Join: j.Epoch > 1}
				for _, v := range j.Voters {
					cfg.Voters = append(cfg.Voters, uint64(v))
				}
				if g, err = log.Group(cfg, func([]byte) (raftgroup.Machine, error) { return &idle{}, nil }); err != nil {
					n.w.t.Logf("journal %d on machine %d: %v", j.ID, n.i, err)
					return
				}
			case !holds && g != nil:
				if err := log.RemoveGroup(raftgroup.GroupID(j.ID)); err != nil {
					return
				}
				g = nil
			}
			n.mu.Lock()
			if n.groups[j.ID] = g; g == nil {
				delete(n.groups, j.ID)
			}
			n.mu.Unlock()
		}
	}
}

type transport struct{ net *rpc.Network }

func (t transport) Send(to uint64, batch []raftgroup.Envelope) {
	t.net.Send(rpc.NodeID(to), rpc.Raft, raftgroup.EncodeMessages(nil, batch))
}

// idle is a journal without content.
type idle struct {
	mu    sync.Mutex
	index uint64
}

func (m *idle) Gather() []byte { return nil }
func (m *idle) Apply(index, _ uint64, _ []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.index = index
}
func (m *idle) Applied()      {}
func (m *idle) Lead(uint64)   {}
func (m *idle) Follow()       {}
func (m *idle) Stopped(error) {}
func (m *idle) Snapshot() (uint64, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.index, []byte{1}, nil
}
func (m *idle) Restore(index uint64, _ []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.index = index
	return nil
}

func loadMember(fsys host.FS) (m Membership, err error) {
	f, err := fsys.Open("IDENTITY")
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	return m, err
}

func saveMember(fsys host.FS, m Membership) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := fsys.Create("IDENTITY.tmp")
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = fsys.Rename("IDENTITY.tmp", "IDENTITY")
	}
	if err == nil {
		err = fsys.SyncDir("")
	}
	return err
}

// settled says whether the given nodes run, agree on a map, and everything is where it should be.
func (w *world) settled(members ...int) func() bool {
	return func() bool {
		var version uint64
		for k, i := range members {
			s := w.nodes[i].service()
			if s == nil {
				return false
			}
			m := s.Map()
			if k > 0 && m.Version != version {
				return false
			}
			version = m.Version
			if n, ok := m.Node(s.self); !ok || n.State != meta.Up {
				return false
			}
		}
		s := w.nodes[members[0]].service()
		st := s.Status(context.Background())
		if st.Leader == 0 || len(st.Problems) > 0 {
			return false
		}
		return !slices.ContainsFunc(st.Journals, func(j JournalStatus) bool { return j.Leader == 0 || j.Leader != j.Preferred })
	}
}

package raftgroup

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
)

// Machine is the state machine of a group. The log writer calls it, never two methods at once, except that the machine's
// own callers may hold its lock; no method may block on anything but short locks.
type Machine interface {
	// Gather returns the next entry to propose, nil when there is none. It is asked only while this node leads. The group
	// owns the entry's memory from then on, and nobody changes it.
	Gather() []byte
	// Apply takes a committed entry, in log order. Data is nil for Raft's own entries. It is not changed by anybody and
	// may be kept.
	Apply(index, term uint64, data []byte)
	// Applied ends a run of Apply calls: the moment to notify feeds.
	Applied()
	// Lead says that this node leads in a term and has applied all that earlier terms left: it may propose.
	Lead(term uint64)
	// Follow says that this node does not lead any more; what it gathered and did not see applied may be lost.
	Follow()
	// Stopped ends the machine's life: nothing will be gathered or applied any more.
	Stopped(reason error)
}

// Observer is what a Machine may be, too: it is told who leads. The log writer calls it.
type Observer interface {
	// Leader says that the group is in a term, and which node leads it, 0 when none is known. Lead and Follow say when this
	// node may propose, which is later and earlier.
	Leader(term, leader uint64)
}

// Snapshotter is what the Machine of a group with several members must be, too, so that a member that lags behind what was
// trimmed, or is new, can be given the state instead of the entries.
type Snapshotter interface {
	// Snapshot returns the state as of an applied entry, and that entry's index. It is called from a goroutine of its own,
	// and may take its time.
	Snapshot() (index uint64, data []byte, err error)
	// Restore replaces the machine's state by a snapshot of another node. It is durable already: the group's checkpoint is
	// now that data. The log writer calls it.
	Restore(index uint64, data []byte) error
}

// GroupConfig of a group.
type GroupConfig struct {
	ID GroupID
	// Node is this node's Raft id; 0 means 1.
	Node uint64
	// Voters are the members of a new group, the same on all of them. Empty means this node alone. A log that holds the
	// group already knows better.
	Voters []uint64
	// Join is set when the group exists elsewhere and this node becomes a member by a change of membership (ChangeMembers):
	// it starts empty, takes no part in elections, and is sent a snapshot.
	Join bool
	// Established is set when this node is known to have been a member before. Then a log without the group is an error: the
	// node has forgotten what it promised to keep and whom it voted for, and must not come back under its old number.
	Established bool
	// ElectionTicks is how many ticks without a leader a follower waits, at least, before it asks for an election; 0 means
	// 10. A leader sends a heartbeat every HeartbeatTicks; 0 means 1.
	ElectionTicks, HeartbeatTicks int
	// LocalLearning makes this node, when it leads, send entries only once it has synced them, so that the followers of a group
	// with three voters know of commits before it does (see learn.go).
	LocalLearning bool

	sendUnsynced bool // what LocalLearning must not do; for the test that shows why
}

func (c *GroupConfig) ensureDefaults() {
	if c.Node == 0 {
		c.Node = 1
	}
	if len(c.Voters) == 0 {
		c.Voters = []uint64{c.Node}
	}
	if c.ElectionTicks == 0 {
		c.ElectionTicks = 10
	}
	if c.HeartbeatTicks == 0 {
		c.HeartbeatTicks = 1
	}
}

// Group is one Raft group on a log.
type Group struct {
	id      GroupID
	log     *Log
	cfg     GroupConfig
	machine Machine
	state   *state
	queued  atomic.Bool
	ticked  atomic.Bool // there are other members, or this node is none
	trimTo  atomic.Uint64
	needed  atomic.Uint64 // the lowest entry that another member lacks, as its leader knows; 0 for none
	ckpt    uint64        // index of the newest checkpoint on disk; guarded by ckptMu, as is its replacement
	ckptMu  sync.Mutex
	made    made

	inbox struct {
		sync.Mutex
		messages []Envelope
		ticks    int
		campaign bool
		requests []request
	}

	// What follows belongs to the log writer.
	rn        *raft.RawNode
	node      uint64
	fresh     bool   // the log has not heard of the group yet
	gone      error  // why the group is not served any more
	term      uint64 // as last told to the observer
	leader    uint64
	leading   uint64        // the term this node leads in, 0 when it does not
	announced bool          // the machine knows
	dirty     bool          // the frame being collected holds something that responses depend on
	entryRuns [][]*pb.Entry // stored in the frame being collected
	responses []*pb.Message // due once that frame is synced
	applies   []*pb.Message
	baseDue   uint64     // base told to the frame being collected, 0 for none
	removal   chan error // the frame being collected says that the group is gone
	changes   []request  // of membership, under way
	// transferring is set while a transfer of leadership may be under way.
	transferring bool
	outgoing     map[uint64]*outgoing // snapshots that other nodes are fetching
	incoming     *incoming            // the snapshot that this node is fetching
	install      *pb.Snapshot         // the frame being collected says that the log starts behind it
	held         []*pb.Message        // appends that wait for the sync of their entries
	proven       proof
	confSeen     uint64 // the last change of membership in the log may be at this index
}

// Group adds a group to the log: one that the log holds, or a new one. It may be called before Start and at any time after
// it. Open is given the machine's checkpoint, as given to Checkpoint earlier, nil for a group without one. The machine's
// Apply is called for the entries behind it once the log runs.
func (l *Log) Group(cfg GroupConfig, open func(checkpoint []byte) (Machine, error)) (*Group, error) {
	cfg.ensureDefaults()
	l.opening.Lock()
	defer l.opening.Unlock()
	g := &Group{id: cfg.ID, log: l, cfg: cfg, node: cfg.Node}
	l.mu.Lock()
	s, exists, closing := l.restored[cfg.ID], l.mu.groups[cfg.ID] != nil, l.mu.closing
	l.mu.Unlock()
	switch {
	case exists:
		return nil, failure.New(failure.DuplicateObject, "group %d exists already", cfg.ID)
	case closing:
		return nil, errClosed()
	case s == nil && cfg.Established:
		return nil, errForgot(cfg.Node, "of group %d, but the log of that is gone", cfg.ID)
	case s == nil:
		s = newState(l, cfg)
		if err := g.removeCheckpoints(); err != nil { // of a group of this number that was removed
			return nil, err
		}
		g.fresh = true
	}
	g.state, s.owner = s, g
	g.confSeen = s.mu.last
	data, err := g.loadCheckpoint()
	if err != nil {
		return nil, err
	}
	if g.machine, err = open(data); err != nil {
		return nil, err
	}
	if err := g.startRaft(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	delete(l.restored, cfg.ID)
	l.mu.groups[cfg.ID] = g
	l.mu.Unlock()
	g.noteMembers()
	if !g.ticked.Load() {
		g.inbox.campaign = true // alone: no election timeout to wait for
	}
	g.Wake()
	return g, nil
}

func errClosed() *failure.Error { return failure.New(failure.AdminShutdown, "the journal is closed") }

// newState is that of a group that the log does not hold.
func newState(l *Log, cfg GroupConfig) *state {
	s := &state{log: l, group: cfg.ID}
	if cfg.Join {
		s.mu.confs = []confAt{{0, &pb.ConfState{}}}
		return s
	}
	// The log of a new group starts behind entry 1, whose members everybody was started with.
	s.mu.base, s.mu.baseTerm, s.mu.durableBase, s.mu.last = 1, 1, 1, 1
	s.mu.hard = hardState{term: 1, commit: 1}
	s.mu.confs = []confAt{{1, &pb.ConfState{Voters: slices.Clone(cfg.Voters)}}}
	return s
}

func (g *Group) startRaft() error {
	s := g.state
	if g.ckpt < s.mu.base && s.mu.base > 1 {
		return failure.New(failure.DataCorrupted, "group %d: the log starts behind entry %d, but the checkpoint is of entry %d",
			g.id, s.mu.base, g.ckpt)
	}
	applied := max(g.ckpt, s.mu.base)
	if applied > s.mu.last {
		return failure.New(failure.DataCorrupted, "group %d: the checkpoint is of entry %d, but the log ends at %d", g.id, applied, s.mu.last)
	}
	s.mu.hard.commit = max(s.mu.hard.commit, applied)
	rn, err := raft.NewRawNode(&raft.Config{
		ID:                        g.node,
		ElectionTick:              g.cfg.ElectionTicks,
		HeartbeatTick:             g.cfg.HeartbeatTicks,
		Storage:                   s,
		Applied:                   applied,
		AsyncStorageWrites:        true,
		MaxSizePerMsg:             min(1<<20, uint64(g.log.frameMax())),
		MaxCommittedSizePerReady:  8 << 20,
		MaxInflightMsgs:           64,
		MaxInflightBytes:          32 << 20,
		CheckQuorum:               true,
		PreVote:                   true,
		StepDownOnRemoval:         true,
		DisableProposalForwarding: true,
		Logger:                    quiet{},
	})
	if err != nil {
		return fmt.Errorf("start group %d: %w", g.id, err)
	}
	g.rn = rn
	return nil
}

// ID returns the group's number.
func (g *Group) ID() GroupID { return g.id }

// Wake asks the log writer to look at the group: its machine has something to gather. It costs next to nothing when the
// group is queued already.
func (g *Group) Wake() {
	if !g.queued.Load() && !g.queued.Swap(true) {
		g.log.enqueue(g)
	}
}

// inboxMax bounds the messages that wait for the log writer, so that one that is stuck in a sync does not fill the memory.
// What is dropped Raft sends again.
const inboxMax = 4096

func (g *Group) post(e Envelope) {
	g.inbox.Lock()
	if len(g.inbox.messages) < inboxMax {
		g.inbox.messages = append(g.inbox.messages, e)
	}
	g.inbox.Unlock()
	g.Wake()
}

// noteMembers looks at who the members are after they may have changed.
func (g *Group) noteMembers() {
	conf := g.state.latestConf()
	alone := len(conf.Voters) == 1 && conf.Voters[0] == g.node && len(conf.Learners)+len(conf.VotersOutgoing) == 0
	g.ticked.Store(!alone)
}

// Entry is a log entry as Read returns it.
type Entry struct {
	Index, Term uint64
	Data        []byte // nil for Raft's own entries
}

// Read returns entries from an index on, at least one when there is one and then up to maxBytes, from memory or from the
// files. It may be called at any time. The end is exclusive; entries behind what was applied must not be asked for.
func (g *Group) Read(from, end uint64, maxBytes int) ([]Entry, error) {
	entries, err := g.state.Entries(from, end, uint64(maxBytes))
	if errors.Is(err, raft.ErrCompacted) {
		return nil, failure.New(failure.SnapshotTooOld, "entry %d of group %d was trimmed", from, g.id)
	}
	if e, ok := err.(*storageError); ok {
		err = e.error
	}
	if err != nil {
		return nil, err
	}
	out := make([]Entry, len(entries))
	for i, e := range entries {
		out[i] = Entry{Index: e.GetIndex(), Term: e.GetTerm()}
		if e.GetType() == pb.EntryNormal {
			out[i].Data = e.GetData()
		}
	}
	return out, nil
}

// Base returns the index behind which the log starts.
func (g *Group) Base() uint64 {
	first, _ := g.state.FirstIndex()
	return first - 1
}

// Held returns the index up to which the log may be trimmed without making another member need a snapshot, as far as this
// node knows: only a leader does. When the log is larger than limit bytes, nobody is waited for.
func (g *Group) Held(limit int64) uint64 {
	needed := g.needed.Load()
	if needed == 0 || g.log.size() > limit {
		return math.MaxUint64
	}
	return needed - 1
}

// Reclaimable says whether trimming up to an index would free a file.
func (g *Group) Reclaimable(index uint64) bool { return g.log.reclaimable(g.id, index) }

// Trim gives up the entries up to an index, which must not be above that of the newest checkpoint.
func (g *Group) Trim(index uint64) {
	g.ckptMu.Lock()
	invariant.Check(index <= g.ckpt, "group %d trimmed to %d above its checkpoint %d", g.id, index, g.ckpt)
	g.ckptMu.Unlock()
	for {
		old := g.trimTo.Load()
		if index <= old {
			return
		}
		if g.trimTo.CompareAndSwap(old, index) {
			break
		}
	}
	g.Wake()
}

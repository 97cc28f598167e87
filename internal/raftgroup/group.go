package raftgroup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path"
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

// Transport carries messages to other voters. Send must not block; a lost message is sent again by Raft.
type Transport interface {
	Send(group GroupID, messages []*pb.Message)
}

// GroupConfig of a group.
type GroupConfig struct {
	ID GroupID
	// Node is this node's Raft id, not 0, and Voters all of them when the group is new. Empty means this node alone.
	Node   uint64
	Voters []uint64
	// Transport is needed when there is more than one voter; then Tick must be called, too.
	Transport Transport
	// ElectionTicks is the election timeout in ticks; a heartbeat is sent every tick. 0 means 10.
	ElectionTicks int
}

// Group is one Raft group on a log.
type Group struct {
	id        GroupID
	log       *Log
	machine   Machine
	transport Transport
	state     *state
	queued    atomic.Bool
	trimTo    atomic.Uint64
	ckpt      uint64 // index of the newest checkpoint on disk; guarded by ckptMu
	ckptMu    sync.Mutex

	inbox struct {
		sync.Mutex
		messages []*pb.Message
		ticks    int
		campaign bool
	}

	// What follows belongs to the log writer.
	rn        *raft.RawNode
	node      uint64
	leading   uint64        // the term this node leads in, 0 when it does not
	announced bool          // the machine knows
	entryRuns [][]*pb.Entry // stored in the frame being collected
	responses []*pb.Message // due once that frame is synced
	applies   []*pb.Message
	baseDue   uint64 // base told to the frame being collected, 0 for none
}

// Group adds a group to a log that has not been started. Restored is the machine's checkpoint and the index it stands
// for, as given to Checkpoint earlier; nil and the base of the log for a group without one. The machine's Apply is
// called for the entries behind it once the log runs.
func (l *Log) Group(cfg GroupConfig, open func(checkpoint []byte) (Machine, error)) (*Group, error) {
	invariant.Check(!l.started.Load(), "group %d added to a running log", cfg.ID)
	if cfg.Node == 0 {
		cfg.Node = 1
	}
	if len(cfg.Voters) == 0 {
		cfg.Voters = []uint64{cfg.Node}
	}
	if cfg.ElectionTicks == 0 {
		cfg.ElectionTicks = 10
	}
	g := &Group{id: cfg.ID, log: l, transport: cfg.Transport, node: cfg.Node}
	s := l.restored[cfg.ID]
	if s == nil {
		s = &state{log: l, group: cfg.ID}
		// The log of a new group starts behind entry 1, whose members everybody was started with.
		s.mu.base, s.mu.baseTerm, s.mu.durableBase, s.mu.last = 1, 1, 1, 1
		s.mu.hard = hardState{term: 1, commit: 1}
		s.mu.conf = &pb.ConfState{Voters: cfg.Voters}
		if err := s.repeat(&l.frame); err != nil {
			return nil, err
		}
	}
	delete(l.restored, cfg.ID)
	g.state = s
	data, err := g.loadCheckpoint()
	if err != nil {
		return nil, err
	}
	if g.machine, err = open(data); err != nil {
		return nil, err
	}
	if err := g.startRaft(cfg); err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.mu.groups[cfg.ID] = g
	l.mu.Unlock()
	if len(s.mu.conf.Voters) == 1 && s.mu.conf.Voters[0] == cfg.Node {
		g.inbox.campaign = true // alone: no election timeout to wait for
	}
	g.Wake()
	return g, nil
}

func (g *Group) startRaft(cfg GroupConfig) error {
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
		ID:                        cfg.Node,
		ElectionTick:              cfg.ElectionTicks,
		HeartbeatTick:             1,
		Storage:                   s,
		Applied:                   applied,
		AsyncStorageWrites:        true,
		MaxSizePerMsg:             1 << 20,
		MaxCommittedSizePerReady:  8 << 20,
		MaxInflightMsgs:           64,
		CheckQuorum:               true,
		PreVote:                   true,
		DisableProposalForwarding: true,
		Logger:                    quiet{},
	})
	if err != nil {
		return fmt.Errorf("start group %d: %w", g.id, err)
	}
	g.rn = rn
	return nil
}

// Wake asks the log writer to look at the group: its machine has something to gather. It costs next to nothing when the
// group is queued already.
func (g *Group) Wake() {
	if !g.queued.Load() && !g.queued.Swap(true) {
		g.log.enqueue(g)
	}
}

// Step takes messages from other voters.
func (g *Group) Step(messages ...*pb.Message) {
	g.inbox.Lock()
	g.inbox.messages = append(g.inbox.messages, messages...)
	g.inbox.Unlock()
	g.Wake()
}

// Tick moves the group's logical clock. A group with one voter needs no ticks.
func (g *Group) Tick() {
	g.inbox.Lock()
	g.inbox.ticks++
	g.inbox.Unlock()
	g.Wake()
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

// Checkpoint durably saves the machine's state as of an applied index. It is slow, and called by one goroutine at a time.
func (g *Group) Checkpoint(index uint64, data []byte) error {
	b := binary.LittleEndian.AppendUint32(nil, checkpointMagic)
	b = binary.LittleEndian.AppendUint32(b, uint32(g.id))
	b = binary.LittleEndian.AppendUint64(b, index)
	b = append(b, data...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
	name := g.checkpointName()
	full := path.Join(g.log.dir, name)
	f, err := g.log.fs.Create(full + ".new")
	if err != nil {
		return wrapIO(err, "make", name)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = g.log.fs.Rename(full+".new", full)
	}
	if err == nil {
		err = g.log.fs.SyncDir(g.log.dir)
	}
	if err != nil {
		return wrapIO(err, "write", name)
	}
	g.ckptMu.Lock()
	g.ckpt = index
	g.ckptMu.Unlock()
	return nil
}

const checkpointMagic = 0x314b434d // "MCK1"

func (g *Group) checkpointName() string { return fmt.Sprintf("group-%08x.checkpoint", uint32(g.id)) }

// loadCheckpoint returns the saved state, nil when there is none.
func (g *Group) loadCheckpoint() ([]byte, error) {
	name := g.checkpointName()
	full := path.Join(g.log.dir, name)
	ok, err := g.log.fs.Exists(full)
	if err != nil || !ok {
		return nil, err
	}
	f, err := g.log.fs.Open(full)
	if err != nil {
		return nil, wrapIO(err, "open", name)
	}
	size, err := f.Size()
	b := make([]byte, size)
	if err == nil && size > 0 {
		_, err = f.ReadAt(b, 0)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, wrapIO(err, "read", name)
	}
	if len(b) < 20 || binary.LittleEndian.Uint32(b) != checkpointMagic || binary.LittleEndian.Uint32(b[4:]) != uint32(g.id) ||
		crc32.Checksum(b[:len(b)-4], castagnoli()) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, damaged(name, 0)
	}
	g.ckpt = binary.LittleEndian.Uint64(b[8:])
	return b[16 : len(b)-4], nil
}

package raftgroup

import (
	"encoding/binary"
	"hash/crc32"
	"path"
	"slices"
	"sync"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/meridiandb/meridian/internal/failure"
)

// A member that needs entries which are trimmed, or that is new, gets the machine's state instead. Raft's message carries
// only what the snapshot is; the receiver fetches the state piece by piece, at its own pace and through messages that may be
// lost, and hands Raft the whole.
//
//	leader                               follower
//	MsgSnap(index, size, checksum) ────▶ incoming
//	outgoing ◀──── pull(offset)
//	               piece, piece, … ────▶ … complete: Step(MsgSnap) ─▶ group-….snapshot, reset in the log ─▶ checkpoint
//
// The file is durable before the log says that it starts behind the snapshot, and becomes the checkpoint after that:
// whatever comes between, the log and the checkpoint that belongs to it are found again.
const (
	pieceBytes = 256 << 10
	// pullBytes is what one pull asks for.
	pullBytes = 8 * pieceBytes
	// snapshotMax bounds what a node takes in.
	snapshotMax = 1 << 30
	// pullTicks without a piece make the receiver ask again.
	pullTicks    = 3
	snapshotHead = 12 // size and checksum
)

// outgoing is a snapshot that another node was told of.
type outgoing struct {
	snap *pb.Snapshot
	idle int // ticks since the last pull
}

// incoming is a snapshot that is being fetched.
type incoming struct {
	m     *pb.Message
	size  uint64
	sum   uint32
	buf   []byte
	until int // up to where pieces were asked for
	idle  int // ticks since the last piece
	total int // ticks without progress
}

// made is the newest snapshot of the machine's.
type made struct {
	sync.Mutex
	building bool
	snap     *pb.Snapshot
	idle     int // ticks since somebody was sent it
}

// Snapshot implements raft.Storage: the newest snapshot that the log goes on from. When there is none, one is made, and Raft
// asks again.
func (s *state) Snapshot() (*pb.Snapshot, error) {
	g := s.owner
	if g == nil {
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	base := g.Base()
	g.made.Lock()
	defer g.made.Unlock()
	if snap := g.made.snap; snap != nil && snap.GetMetadata().GetIndex() >= base {
		g.made.idle = 0
		return snap, nil
	}
	if source, ok := g.machine.(Snapshotter); ok && !g.made.building {
		g.made.building = true
		g.log.tasks.Go(func() { g.makeSnapshot(source) })
	}
	return nil, raft.ErrSnapshotTemporarilyUnavailable
}

func (g *Group) makeSnapshot(source Snapshotter) {
	var snap *pb.Snapshot
	index, data, err := source.Snapshot()
	if err == nil {
		term, e := g.state.Term(index)
		if err = e; err == nil {
			snap = &pb.Snapshot{Data: data, Metadata: &pb.SnapshotMetadata{Index: &index, Term: &term, ConfState: g.state.confAt(index)}}
		}
	}
	g.made.Lock()
	defer g.made.Unlock()
	g.made.building = false
	if err == nil { // an error is that of a machine that is ending, or of a log trimmed meanwhile: Raft asks again
		g.made.snap, g.made.idle = snap, 0
	}
}

// offer tells another node of a snapshot.
func (g *Group) offer(m *pb.Message) {
	if g.outgoing == nil {
		g.outgoing = map[uint64]*outgoing{}
	}
	snap := m.Snapshot
	g.outgoing[m.GetTo()] = &outgoing{snap: snap}
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(snap.Data)))
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(snap.Data, castagnoli()))
	m.Snapshot = &pb.Snapshot{Data: head, Metadata: snap.Metadata}
	g.log.post(m.GetTo(), Envelope{group: g.id, m: m})
}

// receiveSnapshot begins to fetch a snapshot that a leader speaks of, unless Raft would not want it.
func (g *Group) receiveSnapshot(m *pb.Message) error {
	st := g.rn.BasicStatus()
	if m.Snapshot == nil || len(m.Snapshot.Data) != snapshotHead || m.GetTerm() < st.GetTerm() ||
		m.Snapshot.GetMetadata().GetIndex() <= st.GetCommit() {
		return g.step(m) // Raft answers without looking at the state
	}
	if last, _ := g.state.LastIndex(); last == 0 && slices.Contains(m.Snapshot.GetMetadata().GetConfState().GetVoters(), g.node) {
		// A new member is a learner until it holds the log. A voter without one has lost it.
		g.stop(errForgot(g.node, "of group %d, but holds nothing of it", g.id))
		return nil
	}
	head := m.Snapshot.Data
	in := &incoming{m: m, size: binary.LittleEndian.Uint64(head), sum: binary.LittleEndian.Uint32(head[8:])}
	if old := g.incoming; old != nil && old.sum == in.sum && old.size == in.size && sameSnapshot(old.m.Snapshot, m.Snapshot) {
		in.buf = old.buf // sent again, perhaps by another leader: what is here is good
	}
	if in.size > snapshotMax {
		return nil
	}
	g.incoming = in
	return g.progress()
}

func sameSnapshot(a, b *pb.Snapshot) bool {
	return a.GetMetadata().GetIndex() == b.GetMetadata().GetIndex() && a.GetMetadata().GetTerm() == b.GetMetadata().GetTerm()
}

// progress asks for more, or hands Raft the snapshot when there is no more to ask for.
func (g *Group) progress() error {
	in := g.incoming
	if uint64(len(in.buf)) == in.size {
		g.incoming = nil
		if crc32.Checksum(in.buf, castagnoli()) != in.sum {
			return nil // the leader will notice the silence and start over
		}
		in.m.Snapshot = &pb.Snapshot{Data: in.buf, Metadata: in.m.Snapshot.Metadata}
		return g.step(in.m)
	}
	if len(in.buf) >= in.until {
		in.until = len(in.buf) + pullBytes
		meta := in.m.Snapshot.GetMetadata()
		g.log.post(in.m.GetFrom(), Envelope{group: g.id, piece: &piece{from: g.node, to: in.m.GetFrom(), index: meta.GetIndex(),
			term: meta.GetTerm(), offset: uint64(len(in.buf)), pull: true}})
	}
	return nil
}

func (g *Group) receivePiece(p *piece) error {
	if p.pull {
		g.sendPieces(p)
		return nil
	}
	in := g.incoming
	if in == nil || p.from != in.m.GetFrom() || p.offset != uint64(len(in.buf)) || len(p.data) == 0 ||
		p.index != in.m.Snapshot.GetMetadata().GetIndex() || p.term != in.m.Snapshot.GetMetadata().GetTerm() ||
		uint64(len(p.data)) > in.size-uint64(len(in.buf)) {
		return nil
	}
	in.buf = append(in.buf, p.data...)
	in.idle, in.total = 0, 0
	return g.progress()
}

func (g *Group) sendPieces(p *piece) {
	out := g.outgoing[p.from]
	if out == nil || out.snap.GetMetadata().GetIndex() != p.index || out.snap.GetMetadata().GetTerm() != p.term {
		return
	}
	out.idle = 0
	data := out.snap.Data
	for from := p.offset; from < min(p.offset+pullBytes, uint64(len(data))); from += pieceBytes {
		to := min(from+pieceBytes, uint64(len(data)))
		g.log.post(p.from, Envelope{group: g.id, piece: &piece{from: g.node, to: p.from, index: p.index, term: p.term, offset: from,
			data: data[from:to:to]}})
	}
}

// tickSnapshots gives up on transfers that do not move.
func (g *Group) tickSnapshots(ticks int) {
	patience := 4 * g.cfg.ElectionTicks
	for node, out := range g.outgoing {
		if out.idle += ticks; out.idle > patience || g.leading == 0 {
			delete(g.outgoing, node)
			g.rn.ReportSnapshot(node, raft.SnapshotFailure)
		}
	}
	if in := g.incoming; in != nil {
		in.idle += ticks
		in.total += ticks
		switch {
		case in.total > 4*patience:
			g.incoming = nil
		case in.idle >= pullTicks:
			in.idle, in.until = 0, 0
			_ = g.progress() // only asks: it is not complete
		}
	}
	g.made.Lock()
	defer g.made.Unlock()
	if g.made.snap != nil {
		if g.made.idle += ticks; g.made.idle > patience && len(g.outgoing) == 0 {
			g.made.snap = nil
		}
	}
}

// storeSnapshot makes a snapshot durable as far as can be done before the log says that it starts behind it.
func (g *Group) storeSnapshot(snap *pb.Snapshot, f *frame) error {
	if _, ok := g.machine.(Snapshotter); !ok {
		return failure.New(failure.FeatureNotSupported, "group %d: snapshots are not supported by its machine", g.id)
	}
	meta := snap.GetMetadata()
	index, term, conf := meta.GetIndex(), meta.GetTerm(), pb.EnsureConfState(meta.GetConfState())
	err := g.writeState(g.snapshotName(), index, conf, snap.Data)
	if err == nil {
		err = g.log.fs.SyncDir(g.log.dir)
	}
	if err != nil {
		return wrapIO(err, "write", path.Base(g.snapshotName()))
	}
	// Entries that wait for the same frame were replaced, too.
	g.entryRuns = g.entryRuns[:0]
	g.state.reset(index, term, conf)
	g.install, g.baseDue = snap, index
	f.must = true
	return f.addBase(itemReset, g.id, index, term, conf)
}

// installed goes on after the log was told of the snapshot.
func (g *Group) installed() error {
	snap := g.install
	g.install = nil
	index := snap.GetMetadata().GetIndex()
	if err := g.adoptState(g.snapshotName(), index); err != nil {
		return err
	}
	g.noteMembers()
	if err := g.machine.(Snapshotter).Restore(index, snap.Data); err != nil {
		return err
	}
	g.machine.Applied()
	return nil
}

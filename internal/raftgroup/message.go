package raftgroup

import (
	"encoding/binary"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
)

// Transport carries messages to the logs of other nodes.
type Transport interface {
	// Send takes messages of any number of groups for one node, in order. It must not block, and may lose them: Raft sends
	// again. The batch is the transport's from then on; the entries' memory in it is shared and never changes.
	Send(to uint64, batch []Envelope)
}

// Envelope is a message of one group on its way between two nodes.
type Envelope struct {
	group GroupID
	m     *pb.Message
	piece *piece // m is nil then
}

// Group names the group that the message belongs to.
func (e Envelope) Group() GroupID { return e.group }

// From is the node that sent the message.
func (e Envelope) From() uint64 {
	if e.piece != nil {
		return e.piece.from
	}
	return e.m.GetFrom()
}

// To is the node that the message is for.
func (e Envelope) To() uint64 {
	if e.piece != nil {
		return e.piece.to
	}
	return e.m.GetTo()
}

// size is about the number of bytes that the message takes on the wire.
func (e Envelope) size() int {
	n := 64
	if e.piece != nil {
		return n + len(e.piece.data)
	}
	for _, entry := range e.m.Entries {
		n += 16 + len(entry.Data)
	}
	return n
}

// piece is a request for a part of a snapshot (data is nil) or such a part.
type piece struct {
	from, to    uint64
	index, term uint64 // of the snapshot
	offset      uint64
	pull        bool
	data        []byte
}

// The wire format of a batch: version, then the envelopes. docs/formats/journal.md has it.
const (
	batchVersion = 1

	kindPull  = 0xfe
	kindPiece = 0xff

	flagReject   = 1
	flagSnapshot = 2
	flagContext  = 4
	flagEntries  = 8
)

// sendable says which of Raft's messages travel between nodes.
func sendable(t pb.MessageType) bool {
	switch t {
	case pb.MsgApp, pb.MsgAppResp, pb.MsgVote, pb.MsgVoteResp, pb.MsgPreVote, pb.MsgPreVoteResp, pb.MsgSnap, pb.MsgHeartbeat,
		pb.MsgHeartbeatResp, pb.MsgTimeoutNow:
		return true
	}
	return false
}

// EncodeMessages appends a batch to b.
func EncodeMessages(b []byte, batch []Envelope) []byte {
	size := 1
	for _, e := range batch {
		size += e.size()
	}
	b = slices.Grow(b, size)
	b = append(b, batchVersion)
	for _, e := range batch {
		b = binary.LittleEndian.AppendUint32(b, uint32(e.group))
		if e.piece != nil {
			b = appendPiece(b, e.piece)
		} else {
			b = appendMessage(b, e.m)
		}
	}
	return b
}

func appendPiece(b []byte, p *piece) []byte {
	kind := byte(kindPiece)
	if p.pull {
		kind = kindPull
	}
	b = append(b, kind, 0)
	for _, v := range [...]uint64{p.to, p.from, p.index, p.term, p.offset} {
		b = binary.AppendUvarint(b, v)
	}
	return appendBytes(b, p.data)
}

func appendBytes(b, data []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(data))), data...)
}

func appendMessage(b []byte, m *pb.Message) []byte {
	invariant.Check(sendable(m.GetType()), "message %s sent to another node", m.GetType())
	flags := byte(0)
	if m.GetReject() {
		flags |= flagReject
	}
	if m.Snapshot != nil && !raft.IsEmptySnap(m.Snapshot) {
		flags |= flagSnapshot
	}
	if len(m.Context) > 0 {
		flags |= flagContext
	}
	if len(m.Entries) > 0 {
		flags |= flagEntries
	}
	b = append(b, byte(m.GetType()), flags)
	for _, v := range [...]uint64{m.GetTo(), m.GetFrom(), m.GetTerm(), m.GetLogTerm(), m.GetIndex(), m.GetCommit(), m.GetRejectHint()} {
		b = binary.AppendUvarint(b, v)
	}
	if flags&flagContext != 0 {
		b = appendBytes(b, m.Context)
	}
	if flags&flagEntries != 0 {
		b = binary.AppendUvarint(b, uint64(len(m.Entries)))
		for i, e := range m.Entries {
			invariant.Check(e.GetIndex() == m.GetIndex()+1+uint64(i), "entry %d sent behind entry %d", e.GetIndex(), m.GetIndex()+uint64(i))
			b = binary.AppendUvarint(b, e.GetTerm())
			b = append(b, byte(e.GetType()))
			b = appendBytes(b, e.Data)
		}
	}
	if flags&flagSnapshot != 0 {
		meta := m.Snapshot.GetMetadata()
		b = binary.AppendUvarint(b, meta.GetIndex())
		b = binary.AppendUvarint(b, meta.GetTerm())
		conf, err := proto.Marshal(meta.GetConfState())
		if err != nil {
			invariant.Unreachable("encode members: %v", err)
		}
		b = appendBytes(b, conf)
		b = appendBytes(b, m.Snapshot.Data)
	}
	return b
}

// reader takes a batch apart; after the first thing that does not fit, everything is zero and bad is set.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uint32() uint32 {
	if len(r.b) < 4 {
		r.b, r.bad = nil, true
		return 0
	}
	v := binary.LittleEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// DecodeMessages takes an encoded batch apart. The envelopes point into b, which must not be changed any more.
func DecodeMessages(b []byte) ([]Envelope, error) {
	r := reader{b: b}
	if r.byte() != batchVersion {
		return nil, malformedBatch("unknown version")
	}
	var batch []Envelope
	for len(r.b) > 0 {
		e := Envelope{group: GroupID(r.uint32())}
		kind, flags := r.byte(), r.byte()
		switch {
		case r.bad:
		case kind == kindPull || kind == kindPiece:
			e.piece = r.piece(kind == kindPull)
		case !sendable(pb.MessageType(kind)):
			return nil, malformedBatch("message of unknown kind")
		default:
			e.m = r.message(pb.MessageType(kind), flags)
		}
		if r.bad {
			return nil, malformedBatch("too short")
		}
		batch = append(batch, e)
	}
	return batch, nil
}

func malformedBatch(what string) error {
	return failure.New(failure.ProtocolViolation, "malformed batch of Raft messages: %s", what)
}

func (r *reader) piece(pull bool) *piece {
	p := &piece{pull: pull}
	for _, v := range [...]*uint64{&p.to, &p.from, &p.index, &p.term, &p.offset} {
		*v = r.uvarint()
	}
	p.data = r.bytes()
	return p
}

// received is a message with room for what it points to.
type received struct {
	pb.Message
	kind                                                pb.MessageType
	to, from, term, logTerm, index, commit, rejectIndex uint64
	reject                                              bool
}

func (r *reader) message(kind pb.MessageType, flags byte) *pb.Message {
	w := &received{kind: kind, reject: flags&flagReject != 0}
	for _, v := range [...]*uint64{&w.to, &w.from, &w.term, &w.logTerm, &w.index, &w.commit, &w.rejectIndex} {
		*v = r.uvarint()
	}
	m := &w.Message
	m.Type, m.To, m.From, m.Term, m.LogTerm, m.Index, m.Commit = &w.kind, &w.to, &w.from, &w.term, &w.logTerm, &w.index, &w.commit
	m.Reject, m.RejectHint = &w.reject, &w.rejectIndex
	if flags&flagContext != 0 {
		m.Context = r.bytes()
	}
	if flags&flagEntries != 0 {
		m.Entries = r.entries(w.index)
	}
	if flags&flagSnapshot != 0 {
		m.Snapshot = r.snapshot()
	}
	return m
}

// arrived is an entry with room for what it points to.
type arrived struct {
	pb.Entry
	index, term uint64
	kind        pb.EntryType
}

func (r *reader) entries(behind uint64) []*pb.Entry {
	n := r.uvarint()
	if n > uint64(len(r.b))/3 || behind+n < behind {
		r.b, r.bad = nil, true
		return nil
	}
	room := make([]arrived, n)
	out := make([]*pb.Entry, n)
	for i := range room {
		a := &room[i]
		a.index, a.term, a.kind = behind+1+uint64(i), r.uvarint(), pb.EntryType(r.byte())
		if a.kind > pb.EntryConfChangeV2 {
			r.bad = true
		}
		a.Entry.Index, a.Entry.Term, a.Entry.Type = &a.index, &a.term, &a.kind
		if data := r.bytes(); len(data) > 0 {
			a.Entry.Data = data
		}
		out[i] = &a.Entry
	}
	return out
}

func (r *reader) snapshot() *pb.Snapshot {
	index, term := r.uvarint(), r.uvarint()
	conf := &pb.ConfState{}
	if err := proto.Unmarshal(r.bytes(), conf); err != nil {
		r.b, r.bad = nil, true
	}
	return &pb.Snapshot{Data: r.bytes(), Metadata: &pb.SnapshotMetadata{Index: &index, Term: &term, ConfState: conf}}
}

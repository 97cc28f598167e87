package raftgroup

import (
	"encoding/binary"
	"hash/crc32"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/meridiandb/meridian/internal/failure"
)

// GroupID names a Raft group inside a log.
type GroupID uint32

const (
	segmentMagic   = 0x314d534d // "MSM1"
	segmentVersion = 1
	segmentHeader  = 32

	frameMagic  = 0x31464d4d // "MMF1"
	frameHeader = 32
	frameAlign  = 8
)

// The kinds of items inside a frame.
const (
	itemBase    = 1 // the group's log starts behind an index: index, term, members
	itemHard    = 2 // term, vote, commit
	itemEntries = 3
	itemReset   = 4 // as base, and the entries before it are gone, those behind it, too: a snapshot replaced them
	itemGone    = 5 // the group was removed
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// segmentHead is the first block of a segment: which one it is, and how it continues the one before.
type segmentHead struct {
	segment    uint64
	firstFrame uint64
	prev       uint32 // checksum of the last frame of the segment before
}

func (h segmentHead) appendTo(b []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, segmentMagic)
	b = binary.LittleEndian.AppendUint32(b, segmentVersion)
	b = binary.LittleEndian.AppendUint64(b, h.segment)
	b = binary.LittleEndian.AppendUint64(b, h.firstFrame)
	b = binary.LittleEndian.AppendUint32(b, h.prev)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli()))
}

func parseSegmentHead(b []byte) (segmentHead, bool) {
	if len(b) < segmentHeader || binary.LittleEndian.Uint32(b) != segmentMagic ||
		binary.LittleEndian.Uint32(b[4:]) != segmentVersion ||
		binary.LittleEndian.Uint32(b[28:]) != crc32.Checksum(b[:28], castagnoli()) {
		return segmentHead{}, false
	}
	return segmentHead{
		segment:    binary.LittleEndian.Uint64(b[8:]),
		firstFrame: binary.LittleEndian.Uint64(b[16:]),
		prev:       binary.LittleEndian.Uint32(b[24:]),
	}, true
}

// frameHead precedes a frame's items.
type frameHead struct {
	length  uint32 // of the items, in bytes
	segment uint64
	number  uint64
	prev    uint32 // checksum of the frame before: the chain
	crc     uint32 // over the header before it and the items
}

func (h *frameHead) put(b []byte) {
	binary.LittleEndian.PutUint32(b, frameMagic)
	binary.LittleEndian.PutUint32(b[4:], h.length)
	binary.LittleEndian.PutUint64(b[8:], h.segment)
	binary.LittleEndian.PutUint64(b[16:], h.number)
	binary.LittleEndian.PutUint32(b[24:], h.prev)
	binary.LittleEndian.PutUint32(b[28:], h.crc)
}

func parseFrameHead(b []byte) (frameHead, bool) {
	if len(b) < frameHeader || binary.LittleEndian.Uint32(b) != frameMagic {
		return frameHead{}, false
	}
	return frameHead{
		length:  binary.LittleEndian.Uint32(b[4:]),
		segment: binary.LittleEndian.Uint64(b[8:]),
		number:  binary.LittleEndian.Uint64(b[16:]),
		prev:    binary.LittleEndian.Uint32(b[24:]),
		crc:     binary.LittleEndian.Uint32(b[28:]),
	}, true
}

// frameCRC is the checksum of a frame: its header up to the checksum, then the items.
func frameCRC(frame []byte) uint32 {
	t := castagnoli()
	return crc32.Update(crc32.Update(0, t, frame[:28]), t, frame[frameHeader:])
}

// frameSize is the room that a frame with that many bytes of items takes in a segment.
func frameSize(items int) int64 {
	return int64((frameHeader + items + frameAlign - 1) / frameAlign * frameAlign)
}

// frame is being filled with items. It begins with room for a segment's and its own header.
type frame struct {
	b []byte
	// must is set when something waits for the frame to be synced; without it the items can wait for the next frame.
	must bool
}

func (f *frame) reset() {
	if cap(f.b) > 8<<20 {
		f.b = nil // one large transaction shall not keep its buffer for ever
	}
	f.b = append(f.b[:0], make([]byte, segmentHeader+frameHeader)...)
	f.must = false
}

func (f *frame) items() int { return len(f.b) - segmentHeader - frameHeader }

// addBase says where a group's log starts; kind is itemBase or itemReset.
func (f *frame) addBase(kind byte, g GroupID, index, term uint64, conf *pb.ConfState) error {
	c, err := proto.Marshal(conf)
	if err != nil {
		return err
	}
	f.b = appendItem(f.b, kind, g)
	f.b = binary.LittleEndian.AppendUint64(f.b, index)
	f.b = binary.LittleEndian.AppendUint64(f.b, term)
	f.b = binary.LittleEndian.AppendUint32(f.b, uint32(len(c)))
	f.b = append(f.b, c...)
	return nil
}

func (f *frame) addHard(g GroupID, term, vote, commit uint64) {
	f.b = appendItem(f.b, itemHard, g)
	f.b = binary.LittleEndian.AppendUint64(f.b, term)
	f.b = binary.LittleEndian.AppendUint64(f.b, vote)
	f.b = binary.LittleEndian.AppendUint64(f.b, commit)
}

func (f *frame) addEntries(g GroupID, entries []*pb.Entry) {
	f.b = appendItem(f.b, itemEntries, g)
	f.b = binary.LittleEndian.AppendUint64(f.b, entries[0].GetIndex())
	f.b = binary.LittleEndian.AppendUint32(f.b, uint32(len(entries)))
	for _, e := range entries {
		f.b = binary.LittleEndian.AppendUint64(f.b, e.GetTerm())
		f.b = append(f.b, byte(e.GetType()))
		f.b = binary.LittleEndian.AppendUint32(f.b, uint32(len(e.GetData())))
		f.b = append(f.b, e.GetData()...)
	}
}

func (f *frame) addGone(g GroupID) { f.b = appendItem(f.b, itemGone, g) }

func appendItem(b []byte, kind byte, g GroupID) []byte {
	return binary.LittleEndian.AppendUint32(append(b, kind), uint32(g))
}

// item is one decoded item of a frame; which fields count depends on the kind.
type item struct {
	kind         byte
	group        GroupID
	index, term  uint64 // base, reset
	conf         *pb.ConfState
	hard         hardState
	first        uint64 // entries: index of the first
	count        int
	entriesBytes []byte // entries, encoded
}

type hardState struct{ term, vote, commit uint64 }

func malformed(what string) error {
	return failure.New(failure.DataCorrupted, "malformed log frame: %s", what)
}

// nextItem decodes the first item of b and returns the bytes behind it. Entries are only skipped over, not decoded.
func nextItem(b []byte) (it item, rest []byte, err error) {
	if len(b) < 5 {
		return it, nil, malformed("item too short")
	}
	it.kind, it.group = b[0], GroupID(binary.LittleEndian.Uint32(b[1:]))
	b = b[5:]
	switch it.kind {
	case itemGone:
		return it, b, nil
	case itemBase, itemReset:
		if len(b) < 20 || uint64(len(b)-20) < uint64(binary.LittleEndian.Uint32(b[16:])) {
			return it, nil, malformed("base too short")
		}
		it.index, it.term = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		n := int(binary.LittleEndian.Uint32(b[16:]))
		it.conf = &pb.ConfState{}
		if err := proto.Unmarshal(b[20:20+n], it.conf); err != nil {
			return it, nil, malformed("members: " + err.Error())
		}
		return it, b[20+n:], nil
	case itemHard:
		if len(b) < 24 {
			return it, nil, malformed("hard state too short")
		}
		it.hard = hardState{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])}
		return it, b[24:], nil
	case itemEntries:
		return nextEntries(it, b)
	default:
		return it, nil, malformed("item of unknown kind")
	}
}

func nextEntries(it item, b []byte) (item, []byte, error) {
	if len(b) < 12 {
		return it, nil, malformed("entries too short")
	}
	it.first, it.count = binary.LittleEndian.Uint64(b), int(binary.LittleEndian.Uint32(b[8:]))
	b = b[12:]
	body := b
	for range it.count {
		_, rest, ok := cutEntry(b)
		if !ok {
			return it, nil, malformed("entry too short")
		}
		b = rest
	}
	it.entriesBytes = body[:len(body)-len(b)]
	return it, b, nil
}

// rawEntry is an entry as it lies in a frame.
type rawEntry struct {
	term uint64
	kind byte
	data []byte
}

func cutEntry(b []byte) (e rawEntry, rest []byte, ok bool) {
	if len(b) < 13 {
		return e, nil, false
	}
	n := binary.LittleEndian.Uint32(b[9:])
	if uint64(n) > uint64(len(b)-13) {
		return e, nil, false
	}
	e = rawEntry{term: binary.LittleEndian.Uint64(b), kind: b[8], data: b[13 : 13+n : 13+n]}
	return e, b[13+n:], true
}

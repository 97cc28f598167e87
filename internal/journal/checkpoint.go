package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// A checkpoint is the machine's state as of a Raft entry: a small part that Raft's group keeps, and blocks of settled ids
// in files of their own. Each checkpoint writes one block, with what was settled since the one before, so that its cost
// does not grow with the hour that ids are remembered. docs/formats/journal.md has the layouts.
const (
	checkpointVersion = 2
	blockMagic        = 0x314b424d // "MBK1"
	blockHead         = 16
	moveBytes         = 32
)

// block names a file of settled ids.
type block struct {
	raft  uint64 // index of the entry it was written for: its name
	era   uint64 // of the youngest id in it
	count uint64
}

// Trim gives up the records up to an index: every reader has made them durable elsewhere. Files are freed a whole one at
// a time; before that the state that the trimmed records left behind is saved. It may take as long as a few writes of a
// file do, and returns at once when there is nothing to free.
func (j *Journal) Trim(index uint64) error {
	if !j.trimming.TryLock() {
		return nil
	}
	defer j.trimming.Unlock()
	j.mu.Lock()
	j.markLocked()
	i := sort.Search(len(j.mu.places), func(i int) bool { return j.mu.places[i].first > index+1 }) - 1
	if i < 0 || j.mu.places[i].raft < 2 {
		j.mu.Unlock()
		return nil
	}
	to := j.mu.places[i].raft - 1
	j.mu.Unlock()
	if to <= j.group.Base() || !j.group.Reclaimable(to) {
		return nil
	}
	if err := j.checkpoint(i); err != nil {
		return err
	}
	j.mu.Lock()
	j.mu.places = append([]place(nil), j.mu.places[i:]...)
	keep := sort.Search(len(j.mu.skipped), func(k int) bool { return j.mu.skipped[k] >= j.mu.places[0].first })
	j.mu.skipped = append([]uint64(nil), j.mu.skipped[keep:]...)
	j.mu.Unlock()
	j.group.Trim(to)
	return nil
}

// markLocked makes the end of the log a place, so that a Trim soon after can cut here: a journal with little in it has
// few places, and would keep files full of what other journals wrote.
func (j *Journal) markLocked() {
	if n := len(j.mu.places); n == 0 || j.mu.places[n-1].first <= j.mu.core.seq {
		j.mu.places = append(j.mu.places, place{first: j.mu.core.seq + 1, raft: j.mu.raft + 1})
		j.mu.placeBytes = 0
	}
}

// checkpoint saves the state as of the last applied entry, with the places from a given one on.
func (j *Journal) checkpoint(from int) error {
	j.mu.Lock()
	at := j.mu.raft
	c := &j.mu.core
	last, horizon := c.lease.Last, c.ids.horizon
	fixed := j.encodeLocked(j.mu.places[from:], j.mu.skipped)
	j.mu.Unlock()

	fresh, era := j.settledBetween(j.saved, last)
	blocks := slices.DeleteFunc(slices.Clone(j.blocks), func(b block) bool { return b.era < horizon })
	// A second checkpoint of the same entry has nothing new, and must not touch the file that the first one names.
	same := slices.ContainsFunc(blocks, func(b block) bool { return b.raft == at })
	if len(fresh) > 0 && !same {
		b := block{raft: at, era: era, count: uint64(len(fresh))}
		if err := j.writeBlock(b, fresh); err != nil {
			return err
		}
		blocks = append(blocks, b)
	}
	for _, b := range blocks {
		for _, v := range [...]uint64{b.raft, b.era, b.count} {
			fixed = binary.LittleEndian.AppendUint64(fixed, v)
		}
	}
	if err := j.group.Checkpoint(at, fixed); err != nil {
		return err
	}
	j.blocks, j.saved = blocks, last
	return j.removeOtherBlocks()
}

// settledBetween copies the ids settled from one time up to another, both included, and returns the highest era of them.
// The lock is taken for one piece of the index at a time. Tombstones are as old as the commit before them, so a few may
// be found twice, or a little early: neither does harm.
func (j *Journal) settledBetween(from, to clock.Timestamp) (fresh []slot, era uint64) {
	j.mu.Lock()
	eras := make([]uint64, 0, len(j.mu.core.ids.eras))
	for n := range j.mu.core.ids.eras {
		eras = append(eras, n)
	}
	j.mu.Unlock()
	for _, n := range eras {
		for i := range shards {
			j.mu.Lock()
			e := j.mu.core.ids.eras[n]
			if e == nil || e.newest < uint64(from) {
				j.mu.Unlock()
				break
			}
			for _, s := range e.shards[i].slots {
				if t := clock.Timestamp(s.time &^ tombstoneBit); s.time != 0 && t >= from && t <= to {
					fresh = append(fresh, s)
					era = max(era, n)
				}
			}
			j.mu.Unlock()
		}
	}
	return fresh, era
}

func (j *Journal) blockName(raft uint64) string {
	return path.Join(j.dir, fmt.Sprintf("ids-%08x-%016x", uint32(j.cfg.ID), raft))
}

func (j *Journal) writeBlock(b block, slots []slot) error {
	data := binary.LittleEndian.AppendUint32(make([]byte, 0, blockHead+24*len(slots)+4), blockMagic)
	data = binary.LittleEndian.AppendUint32(data, uint32(j.cfg.ID))
	data = binary.LittleEndian.AppendUint64(data, b.raft)
	for _, s := range slots {
		data = binary.LittleEndian.AppendUint64(data, s.a)
		data = binary.LittleEndian.AppendUint64(data, s.b)
		data = binary.LittleEndian.AppendUint64(data, s.time)
	}
	data = binary.LittleEndian.AppendUint32(data, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	f, err := j.fs.Create(j.blockName(b.raft))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = j.fs.SyncDir(j.dir) // the checkpoint that names the file must not outlive its name
	}
	return err
}

func (j *Journal) readBlock(b block) error {
	f, err := j.fs.Open(j.blockName(b.raft))
	if err != nil {
		return err
	}
	data := make([]byte, blockHead+24*b.count+4)
	n, err := f.ReadAt(data, 0)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	sum := crc32.Checksum(data[:len(data)-4], crc32.MakeTable(crc32.Castagnoli))
	if n != len(data) || binary.LittleEndian.Uint32(data) != blockMagic || binary.LittleEndian.Uint64(data[8:]) != b.raft ||
		binary.LittleEndian.Uint32(data[len(data)-4:]) != sum {
		return failure.New(failure.DataCorrupted, "journal file \"%s\" is damaged", j.blockName(b.raft))
	}
	j.addSettled(data[blockHead : len(data)-4])
	return nil
}

// addSettled takes over ids as blocks and snapshots hold them.
func (j *Journal) addSettled(data []byte) {
	for ; len(data) >= 24; data = data[24:] {
		var id txn.ID
		copy(id[:], data)
		t := binary.LittleEndian.Uint64(data[16:])
		j.mu.core.ids.add(id, clock.Timestamp(t&^tombstoneBit), t&tombstoneBit != 0, 0)
	}
}

// removeOtherBlocks deletes the files of ids that the checkpoint does not name any more, or did not get to name.
func (j *Journal) removeOtherBlocks() error {
	names, err := j.fs.List(j.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, fmt.Sprintf("ids-%08x-", uint32(j.cfg.ID))) {
			continue
		}
		full := path.Join(j.dir, name)
		if !slices.ContainsFunc(j.blocks, func(b block) bool { return j.blockName(b.raft) == full }) {
			if err := j.fs.Remove(full); err != nil {
				return err
			}
		}
	}
	return nil
}

// encodeLocked renders the small part, but for the blocks.
func (j *Journal) encodeLocked(places []place, skippedAt []uint64) []byte {
	c := &j.mu.core
	retired := byte(0)
	if c.lease.Retired {
		retired = 1
	}
	b := []byte{checkpointVersion, retired}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(c.moves)))
	for _, v := range [...]uint64{c.seq, uint64(c.lease.Gen), uint64(c.lease.Lo), uint64(c.lease.Hi), uint64(c.lease.Last),
		c.ids.horizon, uint64(len(places)), uint64(len(skippedAt))} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	for _, p := range places {
		b = binary.LittleEndian.AppendUint64(b, p.first)
		b = binary.LittleEndian.AppendUint64(b, p.raft)
	}
	for _, s := range skippedAt {
		b = binary.LittleEndian.AppendUint64(b, s)
	}
	for _, m := range c.moves {
		owned := uint32(0)
		if m.Owned {
			owned = 1
		}
		for _, v := range [...]uint64{uint64(m.Range.First), uint64(m.Range.Last), uint64(m.Fence)} {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(m.Peer))
		b = binary.LittleEndian.AppendUint32(b, owned)
	}
	return b
}

// restore takes a checkpoint over; nil is that of a new journal.
func (j *Journal) restore(b []byte) error {
	if b == nil {
		return j.removeOtherBlocks() // those of a journal of this number that was removed
	}
	if err := j.decode(b); err != nil {
		return err
	}
	j.committed.Store(j.mu.core.seq)
	for _, b := range j.blocks {
		if err := j.readBlock(b); err != nil {
			return err
		}
	}
	return j.removeOtherBlocks()
}

func (j *Journal) decode(b []byte) error {
	const fixed = 4 + 8*8
	bad := failure.New(failure.DataCorrupted, "malformed checkpoint of journal %d", j.cfg.ID)
	if len(b) < fixed || b[0] != checkpointVersion && b[0] != snapshotVersion {
		return bad
	}
	version, moves := b[0], uint64(binary.LittleEndian.Uint16(b[2:]))
	var v [8]uint64
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(b[4+8*i:])
	}
	c := &j.mu.core
	c.seq = v[0]
	c.lease = txn.Lease{Gen: txn.Generation(v[1]), Lo: clock.Timestamp(v[2]), Hi: clock.Timestamp(v[3]),
		Last: clock.Timestamp(v[4]), Retired: b[1] != 0}
	c.ids.horizon = v[5]
	j.saved = c.lease.Last
	places, skipped := v[6], v[7]
	b = b[fixed:]
	if places > uint64(len(b))/16 || skipped > (uint64(len(b))-16*places)/8 || moves > (uint64(len(b))-16*places-8*skipped)/moveBytes {
		return bad
	}
	for range places {
		j.mu.places = append(j.mu.places, place{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])})
		b = b[16:]
	}
	for range skipped {
		j.mu.skipped = append(j.mu.skipped, binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	for range moves {
		c.moves = append(c.moves, txn.Move{
			Range: txn.HashRange{First: keys.Hash(binary.LittleEndian.Uint64(b)), Last: keys.Hash(binary.LittleEndian.Uint64(b[8:]))},
			Fence: clock.Timestamp(binary.LittleEndian.Uint64(b[16:])), Peer: txn.JournalID(binary.LittleEndian.Uint32(b[24:])),
			Owned: b[28] != 0})
		b = b[moveBytes:]
	}
	if len(b)%24 != 0 {
		return bad
	}
	if version == snapshotVersion {
		j.saved = 0 // the next checkpoint writes all of the ids into a block
		j.addSettled(b)
		return nil
	}
	for ; len(b) > 0; b = b[24:] {
		j.blocks = append(j.blocks, block{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])})
	}
	return nil
}

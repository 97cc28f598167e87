package journal

import (
	"encoding/binary"
	"path"
	"sort"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/txn"
)

// checkpointVersion is the first byte of a checkpoint. docs/formats/journal.md has the layout.
const checkpointVersion = 1

// Trim gives up the records up to an index: every reader has made them durable elsewhere. Files are freed a whole one at
// a time; before that the state that the trimmed records left behind is saved. It may take as long as a few writes of a
// file do, and returns at once when there is nothing to free.
func (j *Journal) Trim(index uint64) error {
	if !j.trimming.TryLock() {
		return nil
	}
	defer j.trimming.Unlock()
	j.mu.Lock()
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
	j.mu.Lock()
	at, data := j.mu.raft, j.encodeLocked(j.mu.places[i:])
	j.mu.Unlock()
	if err := j.group.Checkpoint(at, data); err != nil {
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

// encodeLocked renders the state of the machine as of the last applied entry.
func (j *Journal) encodeLocked(places []place) []byte {
	c := &j.mu.core
	retired := byte(0)
	if c.lease.Retired {
		retired = 1
	}
	b := []byte{checkpointVersion, retired, 0, 0}
	for _, v := range [...]uint64{c.seq, uint64(c.lease.Gen), uint64(c.lease.Lo), uint64(c.lease.Hi), uint64(c.lease.Last),
		c.ids.horizon, uint64(len(places)), uint64(len(j.mu.skipped)), uint64(c.ids.count)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	for _, p := range places {
		b = binary.LittleEndian.AppendUint64(b, p.first)
		b = binary.LittleEndian.AppendUint64(b, p.raft)
	}
	for _, s := range j.mu.skipped {
		b = binary.LittleEndian.AppendUint64(b, s)
	}
	return c.ids.appendTo(b)
}

func (o *outcomes) appendTo(b []byte) []byte {
	for _, e := range o.eras {
		for i := range e.shards {
			for _, s := range e.shards[i].slots {
				if s.time != 0 {
					b = binary.LittleEndian.AppendUint64(b, s.a)
					b = binary.LittleEndian.AppendUint64(b, s.b)
					b = binary.LittleEndian.AppendUint64(b, s.time)
				}
			}
		}
	}
	return b
}

// restore takes a checkpoint over; nil is that of a new journal.
func (j *Journal) restore(b []byte) error {
	if b == nil {
		return nil
	}
	const fixed = 4 + 9*8
	bad := func() error {
		return failure.New(failure.DataCorrupted, "malformed checkpoint of journal %d in \"%s\"", j.cfg.ID, path.Base(j.dir))
	}
	if len(b) < fixed || b[0] != checkpointVersion {
		return bad()
	}
	var v [9]uint64
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(b[4+8*i:])
	}
	c := &j.mu.core
	c.seq = v[0]
	c.lease = txn.Lease{Gen: txn.Generation(v[1]), Lo: clock.Timestamp(v[2]), Hi: clock.Timestamp(v[3]),
		Last: clock.Timestamp(v[4]), Retired: b[1] != 0}
	c.ids.horizon = v[5]
	places, skipped, ids := v[6], v[7], v[8]
	b = b[fixed:]
	const most = 1 << 32
	if places > most || skipped > most || ids > most || uint64(len(b)) != 16*places+8*skipped+24*ids {
		return bad()
	}
	for range places {
		j.mu.places = append(j.mu.places, place{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])})
		b = b[16:]
	}
	for range skipped {
		j.mu.skipped = append(j.mu.skipped, binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	for range ids {
		var id txn.ID
		copy(id[:], b)
		t := binary.LittleEndian.Uint64(b[16:])
		c.ids.add(id, clock.Timestamp(t&^tombstoneBit), t&tombstoneBit != 0, 0)
		b = b[24:]
	}
	return nil
}

package coordinator

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// entry is one write in the order it was made. The newest entry of a key counts; prev leads to the one it replaced, so
// that a scan opened earlier keeps seeing what was there, and a rollback can bring it back.
type entry struct {
	key   keys.Key
	value []byte
	prev  int32 // older entry of the same key, -1 when there is none
	flags uint8
}

const (
	flagDelete uint8 = 1 << iota
	flagBlind
	flagIdentity
	flagSchema
)

func flagsOf(w *txn.Write) uint8 {
	var f uint8
	if w.Delete {
		f |= flagDelete
	}
	if w.Blind {
		f |= flagBlind
	}
	if w.Identity {
		f |= flagIdentity
	}
	if w.Schema {
		f |= flagSchema
	}
	return f
}

const (
	chunkBits = 11
	chunkLen  = 1 << chunkBits
	// smallWrites is how many writes are searched one by one before a hash index is built.
	smallWrites = 8
)

// buffer is the write buffer of one transaction: a log of entries that only grows and is cut back by a rollback, a hash
// index for point look-ups, and sorted runs (overlay.go) that are only built when somebody scans. While keys come in
// ascending order, as those of a bulk load often do, the end of the log is its own index.
type buffer struct {
	inline [smallWrites]entry
	chunks [][]entry // entry i is chunks[i>>chunkBits][i&(chunkLen-1)], once there are more than smallWrites
	n      int32     // length of the log
	live   int32     // distinct keys
	rows   int32     // distinct keys of primary indexes
	bytes  int64     // keys and values of the newest entries

	// slots indexes the entries below base: tag of the hash in the upper half, entry index + 1 in the lower. The keys from
	// base on ascend. (With no more than smallWrites there is neither.)
	slots []uint64
	base  int32
	runs  []run
}

// at returns entry i.
func (b *buffer) at(i int32) *entry {
	if b.chunks == nil {
		return &b.inline[i]
	}
	return &b.chunks[i>>chunkBits][i&(chunkLen-1)]
}

func (b *buffer) len() int { return int(b.n) }

// find returns the newest entry of a key, or -1.
func (b *buffer) find(k keys.Key) int32 {
	if b.chunks == nil {
		for i := b.n - 1; i >= 0; i-- {
			if bytes.Equal(b.inline[i].key, k) {
				return i
			}
		}
		return -1
	}
	if i := b.findTail(k); i >= 0 {
		return i
	}
	if b.slots != nil {
		if s := b.slot(k, xxhash.Sum64(k)); b.slots[s] != 0 {
			return int32(uint32(b.slots[s])) - 1
		}
	}
	return -1
}

// findTail is find among the entries from base on.
func (b *buffer) findTail(k keys.Key) int32 {
	if b.base == b.n || bytes.Compare(b.at(b.n-1).key, k) < 0 {
		return -1
	}
	lo, hi := b.base, b.n-1
	for lo < hi {
		mid := (lo + hi) / 2
		if bytes.Compare(b.at(mid).key, k) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if bytes.Equal(b.at(lo).key, k) {
		return lo
	}
	return -1
}

// slot returns the position of the key in the index, or of the free slot where it belongs.
func (b *buffer) slot(k keys.Key, h uint64) int {
	mask := len(b.slots) - 1
	tag := h >> 32
	for s := int(h) & mask; ; s = (s + 1) & mask {
		v := b.slots[s]
		if v == 0 || v>>32 == tag && bytes.Equal(b.at(int32(uint32(v))-1).key, k) {
			return s
		}
	}
}

// put appends a write.
func (b *buffer) put(w *txn.Write) {
	prev := b.find(w.Key)
	e := entry{key: w.Key, value: w.Value, prev: prev, flags: flagsOf(w)}
	if prev >= 0 {
		old := b.at(prev)
		// What the earlier write of the key demanded at commit stays demanded.
		e.flags |= old.flags & (flagIdentity | flagSchema)
		if old.flags&flagBlind == 0 {
			e.flags &^= flagBlind
		}
	}
	b.push(e)
	b.count(&e, 1)
	if b.chunks == nil {
		return
	}
	if n := b.n; n == smallWrites+1 || n-1 > b.base && bytes.Compare(b.at(n-2).key, b.at(n-1).key) >= 0 {
		b.indexTail()
	}
}

// indexTail puts the entries from base on into the hash index.
func (b *buffer) indexTail() {
	if int(b.live)*2 > len(b.slots) {
		b.slots = make([]uint64, slotsFor(int(b.live)))
		b.base = 0
	}
	for ; b.base < b.n; b.base++ {
		k := b.at(b.base).key
		h := xxhash.Sum64(k)
		b.slots[b.slot(k, h)] = h>>32<<32 | uint64(uint32(b.base+1))
	}
}

// slotsFor is the size of an index for n keys, with room to grow.
func slotsFor(n int) int {
	size := 4 * smallWrites
	for size < n*4 {
		size *= 2
	}
	return size
}

func (b *buffer) push(e entry) {
	switch {
	case b.n < smallWrites && b.chunks == nil:
		b.inline[b.n] = e
	case b.chunks == nil:
		first := make([]entry, smallWrites, 64)
		copy(first, b.inline[:])
		b.inline = [smallWrites]entry{}
		b.chunks = append(b.chunks, append(first, e))
	default:
		c := int(b.n >> chunkBits)
		if c == len(b.chunks) {
			b.chunks = append(b.chunks, make([]entry, 0, chunkLen))
		}
		b.chunks[c] = append(b.chunks[c], e)
	}
	b.n++
}

// count adds an entry to the totals (sign 1), in place of the one it replaced, or takes it out again (sign -1).
func (b *buffer) count(e *entry, sign int64) {
	b.bytes += sign * int64(len(e.key)+len(e.value))
	if e.prev >= 0 {
		old := b.at(e.prev)
		b.bytes -= sign * int64(len(old.key)+len(old.value))
		return
	}
	b.live += int32(sign)
	if _, index, _, ok := keys.DecodePrefix(e.key); ok && index == keys.PrimaryIndex {
		b.rows += int32(sign)
	}
}

// truncate forgets every write from position m on.
func (b *buffer) truncate(m int32) {
	for i := b.n - 1; i >= m; i-- {
		e := b.at(i)
		b.count(e, -1)
		if i < b.base {
			b.unindex(e)
		}
		*e = entry{}
	}
	b.n = min(b.n, m)
	b.base = min(b.base, b.n)
	if b.chunks != nil {
		keep := int(m+chunkLen-1) >> chunkBits
		if keep < len(b.chunks) {
			clear(b.chunks[keep:])
			b.chunks = b.chunks[:keep]
		}
		if keep > 0 {
			b.chunks[keep-1] = b.chunks[keep-1][:int(m)-(keep-1)<<chunkBits]
		}
		if keep == 0 {
			b.chunks, b.slots = nil, nil
		}
	}
	b.truncateRuns(m)
}

// unindex makes the index forget the newest entry of a key: the older one takes its place, or the slot is freed and the
// cluster behind it is moved up.
func (b *buffer) unindex(e *entry) {
	s := b.slot(e.key, xxhash.Sum64(e.key))
	if e.prev >= 0 {
		b.slots[s] = b.slots[s]>>32<<32 | uint64(uint32(e.prev+1))
		return
	}
	mask := len(b.slots) - 1
	b.slots[s] = 0
	for next := (s + 1) & mask; b.slots[next] != 0; next = (next + 1) & mask {
		home := int(xxhash.Sum64(b.at(int32(uint32(b.slots[next]))-1).key)) & mask
		if (next-home)&mask >= (next-s)&mask {
			b.slots[s], b.slots[next] = b.slots[next], 0
			s = next
		}
	}
}

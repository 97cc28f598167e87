package mvcc

import (
	"sync"
	"sync/atomic"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/keys"
)

const (
	hotShards = 64
	// hotStripes is the number of fill guards in a shard.
	hotStripes = 64
	// hotOverhead is about what an entry costs beside its key and value.
	hotOverhead = 160
	// hotValueMax is the largest value that is cached.
	hotValueMax = 16 << 10
)

// hotCache remembers, for keys that are read often, the newest version of all: an entry with time t answers a read at
// τs when t ≤ τs, provided that every version ≤ τs has been applied, which the caller has made sure of (I5).
//
// Entries come from reads (fill) and are kept newest by the applier (update). A fill races with the applier: it must not
// put in what it read before a newer version was applied. So each key has a guard number, shared with others of its
// stripe. The applier commits to Pebble, then bumps the guard and updates an existing entry. A fill notes the guard, reads
// Pebble, and puts in only when the guard is unchanged. When the fill's read missed the new version, it read before the
// commit, so the guard it noted is from before the bump: either the bump comes first and the fill is dropped, or the fill
// comes first and the update replaces it.
type hotCache struct {
	shards [hotShards]hotShard
}

type hotShard struct {
	mu    sync.RWMutex
	index map[string]int32
	ring  []hotEntry // second-chance order
	free  []int32
	hand  int
	bytes int64
	limit int64
	guard [hotStripes]uint32
}

type hotEntry struct {
	key   string
	value []byte // nil for a tombstone
	at    clock.Timestamp
	used  atomic.Bool
	live  bool
}

func newHotCache(bytes int64) *hotCache {
	h := &hotCache{}
	for i := range h.shards {
		h.shards[i].index = make(map[string]int32)
		h.shards[i].limit = bytes / hotShards
	}
	return h
}

func (h *hotCache) shard(hash uint64) *hotShard { return &h.shards[hash>>58] }

func stripe(hash uint64) int { return int(hash >> 52 & (hotStripes - 1)) }

// get returns the value of a key at a time. When ok is false the store must be asked, and guard goes into fill.
func (h *hotCache) get(hash uint64, k keys.Key, at clock.Timestamp) (value []byte, guard uint32, ok bool) {
	s := h.shard(hash)
	s.mu.RLock()
	i, found := s.index[string(k)]
	if !found || s.ring[i].at > at {
		guard = s.guard[stripe(hash)]
		s.mu.RUnlock()
		return nil, guard, false
	}
	e := &s.ring[i]
	value = e.value
	if !e.used.Load() {
		e.used.Store(true)
	}
	s.mu.RUnlock()
	return value, 0, true
}

// fill puts in the newest version of a key as it was read from the store; value must not change afterwards.
func (h *hotCache) fill(hash uint64, k keys.Key, at clock.Timestamp, value []byte, guard uint32) {
	if len(value) > hotValueMax {
		return
	}
	s := h.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guard[stripe(hash)] != guard {
		return
	}
	if _, found := s.index[string(k)]; found {
		return // if it is older, its update is under way
	}
	s.bytes += int64(len(k)+len(value)) + hotOverhead
	for s.bytes > s.limit && s.evict() {
	}
	var i int32
	if n := len(s.free); n > 0 {
		i, s.free = s.free[n-1], s.free[:n-1]
	} else {
		i = int32(len(s.ring))
		s.ring = append(s.ring, hotEntry{})
	}
	e := &s.ring[i]
	e.key, e.value, e.at, e.live = string(k), value, at, true
	e.used.Store(false)
	s.index[e.key] = i
}

// evict drops one entry that was not used since the hand last passed it.
func (s *hotShard) evict() bool {
	for range 2 * len(s.ring) {
		s.hand++
		if s.hand >= len(s.ring) {
			s.hand = 0
		}
		e := &s.ring[s.hand]
		if !e.live || e.used.Swap(false) {
			continue
		}
		s.drop(int32(s.hand))
		return true
	}
	return false
}

func (s *hotShard) drop(i int32) {
	e := &s.ring[i]
	s.bytes -= int64(len(e.key)+len(e.value)) + hotOverhead
	delete(s.index, e.key)
	e.key, e.value, e.live = "", nil, false
	s.free = append(s.free, i)
}

// update keeps an entry the newest after a version was applied. Versions of one key may come in any order of time.
func (h *hotCache) update(hash uint64, k keys.Key, at clock.Timestamp, value []byte) {
	s := h.shard(hash)
	s.mu.Lock()
	s.guard[stripe(hash)]++
	if i, found := s.index[string(k)]; found && s.ring[i].at < at {
		if len(value) > hotValueMax {
			s.drop(i)
		} else {
			e := &s.ring[i]
			s.bytes += int64(len(value) - len(e.value))
			e.at, e.value = at, nil
			if value != nil {
				e.value = append(make([]byte, 0, len(value)), value...)
			}
		}
	}
	s.mu.Unlock()
}

// clear forgets everything, after a removal of versions that the cache may hold.
func (h *hotCache) clear() {
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.Lock()
		clear(s.index)
		s.ring, s.free, s.hand, s.bytes = nil, nil, 0, 0
		for g := range s.guard {
			s.guard[g]++
		}
		s.mu.Unlock()
	}
}

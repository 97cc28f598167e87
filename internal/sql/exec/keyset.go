package exec

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"github.com/meridiandb/meridian/internal/keys"
)

// keySet is a set of keys, numbered in the order of adding. It keeps the keys' memory.
type keySet struct {
	slots []int32 // number+1
	ks    []keys.Key
}

func (s *keySet) reset() {
	clear(s.slots)
	clear(s.ks)
	s.ks = s.ks[:0]
}

// release frees large memory.
func (s *keySet) release() {
	if len(s.slots) > 4*keepBatch {
		*s = keySet{}
		return
	}
	s.reset()
}

// add puts a key in and returns its number, or that of the equal one that was there before.
func (s *keySet) add(k keys.Key) (n int, added bool) {
	if 2*(len(s.ks)+1) > len(s.slots) {
		s.grow()
	}
	i := s.place(k)
	if v := s.slots[i]; v != 0 {
		return int(v) - 1, false
	}
	s.ks = append(s.ks, k)
	s.slots[i] = int32(len(s.ks))
	return len(s.ks) - 1, true
}

// has says whether a key is in the set.
func (s *keySet) has(k keys.Key) bool {
	return len(s.slots) > 0 && s.slots[s.place(k)] != 0
}

// place finds the slot of a key, or the free one where it belongs.
func (s *keySet) place(k keys.Key) int {
	mask := len(s.slots) - 1
	i := int(xxhash.Sum64(k)) & mask
	for s.slots[i] != 0 && !bytes.Equal(s.ks[s.slots[i]-1], k) {
		i = (i + 1) & mask
	}
	return i
}

func (s *keySet) grow() {
	s.slots = make([]int32, max(16, 2*len(s.slots)))
	for n, k := range s.ks {
		s.slots[s.place(k)] = int32(n + 1)
	}
}

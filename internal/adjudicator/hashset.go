package adjudicator

import "github.com/meridiandb/meridian/internal/keys"

// bigPromise is the number of keys from which a promise keeps them in a set of its own: one piece of memory instead of as
// many entries in the map of all, put in and taken out under the mutex.
const bigPromise = 4096

// hashSet is a set of hashes that is made once. The zero value is empty.
type hashSet struct {
	slots []keys.Hash // open addressing, zero is a free slot
	zero  bool        // the hash zero is in the set
}

func newHashSet(hs []keys.Hash) hashSet {
	size := 16
	for size < 2*len(hs) {
		size *= 2
	}
	s := hashSet{slots: make([]keys.Hash, size)}
	for _, h := range hs {
		if h == 0 {
			s.zero = true
			continue
		}
		s.slots[s.place(h)] = h
	}
	return s
}

// place finds the slot of a hash, or the free one where it belongs. Hashes are spread well in all of their bits but the
// highest.
func (s *hashSet) place(h keys.Hash) int {
	mask := len(s.slots) - 1
	i := int(h) & mask
	for s.slots[i] != 0 && s.slots[i] != h {
		i = (i + 1) & mask
	}
	return i
}

func (s *hashSet) has(h keys.Hash) bool {
	if h == 0 {
		return s.zero
	}
	return len(s.slots) > 0 && s.slots[s.place(h)] == h
}

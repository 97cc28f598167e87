package exec

import (
	"github.com/meridiandb/meridian/internal/datum"
)

// hasher hashes and compares keys of known types, as GROUP BY, DISTINCT and hash joins need: two NULLs are equal.
type hasher struct {
	cmps   []func(a, b datum.Datum) int
	bpchar []bool
	plain  bool // no bpchar among the columns
}

func (c *compiler) hasher(types []datum.Type) *hasher {
	h := &hasher{cmps: make([]func(a, b datum.Datum) int, len(types)), bpchar: make([]bool, len(types)), plain: true}
	for i, t := range types {
		h.cmps[i] = c.comparer(t)
		if c.facts.BaseType(t.OID) == datum.OIDBpchar {
			h.bpchar[i], h.plain = true, false
		}
	}
	return h
}

// hashSeed starts every hash.
const hashSeed = 0x2545f4914f6cdd1d

// hash hashes a key.
func (h *hasher) hash(key []datum.Datum) uint64 {
	v := uint64(hashSeed)
	for i := range key {
		if h.bpchar[i] && !key[i].IsNull() {
			v = datum.HashBpchar(v, key[i].Text())
		} else {
			v = datum.Hash(v, key[i])
		}
	}
	return v
}

// equal compares two keys; NULLs are equal.
func (h *hasher) equal(a, b []datum.Datum) bool {
	for i := range h.cmps {
		if h.plain {
			if !datum.Equal(a[i], b[i]) {
				return false
			}
			continue
		}
		if an, bn := a[i].IsNull(), b[i].IsNull(); an || bn {
			if an != bn {
				return false
			}
		} else if h.cmps[i](a[i], b[i]) != 0 {
			return false
		}
	}
	return true
}

package txn

import "github.com/cespare/xxhash/v2"

// Digest is a running sum over the effective records of a journal with Since < index <= Index. Replicas that have applied
// the same records have the same sums (I10).
type Digest struct{ Since, Index, Sum uint64 }

// Add takes a record over.
func (d *Digest) Add(index uint64, record []byte) {
	h := d.Sum ^ xxhash.Sum64(record) ^ index*0x9e3779b97f4a7c15
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	d.Sum, d.Index = h^h>>29, index
}

// Differ returns the first index up to which two replicas have applied different records of one journal, as far as they
// have sums for the same place.
func Differ(a, b []Digest) (index uint64, differ bool) {
	type place struct{ since, index uint64 }
	sums := make(map[place]uint64, len(a))
	for _, d := range a {
		sums[place{d.Since, d.Index}] = d.Sum
	}
	for _, d := range b {
		if sum, ok := sums[place{d.Since, d.Index}]; ok && sum != d.Sum && (!differ || d.Index < index) {
			index, differ = d.Index, true
		}
	}
	return index, differ
}

// Package keys is the key space: order-preserving keys, spans of them, and the conflict hashes by which adjudicators
// know them.
//
// A key is tenant ‖ table id ‖ index id ‖ encoded columns (architecture.md, section 7). bytes.Compare orders keys as SQL
// orders the columns. The encodings of single values are in this package too; package row maps datums onto them.
package keys

import (
	"bytes"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// Key is an encoded key. A Key is never changed once it has been handed on.
type Key []byte

// Span is the half-open interval [Start, End) of keys. An empty End means the end of the key space.
type Span struct{ Start, End Key }

// TableID and IndexID number tables and the indexes inside a table. The primary index is always 1.
type (
	TableID uint32
	IndexID uint32
)

// PrimaryIndex is the index that holds the rows themselves.
const PrimaryIndex IndexID = 1

// Tenant is the key prefix of one database; there is one, today.
const Tenant byte = 0x10

// PrefixLen is the length of the prefix that AppendPrefix writes.
const PrefixLen = 9

// AppendPrefix appends the prefix of every key of one index: tenant, table, index, big endian and of fixed length.
func AppendPrefix(b []byte, table TableID, index IndexID) Key {
	b = append(b, Tenant)
	b = binary.BigEndian.AppendUint32(b, uint32(table))
	return binary.BigEndian.AppendUint32(b, uint32(index))
}

// IndexSpan covers one index.
func IndexSpan(table TableID, index IndexID) Span {
	start := AppendPrefix(nil, table, index)
	return Span{Start: start, End: PrefixEnd(start)}
}

// TableSpan covers all indexes of a table.
func TableSpan(table TableID) Span {
	start := append(Key{Tenant}, binary.BigEndian.AppendUint32(nil, uint32(table))...)
	return Span{Start: start, End: PrefixEnd(start)}
}

// DecodePrefix splits a key of a table into its ids and the encoded columns; ok is false when it is too short or of
// another tenant.
func DecodePrefix(k Key) (table TableID, index IndexID, rest []byte, ok bool) {
	if len(k) < PrefixLen || k[0] != Tenant {
		return 0, 0, nil, false
	}
	return TableID(binary.BigEndian.Uint32(k[1:])), IndexID(binary.BigEndian.Uint32(k[5:])), k[PrefixLen:], true
}

// PrefixEnd returns the smallest key above every key that starts with p, or nil when there is none.
func PrefixEnd(p Key) Key {
	end := bytes.Clone(p)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] != 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}

// Contains says whether k lies inside the span.
func (s Span) Contains(k Key) bool {
	return bytes.Compare(k, s.Start) >= 0 && (len(s.End) == 0 || bytes.Compare(k, s.End) < 0)
}

// Hash is a conflict hash: what an adjudicator knows of a key. Conflict ranges are intervals of hashes, so that serial
// keys spread and the adjudicator's core never sees a key.
type Hash uint64

// Part tells the conflict keys of a row apart (protocol.md 2.11): every write touches Row; only inserts, deletes and
// changes of key columns touch Identity, which is what a foreign-key check shares.
type Part byte

// The parts.
const (
	PartRow      Part = 0
	PartIdentity Part = 1
	// PartSpan is what serializable transactions know of a key, or of a prefix that stands for all keys below it.
	PartSpan Part = 2
)

// ConflictHash hashes a key for conflict detection. The seed is the cluster's: it spreads keys differently in each
// cluster, against crafted collisions. The parts of a key differ in the lowest bits only, so that they lie in the same
// conflict range: an insert of one row has one participant.
func ConflictHash(seed uint64, k Key, part Part) Hash {
	h := xxhash.Sum64(k) ^ seed
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	return Hash(h ^ uint64(part))
}

// SchemaKey is the everywhere key of a table's (or other object's) schema: transactions that use the table check it,
// schema changes write it at every adjudicator.
func SchemaKey(table TableID) Key {
	return binary.BigEndian.AppendUint32(Key{0x01, 's'}, uint32(table))
}

// DropKey is the key of the fact that a span is gone for good: storage removes it, on every replica, once nobody can read
// at a time before the fact's commit any more. The value is the span's end. It is never stored as a row.
func DropKey(span Span) Key { return append(Key{0x01, 'd'}, span.Start...) }

// DroppedSpan returns the span that a key and its value speak of; ok is false when the key is no DropKey.
func DroppedSpan(k Key, value []byte) (span Span, ok bool) {
	if len(k) < 2 || k[0] != 0x01 || k[1] != 'd' {
		return Span{}, false
	}
	return Span{Start: k[2:], End: value}, true
}

package mvcc

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2/cockroachkvs"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
)

// A stored key is user key ‖ 0x00 ‖ commit time, big endian ‖ 0x09: the layout of the comparer that ships with Pebble,
// which orders equal user keys by falling time.
const (
	suffixLen = 8 + 1
	tailLen   = 1 + suffixLen
)

// The first byte of a stored value.
const (
	valueDeleted byte = 0 // a tombstone: the row is absent from this time on
	valuePresent byte = 1
)

// appendKey appends the stored key of a version.
func appendKey(b []byte, k keys.Key, at clock.Timestamp) []byte {
	b = append(b, k...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	return append(b, suffixLen)
}

// putKey writes the stored key of a version into b, whose length is len(k)+tailLen.
func putKey(b []byte, k keys.Key, at clock.Timestamp) {
	n := copy(b, k)
	b[n] = 0
	binary.BigEndian.PutUint64(b[n+1:], uint64(at))
	b[n+9] = suffixLen
}

// appendBare appends a stored key without a version: it sorts before all versions of the user key.
func appendBare(b []byte, k keys.Key) []byte {
	return append(append(b, k...), 0)
}

// appendAfter appends a stored key that sorts after all versions of the user key and before everything else.
func appendAfter(b []byte, k keys.Key) []byte {
	return append(append(b, k...), 0, 0)
}

// splitKey takes a stored key apart. ok is false for keys without a version, which are not rows.
func splitKey(b []byte) (k keys.Key, at clock.Timestamp, ok bool) {
	n := len(b) - tailLen
	if n < 0 || b[len(b)-1] != suffixLen || b[n] != 0 {
		return nil, 0, false
	}
	return keys.Key(b[:n:n]), clock.Timestamp(binary.BigEndian.Uint64(b[n+1:])), true
}

// comparerName is checked by a test: the order of keys on disk must never change under a new library version.
func comparerName() string { return cockroachkvs.Comparer.Name }

// The keys of the store itself start with a zero byte, below every tenant's.
const metaPrefix byte = 0x00

const (
	metaPosition byte = 'p' // ‖ journal id → position
	metaSchema   byte = 's' // ‖ time → nothing: a schema change
	metaHorizon  byte = 'h' // → time below which versions may be missing
	metaDigest   byte = 'c' // ‖ journal id → digest that belongs to the position
	metaDrop     byte = 'd' // ‖ time ‖ start → end: a span to be removed
)

func metaKey(kind byte, rest ...byte) []byte {
	return append(append([]byte{metaPrefix, kind}, rest...), 0)
}

// metaRest returns what follows the kind in a meta key.
func metaRest(b []byte) []byte { return b[2 : len(b)-1] }

func metaSpan(kind byte) (lower, upper []byte) {
	return []byte{metaPrefix, kind, 0}, []byte{metaPrefix, kind + 1, 0}
}

func corrupt(what string) error {
	return failure.New(failure.DataCorrupted, "storage holds a malformed %s", what)
}

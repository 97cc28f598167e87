package builtin

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/meridiandb/meridian/internal/datum"
)

// The hash functions that users call (hashtext and its kin) give PostgreSQL's own numbers: Bob Jenkins' lookup3.

func hashMix(a, b, c uint32) (uint32, uint32, uint32) {
	a -= c
	a ^= bits.RotateLeft32(c, 4)
	c += b
	b -= a
	b ^= bits.RotateLeft32(a, 6)
	a += c
	c -= b
	c ^= bits.RotateLeft32(b, 8)
	b += a
	a -= c
	a ^= bits.RotateLeft32(c, 16)
	c += b
	b -= a
	b ^= bits.RotateLeft32(a, 19)
	a += c
	c -= b
	c ^= bits.RotateLeft32(b, 4)
	b += a
	return a, b, c
}

func hashFinal(a, b, c uint32) (uint32, uint32) {
	c ^= b
	c -= bits.RotateLeft32(b, 14)
	a ^= c
	a -= bits.RotateLeft32(c, 11)
	b ^= a
	b -= bits.RotateLeft32(a, 25)
	c ^= b
	c -= bits.RotateLeft32(b, 16)
	a ^= c
	a -= bits.RotateLeft32(c, 4)
	b ^= a
	b -= bits.RotateLeft32(a, 14)
	c ^= b
	c -= bits.RotateLeft32(b, 24)
	return b, c
}

func hashStart(n int, seed uint64) (a, b, c uint32) {
	a = 0x9e3779b9 + uint32(n) + 3923095
	b, c = a, a
	if seed != 0 {
		a += uint32(seed >> 32)
		b += uint32(seed)
		a, b, c = hashMix(a, b, c)
	}
	return a, b, c
}

// hashBytes is hash_bytes_extended; its low half with seed 0 is hash_bytes.
func hashBytes(k []byte, seed uint64) uint64 {
	a, b, c := hashStart(len(k), seed)
	for len(k) >= 12 {
		a += binary.LittleEndian.Uint32(k)
		b += binary.LittleEndian.Uint32(k[4:])
		c += binary.LittleEndian.Uint32(k[8:])
		a, b, c = hashMix(a, b, c)
		k = k[12:]
	}
	var tail [12]byte
	copy(tail[:8], k)
	if len(k) > 8 { // the lowest byte of c is left to the length
		copy(tail[9:], k[8:])
	}
	a += binary.LittleEndian.Uint32(tail[:])
	b += binary.LittleEndian.Uint32(tail[4:])
	c += binary.LittleEndian.Uint32(tail[8:])
	b, c = hashFinal(a, b, c)
	return uint64(b)<<32 | uint64(c)
}

// hashUint32 is hash_bytes_uint32_extended.
func hashUint32(k uint32, seed uint64) uint64 {
	a, b, c := hashStart(4, seed)
	a += k
	b, c = hashFinal(a, b, c)
	return uint64(b)<<32 | uint64(c)
}

// hashInt8 folds a bigint so that it hashes like the integer of the same value.
func hashInt8(v int64, seed uint64) uint64 {
	lo, hi := uint32(v), uint32(v>>32)
	if v < 0 {
		hi = ^hi
	}
	return hashUint32(lo^hi, seed)
}

// registerHash registers the hash functions of the common types, plain and with a seed.
func registerHash(r *registry) {
	hash := func(plain, extended string, f func(d datum.Datum, seed uint64) uint64) {
		r.impl[plain] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewInt(int64(int32(f(a[0], 0)))), nil
		}
		r.impl[extended] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
			return datum.NewInt(int64(f(a[0], uint64(a[1].Int())))), nil
		}
	}
	text := func(d datum.Datum, seed uint64) uint64 { return hashBytes(d.Bytes(), seed) }
	small := func(d datum.Datum, seed uint64) uint64 { return hashUint32(uint32(d.Int()), seed) }
	big := func(d datum.Datum, seed uint64) uint64 { return hashInt8(d.Int(), seed) }
	hash("hashtext", "hashtextextended", text)
	hash("hashname", "hashnameextended", text)
	hash("hashvarlena", "hashvarlenaextended", text)
	hash("hashbpchar", "hashbpcharextended", func(d datum.Datum, seed uint64) uint64 {
		return hashBytes([]byte(trimBlanks(d.Text())), seed)
	})
	hash("uuid_hash", "uuid_hash_extended", text)
	hash("hashint2", "hashint2extended", small)
	hash("hashint4", "hashint4extended", small)
	hash("hashoid", "hashoidextended", small)
	hash("hashint8", "hashint8extended", big)
	hash("timestamp_hash", "timestamp_hash_extended", big)
	hash("time_hash", "time_hash_extended", big)
	hash("hashchar", "hashcharextended", func(d datum.Datum, seed uint64) uint64 {
		if d.Kind() == datum.KindBool {
			if d.Bool() {
				return hashUint32(1, seed)
			}
			return hashUint32(0, seed)
		}
		if s := d.Text(); s != "" {
			return hashUint32(uint32(int32(int8(s[0]))), seed)
		}
		return hashUint32(0, seed)
	})
	float := func(d datum.Datum, seed uint64) uint64 {
		f := d.Float()
		if f == 0 {
			return seed
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], floatHashBits(f))
		return hashBytes(b[:], seed)
	}
	hash("hashfloat8", "hashfloat8extended", float)
	hash("hashfloat4", "hashfloat4extended", float)
	hash("interval_hash", "interval_hash_extended", func(d datum.Datum, seed uint64) uint64 {
		_, lo := datum.IntervalSpan(d.Interval())
		return hashInt8(int64(lo), seed)
	})
}

// floatHashBits is a float's bits, with C's NaN.
func floatHashBits(f float64) uint64 {
	if f != f {
		return 0x7ff8000000000000
	}
	return math.Float64bits(f)
}

package coordinator

import (
	"bytes"
	"slices"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// A serializable transaction that writes is valid as if it had happened at its commit time: nothing that it has read, and
// no span in which it has looked, may have been written by another serializable one in between. Reads are known by
// *granules*: the key itself, or the deepest of a few prefixes of keys that holds all of a scan. A commit shares the
// granules of what was read, and *marks* all granules of what is written. Marks conflict with shares, not with each other.
// (Who has only read is valid as of its snapshot, and sends nothing.)

const (
	// tablePrefix is the length of the coarsest granule: tenant and table.
	tablePrefix = 5
	// granuleColumns is how many leading columns of a key make granules of their own.
	granuleColumns = 3
	// readsKept is how many granules a transaction remembers one by one; from then on it reads whole indexes.
	readsKept = 1 << 14
)

// granules calls f with every granule of a key: the key itself and its prefixes.
func granules(k keys.Key, f func(granule keys.Key)) {
	f(k)
	if len(k) <= keys.PrefixLen || k[0] != keys.Tenant {
		return
	}
	f(k[:tablePrefix])
	f(k[:keys.PrefixLen])
	for at, n := keys.PrefixLen, 0; n < granuleColumns; n++ {
		if at = nextColumn(k, at); at < 0 || at == len(k) {
			return
		}
		f(k[:at])
	}
}

// nextColumn returns the end of the column that starts at a place, or -1. A descending column may be cut elsewhere than
// where it ends, but in the same place by everybody: the cut depends on the bytes before it alone.
func nextColumn(k keys.Key, at int) int {
	rest, err := keys.Skip(k[at:], false)
	if err != nil {
		return -1
	}
	return len(k) - len(rest)
}

// granuleOf returns the deepest granule that holds the whole span; ok is false when there is none.
func granuleOf(s keys.Span) (granule keys.Key, ok bool) {
	k := s.Start
	if len(s.End) == len(k)+1 && s.End[len(k)] == 0 && bytes.HasPrefix(s.End, k) {
		return k, true // one key
	}
	if len(k) < tablePrefix || k[0] != keys.Tenant || !holds(k[:tablePrefix], s.End) {
		return nil, false
	}
	granule = k[:tablePrefix]
	for at, n := keys.PrefixLen, 0; at >= 0 && at <= len(k) && holds(k[:at], s.End); n++ {
		granule = k[:at]
		if n == granuleColumns {
			break
		}
		at = nextColumn(k, at)
	}
	return granule, true
}

// holds says whether no key below the end, and not below the prefix, lacks the prefix.
func holds(prefix, end keys.Key) bool {
	if len(end) == 0 {
		return false
	}
	return bytes.HasPrefix(end, prefix) || bytes.Equal(end, keys.PrefixEnd(prefix))
}

// reads is what a serializable transaction has looked at. Nothing of it is ever taken back: what a part of a
// transaction has seen that was rolled back may have decided what came after.
type reads struct {
	hashes []keys.Hash
	clean  int  // length after the last compaction
	beyond bool // a span that no granule holds was read
}

func (r *reads) add(h keys.Hash) {
	if n := len(r.hashes); n > 0 && r.hashes[n-1] == h {
		return
	}
	if len(r.hashes) >= 2*max(r.clean, readsKept) {
		r.compact()
	}
	r.hashes = append(r.hashes, h)
}

func (r *reads) compact() {
	slices.Sort(r.hashes)
	r.hashes = slices.Compact(r.hashes)
	r.clean = len(r.hashes)
}

// readKeys notes keys that were looked up, present or not.
func (t *Txn) readKeys(ks []keys.Key) {
	if t.opts.ReadOnly {
		return
	}
	for _, k := range ks {
		if len(t.reads.hashes) >= readsKept && len(k) > keys.PrefixLen && k[0] == keys.Tenant {
			k = k[:keys.PrefixLen]
		}
		t.reads.add(t.db.hashOf(k, keys.PartSpan))
	}
}

// readSpan notes a span that was scanned.
func (t *Txn) readSpan(s keys.Span) {
	if t.opts.ReadOnly {
		return
	}
	g, ok := granuleOf(s)
	if !ok {
		t.reads.beyond = true
		return
	}
	if len(t.reads.hashes) >= readsKept && len(g) > keys.PrefixLen && g[0] == keys.Tenant {
		g = g[:keys.PrefixLen]
	}
	t.reads.add(t.db.hashOf(g, keys.PartSpan))
}

// serial adds what a serializable transaction has read and the marks of what it writes to the shares.
func (s *splitter) serial(t *Txn) {
	t.reads.compact()
	for _, h := range t.reads.hashes {
		sh := s.owner(h)
		sh.conflicts.Shared = append(sh.conflicts.Shared, h)
	}
	marks := make([]keys.Hash, 0, 4*t.buf.live)
	t.eachWrite(func(e *entry) {
		if e.flags&flagSchema == 0 {
			granules(e.key, func(g keys.Key) { marks = append(marks, s.db.hashOf(g, keys.PartSpan)) })
		}
	})
	slices.Sort(marks)
	for _, h := range slices.Compact(marks) {
		sh := s.owner(h)
		sh.conflicts.Marks = append(sh.conflicts.Marks, h)
	}
}

// errBeyond refuses to commit after a read that no granule holds: nobody could tell who has written there.
func errBeyond() error {
	return failure.NotSupported("a write after a scan across tables in a serializable transaction")
}

// serializationError is what the client of a serializable transaction hears of a conflict.
func serializationError() *failure.Error {
	return failure.New(failure.SerializationFailure,
		"could not serialize access due to read/write dependencies among transactions (OC000)").
		WithHint("The transaction might succeed if retried.")
}

// recordMarks lets the record tell of the marks as of other writes.
func recordMarks(c txn.Conflicts) txn.Conflicts {
	if len(c.Marks) > 0 {
		c.Exclusive = slices.Concat(c.Exclusive, c.Marks)
		c.Marks = nil
	}
	return c
}

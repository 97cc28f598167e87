package mvcc

import (
	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
)

// empty is the value of a row that is present with no bytes.
var empty = []byte{}

// errTooOld refuses a snapshot of which versions may be gone.
func errTooOld() error {
	return failure.New(failure.SnapshotTooOld, "snapshot too old").
		WithDetail("Old row versions are kept for a limited time only.")
}

// checkHorizon refuses reads of times that are not kept whole any more.
func (s *Store) checkHorizon(at clock.Timestamp) error {
	if uint64(at) < s.horizon.Load() {
		return errTooOld()
	}
	return nil
}

// miss is a key that the hot cache does not answer.
type miss struct {
	at    int
	hash  uint64
	guard uint32
}

// Get sets values[i] to the newest version of ks[i] at or below a time, nil when there is none or it is a tombstone.
// Values are shared and never changed. The caller has made sure that everything at or below the time is applied.
func (s *Store) Get(at clock.Timestamp, ks []keys.Key, values [][]byte) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.checkHorizon(at); err != nil {
		return err
	}
	var few [8]miss
	missed := few[:0]
	for i, k := range ks {
		hash := xxhash.Sum64(k)
		value, guard, ok := s.hot.get(hash, k, at)
		if ok {
			values[i] = value
			continue
		}
		missed = append(missed, miss{i, hash, guard})
	}
	if len(missed) == 0 {
		return nil
	}
	if err := s.getMissed(at, ks, values, missed); err != nil {
		return readError(err)
	}
	// A collection that has moved the horizon past this read meanwhile may have taken versions away under it.
	return s.checkHorizon(at)
}

// getMissed asks Pebble. Its view is taken after all guards were noted, as the hot cache demands.
func (s *Store) getMissed(at clock.Timestamp, ks []keys.Key, values [][]byte, missed []miss) error {
	it, err := s.db.NewIter(&pebble.IterOptions{KeyTypes: pebble.IterKeyTypePointsOnly})
	if err != nil {
		return err
	}
	var scratch [128]byte
	buf := scratch[:0]
	for _, m := range missed {
		buf, values[m.at], err = s.lookup(it, buf, m.hash, ks[m.at], at, m.guard)
		if err != nil {
			_ = it.Close()
			return err
		}
	}
	return it.Close()
}

// lookup reads one key through the iterator, and offers what it finds to the hot cache when that is the newest version.
func (s *Store) lookup(it *pebble.Iterator, buf []byte, hash uint64, k keys.Key, at clock.Timestamp, guard uint32) ([]byte, []byte, error) {
	buf = appendBare(buf[:0], k)
	newest := true
	for ok := it.SeekPrefixGE(buf); ok; ok = it.Next() {
		_, t, versioned := splitKey(it.Key())
		if !versioned {
			continue
		}
		if t > at {
			if !newest {
				// Many newer versions: jump.
				buf = appendKey(buf[:0], k, at)
				if !it.SeekPrefixGE(buf) {
					break
				}
				if _, t, _ = splitKey(it.Key()); t > at {
					return buf, nil, corrupt("version order")
				}
			} else {
				newest = false
				continue
			}
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return buf, nil, err
		}
		if len(v) == 0 {
			return buf, nil, corrupt("row value")
		}
		var out []byte
		if v[0] == valuePresent {
			out = append(make([]byte, 0, len(v)-1), v[1:]...)
		}
		if newest {
			s.hot.fill(hash, k, t, out, guard)
		}
		return buf, out, nil
	}
	return buf, nil, it.Error()
}

func readError(err error) error {
	if e := failure.As(err); e != nil {
		return e
	}
	return failure.New(failure.IOError, "could not read from storage: %v", err).WithCause(err)
}

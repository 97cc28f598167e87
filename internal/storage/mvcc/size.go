package mvcc

import (
	"bytes"

	"github.com/meridiandb/meridian/internal/keys"
)

// SpanBytes returns about how many bytes of the files belong to a span, all versions counted and compressed as they are.
// What has been written lately is still in memory and does not count: up to a few memtables.
func (s *Store) SpanBytes(span keys.Span) (int64, error) {
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.leave()
	if len(span.End) == 0 || bytes.Compare(span.Start, span.End) >= 0 {
		return 0, nil
	}
	n, err := s.db.EstimateDiskUsage(appendBare(nil, span.Start), appendBare(nil, span.End))
	if err != nil {
		return 0, readError(err)
	}
	return int64(n), nil
}

package mvcc

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// Checkpoint makes a folder, which must not exist, that holds what this store would hold after a crash right now: the
// versions with the positions they belong to. The files are links and cost next to nothing. Open can open it.
func (s *Store) Checkpoint(dir string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.db.Checkpoint(dir); err != nil {
		return readError(err)
	}
	return nil
}

// Checksum adds up the rows of a span at a time. Two stores that have applied everything at or below it answer the same.
func (s *Store) Checksum(ctx context.Context, span keys.Span, at clock.Timestamp) (rows int64, sum uint64, err error) {
	scan, err := s.Scan(at, txn.ScanRequest{Span: span})
	if err != nil {
		return 0, 0, err
	}
	defer scan.Close()
	h := xxhash.New()
	var head [16]byte
	for {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		batch, err := scan.Next(ctx)
		if err != nil {
			return 0, 0, err
		}
		if len(batch) == 0 {
			return rows, h.Sum64(), nil
		}
		for i := range batch {
			binary.LittleEndian.PutUint64(head[:], uint64(len(batch[i].Key)))
			binary.LittleEndian.PutUint64(head[8:], uint64(len(batch[i].Value)))
			_, _ = h.Write(head[:])
			_, _ = h.Write(batch[i].Key)
			_, _ = h.Write(batch[i].Value)
			rows++
		}
	}
}

// Digest is what belongs to a position.
type Digest = txn.Digest

// SetDigest notes the digest that belongs to the position set in this batch.
func (b *Batch) SetDigest(j txn.JournalID, d Digest) error {
	v := binary.BigEndian.AppendUint64(make([]byte, 0, 24), d.Since)
	v = binary.BigEndian.AppendUint64(v, d.Index)
	v = binary.BigEndian.AppendUint64(v, d.Sum)
	return b.b.Set(metaKey(metaDigest, binary.BigEndian.AppendUint32(nil, uint32(j))...), v, nil)
}

// Digests returns the digests that belong to the positions.
func (s *Store) Digests() (map[txn.JournalID]Digest, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	out := make(map[txn.JournalID]Digest)
	err := s.eachMeta(metaDigest, false, func(rest, v []byte) error {
		if len(rest) != 4 || len(v) != 24 {
			return corrupt("digest")
		}
		out[txn.JournalID(binary.BigEndian.Uint32(rest))] = Digest{Since: binary.BigEndian.Uint64(v),
			Index: binary.BigEndian.Uint64(v[8:]), Sum: binary.BigEndian.Uint64(v[16:])}
		return nil
	})
	return out, err
}

// DropSpan removes a span for good once no read at or above the horizon can see it any more: at is the time from which on
// it is gone.
func (b *Batch) DropSpan(span keys.Span, at clock.Timestamp) error {
	d := drop{keys.Span{Start: bytes.Clone(span.Start), End: bytes.Clone(span.End)}, at}
	b.drops = append(b.drops, d)
	return b.b.Set(dropKey(d), d.span.End, nil)
}

// noteDrops takes over what a batch that has been applied drops.
func (c *collector) noteDrops(drops []drop) {
	if len(drops) == 0 {
		return
	}
	c.mu.Lock()
	c.drops = append(c.drops, drops...)
	c.mu.Unlock()
}

package journal

import (
	"encoding/binary"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/txn"
)

// A Raft entry of a journal is a batch: a head, then records one after the other.
const (
	batchVersion = 1
	batchHead    = 16 // version, 3 bytes of zero, number of records, index of the first
)

func appendBatchHead(b []byte, count int, first uint64) []byte {
	b = append(b, batchVersion, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(count))
	return binary.LittleEndian.AppendUint64(b, first)
}

// batch is an applied Raft entry whose effective records are kept in memory.
type batch struct {
	first, next uint64 // indexes of its records: [first, next)
	bytes       int
	entries     []txn.Entry // the effective ones
}

// splitBatch calls f for every record of an encoded batch.
func splitBatch(data []byte, f func(index uint64, v txn.RecordView) error) error {
	if len(data) < batchHead || data[0] != batchVersion {
		return failure.New(failure.DataCorrupted, "malformed journal entry")
	}
	count := binary.LittleEndian.Uint32(data[4:])
	index := binary.LittleEndian.Uint64(data[8:])
	rest := data[batchHead:]
	for range count {
		v, after, err := txn.ParseRecord(rest)
		if err != nil {
			return err
		}
		if err := f(index, v); err != nil {
			return err
		}
		rest = after
		index++
	}
	if len(rest) != 0 {
		return failure.New(failure.DataCorrupted, "malformed journal entry: %d bytes too many", len(rest))
	}
	return nil
}

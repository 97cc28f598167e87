package journal

import (
	"slices"
	"sort"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/txn"
)

// Read returns the effective records with from <= Index < next, at least one batch of them and then up to about maxBytes.
// The records point into memory that nobody changes. When there is nothing behind from yet, next is from. An error of
// code 72000 says that from was trimmed away.
func (j *Journal) Read(from uint64, maxBytes int) (entries []txn.Entry, next uint64, err error) {
	if from == 0 {
		from = 1
	}
	j.mu.Lock()
	if from > j.mu.core.seq {
		j.mu.Unlock()
		return nil, from, nil
	}
	if n := len(j.mu.recent); n > 0 && j.mu.recent[0].first <= from {
		defer j.mu.Unlock()
		entries, next = j.readRecentLocked(from, maxBytes)
		return entries, next, nil
	}
	i := sort.Search(len(j.mu.places), func(i int) bool { return j.mu.places[i].first > from }) - 1
	if i < 0 {
		j.mu.Unlock()
		return nil, from, failure.New(failure.SnapshotTooOld, "record %d of journal %d was trimmed", from, j.cfg.ID)
	}
	at, end := j.mu.places[i].raft, j.mu.raft+1
	j.mu.Unlock()
	return j.readOld(from, at, end, maxBytes)
}

func (j *Journal) readRecentLocked(from uint64, maxBytes int) (entries []txn.Entry, next uint64) {
	recent := j.mu.recent
	i := sort.Search(len(recent), func(i int) bool { return recent[i].next > from })
	b := &recent[i]
	skip := sort.Search(len(b.entries), func(k int) bool { return b.entries[k].Index >= from })
	entries, next = b.entries[skip:len(b.entries):len(b.entries)], b.next
	size := b.bytes
	for i++; i < len(recent) && size+recent[i].bytes <= maxBytes; i++ {
		entries = append(entries, recent[i].entries...) // copies once: the capacity was cut above
		next = recent[i].next
		size += recent[i].bytes
	}
	return entries, next
}

// readOld reads from the files.
func (j *Journal) readOld(from, at, end uint64, maxBytes int) (entries []txn.Entry, next uint64, err error) {
	next = from
	for at < end && next == from {
		got, err := j.group.Read(at, end, maxBytes)
		if err != nil {
			return nil, from, err
		}
		for _, e := range got {
			at = e.Index + 1
			if e.Data == nil {
				continue
			}
			err := splitBatch(e.Data, func(index uint64, v txn.RecordView) error {
				if index >= from {
					entries = append(entries, txn.Entry{Index: index, Record: v})
					next = index + 1
				}
				return nil
			})
			if err != nil {
				return nil, from, err
			}
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	entries = slices.DeleteFunc(entries, func(e txn.Entry) bool {
		_, skipped := slices.BinarySearch(j.mu.skipped, e.Index)
		return skipped
	})
	return entries, next, nil
}

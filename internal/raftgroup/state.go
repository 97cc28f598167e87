package raftgroup

import (
	"slices"
	"sync"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/invariant"
)

// pointSpacing is how many bytes of log lie between two points of a group's sparse index, at least.
const pointSpacing = 64 << 10

// cacheBytes bounds the newest entries that a group keeps in memory for Raft.
const cacheBytes = 8 << 20

// state is what the log holds of one group: raft.Storage over the shared files. The log writer changes it; feeds that
// lag read entries through it at the same time.
type state struct {
	log   *Log
	group GroupID
	owner *Group // nil until the group is opened

	mu struct {
		sync.Mutex
		hard     hardState
		confs    []confAt // who the members were, from an index on; the first holds for base
		base     uint64   // the log starts behind this index
		baseTerm uint64
		// durableBase trails base until a synced frame says so.
		durableBase uint64
		last        uint64
		terms       []termRun // of the entries behind base, and of base itself when it is known
		points      []point
		cache       []*pb.Entry // the newest entries, without gaps up to last
		cached      int
	}
}

// confAt says that these are the members once an entry has been applied.
type confAt struct {
	index uint64
	conf  *pb.ConfState
}

// termRun says that entries from first on have this term, up to the next run.
type termRun struct{ first, term uint64 }

// point says that the frame at (segment, offset) holds the entry first, and no earlier frame does in its present form.
type point struct {
	first   uint64
	segment uint64
	offset  int64
}

// setBase moves the start of the log; entries at or below index are gone as far as Raft is concerned.
func (s *state) setBase(index, term uint64, conf *pb.ConfState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if index < s.mu.base {
		return
	}
	s.mu.base, s.mu.baseTerm = index, term
	later := 0
	for later < len(s.mu.confs) && s.mu.confs[later].index <= index {
		later++
	}
	s.mu.confs = append([]confAt{{index, conf}}, s.mu.confs[later:]...)
	if s.mu.last < index {
		s.mu.last = index
		s.mu.terms, s.mu.points = nil, nil
	}
	keep := 0
	for keep+1 < len(s.mu.terms) && s.mu.terms[keep+1].first <= index {
		keep++
	}
	s.mu.terms = s.mu.terms[keep:]
	keep = 0
	for keep+1 < len(s.mu.points) && s.mu.points[keep+1].first <= index+1 {
		keep++
	}
	s.mu.points = append([]point(nil), s.mu.points[keep:]...)
	for len(s.mu.cache) > 0 && s.mu.cache[0].GetIndex() <= index {
		s.dropOldestLocked()
	}
}

// reset empties the log: a snapshot replaces all of it.
func (s *state) reset(index, term uint64, conf *pb.ConfState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.base, s.mu.baseTerm, s.mu.last = index, term, index
	s.mu.confs = []confAt{{index, conf}}
	s.mu.terms, s.mu.points, s.mu.cache, s.mu.cached = nil, nil, nil, 0
	s.mu.hard.commit = max(s.mu.hard.commit, index)
}

// noteConf records who the members are once an entry has been applied.
func (s *state) noteConf(index uint64, conf *pb.ConfState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.mu.confs); n > 0 && s.mu.confs[n-1].index >= index {
		return
	}
	s.mu.confs = append(s.mu.confs, confAt{index, conf})
}

// confAt returns who the members were once an entry at or behind the base had been applied.
func (s *state) confAt(index uint64) *pb.ConfState {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.mu.confs) - 1
	for n > 0 && s.mu.confs[n].index > index {
		n--
	}
	return s.mu.confs[n].conf
}

func (s *state) latestConf() *pb.ConfState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.confs[len(s.mu.confs)-1].conf
}

// setHard takes a hard state over and returns the one before.
func (s *state) setHard(h hardState) hardState {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.mu.hard
	s.mu.hard = h
	return old
}

// note records that a frame holds entries of the given terms from first on, replacing what was there.
func (s *state) note(first uint64, terms []uint64, at point) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first <= s.mu.last {
		s.truncateLocked(first)
	}
	for i, t := range terms {
		s.noteTermLocked(first+uint64(i), t)
	}
	s.mu.last = first + uint64(len(terms)) - 1
	at.first = first
	if n := len(s.mu.points); n > 0 {
		if p := s.mu.points[n-1]; p.segment == at.segment && at.offset-p.offset < pointSpacing {
			return
		}
	}
	s.mu.points = append(s.mu.points, at)
}

func (s *state) noteTermLocked(index, term uint64) {
	if n := len(s.mu.terms); n == 0 || s.mu.terms[n-1].term != term {
		s.mu.terms = append(s.mu.terms, termRun{index, term})
	}
}

// truncateLocked forgets the entries from index on: another leader's log replaces them.
func (s *state) truncateLocked(index uint64) {
	invariant.Check(index > s.mu.base, "group %d: entry %d replaces one that was trimmed", s.group, index)
	for n := len(s.mu.terms); n > 0 && s.mu.terms[n-1].first >= index; n-- {
		s.mu.terms = s.mu.terms[:n-1]
	}
	for n := len(s.mu.points); n > 0 && s.mu.points[n-1].first >= index; n-- {
		s.mu.points = s.mu.points[:n-1]
	}
	for n := len(s.mu.cache); n > 0 && s.mu.cache[n-1].GetIndex() >= index; n-- {
		s.mu.cached -= len(s.mu.cache[n-1].GetData())
		s.mu.cache = s.mu.cache[:n-1]
	}
	s.mu.last = index - 1
}

// stored records entries that a synced frame holds, and keeps the newest in memory.
func (s *state) stored(entries []*pb.Entry, at point) {
	terms := make([]uint64, len(entries))
	for i, e := range entries {
		terms[i] = e.GetTerm()
	}
	s.note(entries[0].GetIndex(), terms, at)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		s.mu.cache = append(s.mu.cache, e)
		s.mu.cached += len(e.GetData())
	}
	for s.mu.cached > cacheBytes && len(s.mu.cache) > 1 {
		s.dropOldestLocked()
	}
}

func (s *state) dropOldestLocked() {
	s.mu.cached -= len(s.mu.cache[0].GetData())
	s.mu.cache[0] = nil
	s.mu.cache = s.mu.cache[1:]
}

// release lets go of cached entries up to index: the machine has applied them and keeps what it needs itself.
func (s *state) release(index uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.mu.cache) > 0 && s.mu.cache[0].GetIndex() <= index {
		s.dropOldestLocked()
	}
	if len(s.mu.cache) == 0 {
		s.mu.cache = nil
	}
}

// InitialState implements raft.Storage.
func (s *state) InitialState() (*pb.HardState, *pb.ConfState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.mu.hard
	return &pb.HardState{Term: &h.term, Vote: &h.vote, Commit: &h.commit}, proto.CloneOf(s.mu.confs[len(s.mu.confs)-1].conf), nil
}

// Entries implements raft.Storage.
func (s *state) Entries(lo, hi, maxSize uint64) ([]*pb.Entry, error) {
	s.mu.Lock()
	if lo <= s.mu.base {
		s.mu.Unlock()
		return nil, raft.ErrCompacted
	}
	if hi > s.mu.last+1 {
		s.mu.Unlock()
		return nil, raft.ErrUnavailable
	}
	if n := len(s.mu.cache); n > 0 && s.mu.cache[0].GetIndex() <= lo {
		first := s.mu.cache[0].GetIndex()
		out := append([]*pb.Entry(nil), s.mu.cache[lo-first:hi-first]...)
		s.mu.Unlock()
		return limit(out, maxSize), nil
	}
	s.mu.Unlock()
	out, err := s.read(lo, hi, maxSize)
	if err != nil && err != raft.ErrCompacted {
		err = &storageError{err}
	}
	return out, err
}

// storageError is what Raft panics with when it cannot read what it needs. The log then stops, as it does when it cannot be
// written.
type storageError struct{ error }

func (e *storageError) Unwrap() error { return e.error }

func limit(entries []*pb.Entry, maxSize uint64) []*pb.Entry {
	size := uint64(0)
	for i, e := range entries {
		size += uint64(len(e.GetData()))
		if i > 0 && size > maxSize {
			return entries[:i]
		}
	}
	return entries
}

// Term implements raft.Storage.
func (s *state) Term(i uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case i < s.mu.base:
		return 0, raft.ErrCompacted
	case i == s.mu.base:
		return s.mu.baseTerm, nil
	case i > s.mu.last:
		return 0, raft.ErrUnavailable
	}
	return s.termLocked(i), nil
}

func (s *state) termLocked(i uint64) uint64 { return wantTerm(s.mu.terms, i, s.mu.baseTerm) }

func wantTerm(terms []termRun, i, baseTerm uint64) uint64 {
	for n := len(terms) - 1; n >= 0; n-- {
		if terms[n].first <= i {
			return terms[n].term
		}
	}
	return baseTerm
}

// LastIndex implements raft.Storage.
func (s *state) LastIndex() (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.last, nil
}

// FirstIndex implements raft.Storage.
func (s *state) FirstIndex() (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.base + 1, nil
}

// read collects entries [lo, hi) from the files, at least one and then up to maxSize bytes.
func (s *state) read(lo, hi, maxSize uint64) ([]*pb.Entry, error) {
	s.mu.Lock()
	var from point
	found := false
	for n := len(s.mu.points) - 1; n >= 0 && !found; n-- {
		from, found = s.mu.points[n], s.mu.points[n].first <= lo
	}
	terms, baseTerm := slices.Clone(s.mu.terms), s.mu.baseTerm
	s.mu.Unlock()
	if !found {
		return nil, raft.ErrCompacted
	}
	var out []*pb.Entry
	size := uint64(0)
	err := s.log.scan(from.segment, from.offset, func(it *item) bool {
		if it.kind != itemEntries || it.group != s.group {
			return true
		}
		b := it.entriesBytes
		for i := range it.count {
			e, rest, _ := cutEntry(b)
			b = rest
			index := it.first + uint64(i)
			// Another leader's entry may have been in this place before: the term tells which one counts.
			if index != lo+uint64(len(out)) || index >= hi || e.term != wantTerm(terms, index, baseTerm) {
				continue
			}
			out = append(out, newEntry(index, e))
			size += uint64(len(e.data))
		}
		return uint64(len(out)) < hi-lo && size < maxSize
	})
	if err != nil {
		return nil, err
	}
	return s.checkRead(lo, limit(out, maxSize))
}

// checkRead proves that the entries read are the ones that Raft knows.
func (s *state) checkRead(lo uint64, out []*pb.Entry) ([]*pb.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(out) == 0 {
		return nil, failure.New(failure.DataCorrupted, "group %d: entry %d is missing from the log", s.group, lo)
	}
	for i, e := range out {
		if want := s.termLocked(e.GetIndex()); e.GetIndex() != lo+uint64(i) || e.GetTerm() != want && e.GetIndex() > s.mu.base {
			return nil, failure.New(failure.DataCorrupted, "group %d: log holds entry %d of term %d where entry %d of term %d belongs",
				s.group, e.GetIndex(), e.GetTerm(), lo+uint64(i), want)
		}
	}
	return out, nil
}

// newEntry shares the memory of the raw entry. Raft's own entries have no data, not empty data.
func newEntry(index uint64, e rawEntry) *pb.Entry {
	kind := pb.EntryType(e.kind)
	if len(e.data) == 0 {
		e.data = nil
	}
	return &pb.Entry{Index: &index, Term: &e.term, Type: &kind, Data: e.data}
}

// restoreBase takes a base found at recovery. The entries before it may be in no file any more; those behind it follow.
func (s *state) restoreBase(it *item) {
	s.mu.Lock()
	known := len(s.mu.confs) > 0
	s.mu.Unlock()
	if !known {
		s.mu.last = it.index
	}
	s.setBase(it.index, it.term, it.conf)
}

// restoreEntries takes entries found at recovery.
func (s *state) restoreEntries(first uint64, terms []uint64, at point) error {
	s.mu.Lock()
	last, base, empty := s.mu.last, s.mu.base, len(s.mu.points) == 0
	if empty && first > last+1 {
		// The files before this one are gone: their entries lie below a base that follows later in the log, which settle
		// verifies.
		s.mu.last = first - 1
	} else if first > last+1 || first <= base {
		s.mu.Unlock()
		return failure.New(failure.DataCorrupted, "group %d: entry %d follows entry %d", s.group, first, last)
	}
	s.mu.Unlock()
	s.note(first, terms, at)
	return nil
}

// settle checks a recovered state as a whole.
func (s *state) settle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mu.points) > 0 && s.mu.points[0].first > s.mu.base+1 {
		return failure.New(failure.DataCorrupted, "group %d: the log starts at entry %d, behind its base %d",
			s.group, s.mu.points[0].first, s.mu.base)
	}
	s.mu.hard.commit = min(max(s.mu.hard.commit, s.mu.base), s.mu.last)
	s.mu.durableBase = s.mu.base
	return nil
}

// durableBase is the base as the log itself would restore it.
func (s *state) durableBase() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.durableBase
}

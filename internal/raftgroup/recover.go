package raftgroup

import (
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
)

func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, host.ErrNoSpace)
}

// OpenLog reads the log in a folder, making it when there is none, and cuts a torn tail off. Damage that is not a torn
// tail is an error that names the file and the offset. Only one process can have a log open.
func OpenLog(fsys host.FS, dir string, cfg LogConfig) (*Log, error) {
	cfg.ensureDefaults()
	l := &Log{fs: fsys, dir: dir, cfg: cfg, wake: make(chan struct{}, 1), stopped: make(chan struct{}),
		failed: make(chan struct{}), restored: map[GroupID]*state{}, number: 1}
	l.mu.groups = map[GroupID]*Group{}
	l.frame.reset()
	if err := fsys.MkdirAll(dir); err != nil {
		return nil, wrapIO(err, "make folder of", dir)
	}
	if err := fsys.SyncDir(path.Dir(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, wrapIO(err, "sync folder of", dir)
	}
	lock, err := fsys.Lock(path.Join(dir, "LOCK"))
	if err != nil {
		return nil, failure.New(failure.LockFileExists, "the journal in \"%s\" is in use by another process", dir).WithCause(err)
	}
	l.lock = lock
	// The process before this one may have been killed between a change of the folder and the sync of it. What is found
	// now is built upon, so it must not go away with the next power failure.
	err = fsys.SyncDir(dir)
	if err != nil {
		err = wrapIO(err, "sync folder", dir)
	} else {
		err = l.recover()
	}
	if err != nil {
		for _, s := range l.mu.segments {
			_ = s.file.Close()
		}
		_ = lock.Close()
		return nil, err
	}
	return l, nil
}

func (l *Log) recover() error {
	numbers, err := l.list()
	if err != nil {
		return err
	}
	for i, n := range numbers {
		if i > 0 && n != numbers[i-1]+1 {
			return failure.New(failure.DataCorrupted, "journal file \"%s\" is missing", segmentName(numbers[i-1]+1))
		}
		if err := l.recoverSegment(n, i == 0, i == len(numbers)-1); err != nil {
			return err
		}
	}
	for _, s := range l.restored {
		if err := s.settle(); err != nil {
			return err
		}
	}
	n := len(l.mu.segments)
	if n == 0 {
		_, err := l.roll()
		return err
	}
	last := l.mu.segments[n-1]
	if err := l.checkTail(last); err != nil {
		return err
	}
	// Raft takes what is read here as stored, but a process that was killed between writing and syncing left its last frame
	// in the page cache only. The files before the last one were synced before it was begun.
	if err := last.file.Sync(); err != nil {
		return wrapIO(err, "sync", last.name)
	}
	return nil
}

// list finds the segments, in order, and the spares.
func (l *Log) list() ([]uint64, error) {
	names, err := l.fs.List(l.dir)
	if err != nil {
		return nil, wrapIO(err, "list", l.dir)
	}
	var numbers []uint64
	for _, name := range names {
		hex, isLog := strings.CutSuffix(name, ".log")
		switch {
		case isLog && strings.HasPrefix(name, "spare-"):
			l.mu.spares = append(l.mu.spares, name)
		case isLog:
			n, err := strconv.ParseUint(hex, 16, 64)
			if err != nil || len(hex) != 16 {
				return nil, failure.New(failure.DataCorrupted, "journal folder holds a strange file \"%s\"", name)
			}
			numbers = append(numbers, n)
		}
	}
	return numbers, nil // names are sorted, and of equal length
}

// recoverSegment reads one file. The chain of checksums must go on from the file before; only the last file may end in
// a torn frame.
func (l *Log) recoverSegment(number uint64, first, last bool) error {
	name := segmentName(number)
	file, err := l.fs.OpenReadWrite(path.Join(l.dir, name))
	if err != nil {
		return wrapIO(err, "open", name)
	}
	seg := &segment{number: number, file: file, name: name, highest: map[GroupID]uint64{}}
	size, err := file.Size()
	if err != nil {
		_ = file.Close()
		return wrapIO(err, "read", name)
	}
	r := &frameReader{file: file, segment: number, off: segmentHeader, end: size}
	b, err := r.peek(0, segmentHeader)
	if err != nil {
		_ = file.Close()
		return wrapIO(err, "read", name)
	}
	head, ok := parseSegmentHead(b)
	if !ok || head.segment != number {
		return l.dropUnbegun(seg, r, last)
	}
	if first {
		l.number, l.prev = head.firstFrame, head.prev
	} else if head.firstFrame != l.number || head.prev != l.prev {
		_ = file.Close()
		before := l.mu.segments[len(l.mu.segments)-1]
		return damaged(before.name, before.end).WithDetail("The next file \"%s\" does not continue it.", name)
	}
	l.mu.segments = append(l.mu.segments, seg)
	frames, err := l.replay(seg, r)
	if err != nil {
		return err
	}
	seg.end, seg.written = r.off, size
	l.fresh = frames == 0
	return nil // whether this was all of it, the head of the next file tells, or checkTail
}

// dropUnbegun handles a file without a valid head: a crash came before the first sync of it, unless it holds frames.
func (l *Log) dropUnbegun(seg *segment, r *frameReader, last bool) error {
	at, found, err := r.seek(0, 0)
	if e := seg.file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return wrapIO(err, "read", seg.name)
	}
	if found || !last {
		return damaged(seg.name, 0).WithDetail("Its header is not valid, but a frame was found at offset %d.", at)
	}
	if err := l.fs.Remove(path.Join(l.dir, seg.name)); err != nil {
		return wrapIO(err, "remove", seg.name)
	}
	return nil
}

// replay restores the groups from the frames of a file.
func (l *Log) replay(seg *segment, r *frameReader) (frames int, err error) {
	for {
		at := r.off
		h, items, ok, err := r.next()
		if err != nil {
			return frames, wrapIO(err, "read", seg.name)
		}
		if !ok {
			return frames, nil
		}
		if h.number != l.number || h.prev != l.prev {
			r.off = at
			return frames, nil // a whole frame out of order: checkTail or the next file's head will object
		}
		for len(items) > 0 {
			it, rest, err := nextItem(items)
			if err != nil {
				return frames, damaged(seg.name, at).WithCause(err)
			}
			if err := l.restore(seg, at, &it); err != nil {
				return frames, err
			}
			items = rest
		}
		l.number, l.prev = h.number+1, h.crc
		frames++
	}
}

// restore applies one item to the state of its group.
func (l *Log) restore(seg *segment, off int64, it *item) error {
	s := l.restored[it.group]
	if it.kind == itemGone {
		delete(l.restored, it.group)
		l.forgetHighest(it.group)
		return nil
	}
	if s == nil {
		if it.kind != itemBase && it.kind != itemReset {
			return damaged(seg.name, off).WithDetail("Group %d is not announced.", it.group)
		}
		s = &state{log: l, group: it.group}
		l.restored[it.group] = s
	}
	switch it.kind {
	case itemBase:
		s.restoreBase(it)
	case itemReset:
		s.reset(it.index, it.term, it.conf)
	case itemHard:
		s.setHard(it.hard)
	case itemEntries:
		terms := make([]uint64, it.count)
		b := it.entriesBytes
		for i := range terms {
			var e rawEntry
			e, b, _ = cutEntry(b)
			terms[i] = e.term
		}
		if err := s.restoreEntries(it.first, terms, point{segment: seg.number, offset: off}); err != nil {
			return damaged(seg.name, off).WithCause(err)
		}
		seg.highest[it.group] = max(seg.highest[it.group], it.first+uint64(it.count)-1)
	}
	return nil
}

// checkTail tells a torn tail from damage: behind a torn frame there is nothing.
func (l *Log) checkTail(seg *segment) error {
	r := &frameReader{file: seg.file, segment: seg.number, off: seg.end, end: seg.written}
	at, found, err := r.seek(r.off, l.number-1)
	if err != nil {
		return wrapIO(err, "read", seg.name)
	}
	if found {
		return damaged(seg.name, seg.end).WithDetail("A later frame at offset %d is whole, so this is not the torn end of the log.", at)
	}
	seg.written = l.writtenBlocks(r)
	return nil
}

// writtenBlocks guesses how far the file has been written before. Its end is not zero when the file was reused.
func (l *Log) writtenBlocks(r *frameReader) int64 {
	for off := (r.off + zeroAhead - 1) / zeroAhead * zeroAhead; off < r.end; off += 8 * zeroAhead {
		b, err := r.peek(off, 4096)
		if err != nil {
			break
		}
		for _, c := range b {
			if c != 0 {
				return r.end
			}
		}
	}
	return (r.off + zeroAhead - 1) / zeroAhead * zeroAhead
}

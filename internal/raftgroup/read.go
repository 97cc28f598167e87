package raftgroup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
)

// readAhead is how much of a file is read at once.
const readAhead = 256 << 10

// frameReader reads the frames of one segment in order.
type frameReader struct {
	file    host.File
	segment uint64
	off     int64 // of the next frame
	end     int64 // nothing is read at or behind it
	keep    bool  // what was returned stays valid: every read goes to memory of its own

	buf  []byte
	from int64 // offset of buf[0]
}

// peek returns n bytes at an offset, fewer at the end.
func (r *frameReader) peek(off int64, n int) ([]byte, error) {
	if off+int64(n) > r.end {
		n = int(max(0, r.end-off))
	}
	if off >= r.from && off+int64(n) <= r.from+int64(len(r.buf)) {
		return r.buf[off-r.from:][:n], nil
	}
	want := int(min(int64(max(n, readAhead)), r.end-off))
	if r.keep || cap(r.buf) < want {
		r.buf = make([]byte, want)
	}
	r.buf, r.from = r.buf[:want], off
	got, err := r.file.ReadAt(r.buf, off)
	if err != nil && !errors.Is(err, io.EOF) {
		r.buf = r.buf[:0]
		return nil, err
	}
	r.buf = r.buf[:got]
	return r.buf[:min(n, got)], nil
}

// next returns the head and the items of the next frame. Ok is false when there is no whole frame of this segment
// there; the offset then stays. The items are valid until the next call, unless the reader keeps them.
func (r *frameReader) next() (h frameHead, items []byte, ok bool, err error) {
	h, items, ok, err = r.at(r.off)
	if ok {
		r.off += frameSize(len(items))
	}
	return h, items, ok, err
}

func (r *frameReader) at(off int64) (h frameHead, items []byte, ok bool, err error) {
	b, err := r.peek(off, frameHeader)
	if err != nil {
		return h, nil, false, err
	}
	h, ok = parseFrameHead(b)
	if !ok || h.segment != r.segment || off+frameHeader+int64(h.length) > r.end {
		return h, nil, false, nil
	}
	b, err = r.peek(off, frameHeader+int(h.length))
	if err != nil {
		return h, nil, false, err
	}
	if len(b) < frameHeader+int(h.length) || frameCRC(b) != h.crc {
		return h, nil, false, nil
	}
	return h, b[frameHeader:], true, nil
}

// seek looks for a whole frame of this segment, numbered above a given one, at or behind an offset.
func (r *frameReader) seek(off int64, above uint64) (at int64, found bool, err error) {
	magic := binary.LittleEndian.AppendUint32(nil, frameMagic)
	for off < r.end {
		b, err := r.peek(off, readAhead)
		if err != nil {
			return 0, false, err
		}
		if len(b) < frameHeader {
			return 0, false, nil
		}
		i := bytes.Index(b, magic)
		if i < 0 {
			off += int64(len(b) - len(magic) + 1)
			continue
		}
		off += int64(i)
		h, _, ok, err := r.at(off)
		if err != nil {
			return 0, false, err
		}
		if ok && h.number > above {
			return off, true, nil
		}
		off++
	}
	return 0, false, nil
}

// acquire returns a segment and the synced end of it, keeping it from being reused until release.
func (l *Log) acquire(number uint64) (*segment, int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.mu.segments {
		if s.number == number {
			s.readers++
			return s, s.end
		}
	}
	return nil, 0
}

func (l *Log) release(s *segment) {
	l.mu.Lock()
	s.readers--
	l.mu.Unlock()
}

// scan calls f with the items of all frames from a place on, up to the synced end or until f returns false. The items are
// f's to keep.
func (l *Log) scan(number uint64, off int64, f func(*item) bool) error {
	for {
		seg, end := l.acquire(number)
		if seg == nil {
			return nil
		}
		more, err := scanSegment(seg, off, end, f)
		l.release(seg)
		if err != nil || !more {
			return err
		}
		number, off = number+1, segmentHeader
	}
}

func scanSegment(seg *segment, off, end int64, f func(*item) bool) (more bool, err error) {
	r := frameReader{file: seg.file, segment: seg.number, off: off, end: end, keep: true}
	for r.off < end {
		_, items, ok, err := r.next()
		if err != nil {
			return false, wrapIO(err, "read", seg.name)
		}
		if !ok {
			return false, damaged(seg.name, r.off)
		}
		for len(items) > 0 {
			it, rest, err := nextItem(items)
			if err != nil {
				return false, err
			}
			if !f(&it) {
				return false, nil
			}
			items = rest
		}
	}
	return true, nil
}

func damaged(name string, off int64) *failure.Error {
	return failure.New(failure.DataCorrupted, "journal file \"%s\" is damaged at offset %d", name, off)
}

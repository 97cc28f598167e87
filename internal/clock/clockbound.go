package clock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// ClockBoundPath is where the ClockBound daemon (2.0 and later) shares what it knows.
const ClockBoundPath = "/var/run/clockbound/shm0"

// ClockBound is the source that reads the ClockBound daemon's shared memory. The segment is a file in memory of 80 bytes; it is read like
// a file, once a second, and by the daemon's own rule: what was read counts when the generation was even and the same before and after.
type ClockBound struct {
	Host host.Host
	Path string // "" is ClockBoundPath
}

const (
	segmentBytes = 80
	// coarse is how far the daemon's reading of time may be behind or ahead of ours: a tick of the kernel.
	coarse = 20 * time.Millisecond
)

// segment is the part of the shared memory that matters.
type segment struct {
	version    uint16
	generation uint16
	asOf       time.Duration // since boot
	voidAfter  time.Duration
	bound      time.Duration
	drift      uint32
	status     int32
	disruption bool
}

var errSegment = errors.New("its shared memory is not of version 2")

// decodeSegment reads the layout of ClockBound's shared memory protocol, version 2. All machines Meridian runs on are little-endian.
func decodeSegment(b []byte) (segment, error) {
	le := binary.LittleEndian
	// The magic number is two words in the machine's order; the protocol's description has them byte by byte.
	if len(b) < segmentBytes ||
		(le.Uint32(b) != 0x414D5A4E || le.Uint32(b[4:]) != 0x43420200) && string(b[:8]) != "AMZNCB\x02\x00" || le.Uint32(b[8:]) < segmentBytes {
		return segment{}, errSegment
	}
	stamp := func(at int) time.Duration {
		sec, ns := int64(le.Uint64(b[at:])), int64(le.Uint64(b[at+8:]))
		const century = 100 * 366 * 86400
		if sec < 0 || sec > century || ns < 0 || ns >= int64(time.Second) {
			return -1
		}
		return time.Duration(sec)*time.Second + time.Duration(ns)
	}
	s := segment{version: le.Uint16(b[12:]), generation: le.Uint16(b[14:]), asOf: stamp(16), voidAfter: stamp(32),
		bound: time.Duration(le.Uint64(b[48:])), drift: le.Uint32(b[64:]), status: int32(le.Uint32(b[68:])), disruption: b[72] != 0}
	if s.version != 2 || s.asOf < 0 || s.voidAfter < 0 || s.bound <= 0 || s.bound > time.Hour || s.drift >= 1e9 {
		return segment{}, errSegment
	}
	return s, nil
}

// at returns the bound at a time since boot.
func (s segment) at(now time.Duration) (Reading, error) {
	switch {
	case now < s.asOf-coarse:
		return Reading{}, errors.New("what it shares is from the future")
	case now >= s.voidAfter:
		return Reading{}, errors.New("what it shares is too old")
	case s.status == 3:
		return Reading{}, errors.New("the clock was disrupted")
	case s.status != 1 && s.status != 2:
		return Reading{}, errors.New("the clock is not synchronized")
	}
	return Reading{Bound: s.bound + grow(int64(s.drift), now-s.asOf), Drift: int64(s.drift), Source: "ClockBound"}, nil
}

// Read implements Source.
func (c ClockBound) Read() (Reading, error) {
	r, err := c.read()
	if err != nil {
		return Reading{}, fmt.Errorf("ClockBound: %w", err)
	}
	return r, nil
}

func (c ClockBound) read() (Reading, error) {
	kernel, ok := c.Host.(host.KernelClock)
	if !ok {
		return Reading{}, errors.New("there is no kernel's clock here")
	}
	path := c.Path
	if path == "" {
		path = ClockBoundPath
	}
	f, err := c.Host.FS().Open(path)
	if err != nil {
		return Reading{}, fmt.Errorf("the daemon does not run (%w)", err)
	}
	defer f.Close()
	var b, again [segmentBytes]byte
	for range 100 {
		if _, err := f.ReadAt(b[:], 0); err != nil {
			return Reading{}, err
		}
		if _, err := f.ReadAt(again[:], 0); err != nil {
			return Reading{}, err
		}
		if b != again || b[14]&1 == 1 {
			continue // an update is being written
		}
		s, err := decodeSegment(b[:])
		if err != nil {
			return Reading{}, err
		}
		if s.generation == 0 {
			return Reading{}, errors.New("the daemon is starting")
		}
		now, err := kernel.SinceBoot()
		if err != nil {
			return Reading{}, err
		}
		return s.at(now)
	}
	return Reading{}, errors.New("its shared memory stays in the middle of an update")
}

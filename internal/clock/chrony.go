package clock

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// ChronyAddress is where chronyd answers questions of its own machine.
const ChronyAddress = "127.0.0.1:323"

// Chrony is the source that asks chronyd, as `chronyc tracking` does. The bound is chrony's distance to true time: the
// correction not made yet, the dispersion collected on the way from the reference clock, and half the delay of that way.
type Chrony struct {
	Host    host.Host
	Address string // "" is ChronyAddress
}

const (
	trackingCommand = 33
	trackingReply   = 5
	chronyHead      = 28 // bytes before a reply's content
	trackingBytes   = 104
	unsynchronized  = 3 // leap status
	// chronyWait is how long an answer of the same machine may take.
	chronyWait = 250 * time.Millisecond
)

// trackingRequest is as long as the answer, so that nobody can make chronyd send more than it got.
func trackingRequest(seq uint32) []byte {
	b := make([]byte, trackingBytes)
	b[0], b[1] = 6, 1 // protocol version, a request
	binary.BigEndian.PutUint16(b[4:], trackingCommand)
	binary.BigEndian.PutUint32(b[8:], seq)
	return b
}

// tracking is the part of chronyd's answer that matters.
type tracking struct {
	leap       uint16
	correction float64 // seconds
	skew       float64 // ppm
	delay      float64 // seconds, to the reference clock and back
	dispersion float64 // seconds
}

var errTracking = errors.New("the answer is not understood")

// decodeTracking reads an answer.
func decodeTracking(b []byte, seq uint32) (tracking, error) {
	be := binary.BigEndian
	if len(b) < trackingBytes || b[0] != 6 || b[1] != 2 || be.Uint16(b[4:]) != trackingCommand || be.Uint32(b[16:]) != seq {
		return tracking{}, errTracking
	}
	if status := be.Uint16(b[8:]); status != 0 {
		return tracking{}, fmt.Errorf("it answers with status %d", status)
	}
	if be.Uint16(b[6:]) != trackingReply {
		return tracking{}, errTracking
	}
	b = b[chronyHead:]
	number := func(i int) float64 { return chronyFloat(be.Uint32(b[40+4*i:])) }
	return tracking{leap: be.Uint16(b[26:]), correction: number(0), skew: number(5), delay: number(6), dispersion: number(7)}, nil
}

// chronyFloat reads chrony's numbers: 7 bits of exponent and 25 of coefficient, both signed.
func chronyFloat(v uint32) float64 {
	exponent := int32(v) >> 25
	coefficient := int32(v<<7) >> 7
	return math.Ldexp(float64(coefficient), int(exponent)-25)
}

func (t tracking) reading() (Reading, error) {
	if t.leap == unsynchronized {
		return Reading{}, errors.New("the clock is not synchronized")
	}
	s := math.Abs(t.correction) + t.dispersion + t.delay/2
	if !(s > 0 && s < 1e6) || t.dispersion < 0 || t.delay < 0 {
		return Reading{}, errTracking
	}
	drift := int64(DefaultDrift)
	if own := t.skew * 1e3; own > DefaultDrift && own < 1e9 {
		drift = int64(own)
	}
	return Reading{Bound: time.Duration(s*1e9) + time.Microsecond, Drift: drift, Source: "chrony"}, nil
}

// Read implements Source.
func (c Chrony) Read() (Reading, error) {
	t, err := c.ask()
	if err == nil {
		var r Reading
		if r, err = t.reading(); err == nil {
			return r, nil
		}
	}
	return Reading{}, fmt.Errorf("chrony: %w", err)
}

func (c Chrony) ask() (tracking, error) {
	address := c.Address
	if address == "" {
		address = ChronyAddress
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	conn, err := c.Host.Dial(ctx, "udp", address)
	if err != nil {
		return tracking{}, fmt.Errorf("it does not run (%w)", err)
	}
	defer conn.Close()
	stop := c.Host.AfterFunc(chronyWait, func() { _ = conn.Close() })
	defer stop()
	seq := uint32(c.Host.Uint64())
	if _, err := conn.Write(trackingRequest(seq)); err != nil {
		return tracking{}, fmt.Errorf("it does not run (%w)", err)
	}
	var b [512]byte
	for {
		n, err := conn.Read(b[:])
		if err != nil {
			return tracking{}, fmt.Errorf("it does not answer (%w)", err)
		}
		if t, err := decodeTracking(b[:n], seq); err == nil || !errors.Is(err, errTracking) {
			return t, err
		}
	}
}

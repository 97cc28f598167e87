package rpc

import (
	"sync"
	"time"
)

// driftLimit is how fast two clocks are taken to move apart at most: two crystals of 100 ppm each.
const driftLimit = 5000 // one part in so many

// sight is what pings say about a peer: how far it is and how its wall clock stands to ours.
type sight struct {
	mu      sync.Mutex
	rtt     time.Duration
	samples [8]offsetSample
	n       int
}

// offsetSample bounds (peer's wall clock - ours) at a moment: the peer's stamp lies between our sending and our receiving.
type offsetSample struct {
	low, high time.Duration
	at        time.Duration // monotonic
}

// add takes a ping's stamps: sent and received here, and in between there.
func (s *sight) add(mono, rtt time.Duration, sent, thereIn, thereOut, received int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rtt == 0 {
		s.rtt = rtt
	} else {
		s.rtt += (rtt - s.rtt) / 8
	}
	o := offsetSample{low: time.Duration(thereOut - received), high: time.Duration(thereIn - sent), at: mono}
	if o.low > o.high {
		return // a wall clock was stepped while the ping was on its way
	}
	s.samples[s.n%len(s.samples)] = o
	s.n++
}

// read returns the estimates. The offset's bounds are what all recent pings agree about; when they do not agree a clock was
// stepped, and the latest counts.
func (s *sight) read(mono time.Duration) (rtt, low, high time.Duration, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == 0 {
		return s.rtt, 0, 0, false
	}
	for i := range min(s.n, len(s.samples)) {
		o := s.samples[(s.n-1-i)%len(s.samples)]
		drift := max(mono-o.at, 0) / driftLimit
		if i == 0 {
			low, high = o.low-drift, o.high+drift
			continue
		}
		l, h := max(low, o.low-drift), min(high, o.high+drift)
		if l > h {
			break
		}
		low, high = l, h
	}
	return s.rtt, low, high, true
}

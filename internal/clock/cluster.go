package clock

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// ClusterConfig makes a Cluster.
type ClusterConfig struct {
	Time   host.Time
	Log    *slog.Logger // nil logs nothing
	Source Source
	// Max is the largest bound with which time is still told; beyond it Now answers ok false. 0 is 10 ms.
	Max time.Duration
	// Every is how often the source is asked; 0 is once a second.
	Every time.Duration
}

// Cluster is the Clock of a node in a cluster: the machine's wall clock, within a bound that a source measures and that changes
// over time. Unlike Local it cannot be told to jump: its time is compared with that of other machines.
//
// Between two readings of the source the wall clock is carried by monotonic time, and the bound grows by the drift. When the source has
// no answer the bound goes on growing until it is beyond the maximum.
type Cluster struct {
	cfg      ClusterConfig
	looking  sync.Mutex // one reading at a time
	state    atomic.Pointer[clusterState]
	earliest atomic.Uint64 // edges that were told
	latest   atomic.Uint64
}

type clusterState struct {
	known   bool
	base    int64 // wall time is base + monotonic, in nanoseconds
	at      time.Duration
	bound   time.Duration
	drift   int64
	source  string
	problem string // why the last reading failed; "" when it did not
}

// NewCluster makes the clock with a first reading. The owner calls Run.
func NewCluster(cfg ClusterConfig) *Cluster {
	if cfg.Max == 0 {
		cfg.Max = 10 * time.Millisecond
	}
	if cfg.Every == 0 {
		cfg.Every = time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cluster{cfg: cfg}
	c.state.Store(&clusterState{problem: "the source was not asked yet"})
	c.look()
	return c
}

var _ Clock = (*Cluster)(nil)

// Run asks the source until ctx ends.
func (c *Cluster) Run(ctx context.Context) {
	for c.cfg.Time.Sleep(ctx, c.cfg.Every) == nil {
		c.look()
	}
}

// look takes a reading.
func (c *Cluster) look() {
	c.looking.Lock()
	defer c.looking.Unlock()
	c.lookLocked()
}

func (c *Cluster) lookLocked() {
	// Monotonic time is read on both sides of the wall clock, so that a pause in between only widens the bound.
	r, err := c.cfg.Source.Read()
	before := c.cfg.Time.Monotonic()
	wall := c.cfg.Time.Now().UnixNano()
	after := c.cfg.Time.Monotonic()
	old := c.state.Load()
	var next clusterState
	if err != nil {
		next = *old
		next.problem = err.Error()
	} else {
		next = clusterState{known: true, base: wall - int64(after), at: before, drift: r.Drift, source: r.Source,
			bound: r.Bound + (after - before) + grow(r.Drift, after-before)}
		if old.known {
			c.compare(old, &next, after)
		}
	}
	c.state.Store(&next)
	if next.problem != old.problem || next.source != old.source {
		if next.problem != "" {
			c.cfg.Log.Warn("the error of this machine's clock is not measured", "reason", next.problem, "source", next.source,
				"bound", next.boundAt(after).Round(time.Microsecond))
		} else {
			c.cfg.Log.Info("the error of this machine's clock is bounded", "source", next.source, "bound", next.bound.Round(time.Microsecond))
		}
	}
}

// compare tells when the wall clock was stepped further than both bounds allow: then one of them was wrong.
func (c *Cluster) compare(old, next *clusterState, mono time.Duration) {
	step := time.Duration(next.base - old.base)
	if allowed := old.boundAt(mono) + next.bound; step > allowed || step < -allowed {
		c.cfg.Log.Error("this machine's clock was off by more than its stated bound", "stepped", step, "bound", old.bound,
			"source", old.source)
	}
}

func (s *clusterState) boundAt(mono time.Duration) time.Duration {
	return s.bound + grow(s.drift, mono-s.at)
}

// slack is how far wall and monotonic time may move apart between readings. Both are slewed alike: more is a step, or a machine that
// was suspended, whose monotonic clock stood still.
const slack = int64(time.Millisecond)

// stepped says whether the wall clock does not go with monotonic time any more.
func (c *Cluster) stepped(s *clusterState, mono time.Duration) bool {
	wall := c.cfg.Time.Now().UnixNano()
	if wall < s.base+int64(mono)-slack {
		return true
	}
	// Later than it should be, or this goroutine paused between the two?
	return wall > s.base+int64(mono)+slack && wall > s.base+int64(c.cfg.Time.Monotonic())+slack
}

// Now implements Clock.
func (c *Cluster) Now() (Interval, bool) {
	mono := c.cfg.Time.Monotonic()
	s := c.state.Load()
	if !s.known {
		return Interval{}, false
	}
	if c.stepped(s, mono) {
		if !c.looking.TryLock() {
			return Interval{}, false // somebody is asking the source
		}
		c.lookLocked()
		c.looking.Unlock()
		mono, s = c.cfg.Time.Monotonic(), c.state.Load()
		if s.problem != "" || c.stepped(s, mono) {
			return Interval{}, false // what was known before the step says nothing now
		}
	}
	bound := s.boundAt(mono)
	if bound > c.cfg.Max {
		return Interval{}, false
	}
	wall := s.base + int64(mono)
	return Interval{
		Earliest: raise(&c.earliest, FromUnixNano(wall-int64(bound))),
		Latest:   raise(&c.latest, FromUnixNano(wall+int64(bound))),
	}, true
}

// raise keeps an edge from decreasing. An earlier edge that contained true time still does: earliest edges stay below it as time goes on,
// and a later latest edge is only wider.
func raise(edge *atomic.Uint64, t Timestamp) Timestamp {
	for {
		old := edge.Load()
		if uint64(t) <= old {
			return Timestamp(old)
		}
		if edge.CompareAndSwap(old, uint64(t)) {
			return t
		}
	}
}

// WaitPast implements Clock. While the error is not bounded nobody knows that the time has passed, and it waits.
func (c *Cluster) WaitPast(t Timestamp, done <-chan struct{}) bool {
	for {
		if Timestamp(c.earliest.Load()) >= t {
			return true
		}
		now, ok := c.Now()
		if ok && now.Earliest >= t {
			return true
		}
		select {
		case <-done:
			return false
		default:
		}
		wait := 10 * time.Millisecond
		if ok {
			wait = t.Sub(now.Earliest) + time.Microsecond
		}
		pause(c.cfg.Time, wait, done)
	}
}

// Status is what a clock knows about itself, for people.
type Status struct {
	OK      bool
	Bound   time.Duration // now
	Max     time.Duration
	Source  string
	Problem string // why the source had no answer at the last reading, or ""
}

// Status returns it.
func (c *Cluster) Status() Status {
	s := c.state.Load()
	out := Status{Max: c.cfg.Max, Source: s.source, Problem: s.problem}
	if s.known {
		out.Bound = s.boundAt(c.cfg.Time.Monotonic())
		out.OK = out.Bound <= c.cfg.Max
	}
	return out
}

package adjudicator

import (
	"slices"
	"sync/atomic"
	"time"
)

// leadSamples is how many appends the lead is estimated from.
const leadSamples = 32

// leadEstimate follows the time that a durable append takes at least. Commit times are set that far ahead, so that a
// snapshot taken now need not wait for the commits that have just gone into a sync, while the commits' own wait hides
// behind that sync.
type leadEstimate struct {
	min, max time.Duration
	now      atomic.Int64 // nanoseconds
	least    func() time.Duration
	samples  [leadSamples]time.Duration
	n        int
}

func (l *leadEstimate) init(cfg *Config) {
	l.min, l.max, l.least = cfg.LeadMin, max(0, cfg.LeadMax), cfg.lead
	l.now.Store(int64(l.min))
}

func (l *leadEstimate) get() time.Duration {
	return max(time.Duration(l.now.Load()), l.least())
}

// sample notes one append; the caller makes sure that calls do not overlap. The lead is set below nearly all of them. A
// larger one would only move the wait from readers to committers, and theirs is the dearer one: a reader waits for the
// batch that is being synced anyway and wakes with it, a committer needs a timer of its own.
func (l *leadEstimate) sample(d time.Duration) {
	l.samples[l.n%leadSamples] = d
	l.n++
	if l.n%(leadSamples/2) != 0 {
		return
	}
	sorted := l.samples
	have := sorted[:min(l.n, leadSamples)]
	slices.Sort(have)
	l.now.Store(int64(min(max(have[len(have)/10]*7/8, l.min), l.max)))
}

package stub

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// Messages of the watermarks' service.
const (
	opMarks    byte = 1 // watermarks of every journal that the sender owns
	opInterest byte = 2 // the sender reads: push to it
)

const (
	// interestEvery is how often a node that reads says so; readerLife is how long it is believed.
	interestEvery = 500 * time.Millisecond
	readerLife    = 2 * time.Second
)

// WatermarksConfig of a node's watermarks.
type WatermarksConfig struct {
	Net          Net
	Time         host.Time
	Adjudicators *Adjudicators
	// Every is the period in which watermarks are pushed to nodes that read. 0 is 3 ms.
	Every time.Duration
	// Journals are all journals of the cluster.
	Journals func() []txn.JournalID
}

// Watermarks carries the watermarks of all journals between nodes: an owner pushes its own to every node that reads, a
// little ahead of the clock, so that reads elsewhere wait for nobody. When nobody reads nothing is sent, and the next read
// nudges the owner. What is received is believed by storage once it has applied the log so far (I4, I5); lost, late and
// repeated messages do no harm.
type Watermarks struct {
	cfg    WatermarksConfig
	cancel context.CancelFunc
	closed chan struct{}
	work   sync.WaitGroup

	mu      sync.Mutex
	readers map[rpc.NodeID]time.Duration // until when they are pushed to
	pushing chan struct{}                // has a token when there is a new reader
	owners  map[txn.JournalID]*Owner

	used   atomic.Bool // a read asked since the last look
	asking chan struct{}
}

// Owner is the owner of a journal as a crossbar sees it.
type Owner struct {
	marks  *Watermarks
	remote *Remote
	pushed atomic.Pointer[txn.Watermark]

	mu      sync.Mutex
	want    clock.Timestamp // what the nudge under way asks for, 0 when there is none
	changed chan struct{}   // closed when pushed moves or a nudge ends; nil when nobody waits
	failure error           // of the last nudge
	round   uint64          // counts nudges
}

// NewWatermarks starts to push and to receive; Close ends it.
func NewWatermarks(cfg WatermarksConfig) *Watermarks {
	if cfg.Every == 0 {
		cfg.Every = 3 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &Watermarks{cfg: cfg, cancel: cancel, closed: make(chan struct{}), readers: make(map[rpc.NodeID]time.Duration), owners: make(map[txn.JournalID]*Owner),
		pushing: make(chan struct{}, 1), asking: make(chan struct{}, 1)}
	cfg.Adjudicators.mu.Lock()
	cfg.Adjudicators.nudged = m.interested
	cfg.Adjudicators.mu.Unlock()
	cfg.Net.HandleMessage(rpc.Watermark, m.hear)
	m.work.Go(func() { m.push(ctx) })
	m.work.Go(func() { m.sayInterest(ctx) })
	return m
}

// Close stops pushing. Nobody may ask any more.
func (m *Watermarks) Close() {
	m.cancel()
	close(m.closed)
	m.work.Wait()
}

// Owner returns the owner of a journal, wherever it is.
func (m *Watermarks) Owner(j txn.JournalID) *Owner {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.owners[j]
	if o == nil {
		o = &Owner{marks: m, remote: m.cfg.Adjudicators.Of(j)}
		m.owners[j] = o
	}
	return o
}

// interested notes that a node reads.
func (m *Watermarks) interested(n rpc.NodeID) {
	until := m.cfg.Time.Monotonic() + readerLife
	m.mu.Lock()
	m.readers[n] = until
	m.mu.Unlock()
	token(m.pushing)
}

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// active returns the nodes to push to.
func (m *Watermarks) active(nodes []rpc.NodeID) []rpc.NodeID {
	now := m.cfg.Time.Monotonic()
	m.mu.Lock()
	defer m.mu.Unlock()
	for n, until := range m.readers {
		if now > until {
			delete(m.readers, n)
		} else {
			nodes = append(nodes, n)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// push is the owner's side: everything that is owned here, in one message to each node that reads.
func (m *Watermarks) push(ctx context.Context) {
	var nodes []rpc.NodeID
	for {
		nodes = m.active(nodes[:0])
		if len(nodes) == 0 {
			select {
			case <-m.pushing:
				continue
			case <-ctx.Done():
				return
			}
		}
		if body := m.own(); body != nil {
			for _, n := range nodes {
				m.cfg.Net.Send(n, rpc.Watermark, body)
			}
		}
		if m.cfg.Time.Sleep(ctx, m.cfg.Every) != nil {
			return
		}
	}
}

// own encodes the watermarks of what is owned here, nil when that is nothing.
func (m *Watermarks) own() []byte {
	var w *writer
	m.cfg.Adjudicators.each(func(a Adjudicator) {
		mark, ok := a.Ahead()
		if !ok {
			return
		}
		if w == nil {
			w = newWriter(opMarks, 64)
		}
		w.watermark(mark)
	})
	if w == nil {
		return nil
	}
	return w.b
}

// sayInterest keeps the owners pushing while there are reads here.
func (m *Watermarks) sayInterest(ctx context.Context) {
	body := newWriter(opInterest, 0).b
	for {
		select {
		case <-m.asking:
		case <-ctx.Done():
			return
		}
		for m.used.Swap(false) {
			told := make(map[rpc.NodeID]bool)
			for _, j := range m.cfg.Journals() {
				r := m.cfg.Adjudicators.Of(j)
				if n := r.Owner(); n != 0 && n != m.cfg.Adjudicators.cfg.Self && !told[n] {
					told[n] = true
					m.cfg.Net.Send(n, rpc.Watermark, body)
				}
			}
			if m.cfg.Time.Sleep(ctx, interestEvery) != nil {
				return
			}
		}
	}
}

// hear takes a message.
func (m *Watermarks) hear(from rpc.NodeID, body []byte) {
	op, in := newReader(body)
	switch op {
	case opInterest:
		if in.err == nil {
			m.interested(from)
		}
	case opMarks:
		for in.err == nil && len(in.b) > 0 {
			if mark := in.watermark(); in.err == nil {
				m.Owner(mark.Journal).take(mark)
			}
		}
	}
}

// take believes a watermark that reaches further than the last.
func (o *Owner) take(w txn.Watermark) {
	for {
		old := o.pushed.Load()
		if old != nil && old.Time >= w.Time {
			return
		}
		if o.pushed.CompareAndSwap(old, &w) {
			break
		}
	}
	o.mu.Lock()
	o.announceLocked()
	o.mu.Unlock()
}

func (o *Owner) announceLocked() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}

// Promise returns a watermark at or above the time when it is known already, or when the owner is here.
func (o *Owner) Promise(at clock.Timestamp) (txn.Watermark, bool) {
	if l := o.remote.Local(); l != nil {
		return l.Promise(at)
	}
	if m := o.marks; !m.used.Load() {
		m.used.Store(true)
		token(m.asking)
	}
	if w := o.pushed.Load(); w != nil && w.Time >= at {
		return *w, true
	}
	return txn.Watermark{}, false
}

// PromiseWait gets one whatever it takes: from the next push, or by a nudge, whichever comes first. One nudge is under way
// for all who wait.
func (o *Owner) PromiseWait(ctx context.Context, at clock.Timestamp) (txn.Watermark, error) {
	if o.remote.Local() != nil {
		return o.remote.PromiseWait(ctx, at)
	}
	for {
		o.mu.Lock()
		if w := o.pushed.Load(); w != nil && w.Time >= at {
			o.mu.Unlock()
			return *w, nil
		}
		if o.want == 0 {
			o.want = at
			o.marks.work.Go(func() { o.nudge(context.WithoutCancel(ctx), at) })
		}
		if o.changed == nil {
			o.changed = make(chan struct{})
		}
		changed, round := o.changed, o.round
		o.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return txn.Watermark{}, ctx.Err()
		}
		o.mu.Lock()
		err := o.failure
		ended := o.round > round
		o.mu.Unlock()
		if ended && err != nil {
			return txn.Watermark{}, err
		}
	}
}

// nudge asks the owner. It ends after the adjudicators' patience at the latest.
func (o *Owner) nudge(ctx context.Context, at clock.Timestamp) {
	ctx, cancel := context.WithCancel(ctx)
	o.marks.work.Go(func() {
		select {
		case <-o.marks.closed:
			cancel()
		case <-ctx.Done():
		}
	})
	w, err := o.remote.PromiseWait(ctx, at)
	cancel()
	if err == nil {
		o.take(w)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.want, o.failure = 0, err
	o.round++
	o.announceLocked()
}

package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"path"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/control"
	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/journal"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/rpc/stub"
	"github.com/meridiandb/meridian/internal/txn"
)

// ClusterConfig makes a node a member of a cluster. Zero values mean the defaults in parentheses.
type ClusterConfig struct {
	// Join is the addresses of the founders, or of members of a running cluster.
	Join []string
	// Listen is where other nodes connect, Advertise the address that they are told (Listen).
	Listen, Advertise string
	Region, Zone      string
	// Witness nodes hold replicas of journals and of the cluster's map, and serve no SQL.
	Witness bool
	// TLS authenticates nodes to each other; nil is plaintext, which a person must have asked for. Authorize is rpc.Config's.
	TLS       *tls.Config
	Authorize func(rpc.NodeID, *x509.Certificate) error
	Token     string
	// ClockSource is one of the names of sources (auto: ClockBound, chrony, the kernel, then ClockBound's value). ClockBound, when not 0, is
	// how far this machine's clock may be off, as its operator states. Beyond ClockMax (50 ms) the node does not tell time.
	ClockSource          string
	ClockBound, ClockMax time.Duration
	// Journals is how many journals a new cluster has (one for each data node, at least 2).
	Journals int
	// Delay, when not nil, is a one-way latency to add to what is sent to another region.
	Delay func(region string) time.Duration
}

// Ticks of Raft groups: a node is missed after eight to sixteen of them inside a region, and twice that between regions.
const (
	raftTick           = 50 * time.Millisecond
	electionTicks      = 8
	electionTicksApart = 16
	heartbeatTicks     = 2
)

// handOverTime bounds how long a node that stops waits for others to take over what it leads.
const handOverTime = 2 * time.Second

// cluster is this node's part in a cluster: its connections, its membership, its replicas of journals and the adjudicators
// that run on them.
type cluster struct {
	cfg          Config
	fatal        func(error)
	clock        clock.Clock
	net          *rpc.Network
	member       control.Membership
	log          *raftgroup.Log
	control      *control.Service
	adjudicators *stub.Adjudicators
	marks        *stub.Watermarks
	feeds        *stub.Feeds
	fill         func(*control.Report)
	sessions     func() int
	reporting    sync.Mutex
	rates        map[txn.JournalID]rate // of the journals led here; guarded by reporting

	cancel context.CancelFunc
	work   sync.WaitGroup
	mu     struct {
		sync.RWMutex
		replicas map[txn.JournalID]*replica
		regions  map[rpc.NodeID]string
	}
}

// replica is a journal's replica on this node, with the goroutine that runs its adjudicator while it leads.
type replica struct {
	journal *journal.Journal
	cancel  context.CancelFunc
	done    chan struct{}
	retire  chan chan struct{} // asks the adjudicator to end its lease; what is sent is closed when it has
}

// startCluster makes the node a member and starts everything below storage. save keeps the membership in the data folder.
func startCluster(ctx context.Context, cfg Config, member control.Membership, save func(control.Membership) error, fatal func(error)) (*cluster, error) {
	k, err := clusterClock(cfg)
	if err != nil {
		return nil, err
	}
	c := &cluster{cfg: cfg, fatal: fatal, clock: k}
	c.mu.replicas, c.mu.regions = map[txn.JournalID]*replica{}, map[rpc.NodeID]string{}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	c.work.Go(func() { k.Run(run) })
	if err := c.start(ctx, run, member, save); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

func (c *cluster) start(ctx, run context.Context, member control.Membership, save func(control.Membership) error) error {
	listener, err := c.cfg.Host.Listen("tcp", c.cfg.Cluster.Listen)
	if err != nil {
		return fmt.Errorf("listening for other nodes on %s: %w", c.cfg.Cluster.Listen, err)
	}
	c.net = rpc.New(rpc.Config{Host: c.cfg.Host, Log: c.cfg.Log, TLS: c.cfg.Cluster.TLS, Authorize: c.cfg.Cluster.Authorize, Delay: c.delay()})
	c.work.Go(func() {
		if err := c.net.Serve(run, listener); err != nil && run.Err() == nil && !errors.Is(err, net.ErrClosed) {
			c.fatal(fmt.Errorf("serving other nodes: %w", err))
		}
	})
	c.member, err = control.Enter(ctx, control.EnterConfig{Host: c.cfg.Host, Log: c.cfg.Log, Network: c.net, Self: c.self(), Join: c.cfg.Cluster.Join,
		Member: member, Save: save, Token: c.cfg.Cluster.Token, Journals: c.cfg.Cluster.Journals})
	if err != nil {
		return err
	}
	c.net.SetIdentity(rpc.NodeID(c.member.Node), c.member.First.Cluster)
	if err := c.startLog(); err != nil {
		return err
	}
	c.adjudicators = stub.NewAdjudicators(stub.AdjudicatorsConfig{Self: rpc.NodeID(c.member.Node), Net: c.net, Time: c.cfg.Host, Random: c.cfg.Host,
		Leader: c.leaderOf, Voters: c.votersOf})
	if err := c.startControl(); err != nil {
		return err
	}
	c.marks = stub.NewWatermarks(stub.WatermarksConfig{Net: c.net, Time: c.cfg.Host, Adjudicators: c.adjudicators, Journals: c.journalIDs})
	c.feeds = stub.NewFeeds(stub.FeedsConfig{Self: rpc.NodeID(c.member.Node), Net: c.net, Time: c.cfg.Host, Local: c.localLog, Replicas: c.replicasOf})
	m := c.control.Map()
	if err := c.adapt(run, m); err != nil {
		return err
	}
	c.work.Go(func() { c.follow(run, m.Version) })
	return nil
}

// self describes this node.
func (c *cluster) self() meta.Node {
	k := c.cfg.Cluster
	address := k.Advertise
	if address == "" {
		address = k.Listen
	}
	return meta.Node{Address: address, SQLAddress: c.cfg.Listen, Region: k.Region, Zone: k.Zone, Witness: k.Witness, Software: c.cfg.Version,
		MinProtocol: 1, MaxProtocol: 1}
}

// delay is the injected latency by node.
func (c *cluster) delay() func(rpc.NodeID) time.Duration {
	if c.cfg.Cluster.Delay == nil {
		return nil
	}
	return func(to rpc.NodeID) time.Duration {
		c.mu.RLock()
		region, known := c.mu.regions[to]
		c.mu.RUnlock()
		if !known || region == c.cfg.Cluster.Region {
			return 0
		}
		return c.cfg.Cluster.Delay(region)
	}
}

// raftTransport carries Raft's messages between the logs of nodes.
type raftTransport struct{ net *rpc.Network }

// Send implements raftgroup.Transport.
func (t raftTransport) Send(to uint64, batch []raftgroup.Envelope) {
	t.net.Send(rpc.NodeID(to), rpc.Raft, raftgroup.EncodeMessages(nil, batch))
}

func (c *cluster) logDir() string { return path.Join(c.cfg.DataDir, "journal") }

func (c *cluster) startLog() error {
	var err error
	c.log, err = raftgroup.OpenLog(c.cfg.Host.FS(), c.logDir(), raftgroup.LogConfig{SegmentBytes: c.cfg.LogSegmentBytes, Transport: raftTransport{c.net}, Time: c.cfg.Host, Tick: raftTick,
		Stopped: func(err error) { c.fatal(fmt.Errorf("the journal's log: %w", err)) }})
	if err != nil {
		return fmt.Errorf("opening the journal's log: %w", err)
	}
	c.net.HandleMessage(rpc.Raft, func(from rpc.NodeID, body []byte) {
		batch, err := raftgroup.DecodeMessages(body)
		if err != nil {
			c.cfg.Log.Warn("a node sent a Raft message that cannot be read", "node", from, "error", err)
			return
		}
		c.log.Step(uint64(from), batch)
	})
	c.log.Start()
	return nil
}

func (c *cluster) startControl() error {
	self := c.self()
	var err error
	c.control, err = control.Start(control.Config{Host: c.cfg.Host, Log: c.cfg.Log, Network: c.net, Raft: c.log, Dir: c.cfg.DataDir, Member: c.member,
		Self: self, Token: c.cfg.Cluster.Token, Group: c.group, Fill: c.report, Horizons: c.trim, Release: c.release, Fatal: c.fatal,
		ElectionTicks: electionTicksApart, HeartbeatTicks: heartbeatTicks})
	return err
}

// follow makes the node what each new map says.
func (c *cluster) follow(ctx context.Context, done uint64) {
	for {
		m, err := c.control.Watch(ctx, done)
		if err != nil {
			return
		}
		if err := c.adapt(ctx, m); err != nil {
			c.fatal(err)
			return
		}
		done = m.Version
	}
}

// adapt starts and stops replicas of journals.
func (c *cluster) adapt(ctx context.Context, m *meta.Map) error {
	regions := map[rpc.NodeID]string{}
	for _, n := range m.Members() {
		regions[rpc.NodeID(n.ID)] = n.Region
	}
	c.mu.Lock()
	c.mu.regions = regions
	c.mu.Unlock()
	for _, j := range m.Journals {
		c.mu.RLock()
		r := c.mu.replicas[j.ID]
		c.mu.RUnlock()
		switch holds := j.Holds(c.member.Node); {
		case holds && r == nil:
			if err := c.openReplica(ctx, m, j); err != nil {
				return fmt.Errorf("opening journal %d: %w", j.ID, err)
			}
		case !holds && r != nil:
			c.closeReplica(j.ID, r)
			if err := c.log.RemoveGroup(raftgroup.GroupID(j.ID)); err != nil {
				return fmt.Errorf("removing journal %d from here: %w", j.ID, err)
			}
		}
	}
	return nil
}

// apart says whether a journal's voters stand in several regions, and whether there are three of them in three regions.
func apart(m *meta.Map, j meta.Journal) (several, oneEach bool) {
	regions := map[string]bool{}
	for _, v := range j.Voters {
		if n, ok := m.Node(v); ok {
			regions[n.Region] = true
		}
	}
	return len(regions) > 1, len(regions) == 3 && len(j.Voters) == 3
}

func (c *cluster) openReplica(ctx context.Context, m *meta.Map, j meta.Journal) error {
	several, oneEach := apart(m, j)
	cfg := journal.Config{ID: j.ID, Node: uint64(c.member.Node), Join: j.Epoch > 1, LocalLearning: oneEach,
		ElectionTicks: electionTicks, HeartbeatTicks: heartbeatTicks}
	if several {
		cfg.ElectionTicks = electionTicksApart
	}
	if !cfg.Join {
		for _, v := range j.Voters {
			cfg.Voters = append(cfg.Voters, uint64(v))
		}
	}
	jr, err := journal.Open(c.log, c.cfg.Host.FS(), c.logDir(), cfg)
	if err != nil {
		return err
	}
	run, cancel := context.WithCancel(ctx)
	r := &replica{journal: jr, cancel: cancel, done: make(chan struct{}), retire: make(chan chan struct{})}
	c.mu.Lock()
	c.mu.replicas[j.ID] = r
	c.mu.Unlock()
	go func() {
		defer close(r.done)
		if !c.cfg.Cluster.Witness {
			c.lead(run, r)
			return
		}
		c.decline(run, r)
	}()
	return nil
}

func (c *cluster) closeReplica(id txn.JournalID, r *replica) {
	r.cancel()
	<-r.done
	c.mu.Lock()
	delete(c.mu.replicas, id)
	c.mu.Unlock()
}

// retireTime is how long an adjudicator that has retired waits for somebody else to lead, and whoever asks it to retire for it.
const retireTime = time.Second

// serveTerm serves until the term ends, or until the adjudicator was asked to retire and leadership has moved, or has not.
func (c *cluster) serveTerm(ctx context.Context, r *replica, a *adjudicator.Adjudicator, ended <-chan struct{}) {
	var done chan struct{}
	select {
	case <-ended:
	case done = <-r.retire:
	}
	c.adjudicators.Set(r.journal.ID(), nil)
	if done == nil {
		return
	}
	_ = a.Close(ctx)
	close(done)
	late := make(chan struct{})
	stop := c.cfg.Host.AfterFunc(retireTime, func() { close(late) })
	defer stop()
	select {
	case <-ended:
	case <-late:
	}
}

// release ends the lease of a journal's adjudicator here, before the journal is handed over: the successor then need not
// wait until the lease runs out.
func (c *cluster) release(ctx context.Context, id txn.JournalID) {
	c.mu.RLock()
	r := c.mu.replicas[id]
	c.mu.RUnlock()
	if r == nil || c.cfg.Cluster.Witness {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, retireTime)
	defer cancel()
	done := make(chan struct{})
	select {
	case r.retire <- done:
	case <-r.done:
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// lead runs the journal's adjudicator here whenever the journal leads here.
func (c *cluster) lead(ctx context.Context, r *replica) {
	id := r.journal.ID()
	for {
		l, err := c.awaitLeading(ctx, r, true, journal.Leadership{})
		if err != nil {
			return
		}
		a := adjudicator.New(adjudicator.Config{Journal: id, Ranges: c.control.Map().RangesOf(id), Lead: c.newsTime, Fate: c.fate}, c.clock, c.cfg.Host, c.cfg.Tamper.journal(r.journal))
		term, stop := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = c.awaitLeading(term, r, false, l)
			stop()
		}()
		if err := a.Start(term); err == nil {
			c.adjudicators.Set(id, a)
			c.serveTerm(ctx, r, a, ended)
		} else if ctx.Err() == nil {
			c.cfg.Log.Warn("an adjudicator did not start", "journal", id, "error", err)
		}
		if ctx.Err() != nil {
			// The node stops in good order: a successor need not wait for the lease to run out.
			_ = a.Close(ctx)
		}
		stop()
		<-ended
		a.Stop()
		if ctx.Err() != nil || c.cfg.Host.Sleep(ctx, 10*time.Millisecond) != nil {
			return
		}
	}
}

// fate says what became of a transaction that another journal leads, as far as this node's replica of that journal knows.
func (c *cluster) fate(leader txn.JournalID, id txn.ID, ub clock.Timestamp) (clock.Timestamp, txn.Outcome) {
	j := c.journal(leader)
	if j == nil {
		return 0, txn.OutcomeInProgress
	}
	outcome, t := j.Resolve(id, ub)
	return t, outcome
}

// awaitLeading waits until the journal leads here, or does not any more in the known term.
func (c *cluster) awaitLeading(ctx context.Context, r *replica, leading bool, known journal.Leadership) (journal.Leadership, error) {
	now := r.journal.Leadership()
	for {
		if leading && now.Leading || !leading && (!now.Leading || now.Term != known.Term) {
			return now, nil
		}
		var err error
		if now, err = r.journal.WatchLeadership(ctx, now); err != nil {
			return now, err
		}
	}
}

// decline hands leadership that comes to a witness, which runs no adjudicators, to a data node.
func (c *cluster) decline(ctx context.Context, r *replica) {
	for turn := 0; ; turn++ {
		if _, err := c.awaitLeading(ctx, r, true, journal.Leadership{}); err != nil {
			return
		}
		m := c.control.Map()
		j, _ := m.Journal(r.journal.ID())
		var fit []meta.NodeID
		for _, v := range j.Voters {
			if n, ok := m.Node(v); ok && !n.Witness {
				fit = append(fit, v)
			}
		}
		if len(fit) > 0 {
			_ = r.journal.TransferLeader(uint64(fit[turn%len(fit)]))
		}
		if c.cfg.Host.Sleep(ctx, 200*time.Millisecond) != nil {
			return
		}
	}
}

// newsTime is the least lead: how long news of a commit travels to the farthest region with data, and the period in which
// watermarks are pushed there. Inside a region a reader rather asks.
func (c *cluster) newsTime() time.Duration {
	var far time.Duration
	m := c.control.Map()
	for _, p := range c.net.Peers() {
		if n, ok := m.Node(meta.NodeID(p.ID)); ok && !n.Witness && n.Region != c.cfg.Cluster.Region && p.Connected {
			far = max(far, p.RTT/2)
		}
	}
	if far == 0 {
		return 0
	}
	return far + 5*time.Millisecond
}

// journal returns this node's replica of a journal, nil when there is none.
func (c *cluster) journal(id txn.JournalID) *journal.Journal {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if r := c.mu.replicas[id]; r != nil {
		return r.journal
	}
	return nil
}

func (c *cluster) journalIDs() []txn.JournalID {
	var ids []txn.JournalID
	for _, j := range c.control.Map().Journals {
		ids = append(ids, j.ID)
	}
	return ids
}

// localLog returns this node's replica of a journal as a feed's source; a nil interface when there is none.
func (c *cluster) localLog(id txn.JournalID) stub.Log {
	if j := c.journal(id); j != nil {
		return j
	}
	return nil
}

// replicasOf lists the nodes that hold a journal, those of this region first.
func (c *cluster) replicasOf(id txn.JournalID) []rpc.NodeID {
	j, _ := c.control.Map().Journal(id)
	var near, far []rpc.NodeID
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, v := range j.Voters {
		if n := rpc.NodeID(v); c.mu.regions[n] == c.cfg.Cluster.Region {
			near = append(near, n)
		} else {
			far = append(far, n)
		}
	}
	return append(near, far...)
}

func (c *cluster) leaderOf(id txn.JournalID) (rpc.NodeID, txn.Generation) {
	j := c.journal(id)
	if j == nil {
		return 0, 0
	}
	l := j.Leadership()
	return rpc.NodeID(l.Leader), txn.Generation(l.Term)
}

func (c *cluster) votersOf(id txn.JournalID) []rpc.NodeID {
	j, _ := c.control.Map().Journal(id)
	var out []rpc.NodeID
	if j.Preferred != 0 {
		out = append(out, rpc.NodeID(j.Preferred))
	}
	for _, v := range j.Voters {
		if v != j.Preferred {
			out = append(out, rpc.NodeID(v))
		}
	}
	return out
}

// group returns the Raft group of a journal that has a replica here.
func (c *cluster) group(id txn.JournalID) *raftgroup.Group {
	if j := c.journal(id); j != nil {
		return j.Group()
	}
	return nil
}

// report adds to a heartbeat what the control plane cannot know.
func (c *cluster) report(r *control.Report) {
	now, ok := c.clock.Now()
	r.ClockLost = !ok
	if ok {
		r.ClockBound = now.Latest.Sub(now.Earliest) / 2
	}
	c.mu.RLock()
	fill, sessions := c.fill, c.sessions
	c.mu.RUnlock()
	if fill != nil {
		fill(r)
	}
	if sessions != nil {
		r.Sessions = sessions()
	}
	r.Load = c.load()
}

// rate is where a journal was when it was last looked at.
type rate struct {
	records   uint64
	at        time.Duration
	perSecond float64
}

// load measures the journals that are led here. Their records are commits, but for a few of the journal's own.
func (c *cluster) load() map[txn.JournalID]control.Load {
	now := c.cfg.Host.Monotonic()
	out, rates := map[txn.JournalID]control.Load{}, map[txn.JournalID]rate{}
	c.reporting.Lock()
	defer c.reporting.Unlock()
	for _, id := range c.journalIDs() {
		j := c.journal(id)
		if j == nil || !j.Leadership().Leading {
			continue
		}
		r, n := c.rates[id], j.Committed()
		if r.at == 0 {
			r = rate{records: n, at: now}
		} else if passed := now - r.at; passed >= rateWindow {
			r = rate{records: n, at: now, perSecond: float64(n-r.records) / passed.Seconds()}
		}
		rates[id] = r
		out[id] = control.Load{Commits: r.perSecond}
	}
	c.rates = rates
	return out
}

// rateWindow is the time over which load is measured.
const rateWindow = 2 * time.Second

// trim lets go of what every storage has made durable.
func (c *cluster) trim(below map[txn.JournalID]uint64) {
	for id, index := range below {
		if j := c.journal(id); j != nil {
			if err := j.Trim(min(index, j.Committed())); err != nil {
				c.cfg.Log.Warn("trimming a journal failed", "journal", id, "error", err)
			}
		}
	}
}

// stop ends the roles in the reverse of their order.
func (c *cluster) stop() error {
	if c.control != nil {
		ctx, cancel := context.WithTimeout(context.Background(), handOverTime)
		c.control.HandOver(ctx)
		cancel()
	}
	c.cancel()
	var errs []error
	c.mu.RLock()
	replicas := make([]*replica, 0, len(c.mu.replicas))
	for _, r := range c.mu.replicas {
		replicas = append(replicas, r)
	}
	c.mu.RUnlock()
	for _, r := range replicas {
		r.cancel()
		<-r.done
	}
	if c.marks != nil {
		c.marks.Close()
	}
	if c.control != nil {
		c.control.Close()
	}
	if c.net != nil {
		c.net.Close()
	}
	c.work.Wait()
	if c.log != nil {
		errs = append(errs, c.log.Close())
	}
	return errors.Join(errs...)
}

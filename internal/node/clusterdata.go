package node

import (
	"context"
	"fmt"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/adjudicator"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/control"
	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/coordinator"
	"github.com/meridiandb/meridian/internal/crossbar"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/rpc/stub"
	"github.com/meridiandb/meridian/internal/storage"
	"github.com/meridiandb/meridian/internal/storage/mvcc"
	"github.com/meridiandb/meridian/internal/txn"
)

// Compile-time proofs that the roles fit the network's ends of each other.
var (
	_ coordinator.Adjudicator = (*stub.Remote)(nil)
	_ crossbar.Owner          = (*stub.Owner)(nil)
	_ crossbar.Log            = (*stub.Cursor)(nil)
	_ stub.Adjudicator        = (*adjudicator.Adjudicator)(nil)
)

// startMember makes the node a member of its cluster and opens its data.
func startMember(ctx context.Context, cfg Config, id identity, fatal func(error)) (*dataPlane, error) {
	save := func(m control.Membership) error {
		id.Member = &m
		return writeIdentity(cfg.Host.FS(), cfg.DataDir, id)
	}
	c, err := startCluster(ctx, cfg, *id.Member, save, fatal)
	if err != nil {
		return nil, err
	}
	if cfg.Cluster.Witness {
		return &dataPlane{cfg: cfg, cluster: c}, nil
	}
	return startClusterData(ctx, cfg, c, fatal)
}

// startClusterData opens storage and a coordinator on a member of a cluster.
func startClusterData(ctx context.Context, cfg Config, c *cluster, fatal func(error)) (*dataPlane, error) {
	d := &dataPlane{cfg: cfg, clock: c.clock, cluster: c}
	var sources []crossbar.Source
	for _, id := range c.journalIDs() {
		sources = append(sources, crossbar.Source{ID: id, Log: c.feeds.Log(id), Owner: cfg.Tamper.owner(c.marks.Owner(id))})
	}
	hot := cfg.CacheBytes / 4
	var replica atomic.Pointer[storage.Replica]
	others := stub.NewStorages(stub.StoragesConfig{Net: c.net, Others: c.otherStorages, Local: func() stub.Storage {
		if r := replica.Load(); r != nil {
			return r.Alone()
		}
		return nil
	}})
	r, err := storage.OpenReplica(storage.ReplicaConfig{Peers: others, Note: func(what string, err error) {
		if err != nil {
			cfg.Log.Warn(what, "error", err)
			return
		}
		cfg.Log.Info(what)
	}, Config: storage.Config{
		Store: mvcc.Config{FS: cfg.Host.FS(), Dir: path.Join(cfg.DataDir, "storage"), CacheBytes: cfg.CacheBytes - hot, HotBytes: hot,
			Fatal: func(err error) { fatal(fmt.Errorf("storage: %w", err)) }},
		Feed: crossbar.New(sources...), Clock: c.clock, Time: cfg.Host, Retention: cfg.Retention,
		Fatal: func(err error) { fatal(fmt.Errorf("storage: %w", err)) },
	}})
	if err != nil {
		return d, fmt.Errorf("opening the storage: %w", err)
	}
	d.storage = r
	replica.Store(r)
	c.mu.Lock()
	c.fill = func(rep *control.Report) {
		rep.Storage = map[txn.JournalID]control.Position{}
		durable := r.Durable()
		for id, n := range r.Applied() {
			rep.Storage[id] = control.Position{Applied: n, Durable: durable[id]}
		}
		for id, n := range durable { // all there is while the storage is being rebuilt
			if _, ok := rep.Storage[id]; !ok {
				rep.Storage[id] = control.Position{Durable: n}
			}
		}
		if !r.Ready() {
			rep.Problems = append(rep.Problems, "its storage is being brought up to date and answers no reads yet")
		}
	}
	c.mu.Unlock()
	m := c.control.Map()
	d.db = coordinator.New(coordinator.Config{
		Clock: c.clock, Time: cfg.Host, Random: cfg.Host, Snapshots: d.storage, Ranges: &mapRanges{cluster: c}, Learn: learner{c}, HashSeed: m.HashSeed,
		Node:      uint16(c.member.Node),
		Elsewhere: stub.OpenElsewhere(c.net, func(id txn.ID) bool { return d.db.Open(id) }),
		Limits:    coordinator.Limits{Rows: cfg.TransactionRows, Bytes: cfg.TransactionBytes, Age: cfg.TransactionAge},
	})
	return d, nil
}

// otherStorages lists the other nodes with storage, those of this region first.
func (c *cluster) otherStorages() []rpc.NodeID {
	var near, far []rpc.NodeID
	for _, n := range c.control.Map().Members() {
		switch {
		case n.ID == c.member.Node || n.Witness:
		case n.Region == c.cfg.Cluster.Region:
			near = append(near, rpc.NodeID(n.ID))
		default:
			far = append(far, rpc.NodeID(n.ID))
		}
	}
	return append(near, far...)
}

// mapRanges is the directory of conflict ranges as the cluster's map has it.
type mapRanges struct {
	cluster *cluster
	mu      sync.RWMutex
	of      *meta.Map
	owners  []rpc.NodeID // where the adjudicators were believed to run, by range
	ranges  []coordinator.Range
}

// Ranges implements coordinator.Ranges.
func (r *mapRanges) Ranges() []coordinator.Range {
	m := r.cluster.control.Map()
	r.mu.RLock()
	of, owners, ranges := r.of, r.owners, r.ranges
	r.mu.RUnlock()
	fresh := of == m
	for i := 0; fresh && i < len(ranges); i++ {
		fresh = owners[i] == r.cluster.adjudicators.Of(ranges[i].Journal).Owner()
	}
	if fresh {
		return ranges
	}
	ranges, owners = make([]coordinator.Range, 0, len(m.Ranges)), make([]rpc.NodeID, 0, len(m.Ranges))
	for _, g := range m.Ranges {
		a := r.cluster.adjudicators.Of(g.Journal)
		owners = append(owners, a.Owner())
		ranges = append(ranges, coordinator.Range{Start: g.Start, Journal: g.Journal, Adjudicator: a, Distance: r.cluster.distance(a.Owner())})
	}
	r.mu.Lock()
	r.of, r.owners, r.ranges = m, owners, ranges
	r.mu.Unlock()
	return ranges
}

// distance says how far away a node is.
func (c *cluster) distance(n rpc.NodeID) coordinator.Distance {
	if n == rpc.NodeID(c.member.Node) {
		return coordinator.Here
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.mu.regions[n] == c.cfg.Cluster.Region {
		return coordinator.Near
	}
	return coordinator.FarAway
}

// learner is the journals' replicas on this node, which may know outcomes before their leaders can tell.
type learner struct{ cluster *cluster }

// Learn implements coordinator.Learner.
func (l learner) Learn(id txn.JournalID, t txn.ID, f func(txn.Outcome, clock.Timestamp)) (cancel func(), ok bool) {
	j := l.cluster.journal(id)
	if j == nil {
		return nil, false
	}
	return j.Learn(t, f), true
}

// Refresh implements coordinator.Ranges: it waits a moment for a newer map.
func (r *mapRanges) Refresh(ctx context.Context) error {
	r.mu.RLock()
	known := uint64(0)
	if r.of != nil {
		known = r.of.Version
	}
	r.mu.RUnlock()
	wait, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if _, err := r.cluster.control.Watch(wait, known); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return nil
}

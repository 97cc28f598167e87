package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/node"
)

// clusterFlags make `meridian start` a member of a cluster.
type clusterFlags struct {
	Join       []string `group:"Cluster:" help:"Addresses of the cluster's first nodes (the same list on all of them, this node's own included), or of members of a running cluster. Without it this process is a database of its own." placeholder:"HOST:PORT,…" env:"MERIDIAN_JOIN"`
	Region     string   `group:"Cluster:" help:"Region this node stands in (default: ${default})." default:"default" placeholder:"NAME" env:"MERIDIAN_REGION"`
	Zone       string   `group:"Cluster:" help:"Zone of the region: what fails together (default: the node itself)." placeholder:"NAME" env:"MERIDIAN_ZONE"`
	Witness    bool     `group:"Cluster:" help:"Keep journals only and serve no SQL: the third region of a cluster over two."`
	NodeListen string   `group:"Cluster:" help:"Address and port for other nodes (default: ${default})." default:"127.0.0.1:7432" placeholder:"HOST:PORT" env:"MERIDIAN_NODE_LISTEN"`
	Advertise  string   `group:"Cluster:" help:"Address that other nodes are told to use (default: that of --node-listen, or the one in --join that leads here)." placeholder:"HOST:PORT" env:"MERIDIAN_ADVERTISE"`
	trustFlags
	ClockSource string        `group:"Cluster:" help:"Who knows how far this machine's clock is off: auto is ClockBound, chrony, the kernel, or --clock-bound, whichever answers first (default: ${default})." enum:"auto,clockbound,chrony,kernel,stated" default:"auto" placeholder:"SOURCE" env:"MERIDIAN_CLOCK_SOURCE"`
	ClockBound  time.Duration `group:"Cluster:" help:"How far this machine's clock may be off, when nothing measures it. Your word: a clock that is further off may show old data." placeholder:"DURATION" env:"MERIDIAN_CLOCK_BOUND"`
	ClockMax    time.Duration `group:"Cluster:" help:"Stop telling time when the clock may be off by more than this (default: ${default})." default:"50ms" placeholder:"DURATION"`
	Journals    int           `group:"Cluster:" help:"Number of journals of a new cluster, each with a conflict range (default: one for each data node, at least 2)." default:"0" placeholder:"N"`
	InjectRTT   time.Duration `help:"Add latency between regions, as if a round trip took that long." hidden:""`
}

// clusterConfig is nil for a process alone.
func (f *clusterFlags) clusterConfig(h host.Host) (*node.ClusterConfig, error) {
	if len(f.Join) == 0 {
		return nil, nil
	}
	secure, token, err := f.trust(h)
	if err != nil {
		return nil, err
	}
	zone := f.Zone
	if zone == "" {
		zone = strings.NewReplacer(":", "-").Replace(f.NodeListen)
	}
	c := &node.ClusterConfig{Join: f.Join, Listen: f.NodeListen, Advertise: f.Advertise, Region: f.Region, Zone: zone, Witness: f.Witness,
		TLS: secure, Token: token, ClockSource: f.ClockSource, ClockBound: f.ClockBound, ClockMax: f.ClockMax, Journals: f.Journals}
	if f.InjectRTT > 0 {
		c.Delay = func(string) time.Duration { return f.InjectRTT / 2 }
	}
	if f.ClockBound < 0 {
		return nil, fmt.Errorf("--clock-bound: %v is negative", f.ClockBound)
	}
	return c, nil
}

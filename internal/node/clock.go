package node

import (
	"net"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
)

// The names of sources for ClusterConfig.ClockSource.
const (
	ClockAuto       = "auto"
	ClockClockBound = "clockbound"
	ClockChrony     = "chrony"
	ClockKernel     = "kernel"
	ClockStated     = "stated"
)

// oneMachine is the bound of nodes that only processes of their own machine can reach, which all read the same clock, and of simulated ones.
const oneMachine = time.Millisecond

// clockSource is whom the node asks for its clock's error.
func clockSource(h host.Host, c *ClusterConfig) (clock.Source, error) {
	all := map[string]clock.Source{ClockClockBound: clock.ClockBound{Host: h}, ClockChrony: clock.Chrony{Host: h}, ClockKernel: clock.Kernel{Host: h},
		ClockStated: clock.Stated(c.ClockBound)}
	if c.ClockSource != "" && c.ClockSource != ClockAuto {
		s, known := all[c.ClockSource]
		if !known {
			return nil, failure.New(failure.InvalidParameterValue, "there is no source of clock bounds called %q", c.ClockSource)
		}
		if c.ClockSource == ClockStated && c.ClockBound == 0 {
			return nil, failure.New(failure.InvalidParameterValue, "the clock's bound is not stated").
				WithHint("State it with --clock-bound.")
		}
		return s, nil
	}
	address, _, err := net.SplitHostPort(c.Listen)
	_, real := h.(host.KernelClock)
	if ip := net.ParseIP(address); !real || err == nil && (address == "localhost" || ip != nil && ip.IsLoopback()) {
		return clock.Stated(max(c.ClockBound, oneMachine)), nil
	}
	chain := clock.Chain{all[ClockClockBound], all[ClockChrony], all[ClockKernel]}
	if c.ClockBound > 0 {
		chain = append(chain, all[ClockStated])
	}
	return chain, nil
}

// clusterClock is the node's clock, when its error is bounded.
func clusterClock(cfg Config) (*clock.Cluster, error) {
	source, err := clockSource(cfg.Host, cfg.Cluster)
	if err != nil {
		return nil, err
	}
	c := clock.NewCluster(clock.ClusterConfig{Time: cfg.Host, Log: cfg.Log, Source: source, Max: cfg.Cluster.ClockMax})
	s := c.Status()
	if s.OK {
		return c, nil
	}
	e := failure.New(failure.ObjectNotInPrerequisiteState, "this machine's clock is not known to be right").
		WithHint("Run chrony or ClockBound on every node (docs/ops/clocks.md), or state how far the clock may be off with --clock-bound.")
	if s.Problem != "" {
		return nil, e.WithDetail("%s.", s.Problem)
	}
	return nil, e.WithDetail("It may be off by %s according to %s, and at most %s is allowed.", s.Bound.Round(time.Microsecond), s.Source, s.Max).
		WithHint("A time server nearby makes the bound smaller; --clock-max allows more.")
}

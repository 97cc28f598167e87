package node

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
)

// nobody is a machine where nothing measures the clock.
type nobody struct{ *oshost.Host }

func (nobody) FS() host.FS { return memhost.New() }
func (nobody) Dial(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("nobody there")
}
func (nobody) SinceBoot() (time.Duration, error)      { return time.Hour, nil }
func (nobody) MaxError() (time.Duration, bool, error) { return 0, false, nil }

func TestClusterClock(t *testing.T) {
	for _, k := range []struct {
		name  string
		c     ClusterConfig
		bound time.Duration
		want  string
	}{
		{"nodes of one machine", ClusterConfig{Listen: "127.0.0.1:7432"}, time.Millisecond, ""},
		{"nothing known", ClusterConfig{Listen: "10.0.0.1:7432"}, 0, "not known to be right"},
		{"stated", ClusterConfig{Listen: "10.0.0.1:7432", ClockBound: 3 * time.Millisecond}, 3 * time.Millisecond, ""},
		{"stated only", ClusterConfig{Listen: ":7432", ClockSource: ClockStated, ClockBound: 3 * time.Millisecond}, 3 * time.Millisecond, ""},
		{"stated too much", ClusterConfig{Listen: ":7432", ClockBound: time.Second}, 0, "at most 50ms"},
		{"measured only", ClusterConfig{Listen: ":7432", ClockSource: ClockKernel, ClockBound: time.Millisecond}, 0, "nobody disciplines"},
		{"not stated", ClusterConfig{Listen: ":7432", ClockSource: ClockStated}, 0, "not stated"},
		{"unknown", ClusterConfig{Listen: ":7432", ClockSource: "sundial"}, 0, "sundial"},
	} {
		c, err := clusterClock(Config{Host: nobody{oshost.New()}, Cluster: &k.c}.withDefaults())
		if k.want == "" {
			if err != nil || c.Status().Bound.Round(time.Microsecond) < k.bound || c.Status().Bound > k.bound+time.Millisecond {
				t.Errorf("%s: %v", k.name, err)
			}
			continue
		}
		if e := failure.As(err); e == nil || !strings.Contains(e.Message+e.Detail, k.want) {
			t.Errorf("%s: %v", k.name, err)
		}
	}
	var _ clock.Clock = (*clock.Cluster)(nil)
}

package clock

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/host/oshost"
)

// scripted is a source that answers what it was told.
type scripted struct {
	r   Reading
	err error
}

func (s *scripted) Read() (Reading, error) { return s.r, s.err }

func TestClusterBound(t *testing.T) {
	m := &manual{}
	src := &scripted{r: Reading{Bound: time.Millisecond, Drift: DefaultDrift, Source: "a"}}
	var log bytes.Buffer
	c := NewCluster(ClusterConfig{Time: m, Source: src, Max: 2 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if _, advances := any(c).(interface{ Advance(Timestamp) }); advances {
		t.Fatal("a cluster's clock cannot jump")
	}
	width := func() time.Duration {
		t.Helper()
		now, ok := c.Now()
		if !ok {
			return 0
		}
		wall := FromTime(m.Now())
		if now.Earliest > wall || now.Latest < wall {
			t.Fatalf("%s is not in [%s, %s]", wall, now.Earliest, now.Latest)
		}
		return now.Latest.Sub(now.Earliest)
	}
	if w := width(); w != 2*time.Millisecond {
		t.Fatal(w)
	}
	_ = m.Sleep(context.Background(), 10*time.Second) // 50 ppm: 0.5 ms
	if w := width(); w != 3*time.Millisecond {
		t.Fatal(w)
	}
	src.err = errors.New("gone")
	c.look()
	if w := width(); w != 3*time.Millisecond {
		t.Fatal(w)
	}
	_ = m.Sleep(context.Background(), 11*time.Second)
	if w := width(); w != 0 {
		t.Fatal("beyond the maximum it still tells time:", w)
	}
	if s := c.Status(); s.OK || s.Problem != "gone" || s.Source != "a" || s.Bound < 2*time.Millisecond {
		t.Fatalf("%+v", s)
	}
	if !strings.Contains(log.String(), "gone") {
		t.Fatal(log.String())
	}
	src.err, src.r.Bound = nil, 100*time.Microsecond
	c.look()
	if w := width(); w != 200*time.Microsecond {
		t.Fatal(w)
	}
	unknown := NewCluster(ClusterConfig{Time: m, Source: &scripted{err: errors.New("x")}})
	if _, ok := unknown.Now(); ok {
		t.Fatal("nothing is known")
	}
	done := make(chan struct{})
	close(done)
	if unknown.WaitPast(1, done) {
		t.Fatal("nothing has passed")
	}
}

// TestClusterEdges steps the wall clock and lets the bound jump: edges never decrease, and the interval contains wall time as long as
// readings are right.
func TestClusterEdges(t *testing.T) {
	m := &manual{}
	src := &scripted{r: Reading{Bound: 5 * time.Millisecond, Source: "a"}}
	c := NewCluster(ClusterConfig{Time: m, Source: src})
	prev, _ := c.Now()
	for i, step := range []time.Duration{0, 0, 3 * time.Millisecond, 0, -2 * time.Millisecond, -500 * time.Microsecond, 0, time.Hour, 0} {
		_ = m.Sleep(context.Background(), time.Millisecond)
		m.step += step
		src.r.Bound = time.Duration(1+(i*3)%7) * time.Millisecond
		if i%2 == 0 {
			c.look()
		}
		now, ok := c.Now()
		if !ok || now.Earliest < prev.Earliest || now.Latest < prev.Latest || now.Latest < now.Earliest {
			t.Fatal(i, prev, now, ok)
		}
		prev = now
	}
	// A machine that slept: time is right at the next look, without waiting for the next reading.
	m.step += 8 * time.Hour
	now, ok := c.Now()
	if wall := FromTime(m.Now()); !ok || now.Latest < wall {
		t.Fatal(now, ok, wall)
	}
	m.step += time.Hour
	src.err = errors.New("gone")
	if _, ok := c.Now(); ok {
		t.Fatal("stepped, and nobody knows how well")
	}
}

func TestClusterWaitPast(t *testing.T) {
	m := &manual{}
	c := NewCluster(ClusterConfig{Time: m, Source: Stated(time.Millisecond)})
	for _, wait := range []time.Duration{0, 5 * time.Microsecond, 500 * time.Microsecond, 5 * time.Millisecond} {
		now, _ := c.Now()
		to := now.Latest.Add(wait)
		if !c.WaitPast(to, nil) {
			t.Fatal("not waited")
		}
		if after, _ := c.Now(); after.Earliest < to {
			t.Fatalf("%s is not past %s", after.Earliest, to)
		}
	}
	// Run asks again and again, until its context ends.
	ctx, cancel := context.WithCancel(context.Background())
	src := &counted{left: 3, end: cancel}
	NewCluster(ClusterConfig{Time: &manualCancel{m}, Source: src}).Run(ctx)
	if src.left != 0 {
		t.Fatal(src.left)
	}
}

// counted is a source that ends something after some readings.
type counted struct {
	left int
	end  func()
}

func (c *counted) Read() (Reading, error) {
	if c.left--; c.left == 0 {
		c.end()
	}
	return Reading{Bound: time.Millisecond, Source: "a"}, nil
}

// manualCancel ends sleeps of an ended context.
type manualCancel struct{ *manual }

func (m *manualCancel) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.manual.Sleep(ctx, d)
}

// machine is a host with a file system in memory and a kernel's clock that is told what to say.
type machine struct {
	*oshost.Host
	fs     *memhost.FS
	boot   time.Duration
	bound  time.Duration
	synced bool
}

func (m *machine) FS() host.FS                       { return m.fs }
func (m *machine) SinceBoot() (time.Duration, error) { return m.boot, nil }
func (m *machine) MaxError() (time.Duration, bool, error) {
	return m.bound, m.synced, nil
}

func (m *machine) write(t *testing.T, name string, b []byte) {
	t.Helper()
	f, err := m.fs.Create(name)
	if err == nil {
		_, err = f.Write(b)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// share makes a ClockBound segment.
func share(generation uint16, asOf, voidAfter, bound time.Duration, drift uint32, status int32) []byte {
	le := binary.LittleEndian
	b := make([]byte, segmentBytes)
	le.PutUint32(b, 0x414D5A4E)
	le.PutUint32(b[4:], 0x43420200)
	le.PutUint32(b[8:], segmentBytes)
	le.PutUint16(b[12:], 2)
	le.PutUint16(b[14:], generation)
	for i, d := range []time.Duration{asOf, voidAfter} {
		le.PutUint64(b[16+16*i:], uint64(d/time.Second))
		le.PutUint64(b[24+16*i:], uint64(d%time.Second))
	}
	le.PutUint64(b[48:], uint64(bound))
	le.PutUint32(b[64:], drift)
	le.PutUint32(b[68:], uint32(status))
	return b
}

func TestClockBound(t *testing.T) {
	m := &machine{Host: oshost.New(), fs: memhost.New(), boot: 1000 * time.Second}
	c := ClockBound{Host: m}
	s, us := time.Second, time.Microsecond
	for _, k := range []struct {
		name string
		b    []byte
		want time.Duration
		err  string
	}{
		{"just read", share(2, 1000*s, 2000*s, 40*us, 1000, 1), 40 * us, ""},
		{"grown", share(4, 990*s+s/2, 2000*s, 40*us, 1000, 2), 40*us + 9500*time.Nanosecond, ""},
		{"a tick ahead", share(4, 1000*s+3*time.Millisecond, 2000*s, 40*us, 1000, 1), 40 * us, ""},
		{"from the future", share(4, 1001*s, 2000*s, 40*us, 1000, 1), 0, "future"},
		{"too old", share(4, 900*s, 1000*s, 40*us, 1000, 1), 0, "too old"},
		{"unknown", share(4, 1000*s, 2000*s, 40*us, 1000, 0), 0, "not synchronized"},
		{"disrupted", share(4, 1000*s, 2000*s, 40*us, 1000, 3), 0, "disrupted"},
		{"being written", share(5, 1000*s, 2000*s, 40*us, 1000, 1), 0, "middle of an update"},
		{"starting", share(0, 1000*s, 2000*s, 40*us, 1000, 1), 0, "starting"},
		{"no bound", share(2, 1000*s, 2000*s, 0, 1000, 1), 0, "version 2"},
		{"short", share(2, 1000*s, 2000*s, 40*us, 1000, 1)[:40], 0, "EOF"},
	} {
		m.write(t, ClockBoundPath, k.b)
		r, err := c.Read()
		if k.err == "" && (err != nil || r.Bound != k.want || r.Source != "ClockBound") || k.err != "" && (err == nil || !strings.Contains(err.Error(), k.err)) {
			t.Errorf("%s: %+v, %v", k.name, r, err)
		}
	}
	if err := m.fs.Remove(ClockBoundPath); err != nil {
		t.Fatal(err)
	}
	m.bound, m.synced = 300*us, true
	chain := Chain{c, Kernel{m}, Stated(time.Millisecond)}
	if r, err := chain.Read(); err != nil || r.Bound != 300*us {
		t.Fatal(r, err)
	}
	m.write(t, timesyncd, nil)
	if r, err := chain.Read(); err != nil || r.Source != "the operator" {
		t.Fatal(r, err)
	}
	if _, err := chain[:2].Read(); err == nil || !strings.Contains(err.Error(), "timesyncd") || !strings.Contains(err.Error(), "ClockBound") {
		t.Fatal(err)
	}
}

// packed is chronyFloat's reverse, for numbers it holds exactly.
func packed(f float64) uint32 {
	fraction, exponent := math.Frexp(f)
	for range 2 { // a coefficient of 24 bits and a sign
		if c := fraction * (1 << 24); c == math.Trunc(c) {
			return uint32(exponent+1)<<25 | uint32(int32(c))&(1<<25-1)
		}
	}
	panic("not exact")
}

// chronyd answers like it.
func chronyd(t *testing.T, edit func([]byte) []byte) string {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		var in [1000]byte
		for {
			n, from, err := l.ReadFrom(in[:])
			if err != nil {
				return
			}
			if n < trackingBytes || in[0] != 6 || in[1] != 1 || in[5] != trackingCommand {
				continue
			}
			b := make([]byte, trackingBytes)
			b[0], b[1], b[5], b[7] = 6, 2, trackingCommand, trackingReply
			copy(b[16:20], in[8:12])
			for i, f := range []float64{-0.25, 0, 0, 0, 0, 2, 0.5, 0.125, 0} {
				binary.BigEndian.PutUint32(b[chronyHead+40+4*i:], packed(f))
			}
			stale := bytes.Clone(b)
			stale[16]++
			_, _ = l.WriteTo(stale, from)
			_, _ = l.WriteTo(edit(b), from)
		}
	}()
	return l.LocalAddr().String()
}

func TestChrony(t *testing.T) {
	h := oshost.New()
	good := chronyd(t, func(b []byte) []byte { return b })
	r, err := Chrony{Host: h, Address: good}.Read()
	if err != nil || r.Bound != 625*time.Millisecond+time.Microsecond || r.Drift != DefaultDrift || r.Source != "chrony" {
		t.Fatalf("%+v, %v", r, err)
	}
	for want, edit := range map[string]func([]byte) []byte{
		"not synchronized": func(b []byte) []byte { b[chronyHead+27] = unsynchronized; return b },
		"status 2":         func(b []byte) []byte { b[9] = 2; return b },
		"does not answer":  func(b []byte) []byte { return b[:50] },
	} {
		if r, err := (Chrony{Host: h, Address: chronyd(t, edit)}).Read(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", want, r, err)
		}
	}
	for _, f := range []float64{0, 1, -1, 0.5, 1e-6 * 0, 1234567, -0.0009765625} {
		if got := chronyFloat(packed(f)); got != f {
			t.Error(f, got)
		}
	}
	if got := chronyFloat(0xe83e1ba3); got > 1e-3 || got < -1 { // a number as chronyd sends it
		t.Error(got)
	}
}

// TestKernelHere asks this machine; what it says depends on it.
func TestKernelHere(t *testing.T) {
	h := oshost.New()
	k, ok := any(h).(host.KernelClock)
	if !ok {
		t.Skip("no kernel's clock on this system")
	}
	a, err := k.SinceBoot()
	if err != nil || a <= 0 {
		t.Fatal(a, err)
	}
	r, err := Kernel{h}.Read()
	t.Log(r, err)
}

func FuzzSegment(f *testing.F) {
	f.Add(share(2, 5, 10, 20, 30, 1), int64(7))
	f.Fuzz(func(t *testing.T, b []byte, now int64) {
		if s, err := decodeSegment(b); err == nil {
			if r, err := s.at(time.Duration(now)); err == nil && r.Bound <= 0 {
				t.Fatal(s, r)
			}
		}
	})
}

func FuzzTracking(f *testing.F) {
	f.Add(make([]byte, trackingBytes))
	f.Fuzz(func(t *testing.T, b []byte) {
		if tr, err := decodeTracking(b, 0); err == nil {
			if r, err := tr.reading(); err == nil && r.Bound <= 0 {
				t.Fatal(tr, r)
			}
		}
	})
}

func BenchmarkClusterNow(b *testing.B) {
	c := NewCluster(ClusterConfig{Time: oshost.New(), Source: Stated(time.Millisecond)})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok := c.Now(); !ok {
				b.Error("not told")
			}
		}
	})
}

package rpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host/oshost"
)

// node is a network with a listener.
type node struct {
	*Network
	addr string
	l    net.Listener
	logs *lines
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

func startAt(t testing.TB, addr string, self NodeID, cluster string, edit ...func(*Config)) *node {
	t.Helper()
	logs := &lines{}
	cfg := Config{Host: oshost.New(), Self: self, Cluster: cluster, Log: slog.New(slog.NewTextHandler(logs, nil)),
		Timeout: 30 * time.Second} // the test machine may be busy
	for _, e := range edit {
		e(&cfg)
	}
	var l net.Listener
	eventually(t, func() (err error) {
		l, err = cfg.Host.Listen("tcp", addr)
		return err
	})
	n := &node{New(cfg), l.Addr().String(), l, logs}
	served := make(chan error, 1)
	go func() { served <- n.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		n.Close()
		if err := <-served; err != nil {
			t.Error("serve:", err)
		}
	})
	return n
}

func start(t testing.TB, self NodeID, edit ...func(*Config)) *node {
	return startAt(t, "127.0.0.1:0", self, "c1", edit...)
}

func pair(t testing.TB, edit ...func(*Config)) (a, b *node) {
	a, b = start(t, 1, edit...), start(t, 2, edit...)
	a.SetPeer(2, b.addr)
	b.SetPeer(1, a.addr)
	return a, b
}

// eventually asks again until there is no error.
func eventually(t testing.TB, f func() error) {
	t.Helper()
	h := oshost.New()
	for {
		err := f()
		if err == nil {
			return
		}
		if h.Monotonic() > 20*time.Second {
			t.Fatal("never:", err)
		}
		_ = h.Sleep(context.Background(), 3*time.Millisecond)
	}
}

func echo(_ context.Context, from NodeID, body []byte) ([]byte, error) {
	return append(fmt.Appendf(nil, "%d:", from), body...), nil
}

func TestCall(t *testing.T) {
	a, b := pair(t)
	ctx := context.Background()
	b.Handle(Control, echo)
	a.Handle(Control, echo)
	a.Handle(Status, func(context.Context, NodeID, []byte) ([]byte, error) {
		e := failure.New(failure.SerializationFailure, "change conflicts").WithDetail("d").WithHint("h").At(7).WithTable("s", "t").
			WithColumn("c").WithConstraint("k").WithWhere("w")
		e.RetryAfter, e.DataType, e.Severity = 99, "int4", failure.SeverityFatal
		return nil, fmt.Errorf("wrapped: %w", e)
	})
	for _, to := range []NodeID{1, 2} {
		for _, size := range []int{0, 1, chunk, chunk + 1, 1<<20 + 5} {
			body := bytes.Repeat([]byte{7}, size)
			got, err := a.Call(ctx, to, Control, body)
			if err != nil || len(got) != size+2 || !bytes.Equal(got[2:], body) || got[0] != '1' {
				t.Fatalf("node %d, %d bytes: %d bytes, %v", to, size, len(got), err)
			}
		}
	}
	for _, n := range []*node{a, b} {
		_, err := n.Call(ctx, 1, Status, nil)
		e := failure.As(err)
		if e == nil || e.Code != failure.SerializationFailure || e.Detail != "d" || e.Hint != "h" || e.Position != 7 || e.Table != "t" ||
			e.RetryAfter != 99 || e.Constraint != "k" || e.Severity != failure.SeverityFatal || errors.Is(err, ErrLost) || errors.Is(err, ErrUnreachable) {
			t.Fatalf("%#v", err)
		}
		if _, err := n.Call(ctx, 2, Learn, nil); failure.CodeOf(err) != failure.FeatureNotSupported {
			t.Fatal(err)
		}
		if _, err := n.Call(ctx, 2, 200, nil); failure.CodeOf(err) != failure.FeatureNotSupported {
			t.Fatal(err)
		}
		if _, err := n.Call(ctx, 9, Learn, nil); !errors.Is(err, ErrUnreachable) {
			t.Fatal(err)
		}
	}
	if got, err := a.CallAddress(ctx, b.addr, Control, []byte("x")); err != nil || string(got) != "1:x" {
		t.Fatal(got, err)
	}
	if _, err := a.CallAddress(ctx, "127.0.0.1:1", Control, nil); !errors.Is(err, ErrUnreachable) || failure.CodeOf(err) != failure.CannotConnectNow {
		t.Fatal(err)
	}
}

func TestCallsAreConcurrent(t *testing.T) {
	a, b := pair(t)
	var inside atomic.Int32
	all := make(chan struct{})
	b.Handle(Control, func(_ context.Context, _ NodeID, body []byte) ([]byte, error) {
		if inside.Add(1) == 100 {
			close(all)
		}
		<-all
		return body, nil
	})
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			want := bytes.Repeat([]byte{byte(i)}, i*1000)
			got, err := a.Call(context.Background(), 2, Control, want)
			if err != nil || !bytes.Equal(got, want) {
				t.Error(i, len(got), err)
			}
		}()
	}
	wg.Wait()
}

// TestCancel ends calls by cancellation, by deadline and by losing the connection; each time the handler's context ends.
func TestCancel(t *testing.T) {
	a, b := pair(t)
	began, over := make(chan struct{}), make(chan error)
	b.Handle(Control, func(ctx context.Context, _ NodeID, _ []byte) ([]byte, error) {
		began <- struct{}{}
		<-ctx.Done()
		over <- ctx.Err()
		return nil, ctx.Err()
	})
	call := func(ctx context.Context) chan error {
		answer := make(chan error, 1)
		go func() {
			_, err := a.Call(ctx, 2, Control, nil)
			answer <- err
		}()
		<-began
		return answer
	}
	ctx, cancel := context.WithCancel(context.Background())
	answer := call(ctx)
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) || !errors.Is(err, ErrLost) || failure.CodeOf(err) != failure.QueryCanceled {
		t.Fatal(err)
	}
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	answer = call(ctx)
	if err := <-answer; !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	<-over
	answer = call(context.Background())
	a.SetPeer(2, "")
	if err := <-answer; !errors.Is(err, ErrLost) || failure.CodeOf(err) != failure.ConnectionFailure {
		t.Fatal(err)
	}
	<-over
}

func TestDeadlineTravels(t *testing.T) {
	a, b := pair(t)
	b.Handle(Control, func(ctx context.Context, _ NodeID, _ []byte) ([]byte, error) {
		d, ok := ctx.Deadline()
		if !ok || time.Until(d) > time.Minute || time.Until(d) < 50*time.Second {
			return nil, errors.New("no deadline")
		}
		return nil, nil
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := a.Call(ctx, 2, Control, nil); err != nil {
		t.Fatal(err)
	}
}

// TestMessages sends in order, beside calls with large bodies.
func TestMessages(t *testing.T) {
	a, b := pair(t)
	b.Handle(Control, echo)
	const count = 20000
	var next [3]uint64
	done := make(chan struct{}, 2)
	receive := func(from NodeID, body []byte) {
		if v := binary.BigEndian.Uint64(body); v != next[from] {
			t.Errorf("%d instead of %d", v, next[from])
		}
		if next[from]++; next[from] == count {
			done <- struct{}{}
		}
	}
	b.HandleMessage(Raft, receive)
	if _, err := a.Call(context.Background(), 2, Control, nil); err != nil {
		t.Fatal(err)
	}
	large := make(chan error, 1)
	go func() {
		_, err := a.Call(context.Background(), 2, Control, make([]byte, 2<<20))
		large <- err
	}()
	for i := range uint64(count) {
		body := binary.BigEndian.AppendUint64(nil, i)
		a.Send(2, Raft, body)
		b.Send(2, Raft, body) // to itself
		clear(body)
	}
	<-done
	<-done
	if err := <-large; err != nil {
		t.Fatal(err, failure.As(err).Detail)
	}
	a.Send(7, Raft, nil)
	a.Send(2, Watermark, nil) // no handler
}

// TestFullQueue blocks a peer: messages are dropped and calls refused, nothing waits.
func TestFullQueue(t *testing.T) {
	a, b := pair(t, func(c *Config) { c.MaxQueue = 1 << 20 })
	b.Handle(Control, echo)
	hold, held := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b.HandleMessage(Raft, func(NodeID, []byte) { once.Do(func() { close(held); <-hold }) })
	if _, err := a.Call(context.Background(), 2, Control, nil); err != nil {
		t.Fatal(err)
	}
	a.Send(2, Raft, nil)
	<-held
	body := make([]byte, chunk)
	for range 2000 { // 64 MB, more than the kernel holds
		a.Send(2, Raft, body)
	}
	eventually(t, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		a.Send(2, Raft, body)
		if _, err := a.Call(ctx, 2, Control, body); !errors.Is(err, ErrUnreachable) {
			return fmt.Errorf("%w instead of a full queue", err)
		}
		return nil
	})
	close(hold)
	eventually(t, func() error {
		_, err := a.Call(context.Background(), 2, Control, nil)
		return err
	})
}

func TestTooManyRequests(t *testing.T) {
	a, b := pair(t, func(c *Config) { c.MaxRequests = 2; c.MaxPartial = 2 << 20; c.MaxBody = 1 << 20 })
	hold, in := make(chan struct{}), make(chan struct{}, 2)
	b.Handle(Control, func(context.Context, NodeID, []byte) ([]byte, error) {
		in <- struct{}{}
		<-hold
		return nil, nil
	})
	b.Handle(Status, echo)
	results := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := a.Call(context.Background(), 2, Control, nil)
			results <- err
		}()
		<-in
	}
	if _, err := a.Call(context.Background(), 2, Control, nil); !errors.Is(err, ErrUnreachable) || failure.CodeOf(err) != failure.InsufficientResources {
		t.Fatal(err)
	}
	close(hold)
	for range 2 {
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Call(context.Background(), 2, Status, make([]byte, 1<<20+1)); !errors.Is(err, ErrUnreachable) {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := a.Call(context.Background(), 2, Status, make([]byte, 900<<10))
		return err
	})
	if _, err := a.Call(context.Background(), 2, Status, make([]byte, 1<<20)); failure.CodeOf(err) != failure.ProgramLimitExceeded {
		t.Fatal(err) // the answer is two bytes longer
	}
}

// TestReconnect stops a node and starts another in its place.
func TestReconnect(t *testing.T) {
	a := start(t, 1)
	b := start(t, 2)
	a.SetPeer(2, b.addr)
	b.Handle(Control, echo)
	if _, err := a.Call(context.Background(), 2, Control, nil); err != nil {
		t.Fatal(err)
	}
	b.Close()
	eventually(t, func() error {
		if _, err := a.Call(context.Background(), 2, Control, nil); !errors.Is(err, ErrUnreachable) {
			return fmt.Errorf("%w instead of unreachable", err)
		}
		return nil
	})
	eventually(t, func() error {
		if p := a.Peers()[0]; p.Connected || p.LastError == "" {
			return fmt.Errorf("%+v", p)
		}
		return nil
	})
	b = startAt(t, b.addr, 2, "c1")
	b.Handle(Control, echo)
	eventually(t, func() error {
		_, err := a.Call(context.Background(), 2, Control, nil)
		return err
	})
	eventually(t, func() error {
		if p := a.Peers()[0]; !p.Connected || p.RTT == 0 || !p.OffsetKnown || p.OffsetMin > 0 || p.OffsetMax < 0 || p.BytesIn == 0 || p.ID != 2 {
			return fmt.Errorf("%+v", p)
		}
		return nil
	})
}

// TestDeadPeer connects to a peer that stops talking.
func TestDeadPeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := start(t, 1, func(c *Config) { c.PingInterval, c.Timeout = 5*time.Millisecond, 20*time.Millisecond })
	a.SetPeer(2, l.Addr().String())
	mute, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	var hi [512]byte
	if _, err := mute.Read(hi[:]); err != nil {
		t.Fatal(err)
	}
	_, _ = mute.Write(appendFrame(nil, appendHello(nil, kindWelcome, hello{min: 1, max: 1, from: 2, cluster: "c1"}), nil))
	if _, err := a.Call(context.Background(), 2, Control, nil); !errors.Is(err, ErrLost) || !strings.Contains(failure.As(err).Detail, "nothing was heard") {
		t.Fatal(err, failure.As(err).Detail)
	}
}

func TestRefusals(t *testing.T) {
	fast := func(c *Config) { c.BackoffMax = 5 * time.Millisecond }
	a := start(t, 1, fast)
	a.Handle(Control, echo)
	a.Handle(Join, echo)
	a.Remove(5)
	for _, c := range []struct {
		self    NodeID
		to      NodeID
		cluster string
		want    string
	}{
		{2, 1, "c2", "this node belongs to cluster c1, not to c2"},
		{1, 3, "c1", "this is node 1, not node 3"},
		{2, 3, "c1", "this is node 1, not node 3"},
		{5, 1, "c1", "node 5 was removed from the cluster"},
		{0, 3, "", "node 1 answers there, not node 3"},
	} {
		b := startAt(t, "127.0.0.1:0", c.self, c.cluster, fast)
		b.SetPeer(c.to, a.addr)
		_, err := b.Call(context.Background(), c.to, Control, nil)
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(failure.As(err).Detail, c.want) {
			t.Errorf("%+v: %v, %s", c, err, failure.As(err).Detail)
		}
		eventually(t, func() error { // it goes on trying
			if a.logs.count(c.want)+b.logs.count(c.want) == 0 && c.self != 0 {
				return errors.New("not logged")
			}
			return nil
		})
		if n := a.logs.count(c.want); n > 2 {
			t.Errorf("logged %d times", n)
		}
		b.Close()
	}
	stranger := startAt(t, "127.0.0.1:0", 0, "")
	if got, err := stranger.CallAddress(context.Background(), a.addr, Join, []byte("x")); err != nil || string(got) != "0:x" {
		t.Fatal(got, err)
	}
	if _, err := stranger.CallAddress(context.Background(), a.addr, Control, nil); failure.CodeOf(err) != failure.InsufficientPrivilege {
		t.Fatal(err)
	}
	if _, err := a.CallAddress(context.Background(), stranger.addr, Join, nil); err == nil || !strings.Contains(failure.As(err).Detail, "has not joined") {
		t.Fatal(err)
	}
	stranger.SetIdentity(4, "c1")
	if got, err := stranger.CallAddress(context.Background(), a.addr, Control, nil); err != nil || string(got) != "4:" {
		t.Fatal(got, err)
	}
}

// TestNoise connects with what is not the protocol.
func TestNoise(t *testing.T) {
	a := start(t, 1, func(c *Config) { c.HandshakeTimeout = 50 * time.Millisecond })
	greet := appendFrame(nil, appendHello(nil, kindHello, hello{min: 1, max: 1, from: 2, cluster: "c1"}), nil)
	for _, noise := range []string{"", "GET / HTTP/1.1\r\n\r\n", string(greet[:20]), string(greet) + "\xff\xff\xff\xff????x",
		string(greet) + string(appendFrame(nil, []byte{byte(kindResponse), 1, 0}, nil)),
		string(greet) + string(appendFrame(nil, []byte{byte(kindRequest)}, nil)),
		string(appendFrame(nil, appendHello(nil, kindHello, hello{min: 9, max: 10, from: 2, cluster: "c1"}), nil))} {
		c, err := net.Dial("tcp", a.addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, noise); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, c) // until the node hangs up
		c.Close()
	}
	if a.logs.count("upgrade node by node") == 0 {
		t.Error("the version was not explained")
	}
}

func TestStream(t *testing.T) {
	a, b := pair(t, func(c *Config) { c.Window = 128 << 10; c.MaxBody = 4 << 20 })
	ctx := context.Background()
	sizes := []int{0, 1, chunk - 1, chunk, chunk + 1, 100_000, 3 << 20, 5, 1 << 20}
	for _, n := range []*node{a, b} {
		n.HandleStream(Feed, func(_ context.Context, from NodeID, open []byte, send func([]byte) error) error {
			var buf []byte
			for i, size := range sizes {
				buf = append(buf[:0], bytes.Repeat([]byte{byte(i)}, size)...)
				if err := send(buf); err != nil {
					return err
				}
			}
			if string(open) == "fail" {
				return failure.New(failure.UndefinedFile, "from %d", from)
			}
			return nil
		})
	}
	for _, to := range []NodeID{1, 2} {
		for _, open := range []string{"", "fail"} {
			s, err := a.Stream(ctx, to, Feed, []byte(open))
			if err != nil {
				t.Fatal(err)
			}
			for i, size := range sizes {
				item, err := s.Recv(ctx)
				if err != nil || !bytes.Equal(item, bytes.Repeat([]byte{byte(i)}, size)) {
					t.Fatal(to, i, len(item), err)
				}
			}
			_, err = s.Recv(ctx)
			if open == "" && !errors.Is(err, io.EOF) || open == "fail" && failure.CodeOf(err) != failure.UndefinedFile {
				t.Fatal(err)
			}
			s.Close()
		}
		s, err := a.Stream(ctx, to, Learn, nil)
		if err == nil {
			_, err = s.Recv(ctx)
		}
		if failure.CodeOf(err) != failure.FeatureNotSupported {
			t.Fatal(err)
		}
	}
}

// TestSlowReader opens a stream without reading: the sender stops after the window, and messages and calls go past.
func TestSlowReader(t *testing.T) {
	a, b := pair(t, func(c *Config) { c.Window = 256 << 10 })
	ctx := context.Background()
	var sent atomic.Int64
	over := make(chan error, 2)
	for _, n := range []*node{a, b} {
		n.Handle(Control, echo)
		n.HandleStream(Feed, func(_ context.Context, _ NodeID, _ []byte, send func([]byte) error) error {
			item := make([]byte, 10_000)
			for {
				if err := send(item); err != nil {
					over <- err
					return err
				}
				sent.Add(int64(len(item)))
			}
		})
	}
	for _, to := range []NodeID{1, 2} {
		sent.Store(0)
		s, err := a.Stream(ctx, to, Feed, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if _, err := a.Call(ctx, to, Control, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := sent.Load(); n > 256<<10+10_000 {
			t.Fatalf("%d bytes were sent to nobody", n)
		}
		for range 1000 {
			if _, err := s.Recv(ctx); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		s.Close()
		<-over
		if _, err := s.Recv(ctx); err == nil {
			t.Fatal("closed and still there")
		}
	}
	s, err := a.Stream(ctx, 2, Feed, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(ctx); err != nil {
		t.Fatal(err)
	}
	a.SetPeer(2, "")
	<-over
	for err == nil {
		_, err = s.Recv(ctx)
	}
	if !errors.Is(err, ErrLost) {
		t.Fatal(err)
	}
}

func TestDelay(t *testing.T) {
	const way = 15 * time.Millisecond
	a, b := pair(t, func(c *Config) { c.Delay = func(NodeID) time.Duration { return way } })
	b.Handle(Control, echo)
	for range 3 {
		began := a.cfg.Host.Monotonic()
		if _, err := a.Call(context.Background(), 2, Control, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		if d := a.cfg.Host.Monotonic() - began; d < 2*way {
			t.Fatal("too fast:", d)
		}
	}
	eventually(t, func() error {
		if p := a.Peers()[0]; p.RTT < 2*way {
			return fmt.Errorf("%+v", p)
		}
		return nil
	})
}

func TestSight(t *testing.T) {
	s := &sight{}
	ms := func(n int64) int64 { return n * int64(time.Millisecond) }
	s.add(0, 4*time.Millisecond, ms(0), ms(103), ms(103), ms(4)) // ahead by 99..103
	s.add(0, 2*time.Millisecond, ms(10), ms(111), ms(111), ms(12))
	if _, low, high, ok := s.read(0); !ok || low != 99*time.Millisecond || high != 101*time.Millisecond {
		t.Fatal(low, high, ok)
	}
	if _, low, high, _ := s.read(10 * time.Second); low != 97*time.Millisecond || high != 103*time.Millisecond {
		t.Fatal(low, high)
	}
	s.add(0, 2*time.Millisecond, ms(10), ms(11), ms(11), ms(12)) // stepped
	if _, low, high, _ := s.read(0); low != -time.Millisecond || high != time.Millisecond {
		t.Fatal(low, high)
	}
}

func FuzzFrame(f *testing.F) {
	for k := kindHello; k <= kindClose; k++ {
		f.Add(appendHead(nil, &frame{kind: k, id: 300, number: 5, total: 1 << 20, service: 3}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decodeFrame(b)
		if err != nil {
			return
		}
		again, err := decodeFrame(append(appendHead(nil, &got), got.body...))
		if err != nil || again.id != got.id || again.number != got.number || !bytes.Equal(again.body, got.body) {
			t.Fatalf("%+v became %+v, %v", got, again, err)
		}
		if e, err := decodeFailure(got.body); err == nil {
			if e2, err := decodeFailure(appendFailure(nil, e)); err != nil || e2.Message != e.Message || e2.Constraint != e.Constraint {
				t.Fatalf("%+v became %+v, %v", e, e2, err)
			}
		}
	})
}

func FuzzHello(f *testing.F) {
	f.Add(appendHello(nil, kindHello, hello{1, 1, 2, 3, 0, "cluster"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, h, err := decodeHello(b)
		if err != nil {
			return
		}
		if k2, h2, err := decodeHello(appendHello(nil, k, h)); err != nil || k2 != k || h2 != h {
			t.Fatalf("%+v became %+v, %v", h, h2, err)
		}
		_, _ = identity{2, "cluster"}.judge(h, func(NodeID) bool { return false })
	})
}

// BenchmarkCall measures small calls over the machine's own network.
func BenchmarkCall(b *testing.B) {
	x, y := pair(b)
	y.Handle(Control, func(_ context.Context, _ NodeID, body []byte) ([]byte, error) { return body, nil })
	body := make([]byte, 200)
	ctx := context.Background()
	if _, err := x.Call(ctx, 2, Control, body); err != nil {
		b.Fatal(err)
	}
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(callers)
			if callers == 1 {
				for range b.N {
					if _, err := x.Call(ctx, 2, Control, body); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := x.Call(ctx, 2, Control, body); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

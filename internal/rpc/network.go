package rpc

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

// Config says who this node is and how it talks. Zero limits mean the defaults.
type Config struct {
	Host interface {
		host.Time
		host.Random
		host.Network
	}
	Log     *slog.Logger
	Self    NodeID      // 0: has not joined yet
	Cluster string      // the cluster's id; "": has not joined yet
	TLS     *tls.Config // nil: plaintext, which whoever starts the node must have asked for
	// Authorize, when TLS is on, says whether a certificate that TLS has accepted may speak for a node; id is 0 for strangers.
	// Whether the certificate is of this cluster is TLS's business; this is for who is behind it.
	Authorize func(id NodeID, cert *x509.Certificate) error
	// Delay is a one-way latency added to everything sent to a node: for tests and demonstrations of distance.
	Delay func(to NodeID) time.Duration

	PingInterval     time.Duration // 250 ms
	Timeout          time.Duration // 750 ms without a byte: the peer is dead
	HandshakeTimeout time.Duration // 3 s
	BackoffMin       time.Duration // 20 ms
	BackoffMax       time.Duration // 1 s
	MaxBody          int           // 64 MiB: request, answer, message, stream item
	MaxQueue         int           // 16 MiB of messages and calls waiting to be written to one peer
	MaxRequests      int           // 8192 of one peer at once
	MaxStreams       int           // 1024 to one peer at once
	MaxPartial       int64         // 256 MiB of large requests of one peer that are arriving
	Window           int           // 1 MiB: bytes of a stream in flight
	MaxHandshakes    int           // 128 connections that have not said yet who they are
}

func (c *Config) fill() {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	c.PingInterval = cmp.Or(c.PingInterval, 250*time.Millisecond)
	c.Timeout = cmp.Or(c.Timeout, 750*time.Millisecond)
	c.HandshakeTimeout = cmp.Or(c.HandshakeTimeout, 3*time.Second)
	c.BackoffMin = cmp.Or(c.BackoffMin, 20*time.Millisecond)
	c.BackoffMax = cmp.Or(c.BackoffMax, time.Second)
	c.MaxBody = cmp.Or(c.MaxBody, 64<<20)
	c.MaxQueue = cmp.Or(c.MaxQueue, 16<<20)
	c.MaxRequests = cmp.Or(c.MaxRequests, 8192)
	c.MaxStreams = cmp.Or(c.MaxStreams, 1024)
	c.MaxPartial = cmp.Or(c.MaxPartial, 256<<20)
	c.Window = cmp.Or(c.Window, 1<<20)
	c.MaxHandshakes = cmp.Or(c.MaxHandshakes, 128)
}

type (
	// CallHandler answers a call. The body is the handler's; the answer may not be changed afterwards. The context ends with
	// the caller's deadline, its cancellation or the connection.
	CallHandler func(ctx context.Context, from NodeID, body []byte) ([]byte, error)
	// MessageHandler takes a message, which becomes its own. It is called in order for each sender and must not block: pings
	// and answers wait behind it.
	MessageHandler func(from NodeID, body []byte)
	// StreamHandler pushes items; send copies its item and waits for the receiver's credit. Returning ends the stream.
	StreamHandler func(ctx context.Context, from NodeID, open []byte, send func([]byte) error) error
)

// Network is this node's end of all connections.
type Network struct {
	cfg   Config
	id    atomic.Pointer[identity]
	calls sync.Pool

	callHandlers    [services]atomic.Pointer[CallHandler]
	messageHandlers [services]atomic.Pointer[MessageHandler]
	streamHandlers  [services]atomic.Pointer[StreamHandler]

	jobs chan job
	idle atomic.Int32
	done chan struct{}
	wg   sync.WaitGroup
	loop loopback

	mu      sync.Mutex
	closed  bool
	peers   map[NodeID]*peer
	inbound map[NodeID]*conn
	conns   map[*conn]*watch
	raw     map[net.Conn]bool // shaking hands
	removed map[NodeID]bool
	said    map[string]time.Duration // refusals logged lately
}

// PeerStatus is what a node knows about another.
type PeerStatus struct {
	ID                NodeID
	Address           string
	Connected         bool
	Since             time.Time     // of the connection
	RTT               time.Duration // smoothed; 0 when unknown
	BytesIn, BytesOut int64
	// OffsetMin and OffsetMax bound how far the peer's wall clock is ahead of this node's.
	OffsetMin, OffsetMax time.Duration
	OffsetKnown          bool
	LastError            string // why it is not connected
}

// New makes a node's network. Nothing is dialed before SetPeer, nothing accepted before Serve. Close ends it.
func New(cfg Config) *Network {
	cfg.fill()
	n := &Network{cfg: cfg, jobs: make(chan job), done: make(chan struct{}), peers: map[NodeID]*peer{}, inbound: map[NodeID]*conn{},
		conns: map[*conn]*watch{}, raw: map[net.Conn]bool{}, removed: map[NodeID]bool{}, said: map[string]time.Duration{}}
	n.calls.New = func() any { return &call{done: make(chan struct{}, 1)} }
	n.id.Store(&identity{cfg.Self, cfg.Cluster})
	n.loop.init(n)
	n.wg.Add(1)
	go n.watchAll()
	return n
}

func (n *Network) identity() identity { return *n.id.Load() }

func (n *Network) self() NodeID { return n.identity().self }

// SetIdentity says who this node is, once it has joined. Connections made as somebody else are closed.
func (n *Network) SetIdentity(self NodeID, cluster string) {
	me := identity{self, cluster}
	if old := n.id.Swap(&me); *old == me {
		return
	}
	n.SetPeer(self, "")
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		c.close(errors.New("this node has joined a cluster"))
	}
}

// SetPeer says where a node is and keeps a connection to it; "" forgets the node. Calls to this node itself need no address.
func (n *Network) SetPeer(id NodeID, addr string) {
	n.mu.Lock()
	old := n.peers[id]
	if n.closed || id == 0 || id == n.self() && addr != "" || old != nil && old.addr == addr || n.removed[id] {
		n.mu.Unlock()
		return
	}
	delete(n.peers, id)
	if addr != "" {
		ctx, stop := context.WithCancel(context.Background())
		p := &peer{n: n, id: id, addr: addr, stop: stop, kick: make(chan struct{}, 1), gone: make(chan struct{}), trying: make(chan struct{})}
		n.peers[id] = p
		n.wg.Add(1)
		go func() {
			defer n.wg.Done()
			p.keep(ctx)
		}()
	}
	n.mu.Unlock()
	if old != nil {
		old.stop()
		<-old.gone
	}
}

// Remove forgets a node that was removed from the cluster and refuses it from now on.
func (n *Network) Remove(id NodeID) {
	n.SetPeer(id, "")
	n.mu.Lock()
	defer n.mu.Unlock()
	n.removed[id] = true
	if c := n.inbound[id]; c != nil {
		c.close(errors.New("the node was removed"))
	}
}

func (n *Network) isRemoved(id NodeID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.removed[id]
}

// Handle registers a service's call handler. Handlers run in goroutines of their own, at most MaxRequests for one peer.
func (n *Network) Handle(s Service, h CallHandler) { n.callHandlers[s].Store(&h) }

// HandleMessage registers a service's message handler.
func (n *Network) HandleMessage(s Service, h MessageHandler) { n.messageHandlers[s].Store(&h) }

// HandleStream registers a service's stream handler.
func (n *Network) HandleStream(s Service, h StreamHandler) { n.streamHandlers[s].Store(&h) }

func handler[H any](table *[services]atomic.Pointer[H], s Service) (h H) {
	if int(s) < len(table) {
		if p := table[s].Load(); p != nil {
			return *p
		}
	}
	return h
}

func (n *Network) callHandler(s Service) CallHandler       { return handler(&n.callHandlers, s) }
func (n *Network) messageHandler(s Service) MessageHandler { return handler(&n.messageHandlers, s) }
func (n *Network) streamHandler(s Service) StreamHandler   { return handler(&n.streamHandlers, s) }

func (n *Network) peer(id NodeID) *peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.peers[id]
}

var errNoAddress = errors.New("its address is not known")

// Call asks a node and waits for the answer. An error of the peer's handler comes back as the same *failure.Error; any other
// has ErrUnreachable (certainly not executed) or ErrLost (may have been executed) in its chain. The body may be used again when
// Call has returned.
func (n *Network) Call(ctx context.Context, to NodeID, s Service, body []byte) ([]byte, error) {
	if to == n.self() && to != 0 {
		return n.loop.call(ctx, s, body)
	}
	p := n.peer(to)
	if p == nil {
		return nil, unreachable(target(to, ""), errNoAddress)
	}
	c, err := p.get(ctx)
	if err != nil {
		return nil, err
	}
	return c.call(ctx, s, body)
}

// CallAddress is Call to whoever listens at an address, on a connection of its own.
func (n *Network) CallAddress(ctx context.Context, addr string, s Service, body []byte) ([]byte, error) {
	c, _, err := n.connect(ctx, 0, addr)
	if err != nil {
		return nil, unreachable(addr, err)
	}
	if !n.goServe(func() {
		n.track(c, true)
		defer n.track(c, false)
		_ = c.run()
	}) {
		_ = c.raw.Close()
		return nil, unreachable(addr, errClosed)
	}
	defer func() {
		c.goodbye()
		<-c.ended
	}()
	return c.call(ctx, s, body)
}

// Send sends a message if that is possible without waiting; otherwise it is dropped. The body may be used again at once.
func (n *Network) Send(to NodeID, s Service, body []byte) {
	if to == n.self() && to != 0 {
		n.loop.send(s, body)
		return
	}
	if len(body) > n.cfg.MaxBody {
		n.refused(target(to, ""), fmt.Sprintf("a message of %d bytes to %s is too large and was dropped", len(body), s))
		return
	}
	if p := n.peer(to); p != nil {
		if c := p.current(); c != nil {
			c.q.put(&frame{kind: kindMessage, service: s, body: body}, false)
		}
	}
}

// Stream asks a node to push items. Errors of the handler, also that there is none, come from Recv.
func (n *Network) Stream(ctx context.Context, to NodeID, s Service, open []byte) (Stream, error) {
	if to == n.self() && to != 0 {
		return n.loop.stream(s, open)
	}
	p := n.peer(to)
	if p == nil {
		return nil, unreachable(target(to, ""), errNoAddress)
	}
	c, err := p.get(ctx)
	if err != nil {
		return nil, err
	}
	return c.stream(s, open)
}

// Peers returns what is known about the nodes, by number.
func (n *Network) Peers() []PeerStatus {
	n.mu.Lock()
	peers := make([]*peer, 0, len(n.peers))
	for _, p := range n.peers {
		peers = append(peers, p)
	}
	n.mu.Unlock()
	slices.SortFunc(peers, func(a, b *peer) int { return cmp.Compare(a.id, b.id) })
	out := make([]PeerStatus, len(peers))
	mono := n.cfg.Host.Monotonic()
	for i, p := range peers {
		out[i] = p.status(mono)
	}
	return out
}

// Serve accepts connections until ctx ends, the listener fails or the network is closed.
func (n *Network) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	unhook := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer unhook()
	if !n.goServe(func() {
		select {
		case <-n.done:
		case <-ctx.Done():
		}
		_ = l.Close()
	}) {
		_ = l.Close()
		return nil
	}
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || n.isClosed() {
				return nil
			}
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() {
				_ = n.cfg.Host.Sleep(ctx, 10*time.Millisecond)
				continue
			}
			return fmt.Errorf("accepting connections of other nodes: %w", err)
		}
		if !n.admit(c) {
			_ = c.Close()
			continue
		}
		if !n.goServe(func() { n.accept(c) }) {
			n.dismiss(c)
			_ = c.Close()
		}
	}
}

func (n *Network) isClosed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.closed
}

// admit counts a connection that has not said yet who it is.
func (n *Network) admit(c net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || len(n.raw) >= n.cfg.MaxHandshakes {
		return false
	}
	n.raw[c] = true
	return true
}

func (n *Network) dismiss(c net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.raw, c)
}

const readBuffer = 64 << 10

// accept shakes hands as the accepter and serves the connection.
func (n *Network) accept(raw net.Conn) {
	stop := n.cfg.Host.AfterFunc(n.cfg.HandshakeTimeout, func() { _ = raw.Close() })
	c, visit, err := n.welcome(raw)
	intime := stop()
	n.dismiss(raw)
	if err != nil || !intime {
		_ = raw.Close()
		return
	}
	if !visit {
		n.replace(c)
		defer n.leave(c)
	}
	n.track(c, true)
	defer n.track(c, false)
	err = c.run()
	n.cfg.Log.Debug("connection of another node ended", "node", c.peer, "error", err)
}

// welcome answers a hello. A visit is a connection beside the node's lasting one, made for one call to an address.
func (n *Network) welcome(raw net.Conn) (c *conn, visit bool, err error) {
	nc := raw
	from := raw.RemoteAddr().String()
	if n.cfg.TLS != nil {
		t := tls.Server(raw, n.cfg.TLS)
		if err := t.HandshakeContext(context.Background()); err != nil { // the timer closes the connection
			n.refused(from, "TLS: "+err.Error())
			return nil, false, err
		}
		nc = t
	}
	r := bufio.NewReaderSize(nc, readBuffer)
	var scratch [headMax]byte
	b, err := readFrame(r, handshakeMax, &scratch)
	if err != nil {
		return nil, false, err
	}
	k, h, err := decodeHello(b)
	if err != nil || k != kindHello {
		n.refused(from, "what connected to the port for other nodes does not speak their protocol")
		return nil, false, errNotMeridian
	}
	me := n.identity()
	version, err := me.judge(h, n.isRemoved)
	if err == nil {
		err = n.vouch(nc, h.from)
	}
	if err != nil {
		n.refused(from, err.Error())
		_, _ = nc.Write(appendFrame(nil, []byte{byte(kindRefuse)}, []byte(err.Error())))
		return nil, false, err
	}
	answer := hello{min: version, max: version, from: me.self, to: h.from, cluster: me.cluster}
	if _, err := nc.Write(appendFrame(nil, appendHello(nil, kindWelcome, answer), nil)); err != nil {
		return nil, false, err
	}
	return newConn(n, raw, nc, r, h.from, target(h.from, from), false), h.to == 0 || h.from == 0, nil
}

// replace makes c the connection of its node. Messages keep their order: the earlier connection has delivered its last one before the
// new one is read. A node that dials is alive, so it is dialed back at once.
func (n *Network) replace(c *conn) {
	for {
		n.mu.Lock()
		old := n.inbound[c.peer]
		if old == nil {
			n.inbound[c.peer] = c
			p := n.peers[c.peer]
			n.mu.Unlock()
			if p != nil {
				token(p.kick)
			}
			return
		}
		n.mu.Unlock()
		old.close(errors.New("the node connected again"))
		<-old.ended
		n.leave(old)
	}
}

func (n *Network) leave(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.inbound[c.peer] == c {
		delete(n.inbound, c.peer)
	}
}

// refused logs why a peer is not talked to, each reason once a minute.
func (n *Network) refused(who, why string) {
	key, now := who+why, n.cfg.Host.Monotonic()
	host, _, err := net.SplitHostPort(who)
	if err == nil {
		key = host + why // a stranger's port changes
	}
	n.mu.Lock()
	at, known := n.said[key]
	fresh := !known || now-at >= time.Minute
	if fresh {
		if len(n.said) > 1000 {
			clear(n.said)
		}
		n.said[key] = now
	}
	n.mu.Unlock()
	if fresh {
		n.cfg.Log.Warn("no connection between nodes", "with", who, "reason", why)
	}
}

// Close ends all connections and waits for everything that runs, handlers included.
func (n *Network) Close() {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		n.wg.Wait()
		return
	}
	n.closed = true
	close(n.done)
	for _, p := range n.peers {
		p.stop()
	}
	for c := range n.conns {
		c.goodbye()
	}
	for c := range n.raw {
		_ = c.Close()
	}
	n.mu.Unlock()
	n.loop.close()
	n.wg.Wait()
}

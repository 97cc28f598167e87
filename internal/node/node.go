package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/auth/certs"
	"github.com/meridiandb/meridian/internal/pgwire"
	"github.com/meridiandb/meridian/internal/sql/builtin"
	"github.com/meridiandb/meridian/internal/sql/session"
)

// Node is a running process.
type Node struct {
	cfg      Config
	lock     io.Closer
	data     *dataPlane
	sql      *sqlPlane
	listener net.Listener
	server   *pgwire.Server
	serving  sync.WaitGroup
	failed   chan error
	started  time.Duration
	stopOnce sync.Once
	stopErr  error
	cancel   context.CancelFunc
	abort    func() // ends a start that cannot succeed any more
	profiles *http.Server
}

// Start opens the data folder and serves SQL when it returns.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	cfg = cfg.withDefaults()
	began := cfg.Host.Monotonic()
	ctx, abort := context.WithCancel(ctx)
	defer abort()
	n := &Node{cfg: cfg, failed: make(chan error, 1), abort: abort}
	if err := n.start(ctx); err != nil {
		select {
		case err = <-n.failed: // the start was ended because of it
		default:
		}
		return nil, errors.Join(err, n.Stop())
	}
	n.started = cfg.Host.Monotonic() - began
	return n, nil
}

func (n *Node) start(ctx context.Context) error {
	// The port comes first: a busy one is the most usual reason not to start, and must not cost a recovery.
	var err error
	witness := n.cfg.Cluster != nil && n.cfg.Cluster.Witness
	if !witness {
		if n.listener, err = n.cfg.Host.Listen("tcp", n.cfg.Listen); err != nil {
			return fmt.Errorf("listening on %s: %w", n.cfg.Listen, err)
		}
	}
	id, lock, err := openDataDir(n.cfg.Host, n.cfg.DataDir, n.cfg.ConflictRanges, n.cfg.Cluster != nil)
	if err != nil {
		return err
	}
	n.lock = lock
	if err := n.serveProfiles(); err != nil {
		return err
	}
	phase := n.phases()
	// The catalogue's fixed part takes a while to read, and nothing else needs the processor while files are read.
	n.serving.Go(func() { builtin.Load() })
	if n.cfg.Cluster == nil {
		n.data, err = startDataPlane(ctx, n.cfg, id, n.fatal)
	} else {
		n.data, err = startMember(ctx, n.cfg, id, n.fatal)
	}
	if err != nil || witness {
		return err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	n.cancel = cancel
	phase("data plane open")
	if n.sql, err = startSQL(run, n.cfg, n.data); err != nil {
		return err
	}
	phase("catalogue read, log replayed")
	tlsCfg, err := n.certificate()
	if err != nil {
		return err
	}
	n.server = pgwire.NewServer(pgwire.Config{
		Host: n.cfg.Host, Log: n.cfg.Log, Backend: wireBackend{n.sql.engine}, TLS: tlsCfg,
		PlaintextAnywhere: n.cfg.PlaintextAnywhere, TrustAnywhere: n.cfg.TrustAnywhere, MaxConnections: n.cfg.MaxConnections,
	})
	n.sql.backends.set(n.server)
	if c := n.data.cluster; c != nil {
		c.mu.Lock()
		c.sessions = n.server.Connections
		c.mu.Unlock()
	}
	n.serving.Go(func() {
		if err := n.server.Serve(run, n.listener); err != nil {
			n.fatal(err)
		}
	})
	return nil
}

// phases returns a function that tells developers how long the start has taken since the last call.
func (n *Node) phases() func(name string) {
	last := n.cfg.Host.Monotonic()
	return func(name string) {
		now := n.cfg.Host.Monotonic()
		n.cfg.Log.Debug("start", "phase", name, "took", (now - last).Round(100*time.Microsecond))
		last = now
	}
}

// certificate loads the SQL port's certificate, making one at the first start.
func (n *Node) certificate() (*tls.Config, error) {
	fsys, dir := n.cfg.Host.FS(), path.Join(n.cfg.DataDir, "tls")
	certPEM, err := readFile(fsys, path.Join(dir, "server.crt"))
	var keyPEM []byte
	if err == nil {
		keyPEM, err = readFile(fsys, path.Join(dir, "server.key"))
	}
	if err != nil {
		if certPEM, keyPEM, err = certs.SelfSigned(n.cfg.Host.Now(), []string{"localhost", "127.0.0.1", "::1"}); err != nil {
			return nil, err
		}
		if err := fsys.MkdirAll(dir); err != nil {
			return nil, fmt.Errorf("making %s: %w", dir, err)
		}
		if err := writeFile(fsys, dir, "server.key", keyPEM); err != nil {
			return nil, err
		}
		if err := writeFile(fsys, dir, "server.crt", certPEM); err != nil {
			return nil, err
		}
	}
	return certs.ServerConfig(certPEM, keyPEM)
}

// fatal notes the first reason for which the node cannot go on.
func (n *Node) fatal(err error) {
	n.cfg.Log.Error("the node cannot go on", "error", err)
	select {
	case n.failed <- err:
	default:
	}
	n.abort()
}

// Failed gives the reason when the node stops by itself; Stop must be called then.
func (n *Node) Failed() <-chan error { return n.failed }

// Address is where SQL clients connect, "" on a witness.
func (n *Node) Address() string {
	if n.listener == nil {
		return ""
	}
	return n.listener.Addr().String()
}

// StartTime is how long Start took.
func (n *Node) StartTime() time.Duration { return n.started }

// Stop ends every session with 57P01 and closes everything. Nothing committed is lost. It may be called again.
func (n *Node) Stop() error {
	n.stopOnce.Do(func() { n.stopErr = n.stop() })
	return n.stopErr
}

func (n *Node) stop() error {
	var errs []error
	if n.listener != nil {
		_ = n.listener.Close()
	}
	if n.server != nil {
		n.server.Shutdown()
	}
	if n.profiles != nil {
		_ = n.profiles.Close()
	}
	n.serving.Wait()
	if n.cancel != nil {
		n.cancel()
	}
	if n.sql != nil {
		n.sql.stop()
	}
	if n.data != nil {
		errs = append(errs, n.data.stop())
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Close())
	}
	return errors.Join(errs...)
}

// wireBackend is the SQL engine as the wire server sees it.
type wireBackend struct{ engine *session.Engine }

func (b wireBackend) Role(ctx context.Context, name string) (pgwire.Role, error) {
	r, err := b.engine.Role(ctx, name)
	if err != nil || r == nil {
		return pgwire.Role{}, err
	}
	return pgwire.Role{Exists: true, Login: r.Login, Verifier: r.Password}, nil
}

func (b wireBackend) Open(ctx context.Context, st session.Startup, sink session.Sink) (pgwire.Session, error) {
	return b.engine.Open(ctx, st, sink)
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return port
}

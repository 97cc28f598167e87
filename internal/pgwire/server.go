package pgwire

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
)

// errShutdown is why statements end when the server stops.
var errShutdown = failure.New(failure.AdminShutdown, "terminating connection due to administrator command").
	WithSeverity(failure.SeverityFatal)

// errCanceled is why a statement ends that the client has cancelled.
var errCanceled = failure.New(failure.QueryCanceled, "canceling statement due to user request")

// Server accepts connections and serves each until it ends.
type Server struct {
	cfg Config

	mu struct {
		sync.Mutex
		conns   map[int32]*conn // by process id
		nextPID int32
		closed  bool
	}
	wg sync.WaitGroup
}

// NewServer makes a server; Serve starts it.
func NewServer(cfg Config) *Server {
	s := &Server{cfg: cfg.withDefaults()}
	s.mu.conns = map[int32]*conn{}
	s.mu.nextPID = int32(s.cfg.Host.Uint64()%50000) + 1000
	return s
}

// Serve accepts connections until the listener closes, and then returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	for {
		nc, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			// Out of descriptors and the like: the connections there are may end soon.
			s.cfg.Log.Warn("accepting a connection failed", "error", err)
			if err := s.cfg.Host.Sleep(ctx, 50*time.Millisecond); err != nil {
				return nil
			}
			continue
		}
		c := s.admit(ctx, nc)
		if c == nil {
			_ = nc.Close()
			continue
		}
		go func() {
			defer s.wg.Done()
			c.serve()
			s.forget(c)
		}()
	}
}

// admit registers a connection, or returns nil when the server is stopping. Being over the limit is told to the
// client after its startup packet, as PostgreSQL does.
func (s *Server) admit(ctx context.Context, nc net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed || len(s.mu.conns) >= s.cfg.MaxConnections+100 {
		return nil
	}
	for {
		s.mu.nextPID = s.mu.nextPID%0x3fffffff + 1
		if _, taken := s.mu.conns[s.mu.nextPID]; !taken {
			break
		}
	}
	c := newConn(s, nc, s.mu.nextPID, int32(s.cfg.Host.Uint64()))
	c.overLimit = len(s.mu.conns) >= s.cfg.MaxConnections
	c.baseCtx = func() (context.Context, context.CancelCauseFunc) { return context.WithCancelCause(ctx) }
	c.renewContext()
	s.mu.conns[c.pid] = c
	s.wg.Add(1)
	return c
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.mu.conns, c.pid)
	s.mu.Unlock()
}

// Cancel ends the running statement of a session, when the secret is right. An idle session is left alone.
func (s *Server) Cancel(pid, secret int32) {
	if c := s.byPID(pid); c != nil && c.secret == secret {
		c.cancelStatement(errCanceled)
	}
}

// CancelBackend is pg_cancel_backend: like Cancel, by a caller that may. It reports whether there is such a session.
func (s *Server) CancelBackend(pid int32) bool {
	c := s.byPID(pid)
	if c != nil {
		c.cancelStatement(errCanceled)
	}
	return c != nil
}

// TerminateBackend is pg_terminate_backend.
func (s *Server) TerminateBackend(pid int32) bool {
	c := s.byPID(pid)
	if c != nil {
		c.terminate(errShutdown)
	}
	return c != nil
}

func (s *Server) byPID(pid int32) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.conns[pid]
}

// Connections is the number of open connections.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mu.conns)
}

// Shutdown ends every session with 57P01 and waits for them. The listener must be closed already.
func (s *Server) Shutdown() {
	s.mu.Lock()
	s.mu.closed = true
	open := make([]*conn, 0, len(s.mu.conns))
	for _, c := range s.mu.conns {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		c.terminate(errShutdown)
	}
	s.wg.Wait()
}

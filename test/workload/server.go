package workload

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a Meridian process with a data folder of its own.
type Server struct {
	Binary  string
	Dir     string
	Address string
	Args    []string
	cmd     *exec.Cmd
	log     lockedBuffer
	exited  chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Log is what the process has printed so far.
func (s *Server) Log() string {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.b.String()
}

// NewServer prepares a server on a free port of this machine.
func NewServer(binary, dir string, args ...string) (*Server, error) {
	address, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	return &Server{Binary: binary, Dir: dir, Address: address, Args: args}, nil
}

// FreeAddress is an address of this machine that nobody listens on.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// URL is the connection string for a role.
func (s *Server) URL(role string) string {
	return fmt.Sprintf("postgres://%s@%s/postgres?sslmode=disable", role, s.Address)
}

// Port is the SQL port.
func (s *Server) Port() string {
	_, p, _ := net.SplitHostPort(s.Address)
	return p
}

// launch runs the process.
func (s *Server) launch() error {
	s.cmd = exec.Command(s.Binary, append([]string{"start", "--data-dir", s.Dir, "--listen", s.Address}, s.Args...)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait()
		close(exited)
	}(s.cmd, s.exited)
	return nil
}

// Start runs the process and waits until it answers a query.
func (s *Server) Start(ctx context.Context) error {
	if err := s.launch(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("admin"))
		if err == nil {
			_, err = conn.Exec(ctx, "SELECT 1")
			_ = conn.Close(ctx)
			if err == nil {
				return nil
			}
		}
		select {
		case <-s.exited:
			return fmt.Errorf("the server ended: %s", s.Log())
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w (%v)\n%s", ctx.Err(), err, s.Log())
		case <-tick.C:
		}
	}
}

// Kill ends the process as a power cut would end it, and waits until it is gone.
func (s *Server) Kill() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
}

// Stop ends the process with SIGTERM and returns its exit status.
func (s *Server) Stop() int {
	_ = s.cmd.Process.Signal(os.Signal(syscall.SIGTERM))
	<-s.exited
	return s.cmd.ProcessState.ExitCode()
}

// Exited is closed when the process has ended by itself or otherwise.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// ExitCode is the exit status of a process that has ended.
func (s *Server) ExitCode() int { return s.cmd.ProcessState.ExitCode() }

// PID is the process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

package workload

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Place is where a node of a cluster stands.
type Place struct {
	Region, Zone string
	Witness      bool
}

// Cluster is a Meridian cluster of processes on this machine.
type Cluster struct {
	Nodes  []*Server
	Places []Place
	// NodeAddresses are the addresses between nodes, as given to --join.
	NodeAddresses []string
	// Args go to every node.
	Args   []string
	binary string
}

// NewCluster prepares a cluster with one node for each place. Folders are made below dir.
func NewCluster(binary, dir string, places []Place, args ...string) (*Cluster, error) {
	c := &Cluster{Places: places, Args: args, binary: binary}
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	address := func() (string, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		held = append(held, l) // all ports are held until the last is found, so that they differ
		return l.Addr().String(), nil
	}
	for range places {
		a, err := address()
		if err != nil {
			return nil, err
		}
		c.NodeAddresses = append(c.NodeAddresses, a)
	}
	for i := range places {
		a, err := address()
		if err != nil {
			return nil, err
		}
		s := &Server{Binary: binary, Dir: filepath.Join(dir, fmt.Sprintf("node%d", i+1)), Address: a}
		c.Nodes = append(c.Nodes, s)
		s.Args = c.args(i)
	}
	return c, nil
}

// args are the command line of a node behind `start --data-dir … --listen …`.
func (c *Cluster) args(i int) []string {
	p := c.Places[i]
	a := []string{"--join", strings.Join(c.NodeAddresses, ","), "--node-listen", c.NodeAddresses[i], "--insecure-nodes",
		"--region", p.Region, "--zone", p.Zone}
	if p.Witness {
		a = append(a, "--witness")
	}
	return append(a, c.Args...)
}

// Add prepares a node that joins later.
func (c *Cluster) Add(dir string, p Place) (*Server, error) {
	n, err := NewCluster(c.binary, dir, []Place{p}, c.Args...)
	if err != nil {
		return nil, err
	}
	s := n.Nodes[0]
	known := c.NodeAddresses
	c.NodeAddresses, c.Places = append(c.NodeAddresses, n.NodeAddresses[0]), append(c.Places, p)
	s.Dir = filepath.Join(dir, fmt.Sprintf("node%d", len(c.Nodes)+1))
	s.Args = append([]string{"--join", strings.Join(known, ","), "--node-listen", n.NodeAddresses[0], "--insecure-nodes",
		"--region", p.Region, "--zone", p.Zone}, c.Args...)
	c.Nodes = append(c.Nodes, s)
	return s, nil
}

// Start runs all nodes at once and waits until every one that serves SQL answers.
func (c *Cluster) Start(ctx context.Context) error {
	errs := make([]error, len(c.Nodes))
	var wg sync.WaitGroup
	for i, s := range c.Nodes {
		wg.Go(func() {
			if c.Places[i].Witness {
				errs[i] = s.launch()
			} else {
				errs[i] = s.Start(ctx)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// URLs are the SQL endpoints of all data nodes.
func (c *Cluster) URLs() []string {
	var urls []string
	for i, s := range c.Nodes {
		if !c.Places[i].Witness {
			urls = append(urls, s.URL("admin"))
		}
	}
	return urls
}

// Kill ends all processes.
func (c *Cluster) Kill() {
	for _, s := range c.Nodes {
		s.Continue()
		s.Kill()
	}
}

// Logs is what all nodes have printed, for a failed test.
func (c *Cluster) Logs() string {
	var b strings.Builder
	for i, s := range c.Nodes {
		text := s.Log()
		if len(text) > 8000 {
			text = "…" + text[len(text)-8000:]
		}
		fmt.Fprintf(&b, "--- node %d\n%s\n", i+1, text)
	}
	return b.String()
}

// Pause stops the process without ending it (SIGSTOP): to the others it is dead, to itself no time has passed.
func (s *Server) Pause() { _ = s.cmd.Process.Signal(syscall.SIGSTOP) }

// Continue lets a paused process go on.
func (s *Server) Continue() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGCONT)
	}
}

// Wipe removes the data of a process that does not run.
func (s *Server) Wipe() error { return os.RemoveAll(s.Dir) }

// Pulse writes and reads single rows through one endpoint, over and over, and remembers when that worked: it measures
// outages as a client sees them.
type Pulse struct {
	URL   string
	Table string
	Row   int

	mu     sync.Mutex
	writes []time.Time
	reads  []time.Time
}

// SetupPulse makes the table with rows for n pulses.
func SetupPulse(ctx context.Context, url, table string, n int) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, fmt.Sprintf("CREATE TABLE %s (id int PRIMARY KEY, n bigint NOT NULL); INSERT INTO %s SELECT g, 0 FROM generate_series(0, %d) g",
		table, table, n-1))
	return err
}

// Run writes (or reads) until the context ends, connecting again when the connection breaks.
func (p *Pulse) Run(ctx context.Context, write bool) {
	for ctx.Err() == nil {
		p.session(ctx, write)
	}
}

func (p *Pulse) session(ctx context.Context, write bool) {
	dial, cancel := context.WithTimeout(ctx, time.Second)
	conn, err := pgx.Connect(dial, p.URL)
	cancel()
	if err != nil {
		pause(ctx, 20*time.Millisecond)
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for ctx.Err() == nil && !conn.IsClosed() {
		one, cancel := context.WithTimeout(ctx, 10*time.Second)
		if write {
			_, err = conn.Exec(one, "UPDATE "+p.Table+" SET n = n + 1 WHERE id = $1", p.Row)
		} else {
			var n int64
			err = conn.QueryRow(one, "SELECT n FROM "+p.Table+" WHERE id = $1", p.Row).Scan(&n)
		}
		cancel()
		if err == nil {
			p.mu.Lock()
			if write {
				p.writes = append(p.writes, time.Now())
			} else {
				p.reads = append(p.reads, time.Now())
			}
			p.mu.Unlock()
		}
		pause(ctx, 2*time.Millisecond)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Gaps returns the longest time without a successful write and without a successful read between two moments.
func (p *Pulse) Gaps(from, to time.Time) (write, read time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return gap(p.writes, from, to), gap(p.reads, from, to)
}

func gap(at []time.Time, from, to time.Time) time.Duration {
	last, longest := from, time.Duration(0)
	for _, t := range at {
		if t.Before(from) || t.After(to) {
			continue
		}
		longest, last = max(longest, t.Sub(last)), t
	}
	return max(longest, to.Sub(last))
}

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/meridiandb/meridian/internal/control"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/rpc"
)

// demoCommand runs a whole cluster of processes on this machine, with the distances of real regions.
type demoCommand struct {
	Regions        int           `help:"Number of regions with data (default: ${default})." default:"3" placeholder:"N"`
	Witness        bool          `help:"Add a witness region, which holds journals only: with two regions of data, either may vanish."`
	NodesPerRegion int           `help:"Data nodes in each region (default: ${default})." default:"1" placeholder:"N"`
	RTT            time.Duration `name:"rtt" help:"Round trip between regions, which is added to everything sent between them (default: ${default})." default:"60ms" placeholder:"DURATION"`
	Journals       int           `help:"Number of journals (default: one for each data node, at least 2)." default:"0" placeholder:"N"`
	Port           int           `help:"First port for SQL clients; each node takes the next free one (default: ${default})." default:"5440" placeholder:"PORT"`
	DataDir        string        `help:"Folder for all nodes' data, kept afterwards (default: a temporary one, deleted afterwards)." placeholder:"DIR"`
	CacheSize      byteSize      `help:"Memory for cached data, for each node (default: 64MB)." default:"64MB" placeholder:"SIZE"`
}

// demoNode is one process.
type demoNode struct {
	name, region   string
	witness        bool
	sql, peer, dir string
	args           []string
	cmd            *exec.Cmd
	ended          chan struct{} // closed when the process has ended
}

func regionNames() []string {
	return []string{"eu-west", "us-east", "ap-south", "us-west", "sa-east", "af-south", "me-central", "eu-north", "ap-east"}
}

// Run starts the cluster, prints how to use it, and stops it on a signal.
func (c *demoCommand) Run(s *streams) error {
	if c.Regions < 1 || c.Regions > len(regionNames()) || c.NodesPerRegion < 1 || c.Regions*c.NodesPerRegion > 30 {
		return failure.New(failure.InvalidParameterValue, "--regions goes from 1 to %d, and 30 nodes are enough for one machine", len(regionNames()))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	dir, cleanup, err := c.folder()
	if err != nil {
		return err
	}
	defer cleanup()
	nodes, err := c.plan(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Starting %d nodes in %s …\n", len(nodes), dir)
	defer stopAll(s.out, nodes)
	began := time.Now()
	for _, n := range nodes {
		if err := n.start(); err != nil {
			return err
		}
	}
	st, err := c.await(ctx, nodes)
	if err != nil {
		return err
	}
	if st == nil {
		return nil // interrupted
	}
	c.greet(s.out, nodes, st, time.Since(began))
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, n := range nodes {
		wg.Go(func() {
			select {
			case <-n.ended:
				fmt.Fprintf(s.out, "\nnode %s in %s has ended: %s. Start it again with\n  %s\n", n.name, n.region, n.cmd.ProcessState, n.commandLine())
			case <-ctx.Done():
			}
		})
	}
	<-ctx.Done()
	return nil
}

func (c *demoCommand) folder() (dir string, cleanup func(), err error) {
	if c.DataDir != "" {
		dir, err = filepath.Abs(c.DataDir)
		return dir, func() {}, err
	}
	dir, err = os.MkdirTemp("", "meridian-demo-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// plan lays the nodes out. A folder that is used again gives each node the addresses that it had.
func (c *demoCommand) plan(dir string) ([]*demoNode, error) {
	var nodes []*demoNode
	ports := portFinder{next: c.Port}
	defer ports.release()
	add := func(region string, zone int, witness bool) error {
		n := &demoNode{name: fmt.Sprintf("%s-%d", region, zone), region: region, witness: witness}
		n.dir = filepath.Join(dir, n.name)
		var err error
		if n.sql, err = ports.find(); err != nil {
			return err
		}
		if n.peer, err = ports.find(); err != nil {
			return err
		}
		n.args = []string{"start", "--data-dir", n.dir, "--listen", n.sql, "--node-listen", n.peer, "--insecure-nodes", "--region", region,
			"--zone", "z" + strconv.Itoa(zone), "--log-level", "warn", "--cache-size", strconv.FormatInt(int64(c.CacheSize), 10),
			"--journals", strconv.Itoa(c.Journals), "--inject-rtt", c.RTT.String()}
		if witness {
			n.args = append(n.args, "--witness")
		}
		nodes = append(nodes, n)
		return nil
	}
	for zone := range c.NodesPerRegion {
		for _, region := range regionNames()[:c.Regions] {
			if err := add(region, zone+1, false); err != nil {
				return nil, err
			}
		}
	}
	if c.Witness {
		if err := add("witness", 1, true); err != nil {
			return nil, err
		}
	}
	var join []string
	for _, n := range nodes {
		join = append(join, n.peer)
	}
	for _, n := range nodes {
		n.args = append(n.args, "--join", strings.Join(join, ","))
	}
	return nodes, nil
}

// portFinder finds free ports one after the other, and holds them until all are found.
type portFinder struct {
	next int
	held []net.Listener
}

func (p *portFinder) find() (string, error) {
	for range 1000 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(p.next))
		p.next++
		if l, err := net.Listen("tcp", address); err == nil {
			p.held = append(p.held, l)
			return address, nil
		}
	}
	return "", failure.New(failure.ObjectInUse, "no free ports were found").WithHint("Choose others with --port.")
}

func (p *portFinder) release() {
	for _, l := range p.held {
		_ = l.Close()
	}
}

func (n *demoNode) logFile() string { return n.dir + ".log" }

func (n *demoNode) commandLine() string {
	self, err := os.Executable()
	if err != nil {
		self = "meridian"
	}
	return self + " " + strings.Join(n.args, " ")
}

// start runs the node. It is in a group of its own, so that Ctrl-C reaches it only through this process.
func (n *demoNode) start() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(n.dir), 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(n.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	n.cmd = exec.Command(self, n.args...)
	n.cmd.Stdout, n.cmd.Stderr = log, log
	n.cmd.SysProcAttr = childAttributes()
	if err := n.cmd.Start(); err != nil {
		return fmt.Errorf("starting node %s: %w", n.name, err)
	}
	n.ended = make(chan struct{})
	go func() {
		_ = n.cmd.Wait()
		close(n.ended)
	}()
	return nil
}

// await waits until the cluster is in order and every data node serves SQL. Status is nil when a signal came first.
func (c *demoCommand) await(ctx context.Context, nodes []*demoNode) (*control.Status, error) {
	h := oshost.New()
	network := rpc.New(rpc.Config{Host: h})
	defer network.Close()
	client := control.Client{Network: network, Random: h, Address: nodes[0].peer}
	for {
		for _, n := range nodes {
			select {
			case <-n.ended:
				return nil, failure.New(failure.CannotConnectNow, "node %s has ended: %s", n.name, n.cmd.ProcessState).
					WithHint("Its last words:\n%s", tail(n.logFile()))
			default:
			}
		}
		if ready(nodes) {
			one, cancel := context.WithTimeout(ctx, 5*time.Second)
			st, err := client.Status(one)
			cancel()
			if err == nil && st.Leader != 0 && len(st.Problems) == 0 && !slices.ContainsFunc(st.Journals, func(j control.JournalStatus) bool { return j.Leader != j.Preferred }) {
				return st, nil
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// ready says whether all data nodes accept SQL clients and answer them.
func ready(nodes []*demoNode) bool {
	for _, n := range nodes {
		if !n.witness && !speaks(n.sql) {
			return false
		}
	}
	return true
}

// speaks says whether a PostgreSQL server answers at an address: it answers a request for encryption with one byte.
func speaks(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := c.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}); err != nil {
		return false
	}
	var b [1]byte
	_, err = io.ReadFull(c, b[:])
	return err == nil
}

// tail returns the last lines of a file.
func tail(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	var lines []string
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if lines = append(lines, sc.Text()); len(lines) > 8 {
			lines = lines[1:]
		}
	}
	return strings.Join(lines, "\n")
}

func (c *demoCommand) greet(w io.Writer, nodes []*demoNode, st *control.Status, took time.Duration) {
	kind := fmt.Sprintf("%d regions", c.Regions)
	if c.Witness {
		kind += " and a witness"
	}
	fmt.Fprintf(w, "\nA cluster over %s, %s apart, is ready after %s.\n\n", kind, c.RTT, took.Round(100*time.Millisecond))
	printStatus(w, st)
	fmt.Fprintf(w, "\nConnect to any region, for reads and for writes:\n\n")
	for _, n := range nodes {
		if n.witness {
			continue
		}
		fmt.Fprintf(w, "  %-14s psql postgres://admin@%s/postgres\n", n.name, n.sql)
	}
	data := nodes[0]
	fmt.Fprintf(w, "\nTry:\n\n")
	fmt.Fprintf(w, "  meridian status --node %s --insecure-nodes\n", data.peer)
	gone, pids := regionNames()[c.Regions-1], ""
	for _, n := range nodes {
		if n.region == gone {
			pids += " " + strconv.Itoa(n.cmd.Process.Pid)
		}
	}
	fmt.Fprintf(w, "  kill -9%s      the region %s vanishes; nothing that was committed is lost\n", pids, gone)
	fmt.Fprintf(w, "\nLogs are in %s. Ctrl-C stops everything", filepath.Dir(data.dir))
	if c.DataDir == "" {
		fmt.Fprintf(w, " and deletes it")
	}
	fmt.Fprintf(w, ".\n")
}

// stopAll ends the nodes: in good order, or after a while without.
func stopAll(w io.Writer, nodes []*demoNode) {
	fmt.Fprintln(w, "\nStopping …")
	for _, n := range nodes {
		if n.ended != nil {
			_ = n.cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	deadline := time.After(10 * time.Second)
	for _, n := range nodes {
		if n.ended == nil {
			continue
		}
		select {
		case <-n.ended:
			continue
		case <-deadline:
		}
		if err := n.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			fmt.Fprintf(w, "node %s does not end: %v\n", n.name, err)
			continue
		}
		<-n.ended
	}
}

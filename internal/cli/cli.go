// Package cli is the command line: flags to configurations, signals to shutdown, errors to words a person can act on.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/node"
)

// Version is Meridian's version.
const Version = "0.1.0"

// commands is the command line as a struct; the help texts are its documentation.
type commands struct {
	Start   startCommand   `cmd:"" help:"Start a durable, PostgreSQL-compatible database in this process."`
	Status  statusCommand  `cmd:"" help:"Show a cluster: regions, nodes, journals, what is not as it should be."`
	Node    nodeCommand    `cmd:"" help:"List, drain and remove a cluster's nodes."`
	Cluster clusterCommand `cmd:"" help:"Change what holds for the whole cluster."`
	Demo    demoCommand    `cmd:"" help:"Run a whole cluster over several regions on this machine."`
	Certs   certsCommands  `cmd:"" help:"Make certificates and join tokens, so that nodes trust each other."`
	Version versionCommand `cmd:"" help:"Print the version, and what the binary was built with."`
}

type startCommand struct {
	DataDir        string        `help:"Folder for all data; made when it is missing (default: ${default})." default:"./meridian-data" placeholder:"DIR" env:"MERIDIAN_DATA_DIR"`
	Listen         string        `help:"Address and port for SQL clients (default: ${default})." default:"127.0.0.1:5432" placeholder:"HOST:PORT" env:"MERIDIAN_LISTEN"`
	ConflictRanges int           `help:"Number of conflict ranges, each with an adjudicator and a journal of its own. Fixed when the data folder is made (default: ${default})." default:"2" placeholder:"N"`
	CacheSize      byteSize      `help:"Memory for cached data: bytes, or with MB or GB. 0 is a quarter of the machine's memory, at most 4 GB." default:"0" placeholder:"SIZE"`
	QueryMemory    byteSize      `help:"Memory one query may use before it spills to disk (default: ${default})." default:"256MB" placeholder:"SIZE"`
	Retention      time.Duration `help:"How long old row versions are kept for running transactions (default: ${default})." default:"5m" placeholder:"DURATION"`
	MaxConnections int           `help:"Largest number of client connections (default: ${default})." default:"1000" placeholder:"N"`
	AllowPlaintext bool          `help:"Let clients on other machines connect without TLS."`
	TrustRemote    bool          `help:"Let roles without a password connect from other machines. Dangerous outside a private network."`
	AutoAnalyze    time.Duration `help:"How often tables that have changed much are analysed for the planner; 0 is never (default: ${default})." default:"1m" placeholder:"DURATION"`
	LogLevel       string        `help:"Least severe messages to log (default: ${default})." enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL"`
	clusterFlags
	compatFlags
	Profile string `help:"Serve Go's runtime profiles over HTTP on this address (for developers)." placeholder:"HOST:PORT" hidden:""`
}

type versionCommand struct{}

// byteSize is a number of bytes with an optional unit.
type byteSize int64

// UnmarshalText reads "256MB", "1GiB", "1024".
func (b *byteSize) UnmarshalText(text []byte) error {
	var n float64
	var unit string
	s := strings.ToUpper(strings.TrimSpace(string(text)))
	if _, err := fmt.Sscanf(s, "%f%s", &n, &unit); err != nil && unit == "" && !errors.Is(err, io.EOF) && err.Error() != "unexpected EOF" {
		return fmt.Errorf("%q is not a size: use bytes, or a number with KB, MB or GB", text)
	}
	scale := map[string]float64{"": 1, "B": 1, "K": 1 << 10, "KB": 1 << 10, "KIB": 1 << 10, "M": 1 << 20, "MB": 1 << 20,
		"MIB": 1 << 20, "G": 1 << 30, "GB": 1 << 30, "GIB": 1 << 30}
	f, ok := scale[unit]
	if !ok || n < 0 {
		return fmt.Errorf("%q is not a size: use bytes, or a number with KB, MB or GB", text)
	}
	*b = byteSize(n * f)
	return nil
}

const description = `Meridian is a distributed SQL database that speaks PostgreSQL.

Start one and connect with any PostgreSQL client:

    meridian start
    psql postgres://admin@127.0.0.1:5432/postgres

Everything a client was told is committed survives a crash or a power cut.`

// Main runs the command line and returns the exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	var c commands
	exited := false
	parser, err := kong.New(&c, kong.Name("meridian"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(stderr, "meridian:", err)
		return 2
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	run, err := parser.Parse(args)
	if exited {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "meridian:", err)
		fmt.Fprintln(stderr, "Try 'meridian --help'.")
		return 2
	}
	if err := run.Run(&streams{stdout, stderr}); err != nil {
		printError(stderr, err)
		return 1
	}
	return 0
}

type streams struct{ out, err io.Writer }

func printError(w io.Writer, err error) {
	fmt.Fprintln(w, "meridian:", err)
	e := failure.As(err)
	switch {
	case e == nil:
	case e.Hint != "":
		fmt.Fprintln(w, "hint:", e.Hint)
	case e.Code == failure.DiskFull:
		fmt.Fprintln(w, "hint: Make room on the file system of the data folder, then start again. Nothing that was acknowledged is lost.")
	}
}

// Run prints the version.
func (versionCommand) Run(s *streams) error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, kv := range info.Settings {
			if kv.Key == "vcs.revision" {
				revision = " (" + kv.Value[:min(12, len(kv.Value))] + ")"
			}
		}
	}
	fmt.Fprintf(s.out, "meridian %s%s\n%s %s/%s, PostgreSQL protocol 3.0\n", Version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// Run starts a node and serves until a signal or a fatal error.
func (c *startCommand) Run(s *streams) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("--log-level: %w", err)
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	h := oshost.New()
	cluster, err := c.clusterConfig(h)
	if err != nil {
		return err
	}
	n, err := node.Start(ctx, node.Config{
		Host: h, Log: log, Version: Version,
		DataDir: c.DataDir, Listen: c.Listen, ConflictRanges: c.ConflictRanges,
		CacheBytes: int64(c.CacheSize), QueryMemoryBytes: int64(c.QueryMemory), Retention: c.Retention, AutoAnalyze: neverAtZero(c.AutoAnalyze),
		MaxConnections: c.MaxConnections, PlaintextAnywhere: c.AllowPlaintext, TrustAnywhere: c.TrustRemote,
		ProfileAddress: c.Profile, Cluster: cluster, Compat: c.Compat,
	})
	if err != nil {
		return explainStart(err, c)
	}
	c.greet(s.out, n)
	select {
	case <-ctx.Done():
		stop() // a second signal ends the process at once
		log.Info("stopping: open statements end, everything committed is kept")
		return n.Stop()
	case err := <-n.Failed():
		_ = n.Stop()
		return fmt.Errorf("the node stopped itself: %w", err)
	}
}

// explainStart adds what to do about the usual reasons for not starting.
func explainStart(err error, c *startCommand) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return failure.New(failure.ObjectInUse, "cannot listen on %s: the port is in use", c.Listen).
			WithHint("Choose another with --listen, for example --listen %s.", otherPort(c.Listen)).WithCause(err)
	}
	return err
}

func otherPort(listen string) string {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, "5433")
}

func (c *startCommand) greet(w io.Writer, n *node.Node) {
	addr := n.Address()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = addr, ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	fmt.Fprintf(w, "Meridian %s is ready in %s.\n\n", Version, n.StartTime().Round(time.Millisecond))
	fmt.Fprintf(w, "  connect   psql postgres://admin@%s/postgres\n", net.JoinHostPort(host, port))
	fmt.Fprintf(w, "  data      %s\n", c.DataDir)
	fmt.Fprintf(w, "  access    roles without a password are trusted from this machine; set one with\n")
	fmt.Fprintf(w, "            ALTER ROLE admin PASSWORD '...' to require it everywhere\n")
	fmt.Fprintf(w, "  stop      Ctrl-C, or kill -TERM %d\n\n", os.Getpid())
}

// neverAtZero is a period as a node.Config means it, where zero is the default.
func neverAtZero(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/meridiandb/meridian/internal/control"
	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host/oshost"
	"github.com/meridiandb/meridian/internal/rpc"
)

// memberFlags name a member of a cluster to talk to.
type memberFlags struct {
	Node string `help:"Address for other nodes of any member of the cluster (default: ${default})." default:"127.0.0.1:7432" placeholder:"HOST:PORT" env:"MERIDIAN_NODE"`
	trustFlags
}

// with runs f with a client of the cluster.
func (m *memberFlags) with(f func(ctx context.Context, c *control.Client) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	h := oshost.New()
	secure, token, err := m.trust(h)
	if err != nil {
		return err
	}
	net := rpc.New(rpc.Config{Host: h, TLS: secure})
	defer net.Close()
	return explainMember(f(ctx, &control.Client{Network: net, Random: h, Address: m.Node, Token: token}), m.Node)
}

func explainMember(err error, address string) error {
	if e := failure.As(err); e != nil && e.Code == failure.CannotConnectNow && e.Hint == "" {
		return e.Edit().WithHint("Is there a member of a cluster at %s? Name one with --node. A process started without --join is not a cluster.", address)
	}
	return err
}

type statusCommand struct {
	memberFlags
	JSON bool `help:"Print everything as JSON."`
}

// Run prints the cluster's state.
func (c *statusCommand) Run(s *streams) error {
	return c.with(func(ctx context.Context, cl *control.Client) error {
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		st, err := cl.Status(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			e := json.NewEncoder(s.out)
			e.SetIndent("", "  ")
			return e.Encode(st)
		}
		printStatus(s.out, st)
		return nil
	})
}

func printStatus(w io.Writer, st *control.Status) {
	leader := "nobody leads the control plane"
	if st.Leader != 0 {
		leader = fmt.Sprintf("node %d leads the control plane", st.Leader)
	}
	fmt.Fprintf(w, "cluster %s   protocol %d   map %d   %s\n\n", st.Map.Cluster, st.Map.Protocol, st.Map.Version, leader)
	printNodes(w, st)
	fmt.Fprintln(w)
	printJournals(w, st)
	printDistances(w, st)
	fmt.Fprintln(w)
	if len(st.Problems) == 0 {
		fmt.Fprintln(w, "Everything is as it should be.")
		return
	}
	fmt.Fprintln(w, "Not as it should be:")
	for _, p := range st.Problems {
		fmt.Fprintln(w, "  -", p)
	}
}

func columns(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

func printNodes(w io.Writer, st *control.Status) {
	t := columns(w)
	fmt.Fprintln(t, "NODE\tREGION\tZONE\tKIND\tSTATE\tHEALTH\tSQL\tFOR NODES\tREPLICAS\tLEADS\tSESSIONS\tCLOCK\tVERSION")
	nodes := slices.Clone(st.Nodes)
	slices.SortStableFunc(nodes, func(a, b control.NodeStatus) int { return cmp.Compare(a.Region, b.Region) })
	for _, n := range nodes {
		kind, sql, sessions, bound := "data", n.SQLAddress, "", ""
		if n.Witness {
			kind, sql = "witness", "-"
		}
		if r := n.Report; r != nil {
			sessions, bound = fmt.Sprint(r.Sessions), "±"+r.ClockBound.String()
			if r.ClockLost {
				bound = "lost"
			}
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", n.ID, n.Region, n.Zone, kind, n.State, n.Health, sql, n.Address,
			n.Seats, n.Leads, sessions, bound, n.Software)
	}
	_ = t.Flush()
}

func printJournals(w io.Writer, st *control.Status) {
	t := columns(w)
	fmt.Fprintln(t, "JOURNAL\tSHARE\tRANGES\tLEADER\tPREFERRED\tVOTERS\tLEARNERS\tLAG\tSTORAGE LAG\tCOMMITS/S")
	place := func(id meta.NodeID) string {
		if n, ok := st.Map.Node(id); ok {
			return fmt.Sprintf("%d (%s)", id, n.Region)
		}
		return "none"
	}
	for _, j := range st.Journals {
		commits := ""
		if j.Load != nil {
			commits = fmt.Sprintf("%.0f", j.Load.Commits)
		}
		fmt.Fprintf(t, "%d\t%.1f %%\t%d\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", j.ID, 100*j.Share, len(st.Map.RangesOf(j.ID)), place(j.Leader), place(j.Preferred),
			list(j.Voters), list(j.Learners), j.Lag, j.StorageLag, commits)
	}
	_ = t.Flush()
}

func list(ids []meta.NodeID) string {
	if len(ids) == 0 {
		return "-"
	}
	return strings.Trim(fmt.Sprint(ids), "[]")
}

// printDistances prints the round-trip times between regions, when there are several.
func printDistances(w io.Writer, st *control.Status) {
	best := map[[2]string]time.Duration{}
	var names [][2]string
	for _, n := range st.Nodes {
		if n.Report == nil {
			continue
		}
		for _, l := range n.Report.Links {
			to, ok := st.Map.Node(l.Node)
			if !ok || l.RTT == 0 || to.Region <= n.Region {
				continue
			}
			pair := [2]string{n.Region, to.Region}
			if old, seen := best[pair]; !seen || l.RTT < old {
				if !seen {
					names = append(names, pair)
				}
				best[pair] = l.RTT
			}
		}
	}
	if len(names) == 0 {
		return
	}
	slices.SortFunc(names, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	fmt.Fprintln(w)
	t := columns(w)
	fmt.Fprintln(t, "BETWEEN\tAND\tROUND TRIP")
	for _, p := range names {
		fmt.Fprintf(t, "%s\t%s\t%s\n", p[0], p[1], best[p].Round(100*time.Microsecond))
	}
	_ = t.Flush()
}

type clusterCommand struct {
	Set clusterSetCommand `cmd:"" help:"Change a cluster-wide setting."`
}

type clusterSetCommand struct {
	memberFlags
	Name  string `arg:"" help:"The setting: \"replicas\" is how many voters a journal has (1, 3 or 5)."`
	Value string `arg:"" optional:"" help:"Its value; nothing for the default."`
}

// Run changes a setting.
func (c *clusterSetCommand) Run(s *streams) error {
	return c.with(func(ctx context.Context, cl *control.Client) error {
		err := cl.Do(ctx, control.Admin{Do: "set", Name: c.Name, Value: c.Value})
		if err == nil {
			fmt.Fprintf(s.out, "%s is set\n", c.Name)
		}
		return err
	})
}

type nodeCommand struct {
	List    nodeListCommand    `cmd:"" help:"List the cluster's nodes."`
	Drain   nodeDrainCommand   `cmd:"" help:"Move everything off a node, so that it can be stopped or removed."`
	Undrain nodeUndrainCommand `cmd:"" help:"Let a drained node be used again."`
	Remove  nodeRemoveCommand  `cmd:"" help:"Remove a node for good; a live one is drained first."`
}

type nodeListCommand struct {
	memberFlags
}

// Run prints the nodes.
func (c *nodeListCommand) Run(s *streams) error {
	return c.with(func(ctx context.Context, cl *control.Client) error {
		st, err := cl.Status(ctx)
		if err == nil {
			printNodes(s.out, st)
		}
		return err
	})
}

type nodeDrainCommand struct {
	memberFlags
	ID     meta.NodeID   `arg:"" help:"The node's number, from \"meridian node list\"."`
	Within time.Duration `help:"How long to wait until nothing is left on it (default: ${default})." default:"10m" placeholder:"DURATION"`
}

// Run drains a node and waits for it.
func (c *nodeDrainCommand) Run(s *streams) error {
	return c.with(func(ctx context.Context, cl *control.Client) error {
		if err := drain(ctx, s.out, cl, c.ID, c.Within); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "node %d holds no replicas any more\n", c.ID)
		return nil
	})
}

type nodeUndrainCommand struct {
	memberFlags
	ID meta.NodeID `arg:"" help:"The node's number."`
}

// Run lets a node be used again.
func (c *nodeUndrainCommand) Run(s *streams) error {
	return c.with(func(ctx context.Context, cl *control.Client) error {
		err := cl.Do(ctx, control.Admin{Do: "undrain", Node: c.ID})
		if err == nil {
			fmt.Fprintf(s.out, "node %d may be given replicas again\n", c.ID)
		}
		return err
	})
}

type nodeRemoveCommand struct {
	memberFlags
	ID     meta.NodeID   `arg:"" help:"The node's number."`
	Within time.Duration `help:"How long to wait until nothing is left on it (default: ${default})." default:"10m" placeholder:"DURATION"`
}

// Run drains a node and removes it.
func (c *nodeRemoveCommand) Run(s *streams) error {
	return c.with(func(ctx context.Context, cl *control.Client) error {
		if err := drain(ctx, s.out, cl, c.ID, c.Within); err != nil {
			return err
		}
		if err := cl.Do(ctx, control.Admin{Do: "remove", Node: c.ID}); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "node %d is no member any more; its data folder can be deleted\n", c.ID)
		return nil
	})
}

// drain starts to drain a node and waits until it holds nothing, telling what is in the way.
func drain(ctx context.Context, w io.Writer, cl *control.Client, id meta.NodeID, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := cl.Do(ctx, control.Admin{Do: "drain", Node: id}); err != nil {
		return err
	}
	said := ""
	for {
		st, err := cl.Status(ctx)
		if err == nil {
			if st.Map.Seats(id) == 0 {
				return nil
			}
			// How long a node is silent is no news.
			news := slices.DeleteFunc(st.Problems, func(p string) bool {
				return strings.Contains(p, "silent for") || strings.Contains(p, "was heard of it")
			})
			if text := strings.Join(news, "\n  "); text != said {
				said = text
				fmt.Fprintf(w, "node %d holds %d replicas\n  %s\n", id, st.Map.Seats(id), text)
			}
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return failure.New(failure.QueryCanceled, "node %d still holds replicas", id).
				WithHint("It stays in state draining. Start another node that can take its place, or take it back: meridian node undrain %d", id)
		}
	}
}

package placement

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/txn"
)

// TestTables runs testdata.
//
//	nodes                     one line each: NUMBER REGION/ZONE [witness] [leaving] [silent|dead]
//	voters replicas= current= the voters wanted
//	move replicas= voters= learners= leader= preferred= behind=   every step until nothing is left to do; replicas that are
//	                          "behind" never catch up
//	leaders                   one line each: JOURNAL VOTERS PREFERRED [REGION=WRITES …]
func TestTables(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var nodes []Node
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "nodes":
				nodes = parseNodes(d.Input)
				return fmt.Sprintf("%d replicas of a journal, %d of the map\n", Replicas(nodes, 0), ControlReplicas(nodes))
			case "voters":
				return fmt.Sprintln(Voters(nodes, ids(d, "current"), number(d, "replicas"), nil))
			case "move":
				return move(t, nodes, d)
			case "leaders":
				return leaders(nodes, d.Input)
			}
			d.Fatalf(t, "unknown command")
			return ""
		})
	})
}

func parseNodes(text string) (out []Node) {
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		region, zone, _ := strings.Cut(f[1], "/")
		n := Node{ID: id(f[0]), Region: region, Zone: zone, Witness: slices.Contains(f, "witness"), Leaving: slices.Contains(f, "leaving")}
		if slices.Contains(f, "silent") {
			n.Health = Silent
		}
		if slices.Contains(f, "dead") {
			n.Health = Dead
		}
		out = append(out, n)
	}
	return out
}

func id(s string) (n meta.NodeID) {
	_, _ = fmt.Sscan(s, &n)
	return n
}

func ids(d *datadriven.TestData, key string) (out []meta.NodeID) {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			for _, v := range a.Vals {
				out = append(out, id(v))
			}
		}
	}
	return out
}

func number(d *datadriven.TestData, key string) int {
	if v := ids(d, key); len(v) > 0 {
		return int(v[0])
	}
	return 0
}

func move(t *testing.T, nodes []Node, d *datadriven.TestData) string {
	behind := ids(d, "behind")
	g := Members{Voters: ids(d, "voters"), Learners: ids(d, "learners"), Leader: meta.NodeID(number(d, "leader")),
		Caught: func(id meta.NodeID) bool { return !slices.Contains(behind, id) }}
	replicas := number(d, "replicas")
	var out strings.Builder
	for range 30 {
		want := Voters(nodes, g.Voters, replicas, nil)
		s := Next(nodes, g, want, replicas, meta.NodeID(number(d, "preferred")))
		fmt.Fprintln(&out, s)
		switch s.Kind {
		case Stay:
			fmt.Fprintf(&out, "voters %v learners %v leader %d, want %v\n", g.Voters, g.Learners, g.Leader, want)
			return out.String()
		case AddLearner:
			g.Learners = append(g.Learners, s.Node)
		case Promote:
			g.Learners = slices.DeleteFunc(g.Learners, func(id meta.NodeID) bool { return id == s.Node })
			g.Voters = append(g.Voters, s.Node)
		case RemoveLearner:
			g.Learners = slices.DeleteFunc(g.Learners, func(id meta.NodeID) bool { return id == s.Node })
		case RemoveVoter:
			if s.Node == g.Leader {
				t.Fatal("the leader removed itself")
			}
			g.Voters = slices.DeleteFunc(g.Voters, func(id meta.NodeID) bool { return id == s.Node })
		case Transfer:
			g.Leader = s.Node
		}
	}
	t.Fatalf("no end:\n%s", out.String())
	return ""
}

func leaders(nodes []Node, text string) string {
	var js []Lead
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		j := Lead{Journal: txn.JournalID(id(f[0])), Preferred: id(f[2])}
		for v := range strings.SplitSeq(f[1], ",") {
			j.Voters = append(j.Voters, id(v))
		}
		for _, w := range f[3:] {
			region, share, _ := strings.Cut(w, "=")
			if j.Writes == nil {
				j.Writes = map[string]float64{}
			}
			j.Writes[region] = float64(id(share))
		}
		js = append(js, j)
	}
	got := Leaders(nodes, js)
	var out strings.Builder
	for _, j := range js {
		fmt.Fprintf(&out, "%d: %d\n", j.Journal, got[j.Journal])
	}
	return out.String()
}

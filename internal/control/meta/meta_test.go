package meta

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/raftgroup"
	"github.com/meridiandb/meridian/internal/txn"
)

var _ raftgroup.Machine = (*Machine)(nil)

// TestStories runs scripts of commands. Each prints what changed of the map: lines that went (-) and came (+).
//
//	form nodes=(REGION/ZONE[/witness],…) journals=N    join|update id= address= region= zone= incarnation= protocol=(MIN,MAX) [witness]
//	state node= to=      group journal= epoch= voters=(…) learners=(…) preferred=
//	range start= epoch= [at=|to=|merge]    set name= value=    raise to=    map
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		m := &Map{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "map" {
				return m.String()
			}
			c := command(t, d)
			// What the log carries is the encoded command.
			c, err := DecodeCommand(c.Encode())
			if err != nil {
				t.Fatal(err)
			}
			before := m.String()
			r := m.Apply(c)
			if m.String() != before {
				t.Fatal("Apply changed the old map")
			}
			if r.Err != nil {
				if r.Map != m {
					t.Fatal("a refused command changed the map")
				}
				e := failure.As(r.Err)
				s := fmt.Sprintf("%s: %s\n", e.Code, e.Message)
				if e.Hint != "" {
					s += "hint: " + e.Hint + "\n"
				}
				return s
			}
			out := diff(before, r.Map.String())
			if d.Cmd == "join" {
				out = fmt.Sprintf("node %d\n", r.Node) + out
			}
			m = r.Map
			if back, err := DecodeMap(m.Encode()); err != nil || back.String() != m.String() || !bytes.Equal(back.Encode(), m.Encode()) {
				t.Fatalf("map does not survive its encoding: %v", err)
			}
			return out
		})
	})
}

func diff(a, b string) string {
	la, lb := strings.SplitAfter(a, "\n"), strings.SplitAfter(b, "\n")
	in := func(l []string, s string) bool {
		for _, x := range l {
			if x == s {
				return true
			}
		}
		return false
	}
	var out strings.Builder
	for _, l := range la {
		if l != "" && !in(lb, l) {
			out.WriteString("- " + l)
		}
	}
	for _, l := range lb {
		if l != "" && !in(la, l) {
			out.WriteString("+ " + l)
		}
	}
	if out.Len() == 0 {
		return "nothing changed\n"
	}
	return out.String()
}

func command(t *testing.T, d *datadriven.TestData) *Command {
	var n uint64
	num := func(key string) uint64 { n = 0; d.MaybeScanArgs(t, key, &n); return n }
	str := func(key string) (s string) { d.MaybeScanArgs(t, key, &s); return s }
	hash := func(key string) (h keys.Hash) {
		if s := str(key); s != "" {
			_, _ = fmt.Sscanf(s, "%x", &h)
		}
		return h
	}
	ids := func(key string) (out []NodeID) {
		for _, a := range d.CmdArgs {
			if a.Key == key {
				for _, v := range a.Vals {
					var id NodeID
					_, _ = fmt.Sscan(v, &id)
					out = append(out, id)
				}
			}
		}
		return out
	}
	node := func() *Node {
		n := &Node{ID: NodeID(num("id")), Address: str("address"), Region: str("region"), Zone: str("zone"),
			Incarnation: str("incarnation"), Software: "0.2.0", MinProtocol: 1, MaxProtocol: 1, Witness: d.HasArg("witness")}
		if d.HasArg("protocol") {
			d.ScanArgs(t, "protocol", &n.MinProtocol, &n.MaxProtocol)
		}
		return n
	}
	c := &Command{ID: 7}
	switch d.Cmd {
	case "form":
		c.Form = firstMap(d)
	case "join":
		c.Join = node()
	case "update":
		c.Update = node()
	case "state":
		c.State = &StateChange{Node: NodeID(num("node")), To: State(str("to"))}
	case "group":
		c.Group = &GroupChange{Journal: txn.JournalID(num("journal")), IfEpoch: num("epoch"), Voters: ids("voters"),
			Learners: ids("learners"), Preferred: NodeID(num("preferred"))}
	case "range":
		c.Range = &RangeChange{Start: hash("start"), IfEpoch: num("epoch"), At: hash("at"), To: txn.JournalID(num("to")), Merge: d.HasArg("merge")}
	case "set":
		c.Setting = &Setting{Name: str("name"), Value: str("value")}
	case "raise":
		c.Protocol = int(num("to"))
	case "nothing":
	default:
		d.Fatalf(t, "unknown command %q", d.Cmd)
	}
	return c
}

func firstMap(d *datadriven.TestData) *Map {
	m := &Map{Version: 1, Cluster: "c1", HashSeed: 42, Protocol: 1, NextNode: 1}
	var voters []NodeID
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "nodes":
			for _, v := range a.Vals {
				p := strings.Split(v, "/")
				m.Nodes = append(m.Nodes, Node{ID: m.NextNode, Address: fmt.Sprintf("n%d:7432", m.NextNode), Region: p[0], Zone: p[1], Witness: len(p) > 2,
					State: Joining, Incarnation: fmt.Sprintf("i%d", m.NextNode), Software: "0.2.0", MinProtocol: 1, MaxProtocol: 1})
				voters = append(voters, m.NextNode)
				m.NextNode++
			}
		case "journals":
			var n txn.JournalID
			_, _ = fmt.Sscan(a.Vals[0], &n)
			ids := make([]txn.JournalID, n)
			for i := range n {
				ids[i] = i + 1
				m.Journals = append(m.Journals, Journal{ID: i + 1, Group: Group{Voters: voters, Epoch: 1}})
			}
			m.Ranges = EqualRanges(ids)
		}
	}
	m.Control = Group{Voters: voters, Epoch: 1}
	return m
}

func FuzzDecode(f *testing.F) {
	m := &Map{Version: 1, Cluster: "c", Protocol: 1, NextNode: 2, Nodes: []Node{{ID: 1, State: Up}}, Control: Group{Voters: []NodeID{1}},
		Journals: []Journal{{ID: 1, Group: Group{Voters: []NodeID{1}}}}, Ranges: EqualRanges([]txn.JournalID{1})}
	f.Add(m.Encode())
	f.Add((&Command{ID: 1, Join: &Node{Address: "a", Incarnation: "i", MaxProtocol: 1}}).Encode())
	f.Add((&Command{ID: 1, Range: &RangeChange{At: 5, IfEpoch: 1}}).Encode())
	f.Add((&Command{ID: 1, Group: &GroupChange{Voters: []NodeID{1}}}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := DecodeMap(b); err == nil && got.Version > 0 {
			again, err := DecodeMap(got.Encode())
			if err != nil || !bytes.Equal(again.Encode(), got.Encode()) {
				t.Fatalf("does not survive: %v", err)
			}
		}
		if c, err := DecodeCommand(b); err == nil {
			// Any command on any map gives a sound map.
			for _, from := range []*Map{{}, m} {
				if r := from.Apply(c); r.Err == nil && r.Map.Version > 0 {
					if err := r.Map.validate(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}

// TestMachine plays the group's part.
func TestMachine(t *testing.T) {
	s, err := NewMachine(nil)
	if err != nil {
		t.Fatal(err)
	}
	woken := 0
	s.OnWork(func() { woken++ })
	if _, err := s.Propose(context.Background(), &Command{ID: 1}); failure.CodeOf(err) != failure.CannotConnectNow {
		t.Fatalf("a follower took a command: %v", err)
	}
	s.Lead(3)
	type answer struct {
		r   Result
		err error
	}
	answers := make(chan answer)
	propose := func(c *Command) {
		go func() {
			r, err := s.Propose(context.Background(), c)
			answers <- answer{r, err}
		}()
	}
	next := func() []byte {
		for {
			if b := s.Gather(); b != nil {
				return b
			}
		}
	}
	first := &Map{Version: 1, Cluster: "c", Protocol: 1, NextNode: 2, Nodes: []Node{{ID: 1, State: Up}}, Control: Group{Voters: []NodeID{1}},
		Journals: []Journal{{ID: 1, Group: Group{Voters: []NodeID{1}}}}, Ranges: EqualRanges([]txn.JournalID{1})}
	changed := s.View().Changed
	propose(&Command{ID: 1, Form: first})
	s.Apply(2, 3, next())
	if a := <-answers; a.err != nil || a.r.Map.Version != 1 {
		t.Fatalf("form: %+v", a)
	}
	<-changed
	propose(&Command{ID: 2, Setting: &Setting{"a", "b"}})
	next()
	s.Follow()
	if a := <-answers; failure.CodeOf(a.err) != failure.StatementCompletionUnknown {
		t.Fatalf("lost leadership: %+v", a)
	}
	index, data, _ := s.Snapshot()
	again, err := NewMachine(data)
	if err != nil || index != 2 || again.View().Map.String() != s.View().Map.String() {
		t.Fatalf("checkpoint of %d: %v", index, err)
	}
	s.Apply(3, 3, []byte{9, 9})
	if v := s.View(); v.Err == nil || v.Term != 0 {
		t.Fatal("an unreadable entry did not stop the group")
	}
	if woken == 0 {
		t.Fatal("nobody was woken")
	}
}

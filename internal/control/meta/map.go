package meta

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// NodeID is a node's number: its Raft id, its rpc address and the node part of its transactions' ids. Numbers start at
// 1 and are never used again.
type NodeID uint32

// State of a node.
type State string

// The states of a node. A removed one stays in the map for ever, so that it is recognised when it comes back.
const (
	Joining  State = "joining"  // has a number, has not reported for duty yet
	Up       State = "up"       // may be given replicas
	Draining State = "draining" // loses its replicas; it still serves SQL until it is stopped
	Removed  State = "removed"
)

// Node is a member of the cluster.
type Node struct {
	ID NodeID `json:"id"`
	// Address is where other nodes reach it, SQLAddress where clients do.
	Address    string `json:"address"`
	SQLAddress string `json:"sql_address"`
	Region     string `json:"region"`
	Zone       string `json:"zone"`
	// Witness nodes hold replicas of journals and of the map only.
	Witness bool  `json:"witness,omitempty"`
	State   State `json:"state"`
	// Incarnation is a random word made with the data folder: a node with a new disk is not the same node.
	Incarnation string `json:"incarnation"`
	Software    string `json:"software"`
	// MinProtocol to MaxProtocol are the versions of the cluster's protocol that the node's software knows.
	MinProtocol int `json:"min_protocol"`
	MaxProtocol int `json:"max_protocol"`
}

// Group says who holds replicas of a Raft group.
type Group struct {
	Voters   []NodeID `json:"voters"`
	Learners []NodeID `json:"learners,omitempty"`
	// Preferred is the node that should lead, 0 for any.
	Preferred NodeID `json:"preferred,omitempty"`
	// Epoch counts the changes of this entry.
	Epoch uint64 `json:"epoch"`
}

// Journal is a journal's group.
type Journal struct {
	ID txn.JournalID `json:"id"`
	Group
}

// Range is a part of the hash space: from Start up to the next range's.
type Range struct {
	Start   keys.Hash     `json:"start"`
	Journal txn.JournalID `json:"journal"`
	Epoch   uint64        `json:"epoch"`
}

// Map is all that the cluster agrees on about itself. Nobody changes one once it was handed out.
type Map struct {
	// Version is raised by every command that took effect; 0 is the map of no cluster.
	Version  uint64 `json:"version"`
	Cluster  string `json:"cluster"`
	HashSeed uint64 `json:"hash_seed"`
	// Protocol is the version of the cluster's protocol that is in use; every node knows it.
	Protocol int    `json:"protocol"`
	NextNode NodeID `json:"next_node"`
	// Nodes are in the order of their numbers, Journals in that of their ids, Ranges in that of their starts.
	Nodes    []Node            `json:"nodes"`
	Control  Group             `json:"control"`
	Journals []Journal         `json:"journals"`
	Ranges   []Range           `json:"ranges"`
	Settings map[string]string `json:"settings,omitempty"`
}

// Node returns a node by its number.
func (m *Map) Node(id NodeID) (Node, bool) {
	i := sort.Search(len(m.Nodes), func(i int) bool { return m.Nodes[i].ID >= id })
	if i < len(m.Nodes) && m.Nodes[i].ID == id {
		return m.Nodes[i], true
	}
	return Node{}, false
}

// Journal returns a journal by its id.
func (m *Map) Journal(id txn.JournalID) (Journal, bool) {
	i := sort.Search(len(m.Journals), func(i int) bool { return m.Journals[i].ID >= id })
	if i < len(m.Journals) && m.Journals[i].ID == id {
		return m.Journals[i], true
	}
	return Journal{}, false
}

// RangeOf returns the range that holds a hash, and its last hash.
func (m *Map) RangeOf(h keys.Hash) (Range, keys.Hash) {
	i := sort.Search(len(m.Ranges), func(i int) bool { return m.Ranges[i].Start > h }) - 1
	if i < 0 {
		return Range{}, 0
	}
	return m.Ranges[i], m.lastOf(i)
}

func (m *Map) lastOf(i int) keys.Hash {
	if i+1 < len(m.Ranges) {
		return m.Ranges[i+1].Start - 1
	}
	return math.MaxUint64
}

// RangesOf returns the parts of the hash space that a journal decides, both ends included.
func (m *Map) RangesOf(j txn.JournalID) []txn.HashRange {
	var out []txn.HashRange
	for i, r := range m.Ranges {
		if r.Journal == j {
			out = append(out, txn.HashRange{First: r.Start, Last: m.lastOf(i)})
		}
	}
	return out
}

// Holds says whether a node has a replica in the group, voting or not.
func (g *Group) Holds(id NodeID) bool {
	return slices.Contains(g.Voters, id) || slices.Contains(g.Learners, id)
}

// Seats counts the groups, the control group among them, in which a node has a replica.
func (m *Map) Seats(id NodeID) int {
	n := 0
	if m.Control.Holds(id) {
		n++
	}
	for i := range m.Journals {
		if m.Journals[i].Holds(id) {
			n++
		}
	}
	return n
}

// Members returns the nodes that were not removed.
func (m *Map) Members() []Node {
	return slices.DeleteFunc(slices.Clone(m.Nodes), func(n Node) bool { return n.State == Removed })
}

// clone copies everything that a command may change.
func (m *Map) clone() *Map {
	c := *m
	c.Nodes, c.Journals, c.Ranges = slices.Clone(m.Nodes), slices.Clone(m.Journals), slices.Clone(m.Ranges)
	c.Settings = make(map[string]string, len(m.Settings))
	for k, v := range m.Settings {
		c.Settings[k] = v
	}
	return &c
}

// validate checks what every map of a cluster satisfies.
func (m *Map) validate() error {
	bad := func(format string, args ...any) error {
		return failure.New(failure.DataCorrupted, "malformed map of the cluster: %s", fmt.Sprintf(format, args...))
	}
	if m.Version == 0 || m.Cluster == "" || m.Protocol < 1 {
		return bad("no version, no cluster or no protocol")
	}
	for i, n := range m.Nodes {
		if n.ID == 0 || i > 0 && n.ID <= m.Nodes[i-1].ID || n.ID >= m.NextNode {
			return bad("node %d is out of order", n.ID)
		}
		switch n.State {
		case Joining, Up, Draining, Removed:
		default:
			return bad("node %d is in state %q", n.ID, n.State)
		}
	}
	if err := m.validateGroup(&m.Control); err != nil {
		return bad("control group: %v", err)
	}
	for i := range m.Journals {
		j := &m.Journals[i]
		if j.ID == 0 || i > 0 && j.ID <= m.Journals[i-1].ID {
			return bad("journal %d is out of order", j.ID)
		}
		if err := m.validateGroup(&j.Group); err != nil {
			return bad("journal %d: %v", j.ID, err)
		}
	}
	if len(m.Ranges) == 0 || m.Ranges[0].Start != 0 {
		return bad("the ranges do not cover the hash space")
	}
	for i, r := range m.Ranges {
		if i > 0 && r.Start <= m.Ranges[i-1].Start {
			return bad("the range at %016x is out of order", uint64(r.Start))
		}
		if _, ok := m.Journal(r.Journal); !ok {
			return bad("the range at %016x names journal %d, which does not exist", uint64(r.Start), r.Journal)
		}
	}
	return nil
}

func (m *Map) validateGroup(g *Group) error {
	if len(g.Voters) == 0 {
		return failure.New(failure.InvalidParameterValue, "a group needs a voter")
	}
	seen := map[NodeID]bool{}
	for _, id := range slices.Concat(g.Voters, g.Learners) {
		n, ok := m.Node(id)
		if !ok || n.State == Removed {
			return failure.New(failure.InvalidParameterValue, "node %d does not exist", id)
		}
		if seen[id] {
			return failure.New(failure.InvalidParameterValue, "node %d is named twice", id)
		}
		seen[id] = true
	}
	if g.Preferred != 0 && !slices.Contains(g.Voters, g.Preferred) {
		return failure.New(failure.InvalidParameterValue, "the preferred leader, node %d, is not a voter", g.Preferred)
	}
	return nil
}

// String prints the map for people and tests.
func (m *Map) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version %d cluster %s protocol %d\n", m.Version, m.Cluster, m.Protocol)
	for _, n := range m.Nodes {
		kind := "data"
		if n.Witness {
			kind = "witness"
		}
		fmt.Fprintf(&b, "node %d %s %s/%s %s %s incarnation %s software %s protocol %d-%d\n", n.ID, n.Address, n.Region, n.Zone, kind,
			n.State, n.Incarnation, n.Software, n.MinProtocol, n.MaxProtocol)
	}
	fmt.Fprintf(&b, "control %s\n", m.Control)
	for _, j := range m.Journals {
		fmt.Fprintf(&b, "journal %d %s\n", j.ID, j.Group)
	}
	for i, r := range m.Ranges {
		fmt.Fprintf(&b, "range %016x-%016x journal %d epoch %d\n", uint64(r.Start), uint64(m.lastOf(i)), r.Journal, r.Epoch)
	}
	names := make([]string, 0, len(m.Settings))
	for k := range m.Settings {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		fmt.Fprintf(&b, "setting %s = %q\n", k, m.Settings[k])
	}
	return b.String()
}

// String prints a group's members.
func (g Group) String() string {
	s := fmt.Sprintf("voters %v", g.Voters)
	if len(g.Learners) > 0 {
		s += fmt.Sprintf(" learners %v", g.Learners)
	}
	if g.Preferred != 0 {
		s += fmt.Sprintf(" preferred %d", g.Preferred)
	}
	return s + fmt.Sprintf(" epoch %d", g.Epoch)
}

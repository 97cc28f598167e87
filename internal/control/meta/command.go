package meta

import (
	"math"
	"slices"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// Command changes the map. Exactly one of the pointers is set.
type Command struct {
	// ID tells the proposer which of the applied commands was its own; random.
	ID uint64 `json:"id"`

	// Form makes the first map.
	Form *Map `json:"form,omitempty"`
	// Join adds a node; its ID and State are given by the map.
	Join *Node `json:"join,omitempty"`
	// Update takes over what a member says of itself when it starts.
	Update *Node `json:"update,omitempty"`
	// State drains a node, takes that back, or removes it.
	State *StateChange `json:"state,omitempty"`
	// Group changes who holds replicas of a group.
	Group *GroupChange `json:"group,omitempty"`
	Range *RangeChange `json:"range,omitempty"`
	// Setting sets a cluster-wide setting.
	Setting *Setting `json:"setting,omitempty"`
	// Protocol raises the version of the cluster's protocol; all members must know it.
	Protocol int `json:"protocol,omitempty"`
}

// StateChange moves a node to Draining, back to Up, or to Removed.
type StateChange struct {
	Node NodeID `json:"node"`
	To   State  `json:"to"`
}

// GroupChange replaces the members of a group.
type GroupChange struct {
	// Journal is the journal, 0 for the control group. One that does not exist is made when IfEpoch is 0.
	Journal txn.JournalID `json:"journal,omitempty"`
	// IfEpoch is the epoch of the entry that is being replaced.
	IfEpoch   uint64   `json:"if_epoch"`
	Voters    []NodeID `json:"voters"`
	Learners  []NodeID `json:"learners,omitempty"`
	Preferred NodeID   `json:"preferred,omitempty"`
}

// RangeChange splits a range, gives it to another journal, or merges it with its neighbour.
type RangeChange struct {
	Start   keys.Hash `json:"start"`
	IfEpoch uint64    `json:"if_epoch"`
	// At, when not 0, splits the range there. Both parts stay with the journal.
	At keys.Hash `json:"at,omitempty"`
	// To, when not 0, moves the range to a journal.
	To txn.JournalID `json:"to,omitempty"`
	// Merge joins the range with the one before it, which must be with the same journal.
	Merge bool `json:"merge,omitempty"`
}

// Setting is a cluster-wide setting; an empty value removes it.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Result is what became of a command.
type Result struct {
	// Node is the number that a Join gave.
	Node NodeID
	// Map is the map after the command.
	Map *Map
	// Err says why the command had no effect; every replica finds the same.
	Err error
}

// Apply carries out a command. The map itself is not changed. A refused command leaves it as it is; one that changes
// nothing succeeds with the same map.
func (m *Map) Apply(c *Command) Result {
	next, id, err := m.apply(c)
	if err != nil {
		return Result{Map: m, Err: err}
	}
	if next == m {
		return Result{Node: id, Map: m}
	}
	if c.Form == nil {
		next.Version = m.Version + 1
	}
	if err := next.validate(); err != nil {
		return Result{Map: m, Err: err}
	}
	return Result{Node: id, Map: next}
}

func (m *Map) apply(c *Command) (*Map, NodeID, error) {
	if c.Form != nil {
		next, err := m.form(c.Form)
		return next, 0, err
	}
	if m.Version == 0 {
		return nil, 0, failure.New(failure.CannotConnectNow, "the cluster is being formed")
	}
	switch {
	case c.Join != nil:
		return m.join(*c.Join)
	case c.Update != nil:
		next, err := m.update(c.Update)
		return next, c.Update.ID, err
	case c.State != nil:
		next, err := m.setState(c.State)
		return next, 0, err
	case c.Group != nil:
		next, err := m.setGroup(c.Group)
		return next, 0, err
	case c.Range != nil:
		next, err := m.setRange(c.Range)
		return next, 0, err
	case c.Setting != nil:
		next, err := m.set(c.Setting)
		return next, 0, err
	case c.Protocol != 0:
		next, err := m.raise(c.Protocol)
		return next, 0, err
	}
	return nil, 0, failure.New(failure.ProtocolViolation, "an empty command to the control plane")
}

func (m *Map) form(first *Map) (*Map, error) {
	if m.Version != 0 {
		if m.Cluster == first.Cluster {
			return m, nil
		}
		return nil, failure.New(failure.ObjectNotInPrerequisiteState, "this is cluster %s already", m.Cluster)
	}
	if first.Version != 1 {
		return nil, failure.New(failure.ProtocolViolation, "the first map has version %d", first.Version)
	}
	return first, nil
}

func (m *Map) join(n Node) (*Map, NodeID, error) {
	if n.Incarnation == "" || n.Address == "" {
		return nil, 0, failure.New(failure.ProtocolViolation, "a node without an incarnation or an address wants to join")
	}
	for _, old := range m.Nodes {
		if old.Incarnation == n.Incarnation {
			if old.State == Removed {
				return nil, 0, RemovedNode(old.ID)
			}
			if old.Witness != n.Witness {
				return nil, 0, changedKind(old.ID)
			}
			return m, old.ID, nil // what else it says of itself comes with its update
		}
		if old.Address == n.Address && old.stays() {
			return nil, 0, failure.New(failure.ObjectInUse, "node %d is known under the address %s, with another data folder", old.ID, n.Address).
				WithDetail("A node whose disk was lost or replaced is a new node.").
				WithHint("Say that the old one is gone, and start this one again, which then takes its place: meridian node remove %d", old.ID)
		}
	}
	if err := m.speaks(&n); err != nil {
		return nil, 0, err
	}
	next := m.clone()
	n.ID, n.State = m.NextNode, Joining
	next.NextNode++
	next.Nodes = append(next.Nodes, n)
	return next, n.ID, nil
}

// stays says whether a node's address is its own: that of one that leaves may be taken over by its successor.
func (n *Node) stays() bool { return n.State == Joining || n.State == Up }

func (m *Map) speaks(n *Node) error {
	if n.MinProtocol <= m.Protocol && m.Protocol <= n.MaxProtocol {
		return nil
	}
	e := failure.New(failure.ObjectNotInPrerequisiteState, "the cluster speaks version %d of its protocol, and %s knows versions %d to %d",
		m.Protocol, n.Software, n.MinProtocol, n.MaxProtocol)
	if n.MaxProtocol < m.Protocol {
		return e.WithHint("Start the node with a newer version of Meridian.")
	}
	return e.WithHint("Upgrade the other nodes first.")
}

// RemovedNode is the answer to a node that was removed and comes back.
func RemovedNode(id NodeID) error {
	return failure.New(failure.ObjectNotInPrerequisiteState, "node %d was removed from the cluster", id).
		WithHint("To use this machine again, start it with an empty data folder: it joins as a new node.")
}

func changedKind(id NodeID) error {
	return failure.New(failure.ObjectNotInPrerequisiteState, "node %d cannot change between data node and witness", id).
		WithHint("Remove the node, and start with an empty data folder.")
}

// update takes over what a node says of itself. Its kind is fixed for life.
func (m *Map) update(n *Node) (*Map, error) {
	i := slices.IndexFunc(m.Nodes, func(o Node) bool { return o.ID == n.ID })
	if i < 0 {
		return nil, failure.New(failure.UndefinedObject, "node %d does not exist in cluster %s", n.ID, m.Cluster)
	}
	old := m.Nodes[i]
	if old.State == Removed {
		return nil, RemovedNode(n.ID)
	}
	if old.Incarnation != n.Incarnation {
		return nil, failure.New(failure.ObjectNotInPrerequisiteState, "node %d has another data folder than this one", n.ID).
			WithDetail("The folder was made anew or belongs to another node; what this node had promised to others may be lost.").
			WithHint("Remove node %d, and start with an empty data folder: it joins as a new node.", n.ID)
	}
	if old.Witness != n.Witness {
		return nil, changedKind(n.ID)
	}
	if err := m.speaks(n); err != nil {
		return nil, err
	}
	for _, o := range m.Nodes {
		if o.ID != n.ID && o.stays() && o.Address == n.Address {
			return nil, failure.New(failure.ObjectInUse, "node %d is known under the address %s", o.ID, n.Address)
		}
	}
	fresh := *n
	if fresh.State = old.State; fresh.State == Joining {
		fresh.State = Up
	}
	if fresh == old {
		return m, nil
	}
	next := m.clone()
	next.Nodes[i] = fresh
	return next, nil
}

func (m *Map) setState(c *StateChange) (*Map, error) {
	i := slices.IndexFunc(m.Nodes, func(o Node) bool { return o.ID == c.Node })
	if i < 0 {
		return nil, failure.New(failure.UndefinedObject, "node %d does not exist", c.Node)
	}
	from := m.Nodes[i].State
	switch {
	case from == c.To:
		return m, nil
	case from == Removed:
		return nil, RemovedNode(c.Node)
	case c.To == Removed:
		if seats := m.Seats(c.Node); seats > 0 {
			return nil, failure.New(failure.ObjectInUse, "node %d still holds %d replicas", c.Node, seats).
				WithHint("Drain it first: meridian node drain %d", c.Node)
		}
	case c.To != Draining && c.To != Up:
		return nil, failure.New(failure.InvalidParameterValue, "a node cannot be made %q", string(c.To))
	}
	next := m.clone()
	next.Nodes[i].State = c.To
	return next, nil
}

func stale(what string, have, want uint64) error {
	return failure.New(failure.SerializationFailure, "%s has changed meanwhile: epoch %d, expected %d", what, have, want)
}

func (m *Map) setGroup(c *GroupChange) (*Map, error) {
	g := Group{Voters: c.Voters, Learners: c.Learners, Preferred: c.Preferred, Epoch: c.IfEpoch + 1}
	if err := m.validateGroup(&g); err != nil {
		return nil, err
	}
	next := m.clone()
	if c.Journal == 0 {
		if m.Control.Epoch != c.IfEpoch {
			return nil, stale("the control group", m.Control.Epoch, c.IfEpoch)
		}
		next.Control = g
		return next, nil
	}
	i, found := slices.BinarySearchFunc(m.Journals, c.Journal, func(j Journal, id txn.JournalID) int { return int(int64(j.ID) - int64(id)) })
	if !found {
		if c.IfEpoch != 0 {
			return nil, failure.New(failure.UndefinedObject, "journal %d does not exist", c.Journal)
		}
		next.Journals = slices.Insert(next.Journals, i, Journal{ID: c.Journal, Group: g})
		return next, nil
	}
	if have := m.Journals[i].Epoch; have != c.IfEpoch {
		return nil, stale("journal", have, c.IfEpoch)
	}
	next.Journals[i].Group = g
	return next, nil
}

func (m *Map) setRange(c *RangeChange) (*Map, error) {
	i := slices.IndexFunc(m.Ranges, func(r Range) bool { return r.Start == c.Start })
	if i < 0 {
		return nil, failure.New(failure.UndefinedObject, "no range starts at %016x", uint64(c.Start))
	}
	r := m.Ranges[i]
	if r.Epoch != c.IfEpoch {
		return nil, stale("the range", r.Epoch, c.IfEpoch)
	}
	next := m.clone()
	next.Ranges[i].Epoch++
	switch {
	case c.At != 0:
		if c.At <= r.Start || c.At > m.lastOf(i) {
			return nil, failure.New(failure.InvalidParameterValue, "%016x is not inside the range", uint64(c.At))
		}
		next.Ranges = slices.Insert(next.Ranges, i+1, Range{Start: c.At, Journal: r.Journal, Epoch: r.Epoch + 1})
	case c.To != 0:
		if _, ok := m.Journal(c.To); !ok {
			return nil, failure.New(failure.UndefinedObject, "journal %d does not exist", c.To)
		}
		next.Ranges[i].Journal = c.To
	case c.Merge:
		if i == 0 || m.Ranges[i-1].Journal != r.Journal {
			return nil, failure.New(failure.ObjectNotInPrerequisiteState, "the range before is with another journal")
		}
		next.Ranges[i-1].Epoch = max(m.Ranges[i-1].Epoch, r.Epoch) + 1
		next.Ranges = slices.Delete(next.Ranges, i, i+1)
	default:
		return nil, failure.New(failure.ProtocolViolation, "a change of a range that changes nothing")
	}
	return next, nil
}

func (m *Map) set(s *Setting) (*Map, error) {
	if s.Name == "" {
		return nil, failure.New(failure.InvalidParameterValue, "a setting needs a name")
	}
	if m.Settings[s.Name] == s.Value {
		return m, nil
	}
	next := m.clone()
	if next.Settings[s.Name] = s.Value; s.Value == "" {
		delete(next.Settings, s.Name)
	}
	return next, nil
}

func (m *Map) raise(to int) (*Map, error) {
	if to == m.Protocol {
		return m, nil
	}
	if to < m.Protocol {
		return nil, failure.New(failure.ObjectNotInPrerequisiteState, "the cluster's protocol is at version %d and does not go back", m.Protocol)
	}
	for _, n := range m.Members() {
		if to < n.MinProtocol || to > n.MaxProtocol {
			return nil, failure.New(failure.ObjectNotInPrerequisiteState, "node %d knows versions %d to %d of the cluster's protocol", n.ID,
				n.MinProtocol, n.MaxProtocol).WithHint("Upgrade it first.")
		}
	}
	next := m.clone()
	next.Protocol = to
	return next, nil
}

// EqualRanges divides the hash space among journals.
func EqualRanges(journals []txn.JournalID) []Range {
	out := make([]Range, len(journals))
	for i, j := range journals {
		out[i] = Range{Start: keys.Hash(uint64(math.MaxUint64/uint64(len(journals))) * uint64(i)), Journal: j, Epoch: 1}
	}
	return out
}

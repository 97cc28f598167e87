package control

import (
	"time"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/txn"
)

// Report is what a node tells the control leader about itself with every heartbeat.
type Report struct {
	Node        meta.NodeID `json:"node"`
	Incarnation string      `json:"incarnation"`
	Software    string      `json:"software"`
	MapVersion  uint64      `json:"map_version"`
	// Wall is the node's clock in Unix nanoseconds.
	Wall int64 `json:"wall"`
	// Stopping says that the node is about to end and wants to lead nothing.
	Stopping bool `json:"stopping,omitempty"`
	// Groups are the Raft groups that have a replica here.
	Groups []GroupReport `json:"groups,omitempty"`
	// Links are the connections to other nodes.
	Links []Link `json:"links,omitempty"`

	// What follows is filled in by the data plane.

	// ClockBound is how far the clock may be off; ClockLost says that it cannot tell.
	ClockBound time.Duration `json:"clock_bound"`
	ClockLost  bool          `json:"clock_lost,omitempty"`
	// Storage says for each journal how far this node's storage is.
	Storage map[txn.JournalID]Position `json:"storage,omitempty"`
	// Load says for each journal that is led here what it does.
	Load map[txn.JournalID]Load `json:"load,omitempty"`
	// Sessions is the number of SQL clients.
	Sessions int `json:"sessions"`
	// Problems are what else a person should know.
	Problems []string `json:"problems,omitempty"`
}

// GroupReport is one Raft group as its replica on a node sees it.
type GroupReport struct {
	// Group is the journal's id, 0 for the control group.
	Group   txn.JournalID `json:"group"`
	Term    uint64        `json:"term"`
	Leader  meta.NodeID   `json:"leader,omitempty"`
	Applied uint64        `json:"applied"`
	// Commit, Voters, Learners and Members are told by the leader only.
	Commit   uint64         `json:"commit,omitempty"`
	Voters   []meta.NodeID  `json:"voters,omitempty"`
	Learners []meta.NodeID  `json:"learners,omitempty"`
	Members  []MemberReport `json:"members,omitempty"`
}

// MemberReport is what a leader knows of a replica.
type MemberReport struct {
	Node   meta.NodeID `json:"node"`
	Match  uint64      `json:"match"`
	Active bool        `json:"active"`
}

// caughtUp is how many entries a replica may lag and count as caught up.
const caughtUp = 64

// caught says whether a replica has nearly all of the log.
func (g *GroupReport) caught(id meta.NodeID) bool {
	for _, m := range g.Members {
		if m.Node == id {
			return m.Active && m.Match+caughtUp >= g.Commit
		}
	}
	return false
}

// Position is how far a storage is with a journal, in the journal's own indexes.
type Position struct {
	Applied uint64 `json:"applied"`
	Durable uint64 `json:"durable"`
}

// Load of a journal, per second.
type Load struct {
	Commits float64 `json:"commits"`
	Bytes   float64 `json:"bytes"`
	// Regions is where the commits come from.
	Regions map[string]float64 `json:"regions,omitempty"`
}

// Link is a connection to another node.
type Link struct {
	Node      meta.NodeID   `json:"node"`
	Connected bool          `json:"connected"`
	RTT       time.Duration `json:"rtt"`
	// OffsetMin and OffsetMax bound how far the other's clock is ahead, when OffsetKnown.
	OffsetKnown bool          `json:"offset_known,omitempty"`
	OffsetMin   time.Duration `json:"offset_min,omitempty"`
	OffsetMax   time.Duration `json:"offset_max,omitempty"`
	Error       string        `json:"error,omitempty"`
}

// order is the answer to a heartbeat.
type order struct {
	// Leads says whether the answerer leads the control plane; Leader is whom it takes for the leader otherwise.
	Leads  bool        `json:"leads"`
	Leader meta.NodeID `json:"leader,omitempty"`
	// MapVersion is the newest, Horizons the records that nobody needs any more.
	MapVersion uint64                   `json:"map_version"`
	Horizons   map[txn.JournalID]uint64 `json:"horizons,omitempty"`
	Health     map[meta.NodeID]string   `json:"health,omitempty"`
}

// Status is the whole cluster as its control leader sees it, for people.
type Status struct {
	Map *meta.Map `json:"map"`
	// Leader leads the control plane; 0 when nobody does, and then the rest is what one node knows.
	Leader   meta.NodeID     `json:"leader"`
	Term     uint64          `json:"term,omitempty"`
	Nodes    []NodeStatus    `json:"nodes"`
	Journals []JournalStatus `json:"journals"`
	// Problems is everything that is not as it should be, in words.
	Problems []string `json:"problems"`
}

// NodeStatus is a node as the control leader sees it.
type NodeStatus struct {
	meta.Node
	Health string `json:"health"`
	// Heard is how long ago its last heartbeat came; negative when none has come.
	Heard  time.Duration `json:"heard"`
	Seats  int           `json:"seats"`
	Leads  int           `json:"leads"`
	Report *Report       `json:"report,omitempty"`
}

// JournalStatus is a journal's group.
type JournalStatus struct {
	meta.Journal
	Leader meta.NodeID `json:"leader"`
	// Lag is the number of entries that the slowest replica and the slowest storage are behind.
	Lag        uint64  `json:"lag"`
	StorageLag uint64  `json:"storage_lag"`
	Share      float64 `json:"share"` // of the hash space
	Load       *Load   `json:"load,omitempty"`
	// State is what is being done or why nothing can be done.
	State string `json:"state,omitempty"`
}

// Admin is a command of the command line.
type Admin struct {
	Do    string      `json:"do"` // drain, undrain, remove, set
	Node  meta.NodeID `json:"node,omitempty"`
	Name  string      `json:"name,omitempty"`
	Value string      `json:"value,omitempty"`
}

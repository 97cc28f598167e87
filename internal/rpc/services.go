package rpc

import "strconv"

// NodeID is a node's number in its cluster. 0 is a stranger: a process that has not joined, which may use Join only.
type NodeID uint32

// Service says which handler a call, message or stream is for. The numbers are part of the protocol and never reused.
type Service uint8

// The services. A node that has no handler for one answers 0A000.
const (
	Raft        Service = 1  // messages: Raft traffic of every group; stream: snapshots
	Control     Service = 2  // the cluster's map: reads, long polls, proposals
	Join        Service = 3  // the only service strangers may call
	Adjudicator Service = 4  // prepare, commit, resolve
	Watermark   Service = 5  // messages: watermarks, nudges, go-aheads
	Feed        Service = 6  // stream: a journal's records
	Storage     Service = 7  // reads at a time on another node
	Learn       Service = 8  // outcomes of transactions, told by the local journal replica
	Status      Service = 9  // what a node knows about itself, for people
	Clock       Service = 10 // comparing clocks
	Checkpoint  Service = 11 // stream: storage's content, for a new replica
	Journal     Service = 12 // calls to a journal's leader: membership, transfer
	Admin       Service = 13 // commands of the command line that another node carries out
	Coordinator Service = 14 // cancel requests and sessions of other nodes

	services = 64
)

// String returns the service's name, for logs.
func (s Service) String() string {
	names := [...]string{Raft: "raft", Control: "control", Join: "join", Adjudicator: "adjudicator", Watermark: "watermark",
		Feed: "feed", Storage: "storage", Learn: "learn", Status: "status", Clock: "clock", Checkpoint: "checkpoint",
		Journal: "journal", Admin: "admin", Coordinator: "coordinator"}
	if int(s) < len(names) && names[s] != "" {
		return names[s]
	}
	return "service " + strconv.Itoa(int(s))
}

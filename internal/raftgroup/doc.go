// Package raftgroup drives Raft groups over one log that all groups of a node share.
//
//	machine ──Gather──▶ RawNode ──Ready──▶ frame ──write, fdatasync──▶ responses ──▶ RawNode ──Ready──▶ Apply ──▶ machine
//	   ▲                                                                                                   │
//	   └─ Wake ◀── callers                          one goroutine, the log writer, does all of this ◀─────┘
//
// At this scale the cost of a commit is not Raft's arithmetic but waking goroutines up. So there is one goroutine for the
// whole log: it asks each group that has work for its next entry, steps Raft, writes what all groups have to store as
// one frame, syncs once, steps Raft again and applies what was committed, calling the machines directly. While it syncs,
// the machines gather the next batch: group commit without any delay of its own.
//
// A frame is the unit of writing, syncing and checking. The next frame is written only after the last one is synced,
// hence at recovery a broken frame with nothing valid behind it is a torn tail and cut off, and a broken frame with a
// valid one behind it is damage: the log refuses to open and names the file and the offset. docs/formats/journal.md has the
// bytes.
//
// Storage writes are asynchronous in Raft's sense (raft.Config.AsyncStorageWrites): messages to other voters leave before
// the sync, responses after it. What all groups send to a node in one turn travels together, by the log's Transport, and the
// log's ticks wake only groups that have other members.
//
// A group comes into being with its first voters (GroupConfig.Voters) on all of them, or on one of them; every further member
// starts with GroupConfig.Join, is added as a learner and promoted (Group.Change), and is given a snapshot of the machine
// (Snapshotter). A node that was a voter and comes back with an empty disk is refused: it has forgotten what it promised.
package raftgroup

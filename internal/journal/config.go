package journal

import "github.com/meridiandb/meridian/internal/txn"

// Config of a journal.
type Config struct {
	// ID names the journal and its Raft group.
	ID txn.JournalID
	// RecentBytes bounds the records kept in memory for feeds that are up to date. 0 means 32 MiB.
	RecentBytes int
	// EntryBytes is the size at which pending records stop being packed into one Raft entry. 0 means 4 MiB.
	EntryBytes int
	// HoldBytes is how much of the log is kept for members that lag behind; beyond it they get a snapshot. 0 means 1 GiB.
	HoldBytes int64

	// The rest is about the members of the Raft group, whose messages travel by the log's transport
	// (raftgroup.LogConfig). Node is this node's number, 0 means 1, and Voters are the members of a new journal, the same
	// on all of them; empty means this node alone.
	Node   uint64
	Voters []uint64
	// Join, Established, LocalLearning, ElectionTicks and HeartbeatTicks are as in raftgroup.GroupConfig.
	Join, Established, LocalLearning bool
	ElectionTicks, HeartbeatTicks    int
}

func (c *Config) ensureDefaults() {
	if c.RecentBytes == 0 {
		c.RecentBytes = 32 << 20
	}
	if c.EntryBytes == 0 {
		c.EntryBytes = 4 << 20
	}
	if c.HoldBytes == 0 {
		c.HoldBytes = 1 << 30
	}
}

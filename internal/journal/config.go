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
}

func (c *Config) ensureDefaults() {
	if c.RecentBytes == 0 {
		c.RecentBytes = 32 << 20
	}
	if c.EntryBytes == 0 {
		c.EntryBytes = 4 << 20
	}
}

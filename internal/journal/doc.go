// Package journal is the ordered, durable log of one adjudicator: a state machine over a Raft group.
//
//	adjudicator ──Append──▶ pending ──Gather──▶ raftgroup (one entry per sync) ──Apply──▶ checks ──▶ Receipt
//	                                                                               │
//	feeds ◀──Read── recent batches in memory, older ones from the file ◀───────────┘
//
// The journal numbers its records from 1; that number is what Entry.Index, watermarks and Trim speak of. Every record is
// checked when it is applied, by rules that depend on the log alone (protocol.md 2.2), so that all replicas agree which
// records are effective: its generation is the current one, commit times strictly increase and lie inside the leased
// interval (I2, I3), and no transaction id is settled twice (I8). A record that fails is skipped by Read, but keeps its
// number. The journal knows nothing of SQL, keys or conflicts.
//
// How to use it:
//
//	log, err := raftgroup.OpenLog(fs, dir, raftgroup.LogConfig{...}) // one for the node
//	j, err := journal.Open(log, fs, dir, journal.Config{ID: 1})      // one for each journal
//	log.Start()
//	err = j.WaitLeader(ctx)
//	...
//	log.Close()
//
// A feed:
//
//	next := uint64(1) // or what storage has flushed, plus one
//	for {
//		entries, after, err := j.Read(next, 1<<20) // effective records with next <= Index < after
//		...apply...
//		next = after
//		if len(entries) == 0 { if _, err := j.Wait(ctx, next-1); err != nil { return err } }
//	}
package journal

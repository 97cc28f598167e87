// Package stub carries the roles' interfaces over internal/rpc: for each role a client that looks like the role, a server
// that asks the role of this node, and the codecs between them. Bodies start with a version and an operation; decoders are
// bounded and fuzzed.
//
//	coordinator ──Commit, Prepare, Resolve──▶ Remote ──▶ the node where the journal leads ──▶ adjudicator
//	storage     ──Promise──▶ Owner  ◀──watermarks, pushed every few ms while somebody reads── owners
//	            ──Read, Wait──▶ Cursor ◀──stream of records── a replica of the journal
//
// # How to wire
//
//	adjs  := stub.NewAdjudicators(...)        // serves rpc.Adjudicator
//	marks := stub.NewWatermarks(... adjs ...) // serves rpc.Watermark
//	feeds := stub.NewFeeds(...)               // serves rpc.Feed
//
//	// For each journal that has a voter here: a loop of WaitLeader, adjudicator.New, Start, adjs.Set(j, a), wait until the
//	// journal does not lead here any more, adjs.Set(j, nil), a.Stop(). Start again each time with a new Adjudicator.
//	// adjudicator.Config: Lead (one-way delay to the farthest data region + 3 ms + slack) and Fate (the local replica of the
//	// leader's journal: journal.Resolve). The clock given to it must not have the method Advance.
//
//	// For each journal of the map:
//	source := crossbar.Source{ID: j, Log: feeds.Log(j), Owner: marks.Owner(j)}
//	range_ := coordinator.Range{Start: ..., Journal: j, Adjudicator: adjs.Of(j), Distance: ...}
//
//	// The storage of a member:
//	others := stub.NewStorages(...) // serves rpc.Storage and rpc.Checkpoint; Local answers replica.Alone()
//	replica := storage.OpenReplica(storage.ReplicaConfig{Config: ..., Peers: others})
//	// replica.Durable() goes to the control plane, which trims journals below the least of all.
//	coordinator.Config{Snapshots: replica, Learn: the local journals' Learn, Elsewhere: stub.OpenElsewhere(net, db.Open)}
//
// Before a planned hand-over: adjs.Set(j, nil), a.Close(ctx) (which retires the lease, so that the successor need not
// wait), then transfer the leadership.
package stub

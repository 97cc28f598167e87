// Package control runs the cluster's map: how a node comes to be a member, how everybody learns of changes, and who sees
// to it that dead nodes are replaced and leaders are where they should be.
//
//	data folder ──Enter──▶ Membership ──Start──▶ Service ─┬─ replica of the control group, where the map says so
//	   (empty, or of a member)                            ├─ long poll of the map, everywhere else
//	                                                      ├─ heartbeat to the control leader, every half second
//	                                                      └─ on the leader: reconcile, one safe step a group
//
// Nothing here is on the path of a transaction, and nothing here decides who may write: a node that acts on an old map is
// refused by the journal it talks to.
//
// # How to wire it
//
// 1. Read the data folder's Membership; a new folder has the zero value. Make the rpc.Network, as a stranger (Self 0) and
// let it Serve, so that nodes that start at the same time find each other.
//
// 2. Enter asks the nodes of the join list, forms a cluster with them or joins theirs, and returns the Membership once it
// is safely in the folder (Config.Save). A node that is a member already returns at once, or with the reason why it may
// not come back. Then call Network.SetIdentity(rpc.NodeID(m.Node), m.First.Cluster).
//
// 3. Open the node's log (raftgroup), with its transport on rpc.Raft, start it and its ticks, then Start the service. It
// adds the control group (GroupID) to the log when the map wants that here, and keeps the network's addresses.
//
// 4. Follow Service.Watch: start a replica of every journal that Holds this node and stop the others. A journal whose
// Epoch is 1 starts with its Voters; one that was changed since starts as a joiner (raftgroup.GroupConfig.Join); a log
// that has the group already knows better than both. Tell the service of running groups with Config.Group.
//
// 5. Adjudicators run where their journal leads, whatever the map says; Journal.Preferred is where callers look first.
// Map.RangesOf gives an adjudicator its part of the hash space.
//
// 6. Config.Fill adds what the data plane knows to the heartbeat (positions of storage, load, clock), and Config.Horizons
// is told below which record nobody needs a journal any more.
//
// 7. Before the node stops, HandOver while everything still runs.
package control

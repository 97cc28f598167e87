package raftgroup

import (
	"bytes"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Local learning: a follower knows that an entry is committed as soon as it has synced it, without waiting for the leader to
// count. A client next to the follower then learns of a commit that is decided elsewhere after one round trip.
//
// The leader of a group with LocalLearning sends an append only once its own log has synced the entries in it, and marks the
// message. A follower that has synced an entry of the term it is in, and had a marked append of that term which reaches as far,
// knows of two nodes that hold the entry durably: the leader and itself. Of three voters that is a majority, and an entry of the
// leader's own term on a majority is what Raft calls committed. So the follower hands itself the heartbeat with that
// commit index which the leader would send later, and drops the answer.
//
// Why that is safe, with A leading in term T and B the follower that learned of entry i, C the third voter:
//   - Whoever leads in a later term got the vote of A or of B, for two of three always include one of them. Both hold i durably
//     before anybody has been told, so they refuse a candidate whose log ends before i or in an older term; by induction over the
//     terms, as in Raft, every later leader holds i, and nobody replaces it.
//   - B's own vote for a later term cannot come between: B speaks of i only while its term is still T when the sync of i is
//     over, and a vote that it gave in the meantime would have raised it.
//   - A restart of A or B changes nothing: both have synced i. (If the leader sent first and synced later, B's copy would
//     be the only one after a crash of A, and A and C could elect without it: TestLearnFromLeaderThatHasNotSynced.)
//   - Changes of membership: B counts by the members that it has applied, and not while its log holds a change that is not
//     applied yet. If A has applied a newer change, then that change is committed, and i, which lies before it in every log
//     that holds it, is too.
//
// Raft itself is not changed: it sees a heartbeat of its leader, of its term, whose commit index is one that the leader is bound
// to reach.

// marks in the context of messages that Raft does not use it for.
func markSynced() []byte  { return []byte("synced") }
func markLearned() []byte { return []byte("learned") }

// hold keeps an append of the leader's back until the entries in it are synced.
func (g *Group) hold(m *pb.Message) {
	m.Context = markSynced()
	g.held = append(g.held, m)
}

// releaseHeld lets the appends go when no entry of the group waits for a sync.
func (g *Group) releaseHeld() {
	if len(g.held) == 0 || len(g.entryRuns) > 0 && !g.cfg.sendUnsynced {
		return
	}
	for _, m := range g.held {
		g.log.post(m.GetTo(), Envelope{group: g.id, m: m})
	}
	g.held = g.held[:0]
}

// noteSynced remembers how far a leader has said that its own log is synced.
func (g *Group) noteSynced(m *pb.Message) {
	if !bytes.Equal(m.Context, markSynced()) || m.GetTerm() < g.proven.term {
		return
	}
	if m.GetTerm() > g.proven.term {
		g.proven = proof{term: m.GetTerm()}
	}
	g.proven.index = max(g.proven.index, m.GetIndex()+uint64(len(m.Entries)))
}

// proof says that the leader of a term has synced its log up to an index.
type proof struct{ term, index uint64 }

// learn draws the conclusion after entries up to one of a term were synced here.
func (g *Group) learn(last *pb.Entry) error {
	if g.proven.term != last.GetTerm() {
		return nil
	}
	st := g.rn.BasicStatus()
	index := min(last.GetIndex(), g.proven.index)
	if st.RaftState != raft.StateFollower || st.GetTerm() != last.GetTerm() || st.Lead == raft.None || index <= st.GetCommit() ||
		g.confSeen > st.Applied {
		return nil
	}
	conf := g.state.latestConf()
	if len(conf.Voters) != 3 || len(conf.VotersOutgoing) > 0 || !slices.Contains(conf.Voters, g.node) || !slices.Contains(conf.Voters, st.Lead) {
		return nil
	}
	if term, err := g.state.Term(index); err != nil || term != st.GetTerm() {
		return nil
	}
	term, lead := st.GetTerm(), st.Lead
	return g.step(&pb.Message{Type: pb.MsgHeartbeat.Enum(), To: &g.node, From: &lead, Term: &term, Commit: &index, Context: markLearned()})
}

// confChangeIn returns the index of the last change of membership among entries, 0 for none.
func confChangeIn(entries []*pb.Entry) uint64 {
	for _, e := range slices.Backward(entries) {
		if e.GetType() != pb.EntryNormal {
			return e.GetIndex()
		}
	}
	return 0
}

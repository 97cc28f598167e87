package model

import "testing"

const limit = 4_000_000

// demand explores a model and says what was found; want is whether a violation is.
func demand[S comparable](t *testing.T, name string, spec Spec[S], want bool) {
	t.Helper()
	res := Explore(spec, limit)
	t.Logf("%s: %v", name, res)
	if (res.Broken != "") != want {
		t.Errorf("%s: a violation was found: %v, want %v", name, res.Broken != "", want)
	}
}

// TestFailover visits every state of a range whose owner is replaced, with all rules and without each.
func TestFailover(t *testing.T) {
	demand(t, "all rules", Failover(FailoverRules{}), false)
	demand(t, "the floor is not raised", Failover(FailoverRules{NoFloor: true}), true)
	demand(t, "old generations take effect", Failover(FailoverRules{NoGeneration: true}), true)
	demand(t, "times beyond the grant", Failover(FailoverRules{BeyondGrant: true}), true)
	demand(t, "watermarks are believed at once", Failover(FailoverRules{WatermarkAtOnce: true}), true)
}

// TestVoting does so for commits over two ranges.
func TestVoting(t *testing.T) {
	demand(t, "all rules", Voting(VotingRules{}), false)
	demand(t, "expired promises are forgotten", Voting(VotingRules{Forget: true}), true)
	demand(t, "the votes' upper bounds are ignored", Voting(VotingRules{IgnoreUB: true}), true)
	demand(t, "a repetition chooses another leader", Voting(VotingRules{NewLeader: true}), true)
	demand(t, "no tombstone", Voting(VotingRules{NoTomb: true}), true)
	demand(t, "abandoned before the leader knows", Voting(VotingRules{AbortAhead: true}), true)
}

// TestMove does so for a range that moves.
func TestMove(t *testing.T) {
	demand(t, "all rules", Move(MoveRules{}), false)
	demand(t, "the fence ignores promises", Move(MoveRules{FenceWithoutPromises: true}), true)
	demand(t, "adopted before it was ceded", Move(MoveRules{AdoptBeforeCede: true}), true)
	demand(t, "votes after the cession", Move(MoveRules{KeepVoting: true}), true)
}

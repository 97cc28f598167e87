package placement

import (
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/internal/control/meta"
)

// Members is a group as its leader sees it.
type Members struct {
	Voters, Learners []meta.NodeID
	Leader           meta.NodeID
	// Caught says whether a replica has nearly all of the log.
	Caught func(meta.NodeID) bool
}

// Kind of a step.
type Kind uint8

// The steps that change a group.
const (
	Stay Kind = iota
	AddLearner
	Promote
	RemoveVoter
	RemoveLearner
	Transfer
)

// Step is the next thing to do with a group, or why nothing can be done.
type Step struct {
	Kind Kind
	Node meta.NodeID
	// Why says what is wrong when nothing can be done about it; empty when all is as it should be.
	Why string
}

// String prints a step.
func (s Step) String() string {
	if s.Kind == Stay {
		if s.Why == "" {
			return "stay"
		}
		return "stay: " + s.Why
	}
	names := [...]string{AddLearner: "add learner", Promote: "promote", RemoveVoter: "remove voter", RemoveLearner: "remove learner", Transfer: "transfer to"}
	return fmt.Sprintf("%s %d", names[s.Kind], s.Node)
}

// Next is the one next step from a group's members to the voters wanted (from Voters) and the preferred leader, 0 for any.
// It is safe: a majority is there before and after, and data never has fewer voters than replicas on its account.
func Next(nodes []Node, g Members, want []meta.NodeID, replicas int, preferred meta.NodeID) Step {
	s := stepper{nodes: map[meta.NodeID]Node{}, g: g}
	for _, n := range nodes {
		s.nodes[n.ID] = n
	}
	if g.Leader == 0 {
		return Step{Why: "no leader"}
	}
	if !s.quorum(g.Voters) {
		return Step{Why: "a majority of the voters is away"}
	}
	for _, id := range g.Learners {
		if !slices.Contains(want, id) {
			return Step{Kind: RemoveLearner, Node: id}
		}
	}
	if len(g.Learners) > 0 {
		return s.promote(g.Learners[0])
	}
	for _, id := range want {
		if !slices.Contains(g.Voters, id) {
			return Step{Kind: AddLearner, Node: id}
		}
	}
	if step := s.remove(want, replicas, preferred); step.Kind != Stay || step.Why != "" {
		return step
	}
	if preferred != 0 && preferred != g.Leader && slices.Contains(g.Voters, preferred) && s.alive(preferred) && g.Caught(preferred) {
		return Step{Kind: Transfer, Node: preferred}
	}
	return Step{}
}

type stepper struct {
	nodes map[meta.NodeID]Node
	g     Members
}

func (s stepper) alive(id meta.NodeID) bool {
	n, ok := s.nodes[id]
	return ok && n.Health == Alive
}

func (s stepper) quorum(voters []meta.NodeID) bool {
	n := 0
	for _, id := range voters {
		if s.alive(id) {
			n++
		}
	}
	return n > len(voters)/2
}

func (s stepper) promote(id meta.NodeID) Step {
	switch {
	case !s.alive(id):
		return Step{Why: fmt.Sprintf("node %d is away while it copies", id)}
	case !s.g.Caught(id):
		return Step{Why: fmt.Sprintf("node %d copies", id)}
	case !s.quorum(append(slices.Clone(s.g.Voters), id)):
		return Step{Why: "a majority of the voters would be away"}
	}
	return Step{Kind: Promote, Node: id}
}

// remove takes away a voter too many: dead ones first, the leader last and only after it has handed over.
func (s stepper) remove(want []meta.NodeID, replicas int, preferred meta.NodeID) Step {
	var extra []meta.NodeID
	for _, id := range s.g.Voters {
		if !slices.Contains(want, id) {
			extra = append(extra, id)
		}
	}
	if len(extra) == 0 {
		if len(want) < replicas {
			return Step{Why: fmt.Sprintf("%d of %d replicas: too few nodes", len(want), replicas)}
		}
		return Step{}
	}
	rank := func(id meta.NodeID) int {
		switch {
		case id == s.g.Leader:
			return 3
		case s.nodes[id].Health == Dead:
			return 0
		case s.nodes[id].Health == Silent:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(extra, func(a, b meta.NodeID) int { return rank(a) - rank(b) })
	id := extra[0]
	if len(s.g.Voters) <= replicas {
		return Step{Why: fmt.Sprintf("no node can take the place of node %d", id)}
	}
	if id == s.g.Leader {
		for _, to := range append([]meta.NodeID{preferred}, want...) {
			if to != 0 && to != id && slices.Contains(s.g.Voters, to) && s.alive(to) && s.g.Caught(to) {
				return Step{Kind: Transfer, Node: to}
			}
		}
		return Step{Why: "nobody can take over from the leader yet"}
	}
	rest := slices.DeleteFunc(slices.Clone(s.g.Voters), func(v meta.NodeID) bool { return v == id })
	if !s.quorum(rest) {
		return Step{Why: "a majority of the voters would be away"}
	}
	return Step{Kind: RemoveVoter, Node: id}
}

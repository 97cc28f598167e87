// Package placement decides which nodes should hold replicas of a group and who should lead it: pure functions from nodes
// and what is known of their health to one safe next step. Nothing here acts, and the same input gives the same answer.
//
// Replicas of a group lie in different failure domains: in different regions when there are at least three (a witness's
// region counts), otherwise in different zones, otherwise on different nodes. A seat moves by adding before taking away:
// learner, voter, then the old voter goes, and the leader is asked to hand over before it loses its own seat.
package placement

import (
	"cmp"
	"maps"
	"slices"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/txn"
)

// Health of a node as the control leader sees it.
type Health uint8

// Alive nodes are heard of. Silent ones are not, but may come back any moment: they keep what they have and get nothing
// new. Dead ones have been silent for so long that others take their seats.
const (
	Alive Health = iota
	Silent
	Dead
)

// Node is a node as far as placement cares.
type Node struct {
	ID           meta.NodeID
	Region, Zone string
	Witness      bool
	// Leaving nodes are being drained.
	Leaving bool
	Health  Health
}

// Nodes takes the members out of a map.
func Nodes(m *meta.Map, health func(meta.NodeID) Health) []Node {
	var out []Node
	for _, n := range m.Members() {
		out = append(out, Node{ID: n.ID, Region: n.Region, Zone: n.Zone, Witness: n.Witness, Leaving: n.State == meta.Draining, Health: health(n.ID)})
	}
	return out
}

// Replicas is how many voters a journal should have: what was set, or 3 as soon as there are three nodes. Nodes that are
// leaving or dead count, so that losing one never makes data less safe than it was.
func Replicas(nodes []Node, set int) int {
	if set > 0 {
		return set
	}
	if len(nodes) < 3 {
		return 1
	}
	return 3
}

// ControlReplicas is how many voters the control group should have.
func ControlReplicas(nodes []Node) int {
	switch {
	case len(nodes) < 3:
		return 1
	case len(nodes) < 5:
		return 3
	}
	return 5
}

// Voters chooses the nodes that should vote, in the order of their numbers. Current voters stay where that is as good;
// seats counts the replicas that nodes hold already. There are fewer than asked for when there are too few nodes.
func Voters(nodes []Node, current []meta.NodeID, replicas int, seats map[meta.NodeID]int) []meta.NodeID {
	regions, zones := map[string]int{}, map[[2]string]int{}
	var chosen []meta.NodeID
	for len(chosen) < replicas {
		best, found := Node{}, false
		for _, n := range nodes {
			has := slices.Contains(current, n.ID)
			if n.Leaving || n.Health == Dead || n.Health == Silent && !has || slices.Contains(chosen, n.ID) {
				continue
			}
			if !found || better(n, best, current, regions, zones, seats) {
				best, found = n, true
			}
		}
		if !found {
			break
		}
		chosen = append(chosen, best.ID)
		regions[best.Region]++
		zones[[2]string{best.Region, best.Zone}]++
	}
	slices.Sort(chosen)
	return chosen
}

// better says whether a is a better next voter than b: a new region first, then a new zone, data nodes before witnesses,
// those that have a seat already, those with few.
func better(a, b Node, current []meta.NodeID, regions map[string]int, zones map[[2]string]int, seats map[meta.NodeID]int) bool {
	return cmp.Or(
		cmp.Compare(regions[a.Region], regions[b.Region]),
		cmp.Compare(zones[[2]string{a.Region, a.Zone}], zones[[2]string{b.Region, b.Zone}]),
		cmp.Compare(weight(a.Witness), weight(b.Witness)),
		cmp.Compare(weight(!slices.Contains(current, a.ID)), weight(!slices.Contains(current, b.ID))),
		cmp.Compare(seats[a.ID], seats[b.ID]),
		cmp.Compare(a.ID, b.ID),
	) < 0
}

func weight(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Lead is a journal whose preferred leader is to be chosen.
type Lead struct {
	Journal   txn.JournalID
	Voters    []meta.NodeID
	Preferred meta.NodeID
	// Writes is how much of the journal's load comes from which region; nil when nothing is known.
	Writes map[string]float64
}

// mostWrites is the share of a journal's writes that draws its leader into a region.
const mostWrites = 0.6

// Leaders chooses preferred leaders: data nodes that are there to stay, in the region that most writes come from where
// there is one, and equally many on each. A choice that is good enough stays.
func Leaders(nodes []Node, journals []Lead) map[txn.JournalID]meta.NodeID {
	byID := map[meta.NodeID]Node{}
	for _, n := range nodes {
		byID[n.ID] = n
	}
	out, options, load := map[txn.JournalID]meta.NodeID{}, map[txn.JournalID][]meta.NodeID{}, loads{node: map[meta.NodeID]int{}, region: map[string]int{}, of: byID}
	for _, j := range journals {
		opts := candidates(byID, j)
		options[j.Journal] = opts
		if slices.Contains(opts, j.Preferred) {
			out[j.Journal] = j.Preferred
			load.add(j.Preferred, 1)
		}
	}
	for _, j := range journals {
		if opts := options[j.Journal]; out[j.Journal] == 0 && len(opts) > 0 {
			best := slices.MinFunc(opts, load.compare)
			out[j.Journal] = best
			load.add(best, 1)
		}
	}
	for range journals { // each move makes the loads more equal
		moved := false
		for _, j := range journals {
			from := out[j.Journal]
			if from == 0 {
				continue
			}
			if to := slices.MinFunc(options[j.Journal], load.compare); load.node[from]-load.node[to] >= 2 {
				out[j.Journal] = to
				load.add(from, -1)
				load.add(to, 1)
				moved = true
			}
		}
		if !moved {
			break
		}
	}
	return out
}

// candidates are the voters that may lead a journal.
func candidates(byID map[meta.NodeID]Node, j Lead) []meta.NodeID {
	var all, near []meta.NodeID
	region := ""
	total := 0.0
	for _, w := range j.Writes {
		total += w
	}
	for _, r := range slices.Sorted(maps.Keys(j.Writes)) {
		if j.Writes[r] > mostWrites*total {
			region = r
		}
	}
	for _, id := range j.Voters {
		n, ok := byID[id]
		if !ok || n.Witness || n.Leaving || n.Health == Dead || n.Health == Silent && id != j.Preferred {
			continue
		}
		all = append(all, id)
		if region != "" && n.Region == region {
			near = append(near, id)
		}
	}
	if len(near) > 0 {
		return near
	}
	return all
}

// loads counts leaders.
type loads struct {
	node   map[meta.NodeID]int
	region map[string]int
	of     map[meta.NodeID]Node
}

func (l loads) add(id meta.NodeID, n int) {
	l.node[id] += n
	l.region[l.of[id].Region] += n
}

func (l loads) compare(a, b meta.NodeID) int {
	return cmp.Or(cmp.Compare(l.node[a], l.node[b]), cmp.Compare(l.region[l.of[a].Region], l.region[l.of[b].Region]), cmp.Compare(a, b))
}

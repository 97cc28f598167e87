package control

import (
	"fmt"
	"strconv"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/control/placement"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/txn"
)

// Found makes the first map of a cluster of nodes, numbered in their order. With no number of journals given there are as
// many as data nodes, at least two.
func Found(nodes []meta.Node, journals int, r host.Random) (*meta.Map, error) {
	m := &meta.Map{Version: 1, Cluster: fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()), HashSeed: r.Uint64(), NextNode: 1}
	low, data := 1, 0
	for i, n := range nodes {
		if i == 0 || n.MaxProtocol < m.Protocol {
			m.Protocol = n.MaxProtocol
		}
		low = max(low, n.MinProtocol)
		n.ID, n.State = m.NextNode, meta.Joining
		m.NextNode++
		m.Nodes = append(m.Nodes, n)
		if !n.Witness {
			data++
		}
	}
	if m.Protocol < low {
		return nil, failure.New(failure.ObjectNotInPrerequisiteState, "the nodes have no common version of the cluster's protocol").
			WithHint("Run the same version of Meridian on all of them.")
	}
	if data == 0 {
		return nil, failure.New(failure.InvalidParameterValue, "a cluster of witnesses only cannot hold data").
			WithHint("Start at least one node without --witness.")
	}
	if journals <= 0 {
		journals = max(2, data)
	}
	place := placement.Nodes(m, func(meta.NodeID) placement.Health { return placement.Alive })
	m.Control = meta.Group{Voters: placement.Voters(place, nil, placement.ControlReplicas(place), nil), Epoch: 1}
	// A node that holds no replica of a journal follows another node's, and simulation finds lost commits on that path
	// (docs/simulation.md): every founder gets one, up to five.
	set := 0
	if len(place) > 3 {
		set = min(len(place), 5)
		m.Settings = map[string]string{SettingReplicas: strconv.Itoa(set)}
	}
	seats := map[meta.NodeID]int{}
	var leads []placement.Lead
	var ids []txn.JournalID
	for i := range journals {
		id := txn.JournalID(i + 1)
		voters := placement.Voters(place, nil, placement.Replicas(place, set), seats)
		for _, v := range voters {
			seats[v]++
		}
		m.Journals = append(m.Journals, meta.Journal{ID: id, Group: meta.Group{Voters: voters, Epoch: 1}})
		leads = append(leads, placement.Lead{Journal: id, Voters: voters})
		ids = append(ids, id)
	}
	preferred := placement.Leaders(place, leads)
	for i := range m.Journals {
		m.Journals[i].Preferred = preferred[m.Journals[i].ID]
	}
	m.Ranges = meta.EqualRanges(ids)
	return m, nil
}

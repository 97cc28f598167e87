package control

import (
	"encoding/json"
	"testing"

	"github.com/meridiandb/meridian/internal/control/meta"
	"github.com/meridiandb/meridian/internal/control/placement"
)

type fixed uint64

func (f fixed) Uint64() uint64 { return uint64(f) }

// FuzzQuestion shows strangers' questions and members' reports to what reads them.
func FuzzQuestion(f *testing.F) {
	m, err := Found([]meta.Node{{Address: "a:1", Region: "r", Incarnation: "i", MinProtocol: 1, MaxProtocol: 1}}, 0, fixed(7))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"op":"ask","node":{"id":1,"incarnation":"i","address":"a:1"},"cluster":"c"}`))
	f.Add([]byte(`{"op":"beat","report":{"node":1,"groups":[{"group":1,"leader":1,"term":3,"voters":[1],"members":[{"node":1,"match":9}]}],"storage":{"1":{"durable":4}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := decodeQuestion(b); err == nil {
			_ = checkProof("secret", q)
			if id, err := welcome(m, q); err == nil && id != 0 && q.Node.Incarnation != "i" {
				t.Fatalf("a stranger is taken for node %d", id)
			}
		}
		r := &request{}
		if json.Unmarshal(b, r) != nil || r.Report == nil {
			return
		}
		cfg := &Config{}
		cfg.ensureDefaults()
		v := &view{m: m, cfg: cfg, heard: map[meta.NodeID]heardOf{1: {report: r.Report}}}
		nodes := placement.Nodes(m, v.health)
		_, _ = v.horizons(), v.replicas(nodes)
		s := &Service{cfg: *cfg}
		for _, j := range m.Journals {
			leader, g := v.leader(j.ID)
			s.decide(nodes, nil, plan{id: j.ID, recorded: j.Group, replicas: 1}, leader, g)
			_ = v.journal(j, "")
		}
		st := &Status{Map: m, Nodes: []NodeStatus{v.node(m.Nodes[0])}}
		_ = v.problems(st, "")
	})
}

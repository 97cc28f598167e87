package exec

import (
	"context"
	"time"

	"github.com/meridiandb/meridian/internal/sql/plan"
)

// NodeStats is what EXPLAIN ANALYZE tells of an operator.
type NodeStats struct {
	Loops int64
	Rows  int64
	// Startup is the time until the first row of the first loop, Total that of all loops, inputs included.
	Startup, Total time.Duration
	// MemoryPeak and Spilled are the query's bytes held and written to files when the operator ended last.
	MemoryPeak, Spilled int64
}

// Stats returns the measurements of a node, or nil when there are none. They add up over executions.
func (p *Prepared) Stats(n plan.Node) *NodeStats { return p.stats[n] }

// meter measures an operator.
type meter struct {
	op    operator
	stats *NodeStats
	first bool
}

func (c *compiler) metered(n plan.Node, op operator) operator {
	s := c.stats[n]
	if s == nil {
		s = &NodeStats{}
		c.stats[n] = s
	}
	return &meter{op: op, stats: s}
}

func (m *meter) clock(st *state) time.Duration {
	if st.env.Monotonic == nil {
		return 0
	}
	return st.env.Monotonic()
}

func (m *meter) open(ctx context.Context, st *state) error {
	t := m.clock(st)
	m.stats.Loops++
	m.first = m.stats.Loops == 1
	err := m.op.open(ctx, st)
	m.stats.Total += m.clock(st) - t
	return err
}

func (m *meter) next(ctx context.Context, st *state) (Batch, error) {
	t := m.clock(st)
	b, err := m.op.next(ctx, st)
	m.stats.Total += m.clock(st) - t
	m.stats.Rows += int64(len(b))
	if m.first {
		m.first = false
		m.stats.Startup = m.stats.Total
	}
	return b, err
}

func (m *meter) close(st *state) {
	if st.memory != nil {
		m.stats.MemoryPeak, m.stats.Spilled = st.memory.Peak(), st.memory.Spilled()
	}
	m.op.close(st)
}

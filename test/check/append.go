package check

import (
	"fmt"
	"slices"
	"sort"
)

// Options choose what is checked beyond the dependencies themselves.
type Options struct {
	// RealTime adds an edge from every transaction to those that started after its end: strong snapshot isolation.
	RealTime bool
	// Serializable forbids every cycle; otherwise cycles with two adjacent anti-dependencies (write skew) are allowed.
	Serializable bool
}

// Append judges a list-append history. Appended values must be unique for each key. It returns nil, or the first
// anomaly found.
func Append(history []*Txn, o Options) *Anomaly {
	c := &appendChecker{history: history, writer: map[version]int{}, order: map[int][]int{}}
	for _, step := range []func() *Anomaly{c.internal, c.writers, c.versions} {
		if a := step(); a != nil {
			return a
		}
	}
	c.dependencies()
	if o.RealTime {
		c.realTime()
	}
	return c.cycles(o)
}

type version struct{ key, value int }

type appendChecker struct {
	history []*Txn
	writer  map[version]int // who appended it
	order   map[int][]int   // by key: the values in the order of their versions
	edges   [][]Edge        // by From
}

// internal checks that a transaction sees its own appends (and nothing in between).
func (c *appendChecker) internal() *Anomaly {
	for _, t := range c.history {
		seen := map[int][]int{} // lists as this transaction must see them from now on
		known := map[int]bool{}
		mine := map[int][]int{}
		for _, op := range t.Ops {
			if op.Append {
				mine[op.Key] = append(mine[op.Key], op.Value)
				if known[op.Key] {
					seen[op.Key] = append(slices.Clone(seen[op.Key]), op.Value)
				}
				continue
			}
			if known[op.Key] && !slices.Equal(seen[op.Key], op.List) {
				return &Anomaly{Name: "internal", Detail: fmt.Sprintf("%v: expected %v of key %d", t, seen[op.Key], op.Key)}
			}
			own := mine[op.Key]
			if n := len(op.List); n < len(own) || !slices.Equal(op.List[n-len(own):], own) {
				return &Anomaly{Name: "internal", Detail: fmt.Sprintf("%v: does not see its own appends %v to key %d", t, own, op.Key)}
			}
			seen[op.Key], known[op.Key] = op.List, true
		}
	}
	return nil
}

// writers finds who appended what, and reads of what was never committed (G1a) or is half of a transaction (G1b).
func (c *appendChecker) writers() *Anomaly {
	last := map[version]bool{} // the last append of its transaction to the key
	for i, t := range c.history {
		final := map[int]int{}
		for _, op := range t.Ops {
			if op.Append {
				c.writer[version{op.Key, op.Value}] = i
				final[op.Key] = op.Value
			}
		}
		for k, v := range final {
			last[version{k, v}] = true
		}
	}
	for i, t := range c.history {
		if t.Status != Committed {
			continue
		}
		for _, op := range t.Ops {
			if op.Append {
				continue
			}
			for n, v := range op.List {
				w, ok := c.writer[version{op.Key, v}]
				switch {
				case !ok:
					return &Anomaly{Name: "garbage", Detail: fmt.Sprintf("%v: nobody appended %d to key %d", t, v, op.Key)}
				case c.history[w].Status == Aborted:
					return &Anomaly{Name: "G1a aborted read", Detail: fmt.Sprintf("%v sees %d of %v", t, v, c.history[w])}
				case w != i && n == len(op.List)-1 && !last[version{op.Key, v}]:
					return &Anomaly{Name: "G1b intermediate read", Detail: fmt.Sprintf("%v ends with %d, in the middle of %v", t, v, c.history[w])}
				}
			}
		}
	}
	return nil
}

// versions finds the order of each key's versions: every read must be a prefix of the longest.
func (c *appendChecker) versions() *Anomaly {
	for _, t := range c.history {
		if t.Status != Committed {
			continue
		}
		for _, op := range t.Ops {
			if !op.Append && len(op.List) > len(c.order[op.Key]) {
				c.order[op.Key] = op.List
			}
		}
	}
	for _, t := range c.history {
		if t.Status != Committed {
			continue
		}
		for _, op := range t.Ops {
			if op.Append {
				continue
			}
			long := c.order[op.Key]
			if !slices.Equal(long[:len(op.List)], op.List) {
				return &Anomaly{Name: "incompatible order", Detail: fmt.Sprintf("%v: %v is no prefix of %v (key %d)", t, op.List, long, op.Key)}
			}
		}
	}
	for key, list := range c.order {
		seen := map[int]bool{}
		for _, v := range list {
			if seen[v] {
				return &Anomaly{Name: "duplicate", Detail: fmt.Sprintf("%d is in the list of key %d twice: %v", v, key, list)}
			}
			seen[v] = true
		}
	}
	return c.lost()
}

// lost finds committed appends that later reads do not see: the longest list was read after them.
func (c *appendChecker) lost() *Anomaly {
	readEnd := map[int]int64{}
	for _, t := range c.history {
		if t.Status != Committed {
			continue
		}
		for _, op := range t.Ops {
			if !op.Append {
				readEnd[op.Key] = max(readEnd[op.Key], t.Start)
			}
		}
	}
	for _, t := range c.history {
		if t.Status != Committed {
			continue
		}
		for _, op := range t.Ops {
			if op.Append && t.End < readEnd[op.Key] && !slices.Contains(c.order[op.Key], op.Value) {
				return &Anomaly{Name: "lost append", Detail: fmt.Sprintf("%v: no later read has %d of key %d", t, op.Value, op.Key)}
			}
		}
	}
	return nil
}

func (c *appendChecker) edge(from, to int, kind, why string) {
	if from != to {
		c.edges[from] = append(c.edges[from], Edge{from, to, kind, why})
	}
}

// observed says whether a transaction took effect as far as anybody saw.
func (c *appendChecker) dependencies() {
	c.edges = make([][]Edge, len(c.history))
	for key, list := range c.order {
		for i := 1; i < len(list); i++ {
			a, b := c.writer[version{key, list[i-1]}], c.writer[version{key, list[i]}]
			c.edge(a, b, "ww", fmt.Sprintf("key %d: %d then %d", key, list[i-1], list[i]))
		}
	}
	for i, t := range c.history {
		if t.Status != Committed {
			continue
		}
		for _, op := range t.Ops {
			if op.Append {
				continue
			}
			list := op.List
			for len(list) > 0 && c.writer[version{op.Key, list[len(list)-1]}] == i {
				list = list[:len(list)-1] // its own appends
			}
			if len(list) > 0 {
				v := list[len(list)-1]
				c.edge(c.writer[version{op.Key, v}], i, "wr", fmt.Sprintf("key %d: read %d", op.Key, v))
			}
			if long := c.order[op.Key]; len(list) < len(long) {
				v := long[len(list)]
				c.edge(i, c.writer[version{op.Key, v}], "rw", fmt.Sprintf("key %d: did not see %d", op.Key, v))
			}
		}
	}
}

// realTime adds edges from ends to later starts, leaving out those that follow from others.
func (c *appendChecker) realTime() {
	type event struct {
		at    int64
		start bool
		txn   int
	}
	var events []event
	for i, t := range c.history {
		if t.Status == Committed {
			events = append(events, event{t.Start, true, i}, event{t.End, false, i})
		}
	}
	sort.Slice(events, func(i, j int) bool {
		if events[i].at != events[j].at {
			return events[i].at < events[j].at
		}
		return events[i].start && !events[j].start // a tie is no order
	})
	var frontier []int // ended, and not followed by a whole transaction that has ended
	after := map[int][]int{}
	for _, e := range events {
		if e.start {
			after[e.txn] = slices.Clone(frontier)
			for _, f := range frontier {
				c.edge(f, e.txn, "rt", "ended before the other started")
			}
			continue
		}
		covered := after[e.txn]
		frontier = slices.DeleteFunc(frontier, func(f int) bool { return slices.Contains(covered, f) })
		frontier = append(frontier, e.txn)
	}
}

// cycles looks for a forbidden cycle. For snapshot isolation the graph is doubled: after an anti-dependency (rw) no other
// may follow at once, so a cycle in the doubled graph is one without two adjacent anti-dependencies.
func (c *appendChecker) cycles(o Options) *Anomaly {
	n := len(c.history)
	succ := func(node int) []Edge {
		t, afterRW := node%n, node >= n
		var out []Edge
		for _, e := range c.edges[t] {
			switch {
			case e.Kind != "rw" || o.Serializable:
				out = append(out, Edge{node, e.To, e.Kind, e.Why})
			case !afterRW:
				out = append(out, Edge{node, e.To + n, e.Kind, e.Why})
			}
		}
		return out
	}
	cycle := findCycle(2*n, succ)
	if cycle == nil {
		return nil
	}
	rw, rt := 0, false
	for i := range cycle {
		cycle[i].From = c.history[cycle[i].From%n].ID
		cycle[i].To = c.history[cycle[i].To%n].ID
		if cycle[i].Kind == "rw" {
			rw++
		}
		rt = rt || cycle[i].Kind == "rt"
	}
	name := "G1c circular information flow"
	switch {
	case rw == 1:
		name = "G-single (read skew or lost update)"
	case rw > 1:
		name = "G-nonadjacent (long fork)"
	case !slices.ContainsFunc(cycle, func(e Edge) bool { return e.Kind == "wr" }):
		name = "G0 dirty write"
	}
	if rt {
		name += " in real time"
	}
	return &Anomaly{Name: name, Detail: fmt.Sprintf("a cycle of %d transactions", len(cycle)), Cycle: cycle}
}

// findCycle returns the edges of some cycle, or nil. It walks depth first without recursion.
func findCycle(n int, succ func(int) []Edge) []Edge {
	const (
		unseen = iota
		onPath
		finished
	)
	state := make([]byte, n)
	type frame struct {
		node int
		out  []Edge
		next int
	}
	for root := range n {
		if state[root] != unseen {
			continue
		}
		state[root] = onPath
		path := []frame{{node: root, out: succ(root)}}
		for len(path) > 0 {
			f := &path[len(path)-1]
			if f.next == len(f.out) {
				state[f.node] = finished
				path = path[:len(path)-1]
				continue
			}
			e := f.out[f.next]
			f.next++
			switch state[e.To] {
			case unseen:
				state[e.To] = onPath
				path = append(path, frame{node: e.To, out: succ(e.To)})
			case onPath:
				var cycle []Edge
				for i := len(path) - 1; ; i-- {
					cycle = append(cycle, path[i].out[path[i].next-1])
					if path[i].node == e.To {
						break
					}
				}
				slices.Reverse(cycle)
				return cycle
			}
		}
	}
	return nil
}

package model

import (
	"fmt"
	"strings"
)

// Step is a move to another state, with its name for counterexamples.
type Step[S comparable] struct {
	Name string
	To   S
}

// Spec is a model: where it starts, what can happen, and what must never be so.
type Spec[S comparable] struct {
	Init []S
	// Next calls emit for every state that one action leads to.
	Next func(s S, emit func(name string, to S))
	// Broken names the invariant that a state violates, "" if none.
	Broken func(s S) string
}

// Result of a full exploration.
type Result struct {
	States, Depth int
	// Broken is the first violated invariant and Trace the actions that led there, shortest first.
	Broken string
	Trace  []string
}

// String is the result on a few lines.
func (r Result) String() string {
	if r.Broken == "" {
		return fmt.Sprintf("%d states to depth %d, no violation", r.States, r.Depth)
	}
	return fmt.Sprintf("%s after %d states:\n  %s", r.Broken, r.States, strings.Join(r.Trace, "\n  "))
}

type origin struct {
	from int32
	name string
}

// Explore visits every reachable state, or stops at the first violation. limit bounds the number of states; reaching it is
// reported as a violation of its own, since nothing is proved then.
func Explore[S comparable](spec Spec[S], limit int) Result {
	seen := make(map[S]struct{}, 1<<16)
	var states []S
	var from []origin
	add := func(s S, o origin) {
		if _, ok := seen[s]; !ok {
			seen[s] = struct{}{}
			states, from = append(states, s), append(from, o)
		}
	}
	for _, s := range spec.Init {
		add(s, origin{-1, "start"})
	}
	depth, levelEnd := 0, len(states)
	for i := 0; i < len(states); i++ {
		if i == levelEnd {
			depth, levelEnd = depth+1, len(states)
		}
		if what := spec.Broken(states[i]); what != "" {
			return Result{States: len(states), Depth: depth, Broken: what, Trace: trace(from, i)}
		}
		if len(states) > limit {
			return Result{States: len(states), Depth: depth, Broken: "the limit of states was reached"}
		}
		spec.Next(states[i], func(name string, to S) { add(to, origin{int32(i), name}) })
	}
	return Result{States: len(states), Depth: depth}
}

func trace(from []origin, i int) []string {
	var out []string
	for k := int32(i); k >= 0; k = from[k].from {
		out = append(out, from[k].name)
	}
	for a, b := 0, len(out)-1; a < b; a, b = a+1, b-1 {
		out[a], out[b] = out[b], out[a]
	}
	return out
}

// Package model holds small models of the protocol and visits all their states, breadth first: fail-over of one conflict
// range, votes of two ranges, the move of a range. It plays the part of a TLA+ model and its checker: the same guarded actions,
// explored by code that needs nothing but Go, so that CI always runs it.
//
// Clocks are left out on purpose: wherever an adjudicator would look at one, a model tries every time. What holds here
// holds whatever the clocks say; only real-time order (I1) depends on them, and is checked in simulation.
//
// Every model has switches that drop one rule each. A test demands that the full rules pass and that every dropped rule is
// found, with the shortest run that shows it.
package model

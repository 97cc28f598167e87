// Package node builds a process out of roles and takes it down again. It is the only place that knows all of them.
//
// Start makes things in the order in which they need each other, and Stop ends them in reverse: first the door (clients
// are told 57P01), then jobs, then the data plane, whose adjudicators retire so that a restart need not wait for
// their leases to run out, and last the log.
package node

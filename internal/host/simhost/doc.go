// Package simhost is a world of simulated machines: clocks that drift and step, links with latency, partitions and resets,
// disks that crash (memhost), machines that pause. Everything it decides comes from one seed.
//
//	bubble of testing/synctest: time stands still while any goroutine can run, and then jumps to the next timer
//	    World ── links ── Machine 1: host.Host (time, randomness, files, network)
//	                  └── Machine 2 …
//
// A world must be used inside a bubble of testing/synctest. Every delivery and every sync of a disk happens at an instant of
// its own, to the nanosecond, and time only moves when all goroutines wait: so what happens between two instants follows
// from one stimulus, and with GOMAXPROCS=1 a seed replays. The trace is a hash over the deliveries; two runs of a seed have
// the same one.
package simhost

// Package sim runs whole clusters below SQL in one process, from one seed: the nodes, the network between them and their disks
// are simulated by internal/host/simhost, what clients do and how it is judged is internal/sim/load. `make sim SEED=7` replays
// a seed, `make soak` runs seeds for as long as it is let.
package sim

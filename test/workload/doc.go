// Package workload runs the real binary and drives it: a bank, list-append transactions, and the process itself, which is
// started, killed and started again. It is shared by the end-to-end tests and by longer runs.
package workload

// Package crossbar carries the records of every journal to those who follow them: storage, today.
//
//	journal 1 ──Read, Wait──▶ cursor ─┐
//	journal 2 ──Read, Wait──▶ cursor ─┼─deliver──▶ subscriber
//	owners    ◀──Promise──────────────┘ (a reader that waits nudges)
//
// Entries of one journal come in its order, each once per subscription (I2); nothing is said about the order between
// journals (DESIGN.md). A subscription buffers nothing: it reads at its own pace from what the journals keep anyway, so a
// slow one holds up nobody, and is cut off when its place has been trimmed away.
package crossbar

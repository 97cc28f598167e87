// Package sim runs the roles together, in one process, on hosts that can fail: the tests here put journals and
// adjudicators on file systems that crash and check the invariants of ARCHITECTURE.md.
package sim

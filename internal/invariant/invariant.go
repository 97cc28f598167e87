// Package invariant asserts what must always hold. Cheap assertions stay on in production: a database that has
// lost one of its invariants must stop before it answers or writes anything more.
//
// The invariants of the system are numbered I1 to I10 in ARCHITECTURE.md; a check of one names it in its message.
package invariant

import "fmt"

// Violation is the value that a failed assertion panics with. Shells (the wire server, a role's goroutine) may
// recover it to log and stop; nothing may recover it to go on.
type Violation struct{ Message string }

// Error makes a Violation readable wherever a recovered panic is printed.
func (v Violation) Error() string { return "invariant violated: " + v.Message }

// Check panics with a Violation unless ok. The format is only rendered on failure.
func Check(ok bool, format string, args ...any) {
	if !ok {
		panic(Violation{Message: fmt.Sprintf(format, args...)})
	}
}

// Unreachable panics: the code path was argued to be impossible.
func Unreachable(format string, args ...any) {
	panic(Violation{Message: "unreachable: " + fmt.Sprintf(format, args...)})
}

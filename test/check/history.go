package check

import "fmt"

// Status is how a transaction ended for its client.
type Status uint8

// The statuses. Unknown means that the client cannot tell whether it committed.
const (
	Committed Status = iota
	Aborted
	Unknown
)

// Op is one operation on a list: an append of Value when Append is set, otherwise a read that saw List.
type Op struct {
	Key    int
	Append bool
	Value  int
	List   []int
}

// Txn is a transaction as its client saw it. Start and End are in one clock of the test: Start before its first
// statement was sent, End after its outcome was known.
type Txn struct {
	ID         int
	Start, End int64
	Status     Status
	Ops        []Op
}

// String prints a transaction for a report.
func (t *Txn) String() string {
	s := fmt.Sprintf("T%d[%s %d..%d]", t.ID, [...]string{"committed", "aborted", "unknown"}[t.Status], t.Start, t.End)
	for _, o := range t.Ops {
		if o.Append {
			s += fmt.Sprintf(" append(%d,%d)", o.Key, o.Value)
		} else {
			s += fmt.Sprintf(" read(%d)=%v", o.Key, o.List)
		}
	}
	return s
}

// Edge is a dependency between transactions.
type Edge struct {
	From, To int // positions in the history
	Kind     string
	Why      string
}

// Anomaly is a proof that a history is not strong snapshot isolation.
type Anomaly struct {
	Name   string
	Detail string
	Cycle  []Edge
}

// Error makes an Anomaly readable.
func (a *Anomaly) Error() string {
	s := a.Name + ": " + a.Detail
	for _, e := range a.Cycle {
		s += fmt.Sprintf("\n  T%d -%s-> T%d  %s", e.From, e.Kind, e.To, e.Why)
	}
	return s
}

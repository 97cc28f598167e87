package check

import (
	"strings"
	"testing"
)

func app(key, value int) Op        { return Op{Key: key, Append: true, Value: value} }
func read(key int, list ...int) Op { return Op{Key: key, List: list} }

func txn(id int, start, end int64, ops ...Op) *Txn {
	return &Txn{ID: id, Start: start, End: end, Ops: ops}
}

// TestAnomalies plants every anomaly that the checker claims to find, and histories that it must accept.
func TestAnomalies(t *testing.T) {
	aborted := func(x *Txn) *Txn { x.Status = Aborted; return x }
	unknown := func(x *Txn) *Txn { x.Status = Unknown; return x }
	rt := Options{RealTime: true}
	for _, tc := range []struct {
		name    string
		history []*Txn
		o       Options
		want    string // prefix of the anomaly's name, "" for none
	}{
		{"serial", []*Txn{txn(1, 0, 1, app(1, 1)), txn(2, 2, 3, read(1, 1), app(1, 2)), txn(3, 4, 5, read(1, 1, 2))}, rt, ""},
		{"aborted read", []*Txn{aborted(txn(1, 0, 1, app(1, 1))), txn(2, 2, 3, read(1, 1))}, rt, "G1a"},
		{"unknown may be seen", []*Txn{unknown(txn(1, 0, 1, app(1, 1))), txn(2, 2, 3, read(1, 1))}, rt, ""},
		{"unknown may be absent", []*Txn{unknown(txn(1, 0, 1, app(1, 1))), txn(2, 2, 3, read(1))}, rt, ""},
		{"intermediate read", []*Txn{txn(1, 0, 9, app(1, 1), app(1, 2)), txn(2, 2, 3, read(1, 1)), txn(3, 10, 11, read(1, 1, 2))}, rt, "G1b"},
		{"garbage", []*Txn{txn(1, 0, 1, read(1, 7))}, rt, "garbage"},
		{"own writes", []*Txn{txn(1, 0, 1, app(1, 1), read(1))}, rt, "internal"},
		{"unrepeatable read", []*Txn{txn(1, 0, 5, read(1), read(1, 1)), txn(2, 1, 2, app(1, 1))}, rt, "internal"},
		{"diverging lists", []*Txn{txn(1, 0, 9, app(1, 1)), txn(2, 0, 9, app(1, 2)), txn(3, 0, 9, read(1, 1)), txn(4, 0, 9, read(1, 2))}, rt, "incompatible order"},
		{"lost update", []*Txn{txn(1, 0, 5, read(1), app(1, 1)), txn(2, 0, 5, read(1), app(1, 2)), txn(3, 6, 7, read(1, 1, 2))}, Options{}, "G-single"},
		{"read skew", []*Txn{txn(1, 0, 5, app(1, 1), app(2, 1)), txn(2, 0, 5, read(1), read(2, 1)), txn(3, 6, 7, read(1, 1))}, Options{}, "G-single"},
		{"circular flow", []*Txn{txn(1, 0, 5, app(1, 1), read(2, 2)), txn(2, 0, 5, app(2, 2), read(1, 1))}, Options{}, "G1c"},
		{"dirty write", []*Txn{txn(1, 0, 5, app(1, 1), app(2, 1)), txn(2, 0, 5, app(1, 2), app(2, 2)), txn(3, 6, 7, read(1, 1, 2), read(2, 2, 1))}, Options{}, "G0"},
		{"stale read", []*Txn{txn(1, 0, 1, app(1, 1)), txn(2, 2, 3, read(1)), txn(3, 4, 5, read(1, 1))}, rt, "G-single (read skew or lost update) in real time"},
		{"stale read is snapshot isolation", []*Txn{txn(1, 0, 1, app(1, 1)), txn(2, 2, 3, read(1)), txn(3, 4, 5, read(1, 1))}, Options{}, ""},
		{"lost append", []*Txn{txn(1, 0, 1, app(1, 1)), txn(2, 2, 3, read(1))}, rt, "lost append"},
		{"long fork", []*Txn{txn(1, 0, 9, app(1, 1)), txn(2, 0, 9, app(2, 2)), txn(3, 0, 9, read(1, 1), read(2)), txn(4, 0, 9, read(1), read(2, 2)),
			txn(5, 0, 9, read(1, 1), read(2, 2))}, Options{}, "G-nonadjacent"},
		{"write skew is allowed", []*Txn{txn(1, 0, 5, read(1), app(2, 2)), txn(2, 0, 5, read(2), app(1, 1)), txn(3, 6, 7, read(1, 1), read(2, 2))}, rt, ""},
		{"write skew is not serializable", []*Txn{txn(1, 0, 5, read(1), app(2, 2)), txn(2, 0, 5, read(2), app(1, 1)), txn(3, 6, 7, read(1, 1), read(2, 2))},
			Options{Serializable: true}, "G-nonadjacent"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := Append(tc.history, tc.o)
			switch {
			case a == nil && tc.want != "":
				t.Fatalf("found nothing, want %s", tc.want)
			case a != nil && (tc.want == "" || !strings.HasPrefix(a.Name, tc.want)):
				t.Fatalf("found %v, want %q", a, tc.want)
			}
		})
	}
}

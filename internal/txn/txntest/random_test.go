package txntest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// TestRandomTransactions compares one session's transactions with a map: reads, scans with limits in both directions,
// savepoints, commits and rollbacks.
func TestRandomTransactions(t *testing.T) {
	stack := openStack(t, StackConfig{Ranges: 2})
	defer closeStack(t, stack)
	for name, db := range map[string]txn.DB{"double": New(), "stack": stack} {
		round := 0
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				round++
				randomSession(t, r, &world{T: t, ctx: t.Context(), db: db}, fmt.Sprintf("%06d", round))
			})
		})
	}
}

// mark is a savepoint with what the model held then.
type mark struct {
	at    txn.Mark
	state map[string]string
}

func randomSession(t *testing.T, r *rapid.T, w *world, prefix string) {
	stored := map[string]string{}
	k := func() string { return prefix + fmt.Sprintf("%02d", rapid.IntRange(0, 15).Draw(r, "key")) }
	for range rapid.IntRange(1, 5).Draw(r, "transactions") {
		x, own := w.begin(), maps.Clone(stored)
		var marks []mark
		for range rapid.IntRange(0, 25).Draw(r, "steps") {
			switch rapid.IntRange(0, 8).Draw(r, "action") {
			case 0, 1, 2:
				key, v := k(), fmt.Sprint(rapid.IntRange(0, 999).Draw(r, "value"))
				own[key] = v
				w.write(x, put(key, v))
			case 3:
				name := k()
				delete(own, name)
				w.write(x, txn.Write{Key: key(name), Delete: true})
			case 4:
				name := k()
				want, ok := own[name]
				if !ok {
					want = "-"
				}
				w.want(x, name, want)
			case 5, 6:
				lo, hi := k(), k()
				req := txn.ScanRequest{Span: span(lo, hi), Reverse: rapid.Bool().Draw(r, "reverse"), Limit: int64(rapid.IntRange(0, 4).Draw(r, "limit"))}
				w.wantScan(x, req, scanModel(own, req))
			case 7:
				marks = append(marks, mark{x.Mark(), maps.Clone(own)})
			case 8:
				if len(marks) > 0 {
					i := rapid.IntRange(0, len(marks)-1).Draw(r, "mark")
					x.RollbackTo(marks[i].at)
					own, marks = maps.Clone(marks[i].state), marks[:i+1]
				}
			}
		}
		if rapid.IntRange(0, 3).Draw(r, "end") == 0 {
			x.Rollback()
		} else {
			w.commit(x)
			stored = own
		}
	}
}

func scanModel(m map[string]string, req txn.ScanRequest) string {
	ks := slices.Sorted(maps.Keys(m))
	if req.Reverse {
		slices.Reverse(ks)
	}
	var out []string
	for _, k := range ks {
		if req.Span.Contains(keys.Key(key(k))) && (req.Limit == 0 || int64(len(out)) < req.Limit) {
			out = append(out, k+"="+m[k])
		}
	}
	return strings.Join(out, " ")
}

package txntest

import (
	"fmt"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// TestLargeTransaction: COPY of many rows in one transaction, over one and over several adjudicators.
func TestLargeTransaction(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	for _, ranges := range []int{1, 2} {
		s := openStack(t, StackConfig{Ranges: ranges, SegmentBytes: 64 << 20})
		x := s.Begin(txn.Options{})
		start := time.Now()
		const n = 150_000
		for i := range n {
			k := append(keys.AppendPrefix(make([]byte, 0, 20), 7, keys.PrimaryIndex), fmt.Sprintf("%09d", i*7919%n)...)
			if err := x.Write(t.Context(), txn.Write{Key: k, Value: k, Identity: true}); err != nil {
				t.Fatal(err)
			}
		}
		buffered := time.Since(start)
		_, err := x.Commit(t.Context())
		committed := time.Since(start)
		y := s.Begin(txn.Options{})
		v := make([][]byte, 1)
		gerr := y.Get(t.Context(), []keys.Key{key("000000005")}, v)
		t.Logf("ranges %d: buffered %v, committed %v, readable %v: %v %v %v", ranges, buffered, committed, time.Since(start), err, gerr, v[0] != nil)
		if err != nil || v[0] == nil {
			t.Errorf("not committed")
		}
		closeStack(t, s)
	}
}

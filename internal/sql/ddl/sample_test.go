package ddl

import (
	"bytes"
	"slices"
	"testing"

	"github.com/meridiandb/meridian/internal/keys"
)

// TestCutter: parts of a table whose keys are spread very unevenly hold about as many bytes each.
func TestCutter(t *testing.T) {
	var ks []keys.Key
	for i := range 100_000 {
		k := keys.AppendPrefix(nil, 7, 1)
		if i%10 == 0 {
			k = append(k, byte(i>>16), byte(i>>8), byte(i)) // few, far apart
		} else {
			k = append(k, 0x80, 0, 0, 0, 0, byte(i>>16), byte(i>>8), byte(i)) // many, side by side
		}
		ks = append(ks, k)
	}
	slices.SortFunc(ks, func(a, b keys.Key) int { return bytes.Compare(a, b) })
	at := func(k keys.Key) int64 {
		i, _ := slices.BinarySearchFunc(ks, k, func(a, b keys.Key) int { return bytes.Compare(a, b) })
		return int64(i)
	}
	bytesOf := func(s keys.Span) (int64, error) { return 10 * (at(s.End) - at(s.Start)), nil }
	c := cutter{bytesOf: bytesOf, most: 10 * int64(len(ks)) / pieces}
	if err := c.cut(keys.Span{Start: ks[0], End: append(ks[len(ks)-1], 0)}, int64(10*len(ks)), 0); err != nil {
		t.Fatal(err)
	}
	if n := len(c.starts); n < pieces || n > 2*pieces {
		t.Fatalf("%d parts", n)
	}
	for i, k := range c.starts[1:] {
		if n := at(k) - at(c.starts[i]); n <= 0 || 10*n > c.most {
			t.Errorf("part %d has %d keys", i, n)
		}
	}
}

func TestMiddle(t *testing.T) {
	for _, tc := range []struct{ a, b, want string }{
		{"a", "c", "b\x00\x00\x00\x00\x00\x00\x00"},
		{"key1", "key2", "key1\x80\x00\x00\x00\x00\x00\x00"},
		{"same", "same", ""},
		{"k", "k\x00", ""},
	} {
		if got := middle(keys.Key(tc.a), keys.Key(tc.b)); string(got) != tc.want {
			t.Errorf("%q, %q: %q", tc.a, tc.b, got)
		}
	}
}

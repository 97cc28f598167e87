package coordinator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// modelBuffer keeps every write; what counts is found by looking from the end.
type modelBuffer []txn.Write

func (m modelBuffer) newest() map[string]txn.Write {
	out := map[string]txn.Write{}
	for _, w := range m {
		out[string(w.Key)] = w
	}
	return out
}

func (m modelBuffer) scan(span keys.Span, reverse bool) string {
	n := m.newest()
	var ks []string
	for k := range n {
		if span.Contains(keys.Key(k)) {
			ks = append(ks, k)
		}
	}
	slices.Sort(ks)
	if reverse {
		slices.Reverse(ks)
	}
	var b strings.Builder
	for _, k := range ks {
		fmt.Fprintf(&b, "%s=%s ", k, n[k].Value)
	}
	return b.String()
}

func walk(it *overlayIter) string {
	var b strings.Builder
	for it != nil && it.entry() != nil {
		fmt.Fprintf(&b, "%s=%s ", it.entry().key, it.entry().value)
		it.next()
	}
	return b.String()
}

// TestBufferModel compares the buffer with the model through writes, marks, rollbacks and scans; scans opened earlier
// keep seeing the buffer as it was.
func TestBufferModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, m := &buffer{}, modelBuffer{}
		var marks []int
		type early struct {
			it   *overlayIter
			want string
			at   int
		}
		var open []early
		keyCount := rapid.SampledFrom([]int{3, 20, 400}).Draw(t, "keys")
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "action") {
			case 0, 1, 2:
				for range rapid.IntRange(1, 40).Draw(t, "writes") {
					w := txn.Write{Key: fmt.Appendf(nil, "%03d", rapid.IntRange(0, keyCount-1).Draw(t, "key")), Value: fmt.Appendf(nil, "%d", len(m))}
					b.put(&w)
					m = append(m, w)
				}
			case 3:
				marks = append(marks, len(m))
			case 4:
				if len(marks) > 0 {
					to := marks[rapid.IntRange(0, len(marks)-1).Draw(t, "mark")]
					m = m[:to]
					b.truncate(int32(to))
					marks = slices.DeleteFunc(marks, func(k int) bool { return k > to })
					open = slices.DeleteFunc(open, func(e early) bool { return e.at > to })
				}
			case 5:
				lo, hi := rapid.IntRange(0, keyCount).Draw(t, "lo"), rapid.IntRange(0, keyCount).Draw(t, "hi")
				span := keys.Span{Start: fmt.Appendf(nil, "%03d", lo), End: fmt.Appendf(nil, "%03d", hi)}
				reverse := rapid.Bool().Draw(t, "reverse")
				e := early{it: b.overlay(span, reverse), want: m.scan(span, reverse), at: len(m)}
				if rapid.Bool().Draw(t, "later") {
					open = append(open, e)
				} else if got := walk(e.it); got != e.want {
					t.Fatalf("scan: %q, want %q", got, e.want)
				}
			}
			if b.len() != len(m) || int(b.live) != len(m.newest()) {
				t.Fatalf("%d writes of %d keys, want %d of %d", b.len(), b.live, len(m), len(m.newest()))
			}
		}
		for _, e := range open {
			if got := walk(e.it); got != e.want {
				t.Fatalf("scan opened early: %q, want %q", got, e.want)
			}
		}
		bytes := 0
		for k, w := range m.newest() {
			bytes += len(k) + len(w.Value)
			if i := b.find(keys.Key(k)); i < 0 || string(b.at(i).value) != string(w.Value) {
				t.Fatalf("find %s: entry %d", k, i)
			}
		}
		if int64(bytes) != b.bytes || b.find(keys.Key("absent")) >= 0 {
			t.Fatalf("%d bytes, want %d", b.bytes, bytes)
		}
	})
}

// TestDemandsAccumulate: what an earlier write of a key demanded at commit, a later one cannot take back.
func TestDemandsAccumulate(t *testing.T) {
	b := &buffer{}
	k := keys.Key("k")
	b.put(&txn.Write{Key: k, Identity: true})
	b.put(&txn.Write{Key: k, Blind: true})
	if f := b.at(b.find(k)).flags; f&flagIdentity == 0 || f&flagBlind != 0 {
		t.Fatalf("flags %b", f)
	}
}

func BenchmarkPut(b *testing.B) {
	for _, n := range []int{4, 1000, 1_000_000} {
		ks := make([]txn.Write, n)
		for i := range ks {
			ks[i] = txn.Write{Key: fmt.Appendf(nil, "%012d", i*7919%n), Value: []byte("value")}
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf := &buffer{}
				for i := range ks {
					buf.put(&ks[i])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/write")
		})
	}
}

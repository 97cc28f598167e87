package conflict

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/keys"
)

// TestWindowModel compares the window with a map that forgets nothing. Above the floor the two must agree; the floor must
// not rise above what was really forgotten, and never fall.
func TestWindowModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 40).Draw(t, "size")
		w := New(Config{EntriesMin: rapid.IntRange(1, size).Draw(t, "min"), EntriesMax: size}, 0)
		model := map[keys.Hash]Mark{}
		now, floor := clock.Timestamp(0), clock.Timestamp(0)
		hash := rapid.Custom(func(t *rapid.T) keys.Hash {
			// Few parts and few tags, so that probes run into each other.
			return keys.Hash(rapid.IntRange(0, 3).Draw(t, "low")) | keys.Hash(rapid.IntRange(0, 30).Draw(t, "high"))<<32
		})
		step := func(h keys.Hash) clock.Timestamp {
			now += clock.Timestamp(rapid.IntRange(0, 3).Draw(t, "later"))
			return max(1, now-clock.Timestamp(rapid.IntRange(0, 5).Draw(t, "back")))
		}
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				h := hash.Draw(t, "hash")
				at, writer := step(h), rapid.Uint32Range(0, 3).Draw(t, "writer")
				w.Write(h, at, writer)
				if m := model[h]; at > m.Write {
					m.Write, m.Writer = at, writer
					model[h] = m
				}
			},
			"share": func(t *rapid.T) {
				h := hash.Draw(t, "hash")
				at := step(h)
				w.Share(h, at)
				m := model[h]
				m.Shared = max(m.Shared, at)
				model[h] = m
			},
			"forget": func(t *rapid.T) {
				before := w.Floor()
				to := clock.Timestamp(rapid.Uint64Range(0, uint64(now)).Draw(t, "to"))
				w.Forget(to, rapid.IntRange(0, 5).Draw(t, "n"))
				if w.Floor() > max(before, to) {
					t.Fatalf("floor %s above %s", w.Floor(), to)
				}
			},
			"": func(t *rapid.T) {
				if w.Floor() < floor {
					t.Fatalf("the floor fell from %s to %s", floor, w.Floor())
				}
				floor = w.Floor()
				check(t, w, model)
			},
		})
	})
}

func check(t *rapid.T, w *Window, model map[keys.Hash]Mark) {
	for h, want := range model {
		got := w.Get(h)
		if want.Write > w.Floor() && (got.Write != want.Write || got.Writer != want.Writer) {
			t.Fatalf("hash %x: write %+v, want %+v, floor %s", uint64(h), got, want, w.Floor())
		}
		if want.Shared > w.Floor() && got.Shared != want.Shared {
			t.Fatalf("hash %x: shared %+v, want %+v, floor %s", uint64(h), got, want, w.Floor())
		}
		if got.Write > want.Write || got.Shared > want.Shared {
			t.Fatalf("hash %x: made up %+v, want %+v", uint64(h), got, want)
		}
	}
	if w.Len() > w.cfg.EntriesMax {
		t.Fatalf("%d entries of %d", w.Len(), w.cfg.EntriesMax)
	}
}

// TestHotKeysKeepTheFloorLow: a key that is written again and again takes one place, and is not what raises the floor.
func TestHotKeysKeepTheFloorLow(t *testing.T) {
	w := New(Config{EntriesMin: 64, EntriesMax: 1024}, 0)
	for i := range 100_000 {
		w.Write(keys.Hash(i%10)<<32, clock.Timestamp(i+1), 0)
	}
	if w.Floor() != 0 || w.Len() != 10 {
		t.Fatalf("floor %s with %d entries", w.Floor(), w.Len())
	}
	for i := range 2000 {
		w.Write(keys.Hash(100+i)<<32, clock.Timestamp(200_000+i), 0)
	}
	if f := w.Floor(); f < 200_900 || f > 201_200 {
		t.Fatalf("floor %d", uint64(f))
	}
}

func BenchmarkWindow(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 20} {
		b.Run(map[bool]string{true: "small", false: "large"}[n == 1<<10], func(b *testing.B) {
			w := New(Config{}, 0)
			r := rand.New(rand.NewPCG(1, 2))
			for i := range n {
				w.Write(keys.Hash(r.Uint64()), clock.Timestamp(i+1), 0)
			}
			b.ReportAllocs()
			b.ResetTimer()
			t := clock.Timestamp(n)
			for range b.N {
				h := keys.Hash(r.Uint64N(uint64(n)) * 0x9e3779b97f4a7c15)
				t++
				w.Get(h)
				w.Write(h, t, 0)
			}
		})
	}
}

package clock

import (
	"context"
	"sync"
	"testing"
	"time"
)

// manual is time that moves when told, or by itself when somebody sleeps.
type manual struct {
	mu   sync.Mutex
	mono time.Duration
	step time.Duration // of the wall clock
}

func (m *manual) Now() time.Time { return time.Unix(1_800_000_000, 0).Add(m.Monotonic() + m.step) }

func (m *manual) Monotonic() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mono
}

func (m *manual) Sleep(_ context.Context, d time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mono += d
	return nil
}

func (m *manual) AfterFunc(d time.Duration, f func()) func() bool {
	go func() {
		_ = m.Sleep(context.Background(), d)
		f()
	}()
	return func() bool { return false }
}

func TestLocalBounds(t *testing.T) {
	m := &manual{}
	c := New(m, 3*time.Millisecond)
	now, ok := c.Now()
	if !ok || now.Latest.Sub(now.Earliest) != 6*time.Millisecond {
		t.Fatal(now, ok)
	}
	if one, _ := New(m, 0).Now(); one.Earliest != one.Latest || one.Latest.Time() != m.Now().UTC() {
		t.Fatal(one)
	}
}

func TestWaitPast(t *testing.T) {
	m := &manual{}
	c := New(m, time.Millisecond)
	for _, wait := range []time.Duration{0, 5 * time.Microsecond, 500 * time.Microsecond, 3 * time.Second} {
		now, _ := c.Now()
		to := now.Latest.Add(wait)
		if !c.WaitPast(to, nil) {
			t.Fatal("not waited")
		}
		if after, _ := c.Now(); after.Earliest < to {
			t.Fatalf("%s is not past %s", after.Earliest, to)
		}
	}
	done := make(chan struct{})
	close(done)
	if now, _ := c.Now(); c.WaitPast(now.Latest.Add(time.Hour), done) {
		t.Fatal("waited though done")
	}
}

// TestAdvance sets the clock ahead, as after a restart: it jumps, never goes back, and falls back to wall time slowly.
func TestAdvance(t *testing.T) {
	m := &manual{}
	c := New(m, 0)
	before, _ := c.Now()
	to := before.Latest.Add(250 * time.Millisecond)
	c.Advance(to)
	c.Advance(before.Latest) // behind: nothing to do
	prev, _ := c.Now()
	if prev.Earliest < to {
		t.Fatalf("%s is below %s", prev.Earliest, to)
	}
	for range 40 {
		_ = m.Sleep(context.Background(), time.Second)
		now, _ := c.Now()
		if d := now.Latest.Sub(prev.Latest); d < 980*time.Millisecond || d > time.Second {
			t.Fatalf("a second took %s", d)
		}
		prev = now
	}
	if off := prev.Latest.Sub(FromTime(m.Now())); off > time.Microsecond || off < -time.Microsecond {
		t.Fatalf("still %s off", off)
	}
}

// TestSteps steps the wall clock: ahead, as after a night's sleep, and back.
func TestSteps(t *testing.T) {
	m := &manual{}
	c := New(m, 0)
	prev, _ := c.Now()
	off := func() time.Duration {
		_ = m.Sleep(context.Background(), time.Second)
		now, _ := c.Now()
		if now.Latest <= prev.Latest {
			t.Fatal("time stood still")
		}
		prev = now
		return now.Latest.Sub(FromTime(m.Now()))
	}
	m.step = 8 * time.Hour
	if d := off(); d < -time.Microsecond || d > time.Microsecond {
		t.Fatalf("%s off after a sleep", d)
	}
	m.step -= 640 * time.Millisecond
	if d := off(); d < 600*time.Millisecond {
		t.Fatalf("%s off after a step back", d)
	}
	for range 42 {
		off()
	}
	if d := off(); d < -time.Microsecond || d > time.Microsecond {
		t.Fatalf("%s off at last", d)
	}
	c.Advance(prev.Latest.Add(time.Second))
	m.step += 3 * time.Second
	if d := off(); d < -time.Microsecond || d > time.Microsecond {
		t.Fatalf("%s off after a step ahead of an advance", d)
	}
}

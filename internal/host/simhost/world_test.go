package simhost

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// chat sends messages both ways over a few machines, with a cut and a pause on the way, and returns the trace.
func chat(t *testing.T, seed uint64) (sum, events uint64) {
	synctest.Test(t, func(t *testing.T) {
		w := New(3, Config{Seed: seed})
		for i := range 3 {
			l, err := w.Machine(i).Boot().Listen("tcp", Address(i, 1))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						_, _ = io.Copy(c, c)
						_ = c.Close()
					}()
				}
			}()
		}
		done := make(chan error, 6)
		for from := range 3 {
			for to := range 3 {
				if from == to {
					continue
				}
				go func() {
					c, err := w.Machine(from).Boot().Dial(context.Background(), "tcp", Address(to, 1))
					if err != nil {
						done <- err
						return
					}
					for i := range 20 {
						text := fmt.Sprintf("%d %d %d", from, to, i)
						if _, err := c.Write([]byte(text)); err != nil {
							done <- err
							return
						}
						b := make([]byte, len(text))
						if _, err := io.ReadFull(c, b); err != nil || string(b) != text {
							done <- fmt.Errorf("%q came back as %q: %w", text, b, err)
							return
						}
					}
					done <- c.Close()
				}()
			}
		}
		w.Sleep(time.Millisecond)
		w.Cut(0, 1)
		w.Machine(2).Pause()
		w.Sleep(5 * time.Millisecond)
		w.HealAll()
		w.Machine(2).Resume()
		for range 6 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		w.Sleep(time.Second) // the ends of the streams arrive
		sum, events = w.Trace()
	})
	return sum, events
}

// TestReplay runs one seed twice, and another one. Go's scheduler takes the processor away from a goroutine that has had it for
// 10 ms of real time, in bubbles too, which a busy machine lets happen anywhere: so some pair of runs must be equal, not the first.
func TestReplay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	other, _ := chat(t, 8)
	var a, b, n uint64
	for range 5 {
		a, n = chat(t, 7)
		b, _ = chat(t, 7)
		if a == other || n < 240 {
			t.Fatalf("trace %x of a seed, %x of another, %d events", a, other, n)
		}
		if a == b {
			return
		}
	}
	t.Errorf("traces %x and %x of a seed", a, b)
}

// TestCrash shows that a peer of a killed machine hears of it, a peer of one without power does not, and that a dead life's
// timers and files stay dead.
func TestCrash(t *testing.T) {
	for _, power := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := New(2, Config{Seed: 1})
			life := w.Machine(1).Boot()
			l, err := life.Listen("tcp", Address(1, 1))
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for {
					if _, err := l.Accept(); err != nil {
						return
					}
				}
			}()
			c, err := w.Machine(0).Boot().Dial(context.Background(), "tcp", Address(1, 1))
			if err != nil {
				t.Fatal(err)
			}
			rang := false
			life.AfterFunc(time.Second, func() { rang = true })
			w.Machine(1).Crash(power)
			_ = c.SetReadDeadline(w.Machine(0).Now().Add(3 * time.Second))
			began := time.Now()
			_, err = c.Read(make([]byte, 1))
			waited := time.Since(began)
			if err == nil || power != (waited >= 3*time.Second) || rang {
				t.Errorf("power %v: read said %v after %v, timer rang: %v", power, err, waited, rang)
			}
			if _, err := life.FS().Create("x"); err != nil {
				t.Error(err)
			}
			if there, err := w.Machine(1).Boot().FS().Exists("x"); there || err != nil {
				t.Errorf("a dead life's file is seen by the next: %v, %v", there, err)
			}
			_ = c.Close()
			w.Sleep(time.Second)
		})
	}
}

//go:build e2e

package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/test/check"
	"github.com/meridiandb/meridian/test/workload"
)

func server(t *testing.T, args ...string) *workload.Server {
	t.Helper()
	binary := os.Getenv("MERIDIAN_BINARY")
	if binary == "" {
		t.Skip("MERIDIAN_BINARY is not set: run `make e2e`, which builds the binary and names it")
	}
	s, err := workload.NewServer(binary, t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// rounds is the number of kills: tens here, hundreds with MERIDIAN_KILLS=300.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("MERIDIAN_KILLS")); err == nil {
		return n
	}
	return 20
}

// TestKill kills the server at random moments under the bank and the list-append workload, and checks after every restart
// that what was acknowledged is there and what was refused is not.
func TestKill(t *testing.T) {
	s := server(t)
	bank := &workload.Bank{URL: s.URL("admin"), Accounts: 20, Balance: 1000}
	lists := &workload.Append{URL: s.URL("admin"), Keys: 6}
	if err := bank.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := lists.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	next := int64(1)
	for round := range rounds() {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for w := range 4 {
			first, r := next+int64(w)*1_000_000, rand.New(rand.NewPCG(seed, uint64(round*10+w)))
			wg.Go(func() { _, _ = bank.Run(ctx, first, r) })
			r2 := rand.New(rand.NewPCG(seed, uint64(1_000_000+round*10+w)))
			wg.Go(func() { _ = lists.Run(ctx, r2) })
		}
		next += 4_000_000
		timer := time.NewTimer(time.Duration(50+rng.IntN(400)) * time.Millisecond)
		<-timer.C
		s.Kill()
		cancel()
		wg.Wait()
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := bank.Verify(t.Context()); err != nil {
			t.Fatalf("after kill %d: %v", round+1, err)
		}
	}
	committed, aborted, unknown := bank.Counts()
	t.Logf("%d kills; transfers: %d committed, %d refused, %d unknown; lists: %d transactions", rounds(), committed, aborted, unknown, len(lists.History()))
	if committed < rounds() {
		t.Errorf("only %d transfers committed: the test proves little", committed)
	}
	if a := check.Append(lists.History(), check.Options{RealTime: true}); a != nil {
		t.Error(a)
	}
}

// TestWriteSkew shows that transactions run under snapshot isolation, not more, and that FOR UPDATE is the remedy.
func TestWriteSkew(t *testing.T) {
	s := server(t)
	for _, tc := range []struct {
		suffix string
		both   bool
	}{{"", true}, {" FOR UPDATE", false}} {
		if got := writeSkew(t, s, tc.suffix); got != tc.both {
			t.Errorf("reading%q: both committed is %v, want %v", tc.suffix, got, tc.both)
		}
	}
}

package sim

import (
	"flag"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/sim/load"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "replay this seed only")
	seedsFlag = flag.Int("seeds", 3, "how many seeds to run, from 1")
	logFlag   = flag.Bool("log", false, "print what the nodes log")
)

// oneProcessor makes the order of goroutines a matter of the program alone: one processor, no collection that would
// interrupt them.
func oneProcessor(t *testing.T) {
	procs := runtime.GOMAXPROCS(1)
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() {
		runtime.GOMAXPROCS(procs)
		debug.SetGCPercent(percent)
		runtime.GC()
	})
}

func threeZones() []place {
	return []place{{region: "r", zone: "a"}, {region: "r", zone: "b"}, {region: "r", zone: "c"}}
}

func someLoads(now load.Clock) []load.Load {
	return []load.Load{&load.Bank{Accounts: 10}, &load.Lists{Keys: 6, Clock: now}, &load.Ring{Size: 10}, &load.Unique{Keys: 500},
		&load.Families{Parents: 5}, &load.Registers{Keys: 4, Clock: now}}
}

// TestCalm runs a cluster without faults.
func TestCalm(t *testing.T) {
	oneProcessor(t)
	began := time.Now()
	wrong, trace, events := simulate(t, options{seed: 1, places: threeZones(), loads: someLoads, clients: 1, log: *logFlag, trouble: time.Second})
	t.Logf("trace %x, %d events, %v", trace, events, time.Since(began))
	if wrong != nil {
		t.Error(wrong)
	}
}

// TestTrouble runs seeds with crashes, partitions, pauses and clocks that step.
func TestTrouble(t *testing.T) {
	oneProcessor(t)
	seeds := make([]uint64, *seedsFlag)
	for i := range seeds {
		seeds[i] = uint64(i + 1)
	}
	if *seedFlag != 0 {
		seeds = []uint64{*seedFlag}
	}
	for _, seed := range seeds {
		began := time.Now()
		wrong, trace, events := simulate(t, options{seed: seed, places: threeZones(), loads: someLoads, clients: 1, log: *logFlag, trouble: 10 * time.Second})
		t.Logf("seed %d: trace %x, %d events, %v", seed, trace, events, time.Since(began).Round(time.Millisecond))
		if wrong != nil {
			t.Errorf("seed %d: %v", seed, wrong)
		}
		runtime.GC()
	}
}

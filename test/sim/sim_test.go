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
	seedFlag     = flag.Uint64("seed", 0, "replay this seed only")
	fromFlag     = flag.Uint64("from", 1, "the first seed")
	seedsFlag    = flag.Int("seeds", 3, "how many seeds to run")
	logFlag      = flag.Bool("log", false, "print what the nodes log")
	sabotageFlag = flag.String("sabotage", "", "plant this bug")
	sabotageAll  = flag.Bool("sabotages", false, "see that every planted bug is found")
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

// twoRegions have data, a third has a witness, which breaks ties.
func twoRegions() []place {
	return []place{{region: "east", zone: "a"}, {region: "east", zone: "b"}, {region: "west", zone: "a"}, {region: "west", zone: "b"},
		{region: "middle", zone: "a", witness: true}}
}

func someLoads(now load.Clock) []load.Load {
	return []load.Load{&load.Bank{Accounts: 10}, &load.Lists{Keys: 6, Clock: now}, &load.Ring{Size: 10}, &load.Unique{Keys: 500},
		&load.Families{Parents: 5}, &load.Registers{Keys: 4, Clock: now}}
}

// seeds lists the seeds to run: a share of those that were asked for, or the one to replay.
func seeds(share int) []uint64 {
	if *seedFlag != 0 {
		return []uint64{*seedFlag}
	}
	out := make([]uint64, (*seedsFlag+share-1)/share)
	for i := range out {
		out[i] = *fromFlag + uint64(i)
	}
	return out
}

// runSeeds runs worlds that differ in their seeds only.
func runSeeds(t *testing.T, seeds []uint64, o options) {
	oneProcessor(t)
	for _, seed := range seeds {
		began := time.Now()
		o.seed, o.loads, o.clients, o.log = seed, someLoads, 1, *logFlag
		trace, events, wrong := simulate(t, o)
		t.Logf("seed %d: trace %x, %d events, %v", seed, trace, events, time.Since(began).Round(time.Millisecond))
		if wrong != nil {
			t.Errorf("seed %d: %v\nagain: go test ./test/sim -run '^%s$' -seed %d", seed, wrong, t.Name(), seed)
		}
		runtime.GC()
	}
}

// TestCalm runs a cluster without faults.
func TestCalm(t *testing.T) {
	runSeeds(t, seeds(3)[:1], options{places: threeZones(), trouble: time.Second, faults: []fault{nothing}})
}

// TestTrouble runs seeds with crashes, partitions, pauses and clocks that step.
func TestTrouble(t *testing.T) {
	o := options{places: threeZones(), trouble: 10 * time.Second, sabotage: sabotageNamed(t, *sabotageFlag)}
	if o.sabotage != nil {
		o.faults = o.sabotage.faults
	}
	runSeeds(t, seeds(1), o)
}

// TestRegions runs two regions and a witness, with regions that are lost and cut off.
func TestRegions(t *testing.T) {
	runSeeds(t, seeds(3), options{places: twoRegions(), trouble: 10 * time.Second, faults: regionFaults()})
}

// TestDisks runs a cluster whose disks fill up and fail to sync: such a node stops itself, and the rest goes on.
func TestDisks(t *testing.T) {
	runSeeds(t, seeds(3), options{places: threeZones(), trouble: 10 * time.Second, faults: diskFaults()})
}

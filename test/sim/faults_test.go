package sim

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/host/memhost"
)

// fault makes one fault for about as long as it is told, and ends it. i is a node.
type fault func(w *world, ctx context.Context, i int, last time.Duration)

// machineFaults are what machines and their network do.
func machineFaults() []fault {
	return []fault{kill, power, isolate, cut, pause, reset, step, blackout}
}

// regionFaults are what becomes of regions, and of machines now and then.
func regionFaults() []fault {
	return []fault{regionCrash, regionCrash, regionApart, regionApart, regionDeaf, kill, power, isolate, pause, step}
}

// diskFaults are what disks do, and of the others those that make them matter.
func diskFaults() []fault {
	return []fault{fullDisk, failingDisk, failingDisk, power, isolate}
}

// trouble makes faults one after the other.
func (w *world) trouble(ctx context.Context) {
	faults := w.o.faults
	if faults == nil {
		faults = machineFaults()
	}
	until := w.Elapsed() + w.o.trouble
	for w.Elapsed() < until && !w.failed() {
		w.pause(ctx, time.Duration(100+w.rng.IntN(900))*time.Millisecond)
		i := w.rng.IntN(len(w.nodes))
		last := time.Duration(200+w.rng.IntN(2500)) * time.Millisecond
		faults[w.rng.IntN(len(faults))](w, ctx, i, last)
	}
}

// down crashes nodes at once, and starts them again after a while.
func (w *world) down(ctx context.Context, power bool, last time.Duration, nodes ...int) {
	w.Note("crash %v power %v", nodes, power)
	for _, i := range nodes {
		w.crash(i, power)
	}
	w.pause(ctx, last)
	var all sync.WaitGroup
	for _, i := range nodes {
		all.Go(func() {
			if err := w.start(ctx, i); err != nil {
				w.fail("node %d does not start again: %w", i+1, err)
			}
		})
	}
	all.Wait()
}

// nothing is what a calm world knows.
func nothing(*world, context.Context, int, time.Duration) {}

func kill(w *world, ctx context.Context, i int, last time.Duration)  { w.down(ctx, false, last, i) }
func power(w *world, ctx context.Context, i int, last time.Duration) { w.down(ctx, true, last, i) }

// blackout takes the power from every machine.
func blackout(w *world, ctx context.Context, _ int, last time.Duration) {
	all := make([]int, len(w.nodes))
	for i := range all {
		all[i] = i
	}
	w.down(ctx, true, last, all...)
}

func isolate(w *world, ctx context.Context, i int, last time.Duration) {
	w.Note("isolate %d", i)
	w.Isolate(i)
	w.pause(ctx, last)
	w.HealAll()
}

func cut(w *world, ctx context.Context, i int, last time.Duration) {
	to := (i + 1 + w.rng.IntN(len(w.nodes)-1)) % len(w.nodes)
	w.Note("cut %d to %d", i, to)
	w.Cut(i, to)
	w.pause(ctx, last)
	w.HealAll()
}

func pause(w *world, ctx context.Context, i int, last time.Duration) {
	w.Note("pause %d", i)
	w.Machine(i).Pause()
	w.pause(ctx, last)
	w.Machine(i).Resume()
}

func reset(w *world, _ context.Context, i int, _ time.Duration) {
	w.Note("reset %d", i)
	for k := range w.nodes {
		if k != i {
			w.Reset(i, k)
		}
	}
}

func step(w *world, _ context.Context, i int, _ time.Duration) {
	w.Note("clock %d", i)
	w.Machine(i).SetClock(time.Duration(w.rng.IntN(1800)-900)*time.Microsecond, 1)
}

// region lists the nodes of i's region and the others.
func (w *world) region(i int) (inside, outside []int) {
	for k, p := range w.o.places {
		if p.region == w.o.places[i].region {
			inside = append(inside, k)
		} else {
			outside = append(outside, k)
		}
	}
	return inside, outside
}

// regionCrash loses a region.
func regionCrash(w *world, ctx context.Context, i int, last time.Duration) {
	inside, _ := w.region(i)
	w.down(ctx, w.rng.IntN(2) == 0, last, inside...)
}

// regionApart cuts a region off.
func regionApart(w *world, ctx context.Context, i int, last time.Duration) {
	w.regionCut(ctx, i, last, true)
}

// regionDeaf lets a region talk and hear nothing.
func regionDeaf(w *world, ctx context.Context, i int, last time.Duration) {
	w.regionCut(ctx, i, last, false)
}

func (w *world) regionCut(ctx context.Context, i int, last time.Duration, both bool) {
	inside, outside := w.region(i)
	w.Note("cut off %v both ways %v", inside, both)
	for _, a := range inside {
		for _, b := range outside {
			w.Cut(b, a)
			if both {
				w.Cut(a, b)
			}
		}
	}
	w.pause(ctx, last)
	w.HealAll()
}

// fullDisk lets a disk fill up.
func fullDisk(w *world, ctx context.Context, i int, last time.Duration) {
	left := int64(w.rng.IntN(20_000))
	w.sicken(ctx, i, last, memhost.Faults{SpaceLeft: &left})
}

// failingDisk lets syncs fail.
func failingDisk(w *world, ctx context.Context, i int, last time.Duration) {
	w.sicken(ctx, i, last, memhost.Faults{SyncErr: errors.New("input/output error")})
}

// sicken breaks a node's disk: the node must stop itself, since it cannot know what its disk holds. It gets a disk that works, with
// what is on it, and starts again.
func (w *world) sicken(ctx context.Context, i int, last time.Duration, f memhost.Faults) {
	w.Note("disk of %d", i)
	stopped := make(chan struct{})
	w.mu.Lock()
	w.sick[i] = stopped
	w.mu.Unlock()
	w.Machine(i).Disk().SetFaults(f)
	select {
	case <-stopped:
		w.crash(i, w.rng.IntN(2) == 0)
		w.pause(ctx, last)
	case <-w.After(30 * time.Second):
		w.fail("node %d goes on for 30 s on a disk that does not work", i+1)
		w.crash(i, false)
	}
	w.mu.Lock()
	delete(w.sick, i)
	w.mu.Unlock()
	if err := w.start(ctx, i); err != nil {
		w.fail("node %d does not start again: %w", i+1, err)
	}
}

package txntest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/storage"
	"github.com/meridiandb/meridian/internal/txn"
)

// pairs is what clients know of a data plane that dies: each of them counts up in two keys, one transaction a step, and
// the two belong to different conflict ranges more often than not.
type pairs struct {
	acked []int // by client: the last step that was acknowledged, or seen after a restart
	tried []int // the last one that may have happened
}

const crashClients = 3

// value of a step: large, so that files of the log fill up, and telling, so that a torn one is noticed.
func stepValue(n int) string { return fmt.Sprintf("%06d%s", n, strings.Repeat("p", 3000)) }

// compare reads everything, says what is wrong with it, and learns which steps without an answer did happen.
func (p *pairs) compare(db txn.DB) error {
	for c := range p.acked {
		ks := []keys.Key{key(fmt.Sprint("c", c)), key(fmt.Sprint("c", c, "'"))}
		v := make([][]byte, 2)
		if err := db.Begin(txn.Options{}).Get(context.Background(), ks, v); err != nil {
			return err
		}
		n := 0
		if v[0] != nil {
			n, _ = strconv.Atoi(string(v[0][:6]))
		}
		switch {
		case string(v[0]) != string(v[1]):
			return fmt.Errorf("torn transaction: %.6q and %.6q", v[0], v[1])
		case n < p.acked[c] || n > p.tried[c]:
			return fmt.Errorf("I7: client %d finds step %d, acknowledged was %d and tried %d", c, n, p.acked[c], p.tried[c])
		}
		p.acked[c], p.tried[c] = n, n
	}
	return nil
}

func (p *pairs) step(db txn.DB, c int) error {
	n := p.tried[c] + 1
	x := db.Begin(txn.Options{})
	if err := x.Write(context.Background(), put(fmt.Sprint("c", c), stepValue(n)), put(fmt.Sprint("c", c, "'"), stepValue(n))); err != nil {
		return err
	}
	p.tried[c] = n
	if _, err := x.Commit(context.Background()); err != nil {
		return err
	}
	p.acked[c] = n
	return nil
}

// live runs one life: everything must be there, then the clients take steps each while storage flushes and journals trim.
func (p *pairs) live(fs *memhost.FS, steps int) error {
	s, err := OpenStack(context.Background(), StackConfig{FS: fs, Ranges: 2, SegmentBytes: 128 << 10,
		Storage: func(c *storage.Config) {
			c.Store.MemTableBytes, c.Store.CacheBytes, c.Store.HotBytes = 1<<20, 1<<20, 1<<20
		}})
	if err != nil {
		if fs.Dead() {
			return nil
		}
		return fmt.Errorf("does not open: %w", err)
	}
	defer s.Abandon()
	if err := p.compare(s); err != nil && !fs.Dead() {
		return err
	} else if err != nil {
		return nil
	}
	var running sync.WaitGroup
	errs := make([]error, crashClients)
	for c := range crashClients {
		running.Go(func() {
			for i := 0; i < steps && errs[c] == nil; i++ {
				if errs[c] = p.step(s, c); errs[c] == nil && c == 0 && i%10 == 9 {
					errs[c] = s.Storage.Flush()
				}
			}
		})
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil && !fs.Dead() {
		return err
	}
	return nil
}

// crashLives is a life that ends by plan, a short one that ends with all unsynced data lost, and a last look.
func crashLives(plan func(*memhost.FS)) error {
	p := &pairs{acked: make([]int, crashClients), tried: make([]int, crashClients)}
	fs := memhost.New()
	plan(fs)
	for life, steps := range []int{45, 3, 0} {
		if err := p.live(fs, steps); err != nil {
			return fmt.Errorf("life %d: %w", life+1, err)
		}
		fs = fs.Crash(nil)
	}
	return nil
}

func stackChanges(t *testing.T) int {
	fs := memhost.New()
	if err := crashLives(func(new *memhost.FS) { fs = new }); err != nil {
		t.Fatal(err)
	}
	return fs.Stats().Changes
}

// TestCrashPoints ends the data plane at changes to its files spread over its whole life: those of the log, of flushes of
// the storage, of checkpoints of the journals, of trimming.
func TestCrashPoints(t *testing.T) {
	total := stackChanges(t) * 9 / 10 // the last two lives are in it
	const points = 20
	began := time.Now()
	for i := range points {
		n := 1 + total*i/points
		for how, plan := range map[string]func(*memhost.FS){
			"all is lost":  func(fs *memhost.FS) { fs.CrashAt(n, nil) },
			"some is lost": func(fs *memhost.FS) { fs.CrashAt(n, rand.New(rand.NewPCG(uint64(n), 11))) },
			"killed":       func(fs *memhost.FS) { fs.KillAt(n) },
		} {
			if err := crashLives(plan); err != nil {
				t.Errorf("%s at change %d: %v", how, n, err)
			}
		}
	}
	t.Logf("%d ends among %d changes, %s", 3*points, total, time.Since(began))
}

// TestPlantedBugs shows that TestCrashPoints can fail: when syncs of files, or of folders, do nothing, it is found out.
func TestPlantedBugs(t *testing.T) {
	total := stackChanges(t)
	for name, faults := range map[string]memhost.Faults{"data": {LoseData: true}, "names": {LoseNames: true}} {
		for i := range 5 {
			n := total/2 + i*7
			err := crashLives(func(fs *memhost.FS) {
				fs.SetFaults(faults)
				fs.CrashAt(n, nil)
			})
			if err == nil {
				t.Errorf("syncs of %s that do nothing went unnoticed when power failed at change %d", name, n)
			}
		}
	}
}

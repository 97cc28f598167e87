package journal

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/meridiandb/meridian/internal/host/memhost"
	"github.com/meridiandb/meridian/internal/txn"
)

// ledger is what the outside world knows about a journal that dies again and again: what it was told is durable, and what
// it was shown after a restart. Neither may go away.
type ledger struct {
	known   map[string]fact // by value
	n       uint64          // ids given out
	trimmed uint64          // records below this index may be gone; their ids may not
}

type fact struct {
	id    txn.ID
	index uint64
}

// compare says what of the ledger a journal does not hold, and learns what else it shows.
func (l *ledger) compare(j *Journal) error {
	found := map[string]bool{}
	for from := max(l.trimmed, 1); from <= j.Committed(); {
		entries, next, err := j.Read(from, 1<<20)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Record.Kind() != txn.RecordTx {
				continue
			}
			v := string(e.Record.Image(0).Value)
			if found[v] {
				return fmt.Errorf("I8: %.10q is there twice", v)
			}
			found[v] = true
			if f, ok := l.known[v]; ok && f.index != e.Index {
				return fmt.Errorf("I7: %.10q moved from %d to %d", v, f.index, e.Index)
			}
			l.known[v] = fact{e.Record.ID(), e.Index}
		}
		from = next
	}
	for v, f := range l.known {
		if out, _ := j.Outcome(f.id); out != txn.OutcomeCommitted {
			return fmt.Errorf("I7: %.10q, record %d, has outcome %d", v, f.index, out)
		}
		if f.index >= l.trimmed && !found[v] {
			return fmt.Errorf("I7: %.10q, record %d, is not there", v, f.index)
		}
	}
	return nil
}

// live runs one life of a journal: it must open and hold everything, then takes transactions, one after the other, and
// trims now and then, until it has had enough of them or the machine ends it. Every file of the log holds about three.
func (l *ledger) live(t *testing.T, fs *memhost.FS, transactions int) error {
	o, err := tryOpen(t, fs, Config{RecentBytes: 4 << 10}, 16<<10)
	if err != nil {
		if fs.Dead() {
			return nil
		}
		return fmt.Errorf("does not open: %w", err)
	}
	defer o.log.Close()
	if err := l.compare(o.j); err != nil {
		if fs.Dead() {
			return nil
		}
		return err
	}
	for i := range transactions {
		l.n++
		o.n = l.n
		id := o.id()
		v := fmt.Sprintf("%06d%s", l.n, strings.Repeat("v", 5000))
		o.last++
		rec := txn.Record{Kind: txn.RecordTx, Gen: o.gen, Time: o.last, Start: 1, ID: id, Images: []txn.Image{{Key: []byte(v[:6]), Value: []byte(v)}}}
		done := make(fates, 1)
		index, err := o.j.Append(rec.AppendTo(nil), done)
		if err != nil || <-done != txn.FateEffective {
			break
		}
		l.known[v] = fact{id, index}
		if i%18 == 17 {
			l.trimmed = index
			_ = o.j.Trim(index - 1) // an error is that of the end of this life, which the next transaction notices
		}
	}
	return nil
}

// lives runs three lives: the first is ended by plan, at a change counted from its beginning, the second is short and loses
// everything that was not synced, the third only looks.
func lives(t *testing.T, plan func(*memhost.FS)) error {
	l := &ledger{known: map[string]fact{}}
	fs := memhost.New()
	plan(fs)
	if err := l.live(t, fs, 40); err != nil {
		return fmt.Errorf("first life: %w", err)
	}
	fs = fs.Crash(nil)
	for life, transactions := range []int{2, 0} {
		if err := l.live(t, fs, transactions); err != nil {
			return fmt.Errorf("life %d: %w", life+2, err)
		}
		fs = fs.Crash(nil)
	}
	return nil
}

// changes is how many changes the first life makes.
func changes(t *testing.T) int {
	fs := memhost.New()
	if err := (&ledger{known: map[string]fact{}}).live(t, fs, 40); err != nil {
		t.Fatal(err)
	}
	return fs.Stats().Changes
}

// TestEveryCrashPoint ends a journal before every single change that it makes to the file system: by losing all that was
// not synced, by losing a random part of it, and by kill -9 with a power failure after the restart.
func TestEveryCrashPoint(t *testing.T) {
	total := changes(t)
	if total < 150 {
		t.Fatalf("only %d changes", total)
	}
	for n := 1; n <= total; n++ {
		for how, plan := range map[string]func(*memhost.FS){
			"all is lost":  func(fs *memhost.FS) { fs.CrashAt(n, nil) },
			"some is lost": func(fs *memhost.FS) { fs.CrashAt(n, rand.New(rand.NewPCG(uint64(n), 7))) },
			"killed":       func(fs *memhost.FS) { fs.KillAt(n) },
		} {
			if err := lives(t, plan); err != nil {
				t.Errorf("%s at change %d of %d: %v", how, n, total, err)
			}
		}
	}
}

// TestPlantedBugs shows that TestEveryCrashPoint can fail: a disk, or a log, that answers before anything is durable is
// found out at once.
func TestPlantedBugs(t *testing.T) {
	total := changes(t)
	for name, faults := range map[string]memhost.Faults{"data": {LoseData: true}, "names": {LoseNames: true}} {
		missed := 0
		for n := total / 2; n < total/2+20; n++ {
			err := lives(t, func(fs *memhost.FS) {
				fs.SetFaults(faults)
				fs.CrashAt(n, nil)
			})
			if err == nil {
				missed++
			}
		}
		if missed > 0 {
			t.Errorf("syncs of %s that do nothing went unnoticed at %d of 20 crash points", name, missed)
		}
	}
}

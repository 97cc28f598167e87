package adjudicator

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/meridiandb/meridian/internal/adjudicator/conflict"
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/invariant"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/txn"
)

// story runs the core step by step. Times are microseconds, with "+n" for the order inside one.
//
//	own gen=2 lo=100            a new generation
//	grant hi=900                queue a grant
//	durable index=3             the log has been applied that far
//	now 150 [earliest=140]      the clock of all later steps
//	commit id=1 start=120 x=a,b s=c schema=t sw=t attempt=1 lead=10 [vote=110:200 …|no:busy]
//	prepare id=1 start=120 leader=2 x=a …
//	goahead id=1 at=130
//	goabort id=1 attempt=0
//	promise at=140
//	end                         the time to retire at
type story struct {
	core  *core
	now   clock.Interval
	index uint64
	fates map[string]string
}

func newStory() *story {
	s := &story{fates: map[string]string{}}
	cfg := &Config{Journal: 1, Grant: 800 * time.Microsecond, Promise: 50 * time.Microsecond}
	cfg.Window = conflict.Config{EntriesMin: 8, EntriesMax: 64}
	cfg.ensureDefaults()
	cfg.Fate = func(_ txn.JournalID, id txn.ID, ub clock.Timestamp) (clock.Timestamp, txn.Outcome) {
		switch f := s.fates[idText(id)]; {
		case f == "":
			return 0, txn.OutcomeInProgress
		case f == "aborted":
			return 0, txn.OutcomeAborted
		default:
			return mustTime(f), txn.OutcomeCommitted
		}
	}
	s.core = newCore(cfg)
	return s
}

func idText(id txn.ID) string { return fmt.Sprint(id[15]) }

func mustTime(s string) clock.Timestamp {
	whole, frac, _ := strings.Cut(s, "+")
	n, err := strconv.ParseUint(whole, 10, 64)
	if err != nil {
		panic(err)
	}
	f, _ := strconv.ParseUint(frac, 10, 64)
	return clock.Timestamp(n<<clock.FractionBits + f)
}

func timeText(t clock.Timestamp) string {
	if f := t & (1<<clock.FractionBits - 1); f != 0 {
		return fmt.Sprintf("%d+%d", t>>clock.FractionBits, f)
	}
	return fmt.Sprint(uint64(t >> clock.FractionBits))
}

func hashOf(s string) keys.Hash {
	h := fnv.New64a()
	h.Write([]byte(s))
	return keys.Hash(h.Sum64())
}

func reasonText(r txn.Reason) string {
	return []string{"ok", "conflict", "schema", "too old", "busy", "not ready", "wrong owner", "expired"}[r]
}

func timeArg(d *datadriven.TestData, name string, or clock.Timestamp) clock.Timestamp {
	if !d.HasArg(name) {
		return or
	}
	var s string
	for _, a := range d.CmdArgs {
		if a.Key == name {
			s = a.Vals[0]
		}
	}
	return mustTime(s)
}

func (s *story) request(d *datadriven.TestData) *request {
	r := &request{start: timeArg(d, "start", s.now.Latest), conflicts: &txn.Conflicts{}}
	for _, a := range d.CmdArgs {
		var hs []keys.Hash
		for _, v := range a.Vals {
			hs = append(hs, hashOf(v))
		}
		switch a.Key {
		case "id":
			n, _ := strconv.Atoi(a.Vals[0])
			r.id = txn.MakeID(r.start, uint64(n))
		case "attempt":
			n, _ := strconv.Atoi(a.Vals[0])
			r.attempt = uint32(n)
		case "x":
			r.conflicts.Exclusive = hs
		case "s":
			r.conflicts.Shared = hs
		case "schema":
			r.conflicts.Schema = hs
		case "sw":
			r.conflicts.SchemaWrites = hs
		}
	}
	return r
}

func (s *story) votes(d *datadriven.TestData) (vs []txn.Vote) {
	for _, a := range d.CmdArgs {
		if a.Key != "vote" {
			continue
		}
		for _, v := range a.Vals {
			lb, ub, _ := strings.Cut(v, ":")
			if lb == "no" {
				vs = append(vs, txn.Vote{Reason: txn.ReasonBusy})
				continue
			}
			vs = append(vs, txn.Vote{Yes: true, Lower: mustTime(lb), Upper: mustTime(ub)})
		}
	}
	return vs
}

func (s *story) refusal(v verdict) string {
	if v.wait != nil {
		return "wait for " + idText(v.wait.id)
	}
	if v.conflicting != 0 {
		return fmt.Sprintf("%s with %s", reasonText(v.reason), timeText(v.conflicting))
	}
	return reasonText(v.reason)
}

func (s *story) step(t *testing.T, d *datadriven.TestData) (out string) {
	defer func() {
		if v, ok := recover().(invariant.Violation); ok {
			out = "violated: " + v.Message
		}
		slices.SortFunc(s.core.settled, func(a, b txn.ID) int { return int(a[15]) - int(b[15]) })
		for _, id := range s.core.settled {
			out += fmt.Sprintf("\nsettled %s", idText(id))
		}
		s.core.settled = nil
		if out = strings.TrimPrefix(out, "\n") + "\n"; out == "\n" {
			out = "ok\n"
		}
	}()
	c := s.core
	switch d.Cmd {
	case "own":
		var gen int
		d.ScanArgs(t, "gen", &gen)
		c.own(txn.Generation(gen), timeArg(d, "lo", 0), s.index+1)
		s.index++
	case "now":
		at := mustTime(d.CmdArgs[0].Key)
		s.now = clock.Interval{Earliest: timeArg(d, "earliest", at), Latest: at}
	case "grant":
		s.index++
		c.asked(timeArg(d, "hi", 0), s.index)
		return fmt.Sprintf("index %d", s.index)
	case "renewal":
		return timeText(c.renewal(s.now, timeArg(d, "need", 0)))
	case "durable":
		var n int
		d.ScanArgs(t, "index", &n)
		c.durable(uint64(n))
	case "commit":
		return s.commit(t, d)
	case "prepare":
		var leader int
		d.ScanArgs(t, "leader", &leader)
		v, wait := c.prepare(s.now, s.request(d), txn.JournalID(leader))
		if wait != nil {
			return "wait for " + idText(wait.id)
		}
		if v.Yes {
			return fmt.Sprintf("yes [%s, %s]", timeText(v.Lower), timeText(v.Upper))
		}
		return "no: " + s.refusal(verdict{reason: v.Reason, conflicting: v.Conflicting})
	case "goahead":
		c.goAhead(s.idOf(d), timeArg(d, "at", 0))
	case "goabort":
		c.goAbort(s.idOf(d), s.request(d).attempt)
	case "fate":
		for _, a := range d.CmdArgs {
			s.fates[a.Key] = a.Vals[0]
		}
	case "promise":
		w, ok := c.promise(timeArg(d, "at", s.now.Latest))
		if !ok {
			return "not granted"
		}
		return fmt.Sprintf("everything at or below %s is at index %d or before", timeText(w.Time), w.Index)
	case "end":
		return timeText(c.end())
	default:
		t.Fatalf("unknown command %s", d.Cmd)
	}
	return ""
}

// idOf finds the open promise with that number: ids carry their start time.
func (s *story) idOf(d *datadriven.TestData) txn.ID {
	r := s.request(d)
	for id := range s.core.promises {
		if idText(id) == idText(r.id) {
			return id
		}
	}
	return r.id
}

func (s *story) commit(t *testing.T, d *datadriven.TestData) string {
	lead := 0
	if d.HasArg("lead") {
		d.ScanArgs(t, "lead", &lead)
	}
	r := s.request(d)
	at, v := s.core.decide(s.now, time.Duration(lead)*time.Microsecond, r, s.votes(d))
	if v.wait != nil || v.reason != txn.ReasonNone {
		return s.refusal(v)
	}
	s.index++
	s.core.proposed(r, at, s.index)
	return fmt.Sprintf("committed at %s, index %d", timeText(at), s.index)
}

func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newStory()
		datadriven.RunTest(t, path, s.step)
	})
}

package raftgroup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/invariant"
)

// LogConfig of a log. Zero values mean defaults.
type LogConfig struct {
	// SegmentBytes is the size of a file of the log; at least twice the largest frame. 0 means 64 MiB.
	SegmentBytes int64
	// SpareFiles is how many trimmed segments are kept for reuse: their blocks have been written already, and syncing data
	// in such blocks takes half the time. 0 means 2.
	SpareFiles int
	// Transport carries messages to other nodes; nil on a node that is alone.
	Transport Transport
	// Time, when not nil, is where ticks come from: one every Tick, 0 means 100 ms. Without it, Log.Tick must be called.
	// Groups whose only member is this node need no ticks and are not woken by them.
	Time host.Time
	Tick time.Duration
	// Stopped, when not nil, is called once, by the log writer, when the log stops because of an error. It must not block.
	Stopped func(error)
}

func (c *LogConfig) ensureDefaults() {
	if c.SegmentBytes == 0 {
		c.SegmentBytes = 64 << 20
	}
	if c.SpareFiles == 0 {
		c.SpareFiles = 2
	}
	if c.Tick == 0 {
		c.Tick = 100 * time.Millisecond
	}
}

// zeroAhead is how much of a fresh file is written with zeros at a time, ahead of the frames: the sync that turns
// reserved blocks into written ones is dear, and this way one in many pays for it.
const zeroAhead = 1 << 20

// frameMax is the size of items above which no more groups, and no more messages of a group, are added to a frame.
func (l *Log) frameMax() int { return int(l.cfg.SegmentBytes / 4) }

// Log is the segmented log of a node. OpenLog reads it, Group adds groups, Start lets them run, Close ends it.
type Log struct {
	fs   host.FS
	dir  string
	cfg  LogConfig
	lock io.Closer

	mu struct {
		sync.Mutex
		segments []*segment // oldest first; the last one is written to
		spares   []string   // names of files to reuse
		queue    []*Group   // groups that have work, each once
		groups   map[GroupID]*Group
		closing  bool
		err      error // why the log stopped
	}
	wake    chan struct{} // holds a token when the queue may not be empty
	stopped chan struct{} // closed when the log writer has ended
	failed  chan struct{} // closed when it ended with an error
	started atomic.Bool
	opening sync.Mutex     // held while a group is added or removed
	tasks   sync.WaitGroup // goroutines next to the log writer
	quit    func()         // ends the ticks

	// What follows belongs to the log writer (and to OpenLog before it).
	frame   frame
	zeros   []byte
	number  uint64 // of the next frame
	prev    uint32 // checksum of the last frame
	fresh   bool   // the current segment has no frame yet: the next one repeats every group's state
	renamed bool   // the folder must be synced before the next frame counts
	outbox  map[uint64]*parcel

	restored map[GroupID]*state // groups found at recovery, until Group asks for them; guarded by mu once started
}

// segment is one file of the log.
type segment struct {
	number  uint64
	file    host.File
	name    string
	end     int64 // behind the last synced frame
	written int64 // blocks up to here have been written before
	// highest is the highest index of each group with entries in the file; readers keeps it from being reused. Both are
	// guarded by Log.mu.
	highest map[GroupID]uint64
	readers int
}

func segmentName(n uint64) string { return fmt.Sprintf("%016x.log", n) }

// Err returns why the log stopped, nil while it runs or after Close.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.err
}

// Failed is closed when the log has stopped because of an error.
func (l *Log) Failed() <-chan struct{} { return l.failed }

// Start begins to serve the groups.
func (l *Log) Start() {
	invariant.Check(!l.started.Swap(true), "log started twice")
	if l.cfg.Time != nil {
		ctx, quit := context.WithCancel(context.Background())
		l.quit = quit
		l.tasks.Go(func() {
			for l.cfg.Time.Sleep(ctx, l.cfg.Tick) == nil {
				l.Tick()
			}
		})
	}
	go l.run()
}

// Tick moves the logical clock of all groups that have other members.
func (l *Log) Tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	woken := false
	for _, id := range slices.Sorted(maps.Keys(l.mu.groups)) {
		g := l.mu.groups[id]
		if !g.ticked.Load() {
			continue
		}
		g.inbox.Lock()
		g.inbox.ticks++
		g.inbox.Unlock()
		if !g.queued.Swap(true) {
			l.mu.queue = append(l.mu.queue, g)
			woken = true
		}
	}
	if woken { // once: all of them take one turn together, and what they send to a node travels together
		l.signal()
	}
}

// Step takes what another node's transport was given. Messages for groups that are not here are dropped.
func (l *Log) Step(from uint64, batch []Envelope) {
	var g *Group
	for _, e := range batch {
		if e.From() != from {
			continue
		}
		if g == nil || g.id != e.group {
			l.mu.Lock()
			g = l.mu.groups[e.group]
			l.mu.Unlock()
		}
		if g != nil {
			g.post(e)
		}
	}
}

// parcel is what goes to one node next.
type parcel struct {
	batch []Envelope
	bytes int
}

// parcelBytes is the size at which a parcel leaves without waiting for more.
const parcelBytes = 4 << 20

func (l *Log) post(to uint64, e Envelope) {
	if l.cfg.Transport == nil {
		return
	}
	p := l.outbox[to]
	if p == nil {
		if l.outbox == nil {
			l.outbox = map[uint64]*parcel{}
		}
		p = &parcel{}
		l.outbox[to] = p
	}
	p.batch = append(p.batch, e)
	if p.bytes += e.size(); p.bytes >= parcelBytes {
		l.cfg.Transport.Send(to, p.batch)
		*p = parcel{}
	}
}

// flush hands over what the groups have sent.
func (l *Log) flush() {
	for _, to := range slices.Sorted(maps.Keys(l.outbox)) { // in order: a simulation replays
		if p := l.outbox[to]; len(p.batch) > 0 {
			l.cfg.Transport.Send(to, p.batch)
			*p = parcel{}
		}
	}
}

// RemoveGroup ends a group and deletes what the log holds of it. It returns once that is durable. The node must not be a
// member any more, or the group be given up on all nodes.
func (l *Log) RemoveGroup(id GroupID) error {
	l.opening.Lock()
	defer l.opening.Unlock()
	l.mu.Lock()
	g, closing := l.mu.groups[id], l.mu.closing
	l.mu.Unlock()
	if closing {
		return errClosed()
	}
	if g == nil {
		return failure.New(failure.UndefinedObject, "group %d does not exist", id)
	}
	invariant.Check(l.started.Load(), "group %d removed from a log that was not started", id)
	done := make(chan error, 1)
	g.ask(request{kind: askRemove, done: done})
	return g.await(done)
}

// Close serves what is queued already, stops the log writer and closes the files. The error is why the log stopped
// earlier, or what closing said.
func (l *Log) Close() error {
	l.mu.Lock()
	l.mu.closing = true
	l.mu.Unlock()
	l.signal()
	if l.quit != nil {
		l.quit()
	}
	if l.started.Load() {
		<-l.stopped
	}
	l.tasks.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.mu.err
	for _, s := range l.mu.segments {
		if e := s.file.Close(); err == nil {
			err = e
		}
	}
	l.mu.segments = nil
	return errors.Join(err, l.lock.Close())
}

// signal leaves a token for the log writer.
func (l *Log) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// enqueue adds a group that has work. The caller has set its queued flag.
func (l *Log) enqueue(g *Group) {
	l.mu.Lock()
	l.mu.queue = append(l.mu.queue, g)
	l.mu.Unlock()
	l.signal()
}

// run is the log writer.
func (l *Log) run() {
	defer close(l.stopped)
	var turn []*Group
	for {
		l.mu.Lock()
		turn, l.mu.queue = l.mu.queue, turn[:0]
		closing := l.mu.closing
		l.mu.Unlock()
		if len(turn) == 0 {
			if closing {
				l.end(nil)
				return
			}
			<-l.wake
			continue
		}
		if err := l.cycle(turn); err != nil {
			l.end(err)
			return
		}
	}
}

// cycle collects what the groups have to store, makes it durable with one sync, and lets them go on from there.
func (l *Log) cycle(turn []*Group) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *storageError:
			err = p.error
		default:
			panic(p)
		}
	}()
	served := turn[:0:0]
	for _, g := range turn {
		if l.frame.items() > l.frameMax() {
			// The frame is full. Who has something in it already is served with it all the same.
			l.enqueue(g)
			if g.owed() {
				served = append(served, g)
			}
			continue
		}
		g.queued.Store(false)
		if err := g.collect(&l.frame); err != nil {
			return err
		}
		served = append(served, g)
	}
	l.flush()
	var at point
	if l.frame.must {
		if at, err = l.write(); err != nil {
			return err
		}
		l.frame.reset()
	}
	for _, g := range served {
		if err := g.proceed(at, &l.frame); err != nil {
			return err
		}
	}
	l.flush()
	return l.reclaim()
}

// end stops the groups. Without a reason it is an ordinary close.
func (l *Log) end(reason error) {
	l.mu.Lock()
	l.mu.err = reason
	l.mu.closing = true
	groups := make([]*Group, 0, len(l.mu.groups))
	for _, g := range l.mu.groups {
		groups = append(groups, g)
	}
	l.mu.Unlock()
	why := reason
	if why == nil {
		why = errClosed()
	}
	for _, g := range groups {
		g.stop(why)
	}
	if reason != nil {
		close(l.failed)
		if l.cfg.Stopped != nil {
			l.cfg.Stopped(reason)
		}
	}
}

// write makes the frame durable and returns where it lies.
func (l *Log) write() (point, error) {
	seg := l.current()
	if seg.end+frameSize(l.frame.items()) > l.cfg.SegmentBytes {
		var err error
		if seg, err = l.roll(); err != nil {
			return point{}, err
		}
	}
	if l.fresh {
		if err := l.repeatStates(); err != nil {
			return point{}, err
		}
	}
	b := l.frame.b[segmentHeader:]
	head := frameHead{length: uint32(l.frame.items()), segment: seg.number, number: l.number, prev: l.prev}
	head.put(b)
	head.crc = frameCRC(b)
	head.put(b)
	at, from := seg.end, seg.end
	if l.fresh {
		b, from = l.frame.b, 0
		segmentHead{segment: seg.number, firstFrame: l.number, prev: l.prev}.appendTo(b[:0])
	}
	end := at + frameSize(l.frame.items())
	if end > l.cfg.SegmentBytes {
		invariant.Unreachable("a frame of %d bytes does not fit a segment", len(b))
	}
	if err := l.put(seg, b, from, end); err != nil {
		return point{}, wrapIO(err, "write", seg.name)
	}
	l.mu.Lock()
	seg.end = end
	l.mu.Unlock()
	l.number++
	l.prev, l.fresh = head.crc, false
	return point{segment: seg.number, offset: at}, nil
}

// put writes b at an offset and syncs.
func (l *Log) put(seg *segment, b []byte, from, end int64) error {
	if _, err := seg.file.WriteAt(b, from); err != nil {
		return err
	}
	if end > seg.written {
		to := min((end+zeroAhead-1)/zeroAhead*zeroAhead, l.cfg.SegmentBytes)
		if l.zeros == nil {
			l.zeros = make([]byte, zeroAhead)
		}
		for off := from + int64(len(b)); off < to; {
			n := min(to-off, zeroAhead)
			if _, err := seg.file.WriteAt(l.zeros[:n], off); err != nil {
				return err
			}
			off += n
		}
		seg.written = to
	}
	if err := seg.file.SyncData(); err != nil {
		return err
	}
	if l.renamed {
		l.renamed = false
		return l.fs.SyncDir(l.dir)
	}
	return nil
}

// wrapIO turns an error of the file system into the reason for which a node stops.
func wrapIO(err error, what, name string) error {
	code := failure.IOError
	if isNoSpace(err) {
		code = failure.DiskFull
	}
	return failure.New(code, "could not %s journal file \"%s\": %v", what, name, err).WithCause(err)
}

func (l *Log) current() *segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.segments[len(l.mu.segments)-1]
}

// roll goes on in a new file, reusing a trimmed one when there is one.
func (l *Log) roll() (*segment, error) {
	l.mu.Lock()
	var number uint64 = 1
	if n := len(l.mu.segments); n > 0 {
		number = l.mu.segments[n-1].number + 1
	}
	spare := ""
	if n := len(l.mu.spares); n > 0 {
		spare, l.mu.spares = l.mu.spares[n-1], l.mu.spares[:n-1]
	}
	l.mu.Unlock()

	name := segmentName(number)
	full := path.Join(l.dir, name)
	seg := &segment{number: number, name: name, end: segmentHeader, highest: map[GroupID]uint64{}}
	if spare != "" {
		if err := l.fs.Rename(path.Join(l.dir, spare), full); err != nil {
			return nil, wrapIO(err, "reuse", spare)
		}
		seg.written = l.cfg.SegmentBytes
	}
	f, err := l.fs.OpenReadWrite(full)
	if err != nil {
		return nil, wrapIO(err, "open", name)
	}
	seg.file = f
	size, err := f.Size()
	if err == nil && size < l.cfg.SegmentBytes {
		seg.written = 0
		err = f.Preallocate(0, l.cfg.SegmentBytes)
		if err == nil {
			err = f.Sync() // the new length, so that later syncs need only be of data
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, wrapIO(err, "reserve space for", name)
	}
	l.renamed, l.fresh = true, true
	l.mu.Lock()
	l.mu.segments = append(l.mu.segments, seg)
	l.mu.Unlock()
	return seg, nil
}

// repeatStates puts the base and hard state of every group at the front of the first frame of a file, so that the files
// before it can go.
func (l *Log) repeatStates() error {
	l.mu.Lock()
	states := make([]*state, 0, len(l.mu.groups)+len(l.restored))
	for _, g := range l.mu.groups {
		states = append(states, g.state)
	}
	for _, s := range l.restored {
		states = append(states, s)
	}
	l.mu.Unlock()
	var head frame
	head.reset()
	for _, s := range states {
		if err := s.repeat(&head); err != nil {
			return err
		}
	}
	// In front of the collected items: those are newer.
	n := segmentHeader + frameHeader
	head.b = append(head.b, l.frame.b[n:]...)
	l.frame.b = head.b
	return nil
}

func (s *state) repeat(f *frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := f.addBase(itemBase, s.group, s.mu.base, s.mu.baseTerm, s.mu.confs[0].conf); err != nil {
		return err
	}
	f.addHard(s.group, s.mu.hard.term, s.mu.hard.vote, s.mu.hard.commit)
	return nil
}

// reclaim makes spares of the oldest files that no group needs any more.
func (l *Log) reclaim() error {
	for {
		seg := l.takeOldest()
		if seg == nil {
			return nil
		}
		if err := seg.file.Close(); err != nil {
			return wrapIO(err, "close", seg.name)
		}
		l.mu.Lock()
		keep := len(l.mu.spares) < l.cfg.SpareFiles
		l.mu.Unlock()
		full := path.Join(l.dir, seg.name)
		if !keep {
			if err := l.fs.Remove(full); err != nil {
				return wrapIO(err, "remove", seg.name)
			}
		}
		spare := "spare-" + seg.name
		if keep {
			if err := l.fs.Rename(full, path.Join(l.dir, spare)); err != nil {
				return wrapIO(err, "rename", seg.name)
			}
		}
		// One after the other: a crash must not leave a gap between the files.
		if err := l.fs.SyncDir(l.dir); err != nil {
			return wrapIO(err, "sync the folder of", seg.name)
		}
		if !keep {
			continue
		}
		l.mu.Lock()
		l.mu.spares = append(l.mu.spares, spare)
		l.mu.Unlock()
	}
}

// takeOldest removes and returns the oldest segment when every group's log starts behind what it holds.
func (l *Log) takeOldest() *segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.mu.segments) < 2 {
		return nil
	}
	seg := l.mu.segments[0]
	if seg.readers > 0 {
		return nil
	}
	for id, high := range seg.highest {
		g, asleep := l.mu.groups[id], l.restored[id] != nil
		if asleep || g != nil && g.state.durableBase() < high {
			return nil
		}
	}
	l.mu.segments = l.mu.segments[1:]
	return seg
}

// forgetHighest lets go of the files that hold a group which was removed.
func (l *Log) forgetHighest(id GroupID) {
	for _, seg := range l.mu.segments {
		delete(seg.highest, id)
	}
}

// size is about how many bytes of disk the log takes.
func (l *Log) size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.mu.segments)) * l.cfg.SegmentBytes
}

// reclaimable says whether trimming a group up to index would free a file, as far as this group is concerned.
func (l *Log) reclaimable(id GroupID, index uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	base := l.mu.groups[id].state.durableBase()
	for _, seg := range l.mu.segments[:max(0, len(l.mu.segments)-1)] {
		if high := seg.highest[id]; base < high && high <= index {
			return true
		}
	}
	return false
}

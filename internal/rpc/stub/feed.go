package stub

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// Log is a replica of a journal, here or on another node; see crossbar.Log.
type Log interface {
	Read(from uint64, maxBytes int) (entries []txn.Entry, next uint64, err error)
	Wait(ctx context.Context, index uint64) (uint64, error)
}

// FeedsConfig of a node's feeds.
type FeedsConfig struct {
	Self rpc.NodeID
	Net  Net
	Time host.Time
	// Local returns the replica of a journal on this node, nil when there is none.
	Local func(j txn.JournalID) Log
	// Replicas are the nodes that hold a journal, the nearest first.
	Replicas func(j txn.JournalID) []rpc.NodeID
}

// Feeds gives this node every journal's records, from the replica here or from another node's, and other nodes those of
// the replicas here.
type Feeds struct{ cfg FeedsConfig }

// opFollow opens a stream of records: journal ‖ first index. Its items are: version ‖ 0 ‖ next ‖ (index ‖ record)*.
const opFollow byte = 1

// feedBytes is about how much one item of a stream holds.
const feedBytes = 512 << 10

// NewFeeds makes them, and serves other nodes from now on.
func NewFeeds(cfg FeedsConfig) *Feeds {
	f := &Feeds{cfg}
	cfg.Net.HandleStream(rpc.Feed, f.serve)
	return f
}

// serve follows a local replica for another node.
func (f *Feeds) serve(ctx context.Context, _ rpc.NodeID, open []byte, send func([]byte) error) error {
	op, in := newReader(open)
	j, next := in.journal(), in.uint()
	if in.err != nil {
		return in.err
	}
	if op != opFollow {
		return failure.NotSupported("request %d to feeds is", op)
	}
	log := f.cfg.Local(j)
	if log == nil {
		return failure.New(failure.CannotConnectNow, "node %d holds no replica of journal %d", f.cfg.Self, j)
	}
	for {
		entries, after, err := log.Read(next, feedBytes)
		if err != nil {
			return err
		}
		if after > next {
			if err := send(encodeEntries(entries, after)); err != nil {
				return err
			}
			next = after
			continue
		}
		if _, err := log.Wait(ctx, next-1); err != nil {
			return err
		}
	}
}

func encodeEntries(entries []txn.Entry, next uint64) []byte {
	size := 16
	for i := range entries {
		size += 12 + len(entries[i].Record.Bytes())
	}
	w := newWriter(0, size)
	w.uint(next)
	for i := range entries {
		w.uint(entries[i].Index)
		w.bytes(entries[i].Record.Bytes())
	}
	return w.b
}

// decodeEntries reads an item that continues at from. The records point into the item.
func decodeEntries(item []byte, from uint64) (entries []txn.Entry, next uint64, err error) {
	_, in := newReader(item)
	next = in.uint()
	last := from
	for in.err == nil && len(in.b) > 0 {
		index, b := in.uint(), in.bytes()
		if in.err != nil {
			break
		}
		v, rest, err := txn.ParseRecord(b)
		if err == nil {
			err = v.Verify()
		}
		if err != nil || len(rest) > 0 || index < last || index >= next {
			return nil, 0, failure.New(failure.ProtocolViolation, "malformed item of a journal's feed").WithCause(err)
		}
		entries, last = append(entries, txn.Entry{Index: index, Record: v}), index+1
	}
	if in.err == nil && next <= from {
		in.bad()
	}
	return entries, next, in.err
}

// Log returns a journal's records for one follower: from the local replica while there is one and it reaches far enough
// back, else from the nearest that does. It is used by one goroutine at a time.
func (f *Feeds) Log(j txn.JournalID) *Cursor { return &Cursor{feeds: f, journal: j} }

// Cursor is one follower's place in a journal. Read answers 72000 when no replica reaches back so far.
type Cursor struct {
	feeds   *Feeds
	journal txn.JournalID

	stream rpc.Stream
	at     uint64 // index that the stream continues at
	turn   int    // which of the replicas is asked
	// What has come and was not read yet.
	from, next uint64
	entries    []txn.Entry
	err        error
}

// Read returns what is at hand; see crossbar.Log.
func (c *Cursor) Read(from uint64, maxBytes int) ([]txn.Entry, uint64, error) {
	from = max(from, 1)
	if local := c.feeds.cfg.Local(c.journal); local != nil {
		entries, next, err := local.Read(from, maxBytes)
		if !notHere(err) {
			c.close()
			return entries, next, err
		}
	}
	if c.err != nil {
		err := c.err
		c.err = nil
		return nil, from, err
	}
	if c.next > from && c.from == from {
		entries, next := c.entries, c.next
		c.from, c.next, c.entries = 0, 0, nil
		return entries, next, nil
	}
	return nil, from, nil
}

func (c *Cursor) close() {
	if c.stream != nil {
		c.stream.Close()
		c.stream = nil
	}
	c.from, c.next, c.entries, c.err = 0, 0, nil, nil
}

// notHere says whether what the local replica does not have may be with another: it does not reach back so far, or it was just taken
// from this node.
func notHere(err error) bool {
	code := failure.CodeOf(err)
	return code == failure.SnapshotTooOld || code == failure.UndefinedObject
}

// localWait waits at the local replica. One that is taken away meanwhile has nothing new; the next look goes elsewhere.
func localWait(ctx context.Context, local Log, index uint64) (uint64, error) {
	n, err := local.Wait(ctx, index)
	if failure.CodeOf(err) == failure.UndefinedObject {
		return index, nil
	}
	return n, err
}

// patience of a follower with replicas that cannot be reached, and with local ones that come and go.
const followPause = 50 * time.Millisecond

// Wait returns when there is something to read behind index.
func (c *Cursor) Wait(ctx context.Context, index uint64) (uint64, error) {
	if local := c.feeds.cfg.Local(c.journal); local != nil {
		if _, _, err := local.Read(index+1, 1); !notHere(err) {
			c.close()
			return localWait(ctx, local, index)
		}
	}
	trimmed := error(nil)
	for tried := 0; ; {
		n, err := c.receive(ctx, index+1)
		if err == nil {
			return n, nil
		}
		c.close()
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if failure.CodeOf(err) == failure.SnapshotTooOld {
			trimmed = err
		}
		c.turn++
		tried++
		if local := c.feeds.cfg.Local(c.journal); local != nil {
			if _, _, err := local.Read(index+1, 1); !notHere(err) {
				return localWait(ctx, local, index)
			}
		}
		if others := c.others(); tried >= len(others) {
			if trimmed != nil {
				c.err = trimmed
				return index, nil
			}
			tried = 0
		}
		if err := c.feeds.cfg.Time.Sleep(ctx, followPause); err != nil {
			return 0, err
		}
	}
}

func (c *Cursor) others() []rpc.NodeID {
	var out []rpc.NodeID
	for _, n := range c.feeds.cfg.Replicas(c.journal) {
		if n != c.feeds.cfg.Self {
			out = append(out, n)
		}
	}
	return out
}

// receive takes the next item of the stream, opening one when there is none at the right place.
func (c *Cursor) receive(ctx context.Context, from uint64) (uint64, error) {
	if c.next > from && c.from == from {
		return c.next - 1, nil
	}
	if c.stream != nil && c.at != from {
		c.close()
	}
	if c.stream == nil {
		others := c.others()
		if len(others) == 0 {
			return 0, failure.New(failure.CannotConnectNow, "no node holds a replica of journal %d", c.journal)
		}
		open := newWriter(opFollow, 16)
		open.uint(uint64(c.journal))
		open.uint(from)
		s, err := c.feeds.cfg.Net.Stream(ctx, others[c.turn%len(others)], rpc.Feed, open.b)
		if err != nil {
			return 0, err
		}
		c.stream, c.at = s, from
	}
	item, err := c.stream.Recv(ctx)
	if errors.Is(err, io.EOF) {
		err = failure.New(failure.ConnectionFailure, "the feed of journal %d ended", c.journal)
	}
	if err != nil {
		return 0, err
	}
	entries, next, err := decodeEntries(item, from)
	if err != nil {
		return 0, err
	}
	c.from, c.next, c.entries, c.at = from, next, entries, next
	return next - 1, nil
}

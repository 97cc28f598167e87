package stub

import (
	"context"
	"errors"
	"io"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/pushdown"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// Operations of the storage's service: calls, but for opScan, which opens a stream.
const (
	opGet      byte = 1
	opSchema   byte = 2
	opScan     byte = 3
	opChecksum byte = 4
	opDigests  byte = 5
)

// Storage is the storage of this node. It answers for itself alone: it does not ask others in turn.
type Storage interface {
	// Ready says whether it can answer at all.
	Ready() bool
	Get(ctx context.Context, at clock.Timestamp, ks []keys.Key, values [][]byte) error
	Scan(ctx context.Context, at clock.Timestamp, req txn.ScanRequest) (txn.Scan, error)
	SchemaTimeAt(ctx context.Context, at clock.Timestamp) (clock.Timestamp, error)
	Checksum(ctx context.Context, span keys.Span, at clock.Timestamp) (rows int64, sum uint64, err error)
	Digests() map[txn.JournalID][]txn.Digest
	ServeCopy(ctx context.Context, send func([]byte) error) error
}

// StoragesConfig of a node's view of all storages.
type StoragesConfig struct {
	Net Net
	// Local returns the storage of this node, nil while there is none.
	Local func() Storage
	// Others are the other nodes with storage, the nearest first.
	Others func() []rpc.NodeID
}

// Storages is the storage of other nodes, as storage.Peers sees it, and lets them use the one of this node.
type Storages struct{ cfg StoragesConfig }

// NewStorages makes it, and answers other nodes from now on.
func NewStorages(cfg StoragesConfig) *Storages {
	s := &Storages{cfg}
	cfg.Net.Handle(rpc.Storage, s.serve)
	cfg.Net.HandleStream(rpc.Storage, s.serveScan)
	cfg.Net.HandleStream(rpc.Checkpoint, func(ctx context.Context, _ rpc.NodeID, _ []byte, send func([]byte) error) error {
		local, err := s.local()
		if err != nil {
			return err
		}
		return local.ServeCopy(ctx, send)
	})
	return s
}

func (s *Storages) local() (Storage, error) {
	if l := s.cfg.Local(); l != nil && l.Ready() {
		return l, nil
	}
	return nil, failure.New(failure.CannotConnectNow, "storage of this node is not ready")
}

// elsewhere says whether another node may answer what this one could not.
func elsewhere(err error) bool {
	if errors.Is(err, rpc.ErrUnreachable) || errors.Is(err, rpc.ErrLost) {
		return true
	}
	switch failure.CodeOf(err) {
	case failure.CannotConnectNow, failure.FeatureNotSupported, failure.AdminShutdown, failure.IOError, failure.ProtocolViolation:
		return true
	default:
		return false
	}
}

// each asks one node after the other until one answers.
func (s *Storages) each(ctx context.Context, ask func(rpc.NodeID) error) error {
	err := error(failure.New(failure.CannotConnectNow, "no other node has storage"))
	for _, n := range s.cfg.Others() {
		if err = ask(n); err == nil || ctx.Err() != nil || !elsewhere(err) {
			return err
		}
	}
	return err
}

func (s *Storages) call(ctx context.Context, body []byte, answer func(*reader)) error {
	return s.each(ctx, func(n rpc.NodeID) error { return s.callAt(ctx, n, body, answer) })
}

func (s *Storages) callAt(ctx context.Context, n rpc.NodeID, body []byte, answer func(*reader)) error {
	b, err := s.cfg.Net.Call(ctx, n, rpc.Storage, body)
	if err != nil {
		return err
	}
	_, in := newReader(b)
	answer(in)
	return in.err
}

// Get reads keys at a time on another node.
func (s *Storages) Get(ctx context.Context, at clock.Timestamp, ks []keys.Key, values [][]byte) error {
	size := 16
	for _, k := range ks {
		size += 4 + len(k)
	}
	w := newWriter(opGet, size)
	w.time(at)
	w.uint(uint64(len(ks)))
	for _, k := range ks {
		w.bytes(k)
	}
	return s.call(ctx, w.b, func(in *reader) {
		for i := range ks {
			if in.bool() {
				values[i] = in.bytes()
			} else {
				values[i] = nil
			}
		}
	})
}

// SchemaTimeAt asks another node for the newest schema change at or below a time.
func (s *Storages) SchemaTimeAt(ctx context.Context, at clock.Timestamp) (t clock.Timestamp, err error) {
	w := newWriter(opSchema, 8)
	w.time(at)
	err = s.call(ctx, w.b, func(in *reader) { t = in.time() })
	return t, err
}

// Checksum asks one node for the sum over a span at a time; see storage.Storage.
func (s *Storages) Checksum(ctx context.Context, node rpc.NodeID, span keys.Span, at clock.Timestamp) (rows int64, sum uint64, err error) {
	w := newWriter(opChecksum, 16+len(span.Start)+len(span.End))
	w.time(at)
	w.bytes(span.Start)
	w.bytes(span.End)
	err = s.callAt(ctx, node, w.b, func(in *reader) { rows, sum = int64(in.uint()), in.fixed() })
	return rows, sum, err
}

// Stream is a row of items from another node.
type Stream = interface {
	Recv(ctx context.Context) ([]byte, error)
	Close()
}

// Copy opens the stream of another storage's content.
func (s *Storages) Copy(ctx context.Context) (c Stream, err error) {
	err = s.each(ctx, func(n rpc.NodeID) error {
		in, err := s.cfg.Net.Stream(ctx, n, rpc.Checkpoint, newWriter(0, 0).b)
		if err != nil {
			return err
		}
		first, err := in.Recv(ctx)
		if err != nil {
			in.Close()
			return err
		}
		c = &begun{Stream: in, first: first}
		return nil
	})
	return c, err
}

// begun is a stream whose first item has been received to see whether there is any.
type begun struct {
	rpc.Stream
	first []byte
}

func (b *begun) Recv(ctx context.Context) ([]byte, error) {
	if item := b.first; item != nil {
		b.first = nil
		return item, nil
	}
	return b.Stream.Recv(ctx)
}

// Scan reads a span at a time on another node. The filter is evaluated here.
func (s *Storages) Scan(ctx context.Context, at clock.Timestamp, req txn.ScanRequest) (txn.Scan, error) {
	out := &remoteScan{limit: -1}
	limit := req.Limit
	if limit > 0 {
		out.limit = limit
	}
	keysOnly := false
	if p := req.Program; p != nil {
		if p.Filter != nil {
			var err error
			if out.filter, err = pushdown.NewEvaluator(p); err != nil {
				return nil, err
			}
			limit = 0
		}
		out.keys = p.KeysOnly
		keysOnly = p.KeysOnly && p.Filter == nil
	}
	w := newWriter(opScan, 32+len(req.Span.Start)+len(req.Span.End))
	w.time(at)
	w.bytes(req.Span.Start)
	w.bytes(req.Span.End)
	w.bool(req.Reverse)
	w.bool(keysOnly)
	w.uint(uint64(limit))
	err := s.each(ctx, func(n rpc.NodeID) error {
		in, err := s.cfg.Net.Stream(ctx, n, rpc.Storage, w.b)
		if err != nil {
			return err
		}
		// The first item, perhaps without rows, says that the node answers.
		item, err := in.Recv(ctx)
		if err == nil {
			err = out.take(item)
		}
		if err != nil {
			in.Close()
			return err
		}
		out.in = in
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// remoteScan is a scan on another node.
type remoteScan struct {
	in     rpc.Stream
	filter *pushdown.Evaluator
	keys   bool
	limit  int64 // rows still wanted, -1 is all
	rows   []txn.KV
	begun  bool // rows holds what has not been returned yet
	ended  bool
}

// take reads an item and keeps the rows that pass the filter.
func (c *remoteScan) take(item []byte) error {
	_, in := newReader(item)
	c.rows, c.begun = c.rows[:0], true
	for in.err == nil && len(in.b) > 0 && c.limit != 0 {
		kv := txn.KV{Key: in.bytes(), Value: in.bytes()}
		if in.err != nil {
			break
		}
		if c.filter != nil {
			ok, err := c.filter.Match(kv.Key, kv.Value)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		if c.keys {
			kv.Value = nil
		}
		c.rows = append(c.rows, kv)
		if c.limit > 0 {
			c.limit--
		}
	}
	return in.err
}

// Next returns the next batch; see txn.Scan.
func (c *remoteScan) Next(ctx context.Context) ([]txn.KV, error) {
	for {
		if c.begun {
			c.begun = false
			if len(c.rows) > 0 {
				return c.rows, nil
			}
		}
		if c.ended || c.limit == 0 || c.in == nil {
			return nil, nil
		}
		item, err := c.in.Recv(ctx)
		if errors.Is(err, io.EOF) {
			c.ended = true
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if err := c.take(item); err != nil {
			return nil, err
		}
	}
}

// Close ends the scan.
func (c *remoteScan) Close() {
	if c.in != nil {
		c.in.Close()
		c.in = nil
	}
}

// serve answers a call of another node.
func (s *Storages) serve(ctx context.Context, _ rpc.NodeID, body []byte) ([]byte, error) {
	op, in := newReader(body)
	at := in.time()
	if in.err != nil {
		return nil, in.err
	}
	local, err := s.local()
	if err != nil {
		return nil, err
	}
	switch op {
	case opGet:
		n := in.count(1)
		ks := make([]keys.Key, n)
		for i := range ks {
			ks[i] = in.bytes()
		}
		if in.err != nil {
			return nil, in.err
		}
		return serveGet(ctx, local, at, ks)
	case opSchema:
		t, err := local.SchemaTimeAt(ctx, at)
		w := newWriter(answerOK, 8)
		w.time(t)
		return w.b, err
	case opChecksum:
		span := keys.Span{Start: in.bytes(), End: in.bytes()}
		if in.err != nil {
			return nil, in.err
		}
		rows, sum, err := local.Checksum(ctx, span, at)
		w := newWriter(answerOK, 24)
		w.uint(uint64(rows))
		w.fixed(sum)
		return w.b, err
	case opDigests:
		return encodeDigests(local.Digests()), nil
	default:
		return nil, failure.NotSupported("request %d to storage is", op)
	}
}

func serveGet(ctx context.Context, local Storage, at clock.Timestamp, ks []keys.Key) ([]byte, error) {
	values := make([][]byte, len(ks))
	if err := local.Get(ctx, at, ks, values); err != nil {
		return nil, err
	}
	size := 0
	for _, v := range values {
		size += 6 + len(v)
	}
	w := newWriter(answerOK, size)
	for _, v := range values {
		w.bool(v != nil)
		if v != nil {
			w.bytes(v)
		}
	}
	return w.b, nil
}

// scanBytes is about how much an item of a scan holds.
const scanBytes = 128 << 10

func (s *Storages) serveScan(ctx context.Context, _ rpc.NodeID, open []byte, send func([]byte) error) error {
	op, in := newReader(open)
	at := in.time()
	req := txn.ScanRequest{Span: keys.Span{Start: in.bytes(), End: in.bytes()}, Reverse: in.bool()}
	if in.bool() {
		req.Program = &pushdown.Program{KeysOnly: true}
	}
	limit := in.uint()
	req.Limit = int64(min(limit, 1<<62))
	switch {
	case in.err != nil:
		return in.err
	case op != opScan:
		return failure.NotSupported("request %d to storage is", op)
	}
	local, err := s.local()
	if err != nil {
		return err
	}
	scan, err := local.Scan(ctx, at, req)
	if err != nil {
		return err
	}
	defer scan.Close()
	w := newWriter(0, scanBytes)
	for first := true; ; {
		batch, err := scan.Next(ctx)
		if err != nil {
			return err
		}
		for i := range batch {
			w.bytes(batch[i].Key)
			w.bytes(batch[i].Value)
		}
		if first || len(w.b) >= scanBytes || len(batch) == 0 && len(w.b) > 2 {
			first = false
			if err := send(w.b); err != nil { // copies
				return err
			}
			w.b = w.b[:2]
		}
		if len(batch) == 0 {
			return nil
		}
	}
}

// Digests asks a node for the sums that its storage keeps (storage.Storage.Digests), for comparing replicas (txn.Differ).
func (s *Storages) Digests(ctx context.Context, node rpc.NodeID) (map[txn.JournalID][]txn.Digest, error) {
	out := make(map[txn.JournalID][]txn.Digest)
	w := newWriter(opDigests, 8)
	w.time(0)
	err := s.callAt(ctx, node, w.b, func(in *reader) {
		for range in.count(2) {
			j, n := in.journal(), in.count(3)
			list := make([]txn.Digest, n)
			for i := range list {
				list[i] = txn.Digest{Since: in.uint(), Index: in.uint(), Sum: in.fixed()}
			}
			out[j] = list
		}
	})
	return out, err
}

func encodeDigests(m map[txn.JournalID][]txn.Digest) []byte {
	w := newWriter(answerOK, 1024)
	w.uint(uint64(len(m)))
	for j, list := range m {
		w.uint(uint64(j))
		w.uint(uint64(len(list)))
		for _, d := range list {
			w.uint(d.Since)
			w.uint(d.Index)
			w.fixed(d.Sum)
		}
	}
	return w.b
}

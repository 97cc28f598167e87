package stub

import (
	"context"
	"encoding/binary"

	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/keys"
	"github.com/meridiandb/meridian/internal/rpc"
	"github.com/meridiandb/meridian/internal/txn"
)

// Net is the part of rpc.Network that the stubs use.
type Net interface {
	Handle(s rpc.Service, h rpc.CallHandler)
	HandleMessage(s rpc.Service, h rpc.MessageHandler)
	HandleStream(s rpc.Service, h rpc.StreamHandler)
	Call(ctx context.Context, to rpc.NodeID, s rpc.Service, body []byte) ([]byte, error)
	Send(to rpc.NodeID, s rpc.Service, body []byte)
	Stream(ctx context.Context, to rpc.NodeID, s rpc.Service, open []byte) (rpc.Stream, error)
}

// version is the first byte of every body. What a later version adds goes to the end, where an older reader does not look;
// a body of a higher version than its own a reader refuses.
const version = 1

// writer builds a body.
type writer struct{ b []byte }

func newWriter(op byte, size int) *writer {
	return &writer{append(make([]byte, 0, size+16), version, op)}
}

func (w *writer) byte(v byte)            { w.b = append(w.b, v) }
func (w *writer) uint(v uint64)          { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) fixed(v uint64)         { w.b = binary.LittleEndian.AppendUint64(w.b, v) }
func (w *writer) id(v txn.ID)            { w.b = append(w.b, v[:]...) }
func (w *writer) time(v clock.Timestamp) { w.fixed(uint64(v)) }

func (w *writer) bytes(v []byte) {
	w.uint(uint64(len(v)))
	w.b = append(w.b, v...)
}

func (w *writer) bool(v bool) {
	if v {
		w.byte(1)
	} else {
		w.byte(0)
	}
}

func (w *writer) hashes(v []keys.Hash) {
	w.uint(uint64(len(v)))
	for _, h := range v {
		w.fixed(uint64(h))
	}
}

func (w *writer) conflicts(c *txn.Conflicts) {
	w.hashes(c.Exclusive)
	w.hashes(c.Shared)
	w.hashes(c.Schema)
	w.hashes(c.SchemaWrites)
	w.hashes(c.Marks)
}

func (w *writer) vote(v *txn.Vote) {
	w.uint(uint64(v.From))
	w.uint(uint64(v.Gen))
	w.bool(v.Yes)
	w.byte(byte(v.Reason))
	w.time(v.Lower)
	w.time(v.Upper)
	w.time(v.Conflicting)
}

func (w *writer) watermark(m txn.Watermark) {
	w.uint(uint64(m.Journal))
	w.uint(uint64(m.Gen))
	w.uint(m.Index)
	w.time(m.Time)
}

// reader takes a body apart. After an error everything reads as zero, so that it is asked for once, at the end. Byte
// strings point into the body.
type reader struct {
	b   []byte
	err error
}

// newReader checks the version and returns the operation.
func newReader(b []byte) (byte, *reader) {
	r := &reader{b: b}
	if v := r.byte(); r.err == nil && (v == 0 || v > version) {
		r.err = failure.New(failure.ProtocolViolation, "message of version %d is not understood", v)
	}
	return r.byte(), r
}

func (r *reader) bad() {
	if r.err == nil {
		r.err = failure.New(failure.ProtocolViolation, "malformed message between nodes")
	}
	r.b = nil
}

func (r *reader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.b)) {
		r.bad()
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *reader) bool() bool { return r.byte() != 0 }

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.err != nil || n <= 0 {
		r.bad()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uint32() uint32 {
	v := r.uint()
	if v > 1<<32-1 {
		r.bad()
		return 0
	}
	return uint32(v)
}

func (r *reader) fixed() uint64 {
	if v := r.take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

func (r *reader) time() clock.Timestamp { return clock.Timestamp(r.fixed()) }

func (r *reader) id() (id txn.ID) {
	copy(id[:], r.take(uint64(len(id))))
	return id
}

func (r *reader) bytes() []byte { return r.take(r.uint()) }

// count reads the length of a list whose items take size bytes at least.
func (r *reader) count(size int) int {
	n := r.uint()
	if n > uint64(len(r.b)/size) {
		r.bad()
		return 0
	}
	return int(n)
}

func (r *reader) hashes() []keys.Hash {
	n := r.count(8)
	if n == 0 {
		return nil
	}
	out := make([]keys.Hash, n)
	for i := range out {
		out[i] = keys.Hash(r.fixed())
	}
	return out
}

func (r *reader) conflicts() txn.Conflicts {
	return txn.Conflicts{Exclusive: r.hashes(), Shared: r.hashes(), Schema: r.hashes(), SchemaWrites: r.hashes(),
		Marks: r.hashes()}
}

func (r *reader) journal() txn.JournalID { return txn.JournalID(r.uint32()) }

func (r *reader) vote() txn.Vote {
	return txn.Vote{From: r.journal(), Gen: txn.Generation(r.uint()), Yes: r.bool(), Reason: txn.Reason(r.byte()),
		Lower: r.time(), Upper: r.time(), Conflicting: r.time()}
}

func (r *reader) watermark() txn.Watermark {
	return txn.Watermark{Journal: r.journal(), Gen: txn.Generation(r.uint()), Index: r.uint(), Time: r.time()}
}

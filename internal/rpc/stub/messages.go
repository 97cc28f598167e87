package stub

import (
	"github.com/meridiandb/meridian/internal/clock"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/txn"
)

// Operations of the adjudicator's service. Go-aheads and go-aborts are messages, the others calls. The numbers are part
// of the protocol and never reused.
const (
	opCommit  byte = 1
	opPrepare byte = 2
	opBulk    byte = 3
	opResolve byte = 4
	opPromise byte = 5
	opGoAhead byte = 6
	opGoAbort byte = 7
)

// The first byte of an answer, behind the version.
const (
	answerOK       byte = 0
	answerNotOwner byte = 1 // ‖ node that leads, as far as known ‖ its generation
)

func encodeCommit(j txn.JournalID, q *txn.CommitRequest) []byte {
	rec := q.Encoded
	if rec == nil {
		rec = q.Record.AppendTo(nil)
	}
	c := &q.Conflicts
	w := newWriter(opCommit, 64+len(rec)+64*len(q.Votes)+8*(len(c.Exclusive)+len(c.Shared)+len(c.Schema)+len(c.SchemaWrites)+len(c.Marks)))
	w.uint(uint64(j))
	w.id(q.ID)
	w.uint(uint64(q.Attempt))
	w.time(q.Start)
	w.conflicts(c)
	w.uint(uint64(len(q.Votes)))
	for i := range q.Votes {
		w.vote(&q.Votes[i])
	}
	w.bytes(rec)
	return w.b
}

// decodeCommit reads what follows the journal. The record's bytes are checked and point into the body.
func decodeCommit(r *reader) (*txn.CommitRequest, txn.RecordView) {
	q := &txn.CommitRequest{ID: r.id(), Attempt: r.uint32(), Start: r.time(), Conflicts: r.conflicts()}
	for range r.count(28) {
		q.Votes = append(q.Votes, r.vote())
	}
	q.Encoded = r.bytes()
	if r.err != nil {
		return nil, txn.RecordView{}
	}
	v, rest, err := txn.ParseRecord(q.Encoded)
	if err == nil {
		err = v.Verify()
	}
	if err == nil && (len(rest) > 0 || v.Kind() != txn.RecordTx || v.ID() != q.ID || v.Start() != q.Start || v.Attempt() != q.Attempt) {
		err = failure.New(failure.ProtocolViolation, "record and request of transaction %s differ", q.ID)
	}
	if err != nil {
		r.err = err
		return nil, txn.RecordView{}
	}
	return q, v
}

func encodeResult(res txn.CommitResult) []byte {
	w := newWriter(answerOK, 24)
	w.byte(byte(res.Reason))
	w.time(res.Time)
	w.time(res.Conflicting)
	return w.b
}

func (r *reader) result() txn.CommitResult {
	return txn.CommitResult{Reason: txn.Reason(r.byte()), Time: r.time(), Conflicting: r.time()}
}

func encodePrepare(j txn.JournalID, q *txn.PrepareRequest) []byte {
	c := &q.Conflicts
	w := newWriter(opPrepare, 64+8*(len(c.Exclusive)+len(c.Shared)+len(c.Schema)+len(c.SchemaWrites)+len(c.Marks)))
	w.uint(uint64(j))
	w.id(q.ID)
	w.uint(uint64(q.Attempt))
	w.time(q.Start)
	w.uint(uint64(q.Leader))
	w.conflicts(c)
	return w.b
}

func (r *reader) prepare() *txn.PrepareRequest {
	return &txn.PrepareRequest{ID: r.id(), Attempt: r.uint32(), Start: r.time(), Leader: r.journal(), Conflicts: r.conflicts()}
}

func encodeVote(v txn.Vote) []byte {
	w := newWriter(answerOK, 48)
	w.vote(&v)
	return w.b
}

func encodeBulk(j txn.JournalID, id txn.ID, seq uint32, images []txn.Image) []byte {
	size := 0
	for i := range images {
		size += len(images[i].Key) + len(images[i].Value) + 12
	}
	w := newWriter(opBulk, 32+size)
	w.uint(uint64(j))
	w.id(id)
	w.uint(uint64(seq))
	w.uint(uint64(len(images)))
	for i := range images {
		m := &images[i]
		w.bool(m.Delete)
		w.bytes(m.Key)
		w.bytes(m.Value)
	}
	return w.b
}

func (r *reader) bulk() (id txn.ID, seq uint32, images []txn.Image) {
	id, seq = r.id(), r.uint32()
	n := r.count(3)
	images = make([]txn.Image, 0, n)
	for range n {
		m := txn.Image{Delete: r.bool(), Key: r.bytes(), Value: r.bytes()}
		if m.Delete {
			m.Value = nil
		}
		images = append(images, m)
	}
	return id, seq, images
}

func encodeResolve(j txn.JournalID, id txn.ID, ub clock.Timestamp) []byte {
	w := newWriter(opResolve, 32)
	w.uint(uint64(j))
	w.id(id)
	w.time(ub)
	return w.b
}

func encodeOutcome(o txn.Outcome, c clock.Timestamp) []byte {
	w := newWriter(answerOK, 16)
	w.byte(byte(o))
	w.time(c)
	return w.b
}

func (r *reader) outcome() (txn.Outcome, clock.Timestamp) { return txn.Outcome(r.byte()), r.time() }

func encodePromise(j txn.JournalID, at clock.Timestamp) []byte {
	w := newWriter(opPromise, 16)
	w.uint(uint64(j))
	w.time(at)
	return w.b
}

func encodeGoAhead(j txn.JournalID, id txn.ID, c clock.Timestamp) []byte {
	w := newWriter(opGoAhead, 32)
	w.uint(uint64(j))
	w.id(id)
	w.time(c)
	return w.b
}

func encodeGoAbort(j txn.JournalID, id txn.ID, attempt uint32) []byte {
	w := newWriter(opGoAbort, 32)
	w.uint(uint64(j))
	w.id(id)
	w.uint(uint64(attempt))
	return w.b
}

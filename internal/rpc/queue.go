package rpc

import (
	"context"
	"hash/crc32"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/meridiandb/meridian/internal/host"
)

const (
	// bulkRound is how much bulk goes out between two looks at what is prompt.
	bulkRound = 64 << 10
	// bulkQueue is how much bulk waits in the queue; who has more waits itself.
	bulkQueue = 256 << 10
	// keepBuffer is the largest buffer kept for the next round.
	keepBuffer = 1 << 20
)

// queue is what a connection has still to write. Frames are encoded where they wait, so that a round is one write.
type queue struct {
	limit int // of prompt bytes that messages and calls may fill

	mu     sync.Mutex
	prompt []byte
	bulk   [][]byte
	bulked int           // bytes in bulk
	flying int           // bytes taken and not written yet
	round  uint64        // of what is being collected
	space  chan struct{} // closed when bulk has room again; nil when nobody waits
	closed bool
	wake   chan struct{} // one token: there is work
}

func newQueue(limit int) *queue { return &queue{limit: limit, round: 1, wake: make(chan struct{}, 1)} }

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// put queues a prompt frame. Unless forced it answers false when the queue is full; round is 0 when it was not queued, else
// written tells later whether the writer has taken it.
func (q *queue) put(f *frame, force bool) (round uint64) {
	var space [headMax]byte
	head := appendHead(space[:0], f)
	crc := crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, f.body)
	q.mu.Lock()
	if q.closed || !force && len(q.prompt)+q.flying+len(f.body) > q.limit {
		q.mu.Unlock()
		return 0
	}
	q.prompt = appendSummed(q.prompt, crc, head, f.body)
	round = q.round
	q.mu.Unlock()
	q.signal()
	return round
}

// taken says whether the writer has begun with the frame that was put in a round.
func (q *queue) taken(round uint64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return round < q.round
}

// putBulk queues a bulk frame when there is room and waits for it otherwise. It says false when the queue was closed or done ended first.
func (q *queue) putBulk(f *frame, done <-chan struct{}) bool {
	b := make([]byte, 0, frameHead+headMax+len(f.body))
	var space [headMax]byte
	b = appendFrame(b, appendHead(space[:0], f), f.body)
	for {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return false
		}
		if q.bulked < bulkQueue {
			q.bulk = append(q.bulk, b)
			q.bulked += len(b)
			q.mu.Unlock()
			q.signal()
			return true
		}
		if q.space == nil {
			q.space = make(chan struct{})
		}
		space := q.space
		q.mu.Unlock()
		select {
		case <-space:
		case <-done:
			return false
		}
	}
}

// take appends the next round to buf: everything prompt, then some bulk.
func (q *queue) take(buf []byte) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(buf) == 0 && len(q.prompt) > 0 {
		buf, q.prompt = q.prompt, buf // the usual case: no copy
	} else {
		buf = append(buf, q.prompt...)
		q.prompt = q.prompt[:0]
	}
	sent, n := 0, 0
	for ; n < len(q.bulk) && sent < bulkRound; n++ {
		buf = append(buf, q.bulk[n]...)
		sent += len(q.bulk[n])
		q.bulk[n] = nil
	}
	if n > 0 {
		if q.bulk = q.bulk[n:]; len(q.bulk) == 0 {
			q.bulk = nil
		}
		q.bulked -= sent
		if q.space != nil && q.bulked < bulkQueue {
			close(q.space)
			q.space = nil
		}
	}
	q.round++
	q.flying += len(buf)
	return buf
}

func (q *queue) written(n int) {
	q.mu.Lock()
	q.flying -= n
	q.mu.Unlock()
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.closed = true
	if q.space != nil {
		close(q.space)
		q.space = nil
	}
}

// write writes rounds until done ends or w fails.
func (q *queue) write(w io.Writer, done <-chan struct{}, out func(int)) error {
	var buf []byte
	for {
		if buf = q.take(buf[:0]); len(buf) == 0 {
			select {
			case <-q.wake:
				// Who else is about to say something does so first: one write for many is worth more than a few microseconds.
				runtime.Gosched()
				continue
			case <-done:
				return errClosed
			}
		}
		n := len(buf)
		if _, err := w.Write(buf); err != nil {
			return err
		}
		out(n)
		q.written(n)
		if cap(buf) > keepBuffer {
			buf = nil
		}
	}
}

// line is a writer that holds back what it is given, as a long cable does.
type line struct {
	time  host.Time
	delay func() time.Duration

	mu    sync.Mutex
	waits []parcel
	wake  chan struct{}
	err   error
}

type parcel struct {
	due time.Duration
	b   []byte
}

func newLine(t host.Time, delay func() time.Duration) *line {
	return &line{time: t, delay: delay, wake: make(chan struct{}, 1)}
}

// Write implements io.Writer; errors of the cable's other end show later.
func (l *line) Write(b []byte) (int, error) {
	due := l.time.Monotonic() + l.delay()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, l.err
	}
	l.waits = append(l.waits, parcel{due, append([]byte(nil), b...)})
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return len(b), nil
}

// run carries parcels to w until ctx ends or w fails.
func (l *line) run(ctx context.Context, w io.Writer) error {
	for {
		l.mu.Lock()
		if len(l.waits) == 0 {
			l.waits = nil
			l.mu.Unlock()
			select {
			case <-l.wake:
				continue
			case <-ctx.Done():
				return errClosed
			}
		}
		p := l.waits[0]
		l.waits = l.waits[1:]
		l.mu.Unlock()
		if d := p.due - l.time.Monotonic(); d > 0 {
			if err := l.time.Sleep(ctx, d); err != nil {
				return errClosed
			}
		}
		if _, err := w.Write(p.b); err != nil {
			l.mu.Lock()
			l.err = err
			l.mu.Unlock()
			return err
		}
	}
}

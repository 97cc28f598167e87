package pgwire

import (
	"encoding/binary"
	"io"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/session"
)

// sink is the session's side of a conn.
type sink conn

// rowEncoder knows how to print the rows of the running statement.
type rowEncoder struct {
	cols    []session.Column
	formats []int16
	env     *datum.Env
}

func (r *rowEncoder) format(i int) int16 {
	switch len(r.formats) {
	case 0:
		return session.FormatText
	case 1:
		return r.formats[0]
	default:
		return r.formats[i]
	}
}

// ParameterDescription implements session.Sink.
func (s *sink) ParameterDescription(types []datum.OID) {
	s.out.begin('t')
	s.out.int16(len(types))
	for _, t := range types {
		s.out.int32(int32(t))
	}
	s.out.end()
}

// RowDescription implements session.Sink.
func (s *sink) RowDescription(cols []session.Column, formats []int16) {
	enc := rowEncoder{cols: cols, formats: formats}
	s.out.begin('T')
	s.out.int16(len(cols))
	for i, c := range cols {
		s.out.str(c.Name)
		s.out.int32(int32(c.Table))
		s.out.int16(int(c.Attnum))
		s.out.int32(int32(c.Type.OID))
		s.out.int16(int(c.Len))
		s.out.int32(c.Type.Mod)
		s.out.int16(int(enc.format(i)))
	}
	s.out.end()
}

// NoData implements session.Sink.
func (s *sink) NoData() { s.out.simple('n') }

// BeginRows implements session.Sink.
func (s *sink) BeginRows(cols []session.Column, formats []int16, env *datum.Env) {
	s.rows = rowEncoder{cols: cols, formats: formats, env: env}
}

// Row implements session.Sink: a DataRow, flushed in pieces when the result is large.
func (s *sink) Row(values []datum.Datum) error {
	w := &s.out
	w.begin('D')
	w.int16(len(values))
	for i, d := range values {
		if d.IsNull() {
			w.int32(-1)
			continue
		}
		at := len(w.buf)
		w.int32(0)
		if s.rows.format(i) == session.FormatBinary {
			b, err := datum.AppendBinaryIn(w.buf, s.rows.cols[i].Type, d, s.rows.env)
			if err != nil {
				w.buf = w.buf[:w.start]
				return err
			}
			w.buf = b
		} else {
			w.buf = datum.AppendText(w.buf, s.rows.cols[i].Type, d, s.rows.env)
		}
		binary.BigEndian.PutUint32(w.buf[at:], uint32(len(w.buf)-at-4))
	}
	w.end()
	if len(w.buf) > flushAt {
		if err := w.flush(); err != nil {
			return errTerminated
		}
	}
	return nil
}

// CommandComplete implements session.Sink.
func (s *sink) CommandComplete(tag string) {
	s.out.begin('C')
	s.out.str(tag)
	s.out.end()
}

// EmptyQuery implements session.Sink.
func (s *sink) EmptyQuery() { s.out.simple('I') }

// PortalSuspended implements session.Sink.
func (s *sink) PortalSuspended() { s.out.simple('s') }

// ParseComplete implements session.Sink.
func (s *sink) ParseComplete() { s.out.simple('1') }

// BindComplete implements session.Sink.
func (s *sink) BindComplete() { s.out.simple('2') }

// CloseComplete implements session.Sink.
func (s *sink) CloseComplete() { s.out.simple('3') }

// Notice implements session.Sink.
func (s *sink) Notice(n *failure.Error) { s.out.failure('N', n) }

// ParameterStatus implements session.Sink.
func (s *sink) ParameterStatus(name, value string) { s.out.parameterStatus(name, value) }

// Position implements session.Sink.
func (s *sink) Position() int64 { return s.out.position() }

// Rewind implements session.Sink.
func (s *sink) Rewind(position int64) bool { return s.out.rewind(position) }

func (s *sink) copyHeader(kind byte, columns int, binary bool) error {
	format := 0
	if binary {
		format = 1
	}
	s.out.begin(kind)
	s.out.byte(byte(format))
	s.out.int16(columns)
	for range columns {
		s.out.int16(format)
	}
	s.out.end()
	if err := s.out.flush(); err != nil {
		return errTerminated
	}
	return nil
}

// CopyIn implements session.Sink.
func (s *sink) CopyIn(columns int, binary bool) (io.Reader, error) {
	if err := s.copyHeader('G', columns, binary); err != nil {
		return nil, err
	}
	return &copyReader{c: (*conn)(s)}, nil
}

// copyReader is the client's COPY data as a stream.
type copyReader struct {
	c    *conn
	rest []byte // of the current message
	done error
}

// Read implements io.Reader: io.EOF at CopyDone, the client's error at CopyFail.
func (r *copyReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.done != nil {
			return 0, r.done
		}
		if err := r.c.ctx.Err(); err != nil {
			return 0, err
		}
		kind, body, err := r.c.in.next()
		if err != nil {
			r.done = failure.New(failure.ConnectionFailure, "unexpected EOF on client connection with an open transaction").
				WithSeverity(failure.SeverityFatal)
			if t := r.c.terminatedBy(); t != nil {
				r.done = t
			}
			return 0, r.done
		}
		switch kind {
		case 'd':
			r.rest = body
		case 'c':
			r.done = io.EOF
		case 'f':
			f := fields{b: body}
			r.done = failure.New(failure.QueryCanceled, "COPY from stdin failed: %s", f.cstring())
		case 'H', 'S':
		default:
			r.done = failure.New(failure.ProtocolViolation,
				"unexpected message type 0x%02X during COPY from stdin", kind)
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// CopyOut implements session.Sink.
func (s *sink) CopyOut(columns int, binary bool) (io.Writer, error) {
	if err := s.copyHeader('H', columns, binary); err != nil {
		return nil, err
	}
	return copyWriter{(*conn)(s)}, nil
}

type copyWriter struct{ c *conn }

// Write sends one CopyData message.
func (w copyWriter) Write(p []byte) (int, error) {
	o := &w.c.out
	o.begin('d')
	o.bytes(p)
	o.end()
	if len(o.buf) > flushAt {
		if err := o.flush(); err != nil {
			return 0, errTerminated
		}
	}
	return len(p), nil
}

// CopyOutDone implements session.Sink.
func (s *sink) CopyOutDone() { s.out.simple('c') }

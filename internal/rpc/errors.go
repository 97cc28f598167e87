package rpc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/meridiandb/meridian/internal/failure"
)

// ErrUnreachable is found by errors.Is in the error of a call that the peer certainly did not execute.
var ErrUnreachable = errors.New("not delivered")

// ErrLost is found by errors.Is in the error of a call that the peer may or may not have executed.
var ErrLost = errors.New("the answer was lost")

// errClosed is why a connection ends when its owner wants it to.
var errClosed = errors.New("closed")

func target(to NodeID, addr string) string {
	switch {
	case to == 0:
		return addr
	case addr == "":
		return fmt.Sprintf("node %d", to)
	default:
		return fmt.Sprintf("node %d (%s)", to, addr)
	}
}

func unreachable(who string, why error) *failure.Error {
	e := failure.New(failure.CannotConnectNow, "%s cannot be reached", who).WithCause(errors.Join(ErrUnreachable, why))
	if why != nil {
		e.WithDetail("%s", why.Error())
	}
	return e
}

func lost(who string, why error) *failure.Error {
	e := failure.New(failure.ConnectionFailure, "connection to %s was lost before it answered", who).
		WithCause(errors.Join(ErrLost, why))
	if why != nil && !errors.Is(why, errClosed) {
		e.WithDetail("%s", why.Error())
	}
	return e
}

// ended is the error of a call whose context ended first.
func ended(who string, ctx context.Context, sent bool) *failure.Error {
	fate := ErrUnreachable
	if sent {
		fate = ErrLost
	}
	text := "request to %s was canceled"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		text = "%s did not answer in time"
	}
	return failure.New(failure.QueryCanceled, text, who).WithCause(errors.Join(fate, ctx.Err()))
}

// asFailure makes any error of a handler one that can travel.
func asFailure(err error) *failure.Error {
	if e := failure.As(err); e != nil {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return failure.New(failure.QueryCanceled, "request was canceled")
	}
	return failure.New(failure.InternalError, "%s", err.Error())
}

// maxErrorText bounds each text of an error that travels.
const maxErrorText = 16 << 10

// appendFailure encodes an error with everything but its cause.
func appendFailure(b []byte, e *failure.Error) []byte {
	b = append(b, byte(e.Severity))
	b = binary.AppendUvarint(b, uint64(max(e.Position, 0)))
	b = binary.AppendUvarint(b, e.RetryAfter)
	for _, s := range [...]string{string(e.Code), e.Message, e.Detail, e.Hint, e.Where, e.Schema, e.Table, e.Column, e.DataType, e.Constraint} {
		s = s[:min(len(s), maxErrorText)]
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// decodeFailure is the reverse of appendFailure. Bytes behind what is known are ignored: a newer peer has more to say.
func decodeFailure(b []byte) (*failure.Error, error) {
	d := decoder{b: b}
	e := &failure.Error{Severity: failure.Severity(d.byte())}
	e.Position = int(min(d.uvarint(), 1<<31-1))
	e.RetryAfter = d.uvarint()
	var code string
	for _, s := range [...]*string{&code, &e.Message, &e.Detail, &e.Hint, &e.Where, &e.Schema, &e.Table, &e.Column, &e.DataType, &e.Constraint} {
		*s = string(d.bytes(maxErrorText))
	}
	e.Code = failure.Code(code)
	return e, d.err
}

// Package failure is the error type of the whole system and the questions asked of errors: which SQLSTATE, may the
// statement or transaction be retried, is the outcome unknown.
//
// Every error that can reach a client is an *Error with PostgreSQL's fields. Errors are wrapped with %w and found
// again with As; nothing compares error texts.
package failure

import (
	"errors"
	"fmt"
)

// Severity is PostgreSQL's severity field. The zero value means ERROR.
type Severity uint8

// The severities that Meridian sends.
const (
	SeverityError Severity = iota
	SeverityFatal
	SeverityPanic
	SeverityWarning
	SeverityNotice
	SeverityInfo
	SeverityLog
	SeverityDebug
)

// String returns the word that travels in fields S and V of an error or notice.
func (s Severity) String() string {
	switch s {
	case SeverityFatal:
		return "FATAL"
	case SeverityPanic:
		return "PANIC"
	case SeverityWarning:
		return "WARNING"
	case SeverityNotice:
		return "NOTICE"
	case SeverityInfo:
		return "INFO"
	case SeverityLog:
		return "LOG"
	case SeverityDebug:
		return "DEBUG"
	default:
		return "ERROR"
	}
}

// Error is an error (or notice) with every field that PostgreSQL sends. Build one with New and the With methods,
// which change and return the receiver; an Error that has been returned to a caller is not changed any more, except
// through Edit.
type Error struct {
	Severity   Severity
	Code       Code
	Message    string
	Detail     string
	Hint       string
	Position   int // 1-based, in characters of the statement's text; 0 when unknown
	Where      string
	Schema     string
	Table      string
	Column     string
	DataType   string
	Constraint string

	// RetryAfter, when not zero, is the commit timestamp (clock.Timestamp) that a retry's snapshot must reach for
	// the same conflict not to be met again.
	RetryAfter uint64

	cause error
}

// New makes an Error with a SQLSTATE and a message in PostgreSQL's style: lower case, no full stop.
func New(code Code, format string, args ...any) *Error {
	if len(args) == 0 {
		return &Error{Code: code, Message: format}
	}
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// NotSupported makes the honest answer for what is not there: 0A000, naming the missing thing.
func NotSupported(what string, args ...any) *Error {
	return New(FeatureNotSupported, "%s not supported", fmt.Sprintf(what, args...))
}

// Error implements error with the message and its code.
func (e *Error) Error() string {
	if e.Code == "" {
		return e.Message
	}
	return e.Message + " (SQLSTATE " + string(e.Code) + ")"
}

// Unwrap returns the cause given to WithCause.
func (e *Error) Unwrap() error { return e.cause }

// WithDetail sets the detail line: whole sentences with full stops.
func (e *Error) WithDetail(format string, args ...any) *Error {
	e.Detail = sprintf(format, args)
	return e
}

// WithHint sets the hint line: what the user can do.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = sprintf(format, args)
	return e
}

// At sets the 1-based character position in the statement, unless one is already known.
func (e *Error) At(position int) *Error {
	if e.Position == 0 {
		e.Position = position
	}
	return e
}

// WithTable names the table the error is about.
func (e *Error) WithTable(schema, table string) *Error {
	e.Schema, e.Table = schema, table
	return e
}

// WithColumn names the column the error is about.
func (e *Error) WithColumn(column string) *Error {
	e.Column = column
	return e
}

// WithConstraint names the constraint that was violated.
func (e *Error) WithConstraint(name string) *Error {
	e.Constraint = name
	return e
}

// WithWhere adds context lines (field W).
func (e *Error) WithWhere(format string, args ...any) *Error {
	e.Where = sprintf(format, args)
	return e
}

// WithSeverity sets another severity than ERROR.
func (e *Error) WithSeverity(s Severity) *Error {
	e.Severity = s
	return e
}

// WithCause keeps the underlying error for errors.Is and errors.As; it is not sent to clients.
func (e *Error) WithCause(err error) *Error {
	e.cause = err
	return e
}

// Edit returns a copy that the caller may change.
func (e *Error) Edit() *Error {
	c := *e
	return &c
}

func sprintf(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// As finds the *Error in err's chain, or returns nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// CodeOf returns the SQLSTATE of err: its own when it carries one, XX000 otherwise, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e := As(err); e != nil && e.Code != "" {
		return e.Code
	}
	return InternalError
}

// Retryable says whether the transaction certainly did not commit and may be run again as it is.
func Retryable(err error) bool {
	return CodeOf(err) == SerializationFailure
}

// OutcomeUnknown says whether the transaction may or may not have committed.
func OutcomeUnknown(err error) bool {
	return err != nil && CodeOf(err) == StatementCompletionUnknown
}

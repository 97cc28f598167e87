package session

import (
	"io"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// Column describes one column of a result.
type Column struct {
	Name   string
	Table  datum.OID // of the table it comes from, 0 when computed
	Attnum int16
	Type   datum.Type
	// Len is pg_type.typlen of the type: -1 for values of any length.
	Len int16
}

// Format codes of the wire protocol.
const (
	FormatText   int16 = 0
	FormatBinary int16 = 1
)

// Sink receives what a session has to say to its client. The wire server implements it; writes are buffered and cannot
// fail until they are flushed, which Row may do.
type Sink interface {
	// ParameterDescription and RowDescription answer Describe; NoData stands for a statement without rows. Formats
	// follow the Bind message: none is all text, one is for all columns.
	ParameterDescription(types []datum.OID)
	RowDescription(cols []Column, formats []int16)
	NoData()
	// BeginRows fixes the columns of the rows that follow without sending anything.
	BeginRows(cols []Column, formats []int16, env *datum.Env)
	Row(values []datum.Datum) error
	CommandComplete(tag string)
	EmptyQuery()
	PortalSuspended()
	ParseComplete()
	BindComplete()
	CloseComplete()
	Notice(n *failure.Error)
	ParameterStatus(name, value string)
	// Position and Rewind take back what a statement has written so far, before it is tried again. Rewind answers false
	// when the client has been sent some of it.
	Position() int64
	Rewind(position int64) bool
	// CopyIn starts a COPY FROM STDIN and returns the client's data; it ends with io.EOF at CopyDone, and with a
	// *failure.Error when the client gives up.
	CopyIn(columns int, binary bool) (io.Reader, error)
	// CopyOut starts a COPY TO STDOUT; each Write is one CopyData message. CopyOutDone ends it.
	CopyOut(columns int, binary bool) (io.Writer, error)
	CopyOutDone()
}

// Bind is what a Bind message carries. The slices alias the message and are valid during the call only.
type Bind struct {
	Portal, Statement string
	ParamFormats      []int16
	Params            [][]byte // nil is NULL
	ResultFormats     []int16
}

// Startup is what a client says of itself when it connects.
type Startup struct {
	User, Database string
	// Parameters are the other settings of the startup packet, in order, options included.
	Parameters []Parameter
	// ClientAddr is "host:port", or empty when unknown; ClientHost its numeric address.
	ClientAddr, ClientHost string
	ClientPort             int
	TLS                    bool
	// PID and Secret name the session for cancel requests.
	PID    int32
	Secret int32
}

// Parameter is a name and its value.
type Parameter struct{ Name, Value string }

// discardSink is the client of a session that has none.
type discardSink struct{}

func (discardSink) ParameterDescription([]datum.OID)        {}
func (discardSink) RowDescription([]Column, []int16)        {}
func (discardSink) NoData()                                 {}
func (discardSink) BeginRows([]Column, []int16, *datum.Env) {}
func (discardSink) Row([]datum.Datum) error                 { return nil }
func (discardSink) CommandComplete(string)                  {}
func (discardSink) EmptyQuery()                             {}
func (discardSink) PortalSuspended()                        {}
func (discardSink) ParseComplete()                          {}
func (discardSink) BindComplete()                           {}
func (discardSink) CloseComplete()                          {}
func (discardSink) Notice(*failure.Error)                   {}
func (discardSink) ParameterStatus(string, string)          {}
func (discardSink) Position() int64                         { return 0 }
func (discardSink) Rewind(int64) bool                       { return false }
func (discardSink) CopyIn(int, bool) (io.Reader, error) {
	return nil, failure.NotSupported("COPY without a client")
}
func (discardSink) CopyOut(int, bool) (io.Writer, error) {
	return nil, failure.NotSupported("COPY without a client")
}
func (discardSink) CopyOutDone() {}

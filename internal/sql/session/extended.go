package session

import (
	"bytes"
	"context"
	"unicode/utf8"
	"unsafe"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
	"github.com/meridiandb/meridian/internal/sql/strict"
)

// prepared is a named (or the unnamed) prepared statement.
type prepared struct {
	statement
	name  string
	empty bool // the text held no statement
	// bySQL says that PREPARE made it.
	bySQL    bool
	prepared int64
}

// portal is a bound statement, perhaps running.
type portal struct {
	name    string
	st      *statement
	empty   bool
	params  []datum.Datum
	formats []int16
	exec    *execution
	done    bool
	cursor  *cursor // made by DECLARE
}

func (p *portal) close() {
	if p.exec != nil {
		p.exec.close()
		p.exec = nil
	}
	p.done = true
}

// Parse implements the wire server's Session.
func (s *Session) Parse(ctx context.Context, name, sql string, paramTypes []uint32) error {
	if name != "" {
		if _, exists := s.prepared[name]; exists {
			return failure.New(failure.DuplicatePstatement, "prepared statement \"%s\" already exists", name)
		}
	}
	if !utf8.ValidString(sql) {
		return invalidUTF8(sql)
	}
	s.sql = sql
	stmts, err := parser.Parse(sql)
	if err != nil {
		return err
	}
	if len(stmts) > 1 {
		return failure.New(failure.SyntaxError, "cannot insert multiple commands into a prepared statement")
	}
	p := &prepared{name: name, empty: len(stmts) == 0, prepared: s.engine.now()}
	p.sql = sql
	for _, t := range paramTypes {
		p.oids = append(p.oids, datum.OID(t))
	}
	if !p.empty {
		p.raw = stmts[0]
		if err := s.analyse(ctx, &p.statement); err != nil {
			return err
		}
	}
	s.prepared[name] = p
	return nil
}

// analyse plans a statement ahead of its execution, which finds its errors and the types of its parameters.
func (s *Session) analyse(ctx context.Context, st *statement) error {
	if s.t.block == failed {
		if !allowedInFailed(st.raw.Stmt) {
			return refusedInFailed()
		}
		return nil
	}
	if s.strict() {
		if err := strict.Check(st.raw.Stmt); err != nil {
			return err
		}
	}
	if !plannable(st.raw.Stmt) || selectInto(st.raw.Stmt) != nil {
		return nil
	}
	s.ctx = ctx
	return s.prepare(ctx, st)
}

func invalidUTF8(sql string) error {
	b := []byte(sql)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			break
		}
		b = b[n:]
	}
	hex := ""
	for _, c := range b[:min(len(b), 2)] {
		const digits = "0123456789abcdef"
		hex += " 0x" + string(digits[c>>4]) + string(digits[c&15])
	}
	return failure.New(failure.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\":%s", hex)
}

func (s *Session) findPrepared(name string) (*prepared, error) {
	p := s.prepared[name]
	if p == nil {
		if name == "" {
			return nil, failure.New(failure.UndefinedPstatement, "unnamed prepared statement does not exist")
		}
		return nil, failure.New(failure.UndefinedPstatement, "prepared statement \"%s\" does not exist", name)
	}
	return p, nil
}

// Bind implements the wire server's Session.
func (s *Session) Bind(ctx context.Context, b Bind) error {
	p, err := s.findPrepared(b.Statement)
	if err != nil {
		return err
	}
	s.sql = p.sql
	if old := s.portals[b.Portal]; old != nil {
		if b.Portal != "" {
			return failure.New(failure.DuplicateCursor, "cursor \"%s\" already exists", b.Portal)
		}
		old.close()
	}
	if s.t.block == failed && !p.empty && !allowedInFailed(p.raw.Stmt) {
		return refusedInFailed()
	}
	port := s.portals[""]
	if b.Portal != "" || port == nil || port == s.resume.portal {
		port = &portal{}
	}
	*port = portal{name: b.Portal, st: &p.statement, empty: p.empty, params: port.params[:0], formats: append(port.formats[:0], b.ResultFormats...)}
	if !p.empty && plannable(p.raw.Stmt) && selectInto(p.raw.Stmt) == nil {
		s.ctx = ctx
		if err := s.prepare(ctx, &p.statement); err != nil {
			return err
		}
		if err := s.bindParams(port, p, b); err != nil {
			return err
		}
		if n := len(port.formats); n > 1 && n != len(p.cols) {
			return failure.New(failure.ProtocolViolation, "bind message has %d result formats but query has %d columns", n, len(p.cols))
		}
	} else if len(b.Params) > 0 {
		return failure.New(failure.ProtocolViolation, "bind message supplies %d parameters, but prepared statement \"%s\" requires %d",
			len(b.Params), p.name, 0)
	}
	s.portals[b.Portal] = port
	return nil
}

// bindParams decodes the parameters by the statement's types.
func (s *Session) bindParams(port *portal, p *prepared, b Bind) error {
	types := p.plan.Params
	if len(b.Params) != len(types) {
		return failure.New(failure.ProtocolViolation, "bind message supplies %d parameters, but prepared statement \"%s\" requires %d",
			len(b.Params), p.name, len(types))
	}
	if n := len(b.ParamFormats); n > 1 && n != len(b.Params) {
		return failure.New(failure.ProtocolViolation, "bind message has %d parameter formats but %d parameters", n, len(b.Params))
	}
	for i, raw := range b.Params {
		if raw == nil {
			port.params = append(port.params, datum.Null)
			continue
		}
		format := FormatText
		switch len(b.ParamFormats) {
		case 0:
		case 1:
			format = b.ParamFormats[0]
		default:
			format = b.ParamFormats[i]
		}
		d, err := s.decodeParam(types[i], format, raw)
		if err != nil {
			if e := failure.As(err); e != nil && e.Where == "" && format == FormatText && b.Portal == "" {
				return e.Edit().WithWhere("unnamed portal parameter $%d = '%s'", i+1, bytes.ToValidUTF8(raw[:min(len(raw), 64)], []byte("?")))
			}
			return err
		}
		port.params = append(port.params, d)
	}
	return nil
}

// decodeParam reads one value. The message's memory is reused, so values that would alias it are copied first.
func (s *Session) decodeParam(t datum.Type, format int16, raw []byte) (datum.Datum, error) {
	switch t.OID {
	case datum.OIDBool, datum.OIDInt2, datum.OIDInt4, datum.OIDInt8, datum.OIDFloat4, datum.OIDFloat8, datum.OIDOid,
		datum.OIDDate, datum.OIDTime, datum.OIDTimestamp, datum.OIDTimestampTZ, datum.OIDNumeric:
	default:
		raw = append(make([]byte, 0, len(raw)), raw...)
	}
	switch format {
	case FormatText:
		text := unsafe.String(unsafe.SliceData(raw), len(raw))
		if !utf8.ValidString(text) {
			return datum.Null, invalidUTF8(text)
		}
		return s.parseValue(t, text)
	case FormatBinary:
		return datum.ParseBinaryIn(t, raw, s.datumEnv())
	}
	return datum.Null, failure.New(failure.InvalidParameterValue, "unsupported format code: %d", format)
}

// DescribeStatement implements the wire server's Session.
func (s *Session) DescribeStatement(ctx context.Context, name string) error {
	p, err := s.findPrepared(name)
	if err != nil {
		return err
	}
	s.sql = p.sql
	if p.empty {
		s.sink.ParameterDescription(nil)
		s.sink.NoData()
		return nil
	}
	if err := s.analyse(ctx, &p.statement); err != nil {
		return err
	}
	var oids []datum.OID
	if p.plan != nil {
		for _, t := range p.plan.Params {
			oids = append(oids, t.OID)
		}
	}
	s.sink.ParameterDescription(oids)
	return s.describeColumns(ctx, &p.statement, nil)
}

// DescribePortal implements the wire server's Session.
func (s *Session) DescribePortal(ctx context.Context, name string) error {
	p, err := s.findPortal(name)
	if err != nil {
		return err
	}
	if p.cursor != nil {
		s.sink.RowDescription(p.cursor.cols, p.formats)
		return nil
	}
	if p.empty {
		s.sink.NoData()
		return nil
	}
	return s.describeColumns(ctx, p.st, p.formats)
}

// describeColumns sends the shape of a statement's rows.
func (s *Session) describeColumns(ctx context.Context, st *statement, formats []int16) error {
	cols := st.cols
	if st.plan == nil {
		var err error
		if cols, err = s.utilityColumns(ctx, st); err != nil {
			return err
		}
		if cols == nil {
			s.sink.NoData()
			return nil
		}
	} else if len(cols) == 0 && !returnsRows(st) {
		s.sink.NoData()
		return nil
	}
	s.sink.RowDescription(cols, formats)
	return nil
}

// returnsRows says whether a planned statement has a result set, perhaps without columns.
func returnsRows(st *statement) bool {
	switch q := st.raw.Stmt.(type) {
	case *parser.SelectStmt:
		return q.Into == nil
	default:
		return len(st.cols) > 0
	}
}

func (s *Session) findPortal(name string) (*portal, error) {
	p := s.portals[name]
	if p == nil {
		return nil, failure.New(failure.UndefinedCursor, "portal \"%s\" does not exist", name)
	}
	return p, nil
}

// Execute implements the wire server's Session. The outcome of an implicit transaction is decided at Sync.
func (s *Session) Execute(ctx context.Context, name string, maxRows int) error {
	p, err := s.findPortal(name)
	if err != nil {
		return err
	}
	if p.empty {
		s.sink.EmptyQuery()
		return nil
	}
	if s.t.block == idle || s.t.block == implicit {
		s.resume.count++
		if s.resume.count == 1 {
			s.resume.portal, s.resume.at = p, s.sink.Position()
		}
	}
	s.activity.begin(p.st.sql, s.engine.now())
	return s.limited(ctx, func(ctx context.Context) error { return s.runPortal(ctx, p, maxRows) })
}

func (s *Session) runPortal(ctx context.Context, p *portal, maxRows int) error {
	if p.cursor != nil {
		return s.runCursorPortal(ctx, p, maxRows)
	}
	if p.exec == nil {
		if p.done {
			s.sink.CommandComplete("SELECT 0")
			return nil
		}
		e, err := s.open(ctx, p.st, p.params)
		if err != nil {
			return err
		}
		p.exec = e
	}
	ended, err := s.send(ctx, p.exec, p.formats, maxRows)
	if err != nil {
		p.close()
		return guard(ctx, err)
	}
	if !ended {
		s.sink.PortalSuspended()
		return nil
	}
	tag := p.exec.commandTag()
	p.close()
	s.sink.CommandComplete(tag)
	s.reportChanges()
	return nil
}

// Sync implements the wire server's Session: it ends the implicit transaction. A lone statement that lost a conflict
// is run again, when the client has seen nothing of it.
func (s *Session) Sync(ctx context.Context) error {
	defer func() { s.resume.portal, s.resume.count = nil, 0 }()
	if s.t.block == inBlock || s.t.block == failed {
		s.activity.done(s.Status(), s.engine.now())
		return nil
	}
	p := s.resume.portal
	for try := 0; ; try++ {
		err := s.commit(ctx)
		if err == nil {
			break
		}
		if s.resume.count != 1 || !s.mayRetry(ctx, err, try) || !s.sink.Rewind(s.resume.at) {
			return err
		}
		if err := s.again(ctx, p); err != nil {
			return err
		}
	}
	s.activity.done('I', s.engine.now())
	return nil
}

// again runs the portal's statement once more from the start, in a new transaction.
func (s *Session) again(ctx context.Context, p *portal) error {
	p.exec, p.done = nil, false
	return s.limited(ctx, func(ctx context.Context) error { return s.runPortal(ctx, p, 0) })
}

// CloseStatement implements the wire server's Session.
func (s *Session) CloseStatement(name string) error {
	delete(s.prepared, name)
	return nil
}

// ClosePortal implements the wire server's Session.
func (s *Session) ClosePortal(name string) error {
	if p := s.portals[name]; p != nil {
		p.close()
		delete(s.portals, name)
	}
	return nil
}

// closePortals ends all portals with the transaction, but for held cursors.
func (s *Session) closePortals() {
	for name, p := range s.portals {
		if p.cursor != nil && p.cursor.held != nil {
			continue
		}
		p.close()
		if p != s.resume.portal && name != "" {
			delete(s.portals, name)
		}
	}
}

// closeExecutions stops what is running without forgetting the portals.
func (s *Session) closeExecutions() {
	for _, p := range s.portals {
		if p.cursor == nil || p.cursor.held == nil {
			p.close()
		}
	}
}

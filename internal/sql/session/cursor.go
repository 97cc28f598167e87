package session

import (
	"context"
	"fmt"
	"slices"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// cursor is a portal made by DECLARE. A scrollable one keeps the rows it has read.
type cursor struct {
	name   string
	cols   []Column
	exec   *execution
	scroll bool
	hold   bool
	binary bool
	// rows are those read so far when scroll is set; pos is the number of the current row, 0 before the first and
	// one past the last at the end.
	rows [][]datum.Datum
	pos  int
	end  bool // no more rows to read
	// held is set once the transaction has committed and rows holds all that is left.
	held    []struct{}
	created int64
	sql     string
}

func (s *Session) findCursor(name string) (*cursor, error) {
	p := s.portals[name]
	if p == nil || (p.cursor == nil && p.exec == nil && p.st == nil) {
		return nil, failure.New(failure.UndefinedCursor, "cursor \"%s\" does not exist", name)
	}
	if p.cursor == nil {
		return nil, failure.NotSupported("FETCH from a portal of the extended protocol")
	}
	return p.cursor, nil
}

// declare runs DECLARE.
func (s *Session) declare(ctx context.Context, stmt *parser.DeclareCursorStmt, params []datum.Datum) error {
	if s.t.block != inBlock && stmt.Options&parser.CursorHold == 0 {
		return noBlock("DECLARE CURSOR")
	}
	if p := s.portals[stmt.Name]; p != nil && stmt.Name != "" {
		return failure.New(failure.DuplicateCursor, "cursor \"%s\" already exists", stmt.Name)
	}
	st := &statement{sql: s.sql, raw: parser.RawStmt{Stmt: stmt.Query}}
	if err := s.prepare(ctx, st); err != nil {
		return err
	}
	e, err := s.openPlan(ctx, st, params)
	if err != nil {
		return err
	}
	c := &cursor{name: stmt.Name, cols: st.cols, exec: e, scroll: stmt.Options&parser.CursorScroll != 0,
		hold: stmt.Options&parser.CursorHold != 0, binary: stmt.Options&parser.CursorBinary != 0, created: s.engine.now(), sql: s.sql}
	s.portals[stmt.Name] = &portal{name: stmt.Name, st: st, cursor: c, exec: e}
	return nil
}

// advance reads one more row; nil at the end.
func (c *cursor) advance(ctx context.Context) ([]datum.Datum, error) {
	if c.scroll || c.held != nil {
		if c.pos < len(c.rows) {
			c.pos++
			return c.rows[c.pos-1], nil
		}
		if c.end {
			c.pos = len(c.rows) + 1
			return nil, nil
		}
	}
	if c.end {
		c.pos++
		return nil, nil
	}
	more, err := c.exec.rowsLeft(ctx)
	if err != nil {
		return nil, err
	}
	c.pos++
	if !more {
		c.end = true
		return nil, nil
	}
	row := slices.Clone(c.exec.batch[c.exec.next])
	c.exec.next++
	if c.scroll {
		c.rows = append(c.rows, row)
	}
	return row, nil
}

// back moves one row backwards; nil before the first.
func (c *cursor) back() ([]datum.Datum, error) {
	if !c.scroll {
		return nil, failure.New(failure.ObjectNotInPrerequisiteState, "cursor can only scan forward").
			WithHint("Declare it with SCROLL option to enable backward scan.")
	}
	if c.pos > 0 {
		c.pos--
	}
	if c.pos == 0 {
		return nil, nil
	}
	return c.rows[c.pos-1], nil
}

// to moves to a row by number and returns it; negative numbers count from the end.
func (c *cursor) to(ctx context.Context, n int64) ([]datum.Datum, error) {
	if n < 0 {
		for !c.end {
			if _, err := c.advance(ctx); err != nil {
				return nil, err
			}
		}
		if !c.scroll && c.held == nil {
			_, err := c.back()
			return nil, err
		}
		n = max(0, int64(len(c.rows))+1+n)
	}
	if n < int64(c.pos) || (n == int64(c.pos) && !c.scroll) {
		if !c.scroll {
			_, err := c.back()
			return nil, err
		}
		c.pos = int(n)
		if n == 0 || n > int64(len(c.rows)) {
			return nil, nil
		}
		return c.rows[n-1], nil
	}
	if n == int64(c.pos) {
		if n == 0 || n > int64(len(c.rows)) {
			return nil, nil
		}
		return c.rows[n-1], nil
	}
	var row []datum.Datum
	var err error
	for int64(c.pos) < n && err == nil && !(c.end && c.pos > 0 && row == nil && int64(c.pos) > int64(len(c.rows))) {
		row, err = c.advance(ctx)
		if row == nil {
			break
		}
	}
	return row, err
}

// fetch runs FETCH and MOVE.
func (s *Session) fetch(ctx context.Context, stmt *parser.FetchStmt) (*execution, error) {
	c, err := s.findCursor(stmt.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := c.collect(ctx, stmt)
	if err != nil {
		return nil, err
	}
	if stmt.Move {
		return done(fmt.Sprintf("MOVE %d", len(rows)), nil)
	}
	return table(fmt.Sprintf("FETCH %d", len(rows)), c.cols, rows), nil
}

func (c *cursor) collect(ctx context.Context, stmt *parser.FetchStmt) ([][]datum.Datum, error) {
	var rows [][]datum.Datum
	one := func(row []datum.Datum, err error) ([][]datum.Datum, error) {
		if row != nil {
			rows = append(rows, row)
		}
		return rows, err
	}
	n, forward := stmt.Count, true
	switch stmt.Direction {
	case parser.FetchAbsolute:
		return one(c.to(ctx, n))
	case parser.FetchRelative:
		return one(c.to(ctx, max(0, int64(c.pos)+n)))
	case parser.FetchBackward:
		forward = false
	}
	if n < 0 {
		n, forward = -n, !forward
	}
	if n == 0 {
		return one(c.to(ctx, int64(c.pos)))
	}
	for i := int64(0); i < n; i++ {
		var row []datum.Datum
		var err error
		if forward {
			row, err = c.advance(ctx)
		} else {
			row, err = c.back()
		}
		if err != nil {
			return nil, err
		}
		if row == nil {
			break
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// runCursorPortal is Execute on the portal of a cursor.
func (s *Session) runCursorPortal(ctx context.Context, p *portal, maxRows int) error {
	c := p.cursor
	s.sink.BeginRows(c.cols, p.formats, s.datumEnv())
	n := 0
	for ; maxRows == 0 || n < maxRows; n++ {
		row, err := c.advance(ctx)
		if err != nil {
			return err
		}
		if row == nil {
			s.sink.CommandComplete(fmt.Sprintf("FETCH %d", n))
			return nil
		}
		if err := s.sink.Row(row); err != nil {
			return err
		}
	}
	s.sink.PortalSuspended()
	return nil
}

// holdCursors reads what is left of the WITH HOLD cursors before the transaction ends.
func (s *Session) holdCursors(ctx context.Context) error {
	for _, p := range s.portals {
		c := p.cursor
		if c == nil || !c.hold || c.held != nil {
			continue
		}
		at := c.pos
		wasScroll := c.scroll
		c.scroll = true
		if !wasScroll { // rows before the present one are gone: stand-ins keep the numbering
			c.rows = make([][]datum.Datum, c.pos)
		}
		for !c.end {
			if _, err := c.advance(ctx); err != nil {
				return err
			}
		}
		c.scroll, c.pos, c.held = wasScroll, at, []struct{}{}
		c.exec.close()
		p.exec = nil
	}
	return nil
}

// closeCursor runs CLOSE.
func (s *Session) closeCursor(stmt *parser.ClosePortalStmt) (string, error) {
	if stmt.All {
		for name, p := range s.portals {
			if p.cursor != nil {
				p.close()
				delete(s.portals, name)
			}
		}
		return "CLOSE CURSOR ALL", nil
	}
	if _, err := s.findCursor(stmt.Name); err != nil {
		return "", err
	}
	s.portals[stmt.Name].close()
	delete(s.portals, stmt.Name)
	return "CLOSE CURSOR", nil
}

// explainType is the type of EXPLAIN's column.
func explainType(stmt *parser.ExplainStmt) datum.Type {
	for _, o := range stmt.Options {
		if o.Name == "format" && optionText(o) == "json" {
			return datum.T(datum.OIDJSON)
		}
	}
	return datum.T(datum.OIDText)
}

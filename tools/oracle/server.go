package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/sql/parser"
)

// server compares with a running PostgreSQL by preparing statements, which runs none of them.
type server struct{ conn *pgconn.PgConn }

// compare returns what is different between our errors and the server's, "" when nothing is. What our parser takes
// may still fail there for other reasons than its syntax.
func (s server) compare(ctx context.Context, sql string) string {
	_, ours := parser.ParseOne(sql)
	_, theirs := s.conn.Prepare(ctx, "", sql, nil)
	var pg *pgconn.PgError
	if theirs != nil && !errors.As(theirs, &pg) {
		return theirs.Error()
	}
	e := failure.As(ours)
	switch {
	case e == nil && pg != nil && strings.HasPrefix(pg.Message, "syntax error"):
		return fmt.Sprintf("taken, but the server says %s", pg.Message)
	case e == nil:
		return ""
	case pg == nil:
		return fmt.Sprintf("the server takes it; ours: %v", ours)
	case string(e.Code) != pg.Code || e.Message != pg.Message || e.Position != int(pg.Position) || e.Hint != pg.Hint ||
		e.Detail != pg.Detail:
		return fmt.Sprintf("ours: %s %q at %d, %q; server's: %s %q at %d, %q", e.Code, e.Message, e.Position, e.Hint,
			pg.Code, pg.Message, pg.Position, pg.Hint)
	}
	return ""
}

//go:build e2e

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// runner sends messages to one server and prints its answers in the canonical text.
type runner struct {
	dsn     func(role string) string
	conns   map[string]*pgconn.PgConn
	current string
	notices *[]*pgconn.Notice
}

func newRunner(dsn func(role string) string) *runner {
	return &runner{dsn: dsn, conns: map[string]*pgconn.PgConn{}, current: "main postgres", notices: new([]*pgconn.Notice)}
}

func (r *runner) close(ctx context.Context) {
	for _, c := range r.conns {
		_ = c.Close(ctx)
	}
}

// conn is the connection of the current session, made when it is not there or broken.
func (r *runner) conn(ctx context.Context) (*pgconn.PgConn, error) {
	if c := r.conns[r.current]; c != nil && !c.IsClosed() {
		return c, nil
	}
	role := "postgres"
	if f := strings.Fields(r.current); len(f) > 1 {
		role = f[1]
	}
	cfg, err := pgconn.ParseConfig(r.dsn(role))
	if err != nil {
		return nil, err
	}
	for k, v := range map[string]string{"timezone": "UTC", "datestyle": "ISO, MDY", "intervalstyle": "postgres", "client_encoding": "UTF8",
		"extra_float_digits": "1", "application_name": "conformance"} {
		cfg.RuntimeParams[k] = v
	}
	notices := r.notices
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { *notices = append(*notices, n) }
	c, err := pgconn.ConnectConfig(ctx, cfg)
	if err == nil {
		r.conns[r.current] = c
	}
	return c, err
}

// send is the answer to a message.
func (r *runner) send(ctx context.Context, m message) string {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if m.session != "" {
		r.current = m.session
	}
	var b strings.Builder
	c, err := r.conn(ctx)
	if err != nil {
		return fmt.Sprintf("NO CONNECTION: %v\n", err)
	}
	*r.notices = (*r.notices)[:0]
	switch {
	case m.copying:
		tag, err := c.CopyFrom(ctx, strings.NewReader(m.data), m.text)
		result(&b, tag, err)
	case m.copiesOut():
		var out bytes.Buffer
		tag, err := c.CopyTo(ctx, &out, m.text)
		b.WriteString(out.String())
		result(&b, tag, err)
	case m.bound:
		values := make([][]byte, len(m.bind))
		for i, v := range m.bind {
			if v != "NULL" {
				values[i] = []byte(v)
			}
		}
		rows(&b, c.ExecParams(ctx, m.text, values, nil, nil, nil), m)
	default:
		many := c.Exec(ctx, m.text)
		for many.NextResult() {
			rows(&b, many.ResultReader(), m)
		}
		if err := many.Close(); err != nil {
			result(&b, pgconn.CommandTag{}, err)
		}
	}
	var notices strings.Builder
	for _, n := range *r.notices {
		errorFields(&notices, (*pgconn.PgError)(n))
	}
	if !c.IsClosed() && c.TxStatus() != 'I' {
		fmt.Fprintf(&b, "in transaction: %c\n", c.TxStatus())
	}
	return notices.String() + b.String()
}

// rows prints a result. Rows that came before an error are not printed: how many they are is the server's affair.
func rows(b *strings.Builder, r *pgconn.ResultReader, m message) {
	var lines []string
	for r.NextRow() {
		var line strings.Builder
		for i, v := range r.Values() {
			if i > 0 {
				line.WriteString(" | ")
			}
			if v == nil {
				line.WriteString("∅")
			} else {
				line.WriteString(strings.ReplaceAll(string(v), "\n", "\\n"))
			}
		}
		lines = append(lines, line.String())
	}
	fields := r.FieldDescriptions()
	head := columns(fields)
	tag, err := r.Close()
	if err != nil {
		if m.bound {
			result(b, tag, err)
		}
		return
	}
	if len(fields) > 0 {
		b.WriteString(head)
	}
	if !m.ordered() {
		sort.Strings(lines)
	}
	for _, l := range lines {
		if !m.explains() {
			b.WriteString(l + "\n")
		}
	}
	result(b, tag, nil)
}

// columns prints names and types. Types that a user made have other OIDs in every database.
func columns(fields []pgconn.FieldDescription) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		oid := fmt.Sprint(f.DataTypeOID)
		if f.DataTypeOID >= 16384 {
			oid = "user"
		}
		parts[i] = f.Name + ":" + oid
		if f.TypeModifier != -1 {
			parts[i] += fmt.Sprintf("/%d", f.TypeModifier)
		}
	}
	return "[" + strings.Join(parts, " | ") + "]\n"
}

func result(b *strings.Builder, tag pgconn.CommandTag, err error) {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		b.WriteString(tag.String() + "\n")
	case errors.As(err, &pg):
		errorFields(b, pg)
	default:
		fmt.Fprintf(b, "BROKEN: %v\n", err)
	}
}

func errorFields(b *strings.Builder, e *pgconn.PgError) {
	fmt.Fprintf(b, "%s %s: %s\n", e.Severity, e.Code, e.Message)
	for _, f := range []struct{ name, value string }{{"detail", e.Detail}, {"hint", e.Hint}, {"where", e.Where}, {"internal query", e.InternalQuery},
		{"schema", e.SchemaName}, {"table", e.TableName}, {"column", e.ColumnName}, {"type", e.DataTypeName}, {"constraint", e.ConstraintName}} {
		if f.value != "" {
			fmt.Fprintf(b, "  %s: %s\n", f.name, strings.ReplaceAll(f.value, "\n", "\\n"))
		}
	}
	if e.Position != 0 {
		fmt.Fprintf(b, "  position: %d\n", e.Position)
	}
}

//go:build e2e

package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/meridiandb/meridian/test/workload"
)

func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return fmt.Sprint(err)
}

// raw sends bytes to the port and returns what comes back until the server closes or two seconds pass.
func raw(t *testing.T, s *workload.Server, send []byte) []byte {
	t.Helper()
	c, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	_, _ = c.Write(send)
	b, _ := io.ReadAll(c)
	return b
}

func startup(params ...string) []byte {
	body := binary.BigEndian.AppendUint32(nil, 3<<16)
	for _, p := range append(params, "") {
		body = append(append(body, p...), 0)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4)), body...)
}

// TestBadBytes sends what no client should; the server must answer or hang up, and go on serving others.
func TestBadBytes(t *testing.T) {
	s := server(t)
	hello := startup("user", "admin", "database", "postgres")
	message := func(kind byte, length uint32, body string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{kind}, length), body...)
	}
	for name, send := range map[string][]byte{
		"http":                   []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"garbage":                []byte(strings.Repeat("\xde\xad\xbe\xef", 500)),
		"nothing":                {},
		"half a startup":         hello[:9],
		"startup of 2 GB":        {0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0},
		"protocol 2":             {0, 0, 0, 8, 0, 2, 0, 0},
		"unknown parameter":      startup("user", "admin", "database", "postgres", "no_such_parameter", "1"),
		"no such database":       startup("user", "admin", "database", "nowhere"),
		"no such role":           startup("user", "nobody", "database", "postgres"),
		"message of 1 GB":        append(append([]byte{}, hello...), message('Q', 1<<30, "SELECT 1")...),
		"negative length":        append(append([]byte{}, hello...), message('Q', 0xffffffff, "")...),
		"unknown message":        append(append([]byte{}, hello...), message('!', 4, "")...),
		"bind without statement": append(append([]byte{}, hello...), message('B', 4, "")...),
		"truncated bind":         append(append([]byte{}, hello...), message('B', 14, "\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff")...),
	} {
		b := raw(t, s, send)
		if name == "protocol 2" && !strings.Contains(string(b), "0A000") {
			t.Errorf("%s: %q", name, b)
		}
		if name == "unknown parameter" && !strings.Contains(string(b), "42704") {
			t.Errorf("%s: %q", name, b)
		}
		if name == "message of 1 GB" && !strings.Contains(string(b), "08P01") {
			t.Errorf("%s: %q", name, b)
		}
	}
	c, err := pgx.Connect(t.Context(), s.URL("admin"))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close(t.Context())
}

// TestBadStatements sends what must fail with PostgreSQL's error and leave the session usable.
func TestBadStatements(t *testing.T) {
	s := server(t)
	ctx := t.Context()
	c, err := pgx.Connect(ctx, s.URL("admin"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	if _, err := c.Exec(ctx, "CREATE TABLE n (id int PRIMARY KEY, v int)"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(ctx, "INSERT INTO n SELECT g, g FROM generate_series(1, 20000) g"); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, sql, state string }{
		{"deep nesting", "SELECT " + strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000), "54001"},
		{"long identifier", "SELECT 1 AS " + strings.Repeat("x", 1<<20), ""},
		{"many terms", "SELECT 1" + strings.Repeat("+1", 5000), ""},
		{"invalid UTF-8", "SELECT '\xff\xfe'", "22021"},
		{"syntax error", "SELEC 1", "42601"},
		{"unterminated", "SELECT 'x", "42601"},
		{"division by zero in the last row", "SELECT sum(1 / (20000 - id)) FROM n", "22012"},
		{"division by zero while updating", "UPDATE n SET v = 1 / (20000 - id)", "22012"},
		{"overflow", "SELECT 2147483647 + 1", "22003"},
		{"no such table", "SELECT * FROM nowhere", "42P01"},
		{"no such function", "SELECT nothing(1)", "42883"},
		{"not supported", "LISTEN x", "0A000"},
	} {
		_, err := c.Exec(ctx, tc.sql, pgx.QueryExecModeSimpleProtocol)
		if got := sqlState(err); (tc.state == "" && err != nil) || (tc.state != "" && got != tc.state) {
			t.Errorf("%s: %s, want %s (%.200v)", tc.name, got, tc.state, err)
		}
		var one int
		if err := c.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil {
			t.Fatalf("after %s the session is not usable: %v", tc.name, err)
		}
	}
	var sum int64
	if err := c.QueryRow(ctx, "SELECT sum(v) FROM n").Scan(&sum); err != nil || sum != 200010000 {
		t.Errorf("something was half applied: sum is %d (%v)", sum, err)
	}
}

// TestCopyDies breaks a COPY in the middle: nothing of it may stay.
func TestCopyDies(t *testing.T) {
	s := server(t)
	ctx := t.Context()
	c, err := pgx.Connect(ctx, s.URL("admin"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(ctx, "CREATE TABLE n (id int PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	_, err = c.PgConn().CopyFrom(ctx, &dyingReader{left: 100000}, "COPY n FROM STDIN")
	if err == nil {
		t.Error("a COPY that the client gave up succeeded")
	}
	_ = c.Close(ctx)
	d, err := pgx.Connect(ctx, s.URL("admin"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close(ctx) }()
	var count int
	if err := d.QueryRow(ctx, "SELECT count(*) FROM n").Scan(&count); err != nil || count != 0 {
		t.Errorf("%d rows of a broken COPY stayed (%v)", count, err)
	}
}

type dyingReader struct{ left, n int }

func (r *dyingReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, errors.New("the source broke")
	}
	r.left--
	r.n++
	return copy(p, fmt.Sprintf("%d\n", r.n)), nil
}

// TestCancelAndTerm cancels a statement, then stops the server under an open one.
func TestCancelAndTerm(t *testing.T) {
	s := server(t)
	ctx := t.Context()
	c, err := pgx.Connect(ctx, s.URL("admin"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	running := make(chan struct{})
	go func() {
		close(running)
		_, err := c.Exec(ctx, "SELECT pg_sleep(60)")
		done <- err
	}()
	<-running
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for waiting := true; waiting; {
		select {
		case err := <-done:
			if sqlState(err) != "57014" {
				t.Errorf("a cancelled statement ended with %v", err)
			}
			waiting = false
		case <-tick.C:
			_ = c.PgConn().CancelRequest(ctx)
		}
	}
	go func() {
		_, err := c.Exec(ctx, "SELECT pg_sleep(60)")
		done <- err
	}()
	watch, err := pgx.Connect(ctx, s.URL("admin"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watch.Close(ctx) }()
	for n := 0; n == 0; <-tick.C {
		if err := watch.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%sleep(60)'").Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	if code := s.Stop(); code != 0 {
		t.Errorf("SIGTERM ended the server with status %d\n%s", code, s.Log())
	}
	if err := <-done; sqlState(err) != "57P01" {
		t.Errorf("the open statement ended with %v, want 57P01", err)
	}
}

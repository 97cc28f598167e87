//go:build e2e

package e2e

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/meridiandb/meridian/test/workload"
)

// writeSkew has two doctors go off call at once, each having seen the other on call, and says whether both could.
func writeSkew(t *testing.T, s *workload.Server, suffix string) bool {
	t.Helper()
	ctx := t.Context()
	connect := func() *pgx.Conn {
		c, err := pgx.Connect(ctx, s.URL("admin"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(ctx) })
		return c
	}
	a, b := connect(), connect()
	must := func(c *pgx.Conn, sql string) {
		t.Helper()
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	must(a, "DROP TABLE IF EXISTS oncall; CREATE TABLE oncall (name text PRIMARY KEY, on_call bool); INSERT INTO oncall VALUES ('alice', true), ('bob', true)")
	must(a, "BEGIN")
	must(b, "BEGIN")
	must(a, "SELECT * FROM oncall WHERE on_call"+suffix)
	must(b, "SELECT * FROM oncall WHERE on_call"+suffix)
	must(a, "UPDATE oncall SET on_call = false WHERE name = 'alice'")
	must(b, "UPDATE oncall SET on_call = false WHERE name = 'bob'")
	_, errA := a.Exec(ctx, "COMMIT")
	_, errB := b.Exec(ctx, "COMMIT")
	return errA == nil && errB == nil
}

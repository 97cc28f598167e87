//go:build e2e

package e2e

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestSerializable lets two transactions at SERIALIZABLE each change what the other has looked for, by keys, by scans of
// what is not there, through a secondary index and by counts. One of the two fails; at REPEATABLE READ neither does.
func TestSerializable(t *testing.T) {
	s := server(t)
	ctx := t.Context()
	connect := func() *pgx.Conn {
		c, err := pgx.Connect(ctx, s.URL("admin"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(ctx) })
		return c
	}
	x, y := connect(), connect()
	do := func(c *pgx.Conn, sql string) {
		t.Helper()
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	show := func(c *pgx.Conn, want string) {
		t.Helper()
		var level string
		if err := c.QueryRow(ctx, "SHOW transaction_isolation").Scan(&level); err != nil || level != want {
			t.Fatalf("level %q, %v, want %q", level, err, want)
		}
	}
	do(x, "CREATE TABLE doctors (id int PRIMARY KEY, shift int NOT NULL, oncall boolean NOT NULL)")
	do(x, "CREATE INDEX ON doctors (shift)")
	do(x, "CREATE TABLE meetings (id serial PRIMARY KEY, room int, hour int, UNIQUE (room, hour))")
	for _, level := range []string{"SERIALIZABLE", "REPEATABLE READ"} {
		for _, tc := range []struct{ name, readX, readY, writeX, writeY string }{
			{"keys", "SELECT oncall FROM doctors WHERE id = 1", "SELECT oncall FROM doctors WHERE id = 2",
				"UPDATE doctors SET oncall = false WHERE id = 2", "UPDATE doctors SET oncall = false WHERE id = 1"},
			{"count", "SELECT count(*) FROM doctors WHERE oncall", "SELECT count(*) FROM doctors WHERE oncall",
				"UPDATE doctors SET oncall = false WHERE id = 1", "UPDATE doctors SET oncall = false WHERE id = 2"},
			{"secondary index", "SELECT id FROM doctors WHERE shift = 7", "SELECT id FROM doctors WHERE shift = 8",
				"INSERT INTO doctors VALUES (10, 8, true)", "INSERT INTO doctors VALUES (11, 7, true)"},
			{"moved in", "SELECT id FROM doctors WHERE shift = 9", "SELECT id FROM doctors WHERE shift = 6",
				"UPDATE doctors SET shift = 6 WHERE id = 3", "UPDATE doctors SET shift = 9 WHERE id = 4"},
			{"empty range", "SELECT * FROM meetings WHERE room = 1 AND hour BETWEEN 3 AND 5", "SELECT * FROM meetings WHERE room = 1 AND hour BETWEEN 3 AND 5",
				"INSERT INTO meetings (room, hour) VALUES (1, 3)", "INSERT INTO meetings (room, hour) VALUES (1, 4)"},
			{"empty table", "SELECT count(*) FROM meetings", "SELECT max(id) FROM meetings",
				"INSERT INTO meetings (room, hour) VALUES (2, 3)", "INSERT INTO meetings (room, hour) VALUES (2, 4)"},
		} {
			do(x, "TRUNCATE meetings")
			do(x, "DELETE FROM doctors")
			do(x, "INSERT INTO doctors SELECT g, 1, true FROM generate_series(1, 5) g")
			for c, steps := range map[*pgx.Conn][2]string{x: {tc.readX, tc.writeX}, y: {tc.readY, tc.writeY}} {
				do(c, "BEGIN ISOLATION LEVEL "+level)
				do(c, steps[0])
			}
			do(x, tc.writeX)
			do(y, tc.writeY)
			do(x, "COMMIT")
			_, err := y.Exec(ctx, "COMMIT")
			if want := map[string]string{"SERIALIZABLE": "40001", "REPEATABLE READ": sqlState(nil)}[level]; sqlState(err) != want {
				t.Errorf("%s at %s: %v", tc.name, level, err)
			}
		}
	}
	do(x, "SET default_transaction_isolation = serializable")
	show(x, "serializable")
	do(x, "BEGIN")
	show(x, "serializable")
	do(x, "COMMIT")
	do(x, "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE")
	do(x, "SELECT count(*) FROM doctors")
	do(x, "COMMIT")
	do(x, "BEGIN ISOLATION LEVEL REPEATABLE READ")
	show(x, "repeatable read")
	do(x, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
	show(x, "serializable")
	do(x, "ROLLBACK")
	show(y, "repeatable read")
}

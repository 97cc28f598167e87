//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestDamagedLog flips one byte in the middle of the journal of a server that was killed: the server must not start, and
// must name the file and the place. With the byte as it was it starts and has everything.
func TestDamagedLog(t *testing.T) {
	s := server(t)
	rows := func() (n int) {
		conn, err := pgx.Connect(t.Context(), s.URL("admin"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS kept (id int PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if _, err := conn.Exec(t.Context(), "INSERT INTO kept SELECT count(*) FROM kept"); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM kept").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := rows(); n != 100 {
		t.Fatal(n)
	}
	s.Kill()
	name := filepath.Join(s.Dir, "journal", "0000000000000001.log")
	flip(t, name, 5000)
	err := s.Start(t.Context())
	if err == nil {
		t.Fatal("the server starts on a damaged journal")
	}
	if !strings.Contains(err.Error(), `journal file "0000000000000001.log" is damaged at offset `) || s.ExitCode() != 1 {
		t.Fatalf("exit status %d: %v", s.ExitCode(), err)
	}
	t.Log(err)
	flip(t, name, 5000)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := rows(); n != 200 {
		t.Fatalf("%d rows", n)
	}
}

// flip turns one bit of a file around.
func flip(t *testing.T, name string, off int64) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, off); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
}

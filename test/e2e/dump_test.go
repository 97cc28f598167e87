//go:build e2e

package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/meridiandb/meridian/test/workload"
)

// absent skips a test whose client is not there, with the reason; in CI, which can install everything, it fails it.
func absent(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not there, and CI must install it: see test/run", what)
	}
	t.Skipf("SKIPPED: %s is not there: `make test` installs it on Debian", what)
}

// postgres starts a PostgreSQL server of its own, and returns the environment that makes clients connect to it.
func postgres(t *testing.T) []string {
	t.Helper()
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(bins) == 0 {
		absent(t, "a PostgreSQL server")
	}
	bin := filepath.Dir(bins[len(bins)-1])
	dir, err := os.MkdirTemp("", "meridian-postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	address, err := workload.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	var as *syscall.SysProcAttr
	if os.Getuid() == 0 { // the server refuses to run as root
		const nobody = 65534
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.SysProcAttr, cmd.Dir = as, dir
		// The server inherits the output of pg_ctl and would keep a pipe open.
		log, err := os.Create(filepath.Join(dir, "log."+name))
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Run(); err != nil {
			b, _ := os.ReadFile(log.Name())
			t.Fatalf("%s: %v\n%s", name, err, b)
		}
	}
	data := filepath.Join(dir, "data")
	run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	run("pg_ctl", "-D", data, "-w", "-o", "-p "+port+" -c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_directories="+dir, "start")
	t.Cleanup(func() { run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop") })
	return []string{"PGHOST=127.0.0.1", "PGPORT=" + port, "PGUSER=postgres", "PGDATABASE=postgres"}
}

// dump is pg_dump's text without the lines that differ from run to run and from server to server.
func dump(t *testing.T, env []string, args ...string) string {
	var kept []string
	for _, l := range strings.Split(client(t, env, "pg_dump", args...), "\n") {
		if !strings.HasPrefix(l, `\restrict`) && !strings.HasPrefix(l, `\unrestrict`) && !strings.HasPrefix(l, "-- Dumped ") {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "\n")
}

// same reports where two texts begin to differ.
func same(t *testing.T, what, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		line := func(s []string) string {
			if i < len(s) {
				return s[i]
			}
			return "(the end)"
		}
		if line(g) != line(w) {
			t.Errorf("%s: line %d is\n\t%s\nwant\n\t%s", what, i+1, line(g), line(w))
			return
		}
	}
}

// TestDump takes a schema with everything in it and its rows from Meridian to PostgreSQL and back with pg_dump, psql and
// pg_restore.
func TestDump(t *testing.T) {
	script, err := filepath.Abs("testdata/dump.sql")
	if err != nil {
		t.Fatal(err)
	}
	psql := func(env []string, args ...string) {
		t.Helper()
		client(t, env, "psql", append([]string{"-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1"}, args...)...)
	}
	fresh := func() []string {
		env := pgEnv(server(t))
		psql(env, "-c", "CREATE ROLE tools")
		return env
	}
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "dump.sql")
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	first := pgEnv(server(t))
	psql(first, "-f", script)
	text := dump(t, first)

	second := fresh()
	psql(second, "-f", file(text))
	same(t, "a dump restored in Meridian", dump(t, second), text)

	third, archive := fresh(), filepath.Join(t.TempDir(), "archive")
	client(t, first, "pg_dump", "-Fc", "-f", archive)
	client(t, third, "pg_restore", "-d", "postgres", "-j", "2", archive)
	same(t, "an archive restored in Meridian", dump(t, third), text)

	globals := client(t, first, "pg_dumpall", "--globals-only")
	if !strings.Contains(globals, "CREATE ROLE tools;") {
		t.Errorf("pg_dumpall --globals-only lacks the role:\n%s", globals)
	}

	pg := postgres(t)
	psql(pg, "-f", script)
	same(t, "the same script's dump from PostgreSQL", text, dump(t, pg))
	psql(pg, "-c", "CREATE DATABASE restored")
	psql(append(pg, "PGDATABASE=restored"), "-f", file(text))
	same(t, "a dump of Meridian restored in PostgreSQL", dump(t, append(pg, "PGDATABASE=restored")), text)
}

//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The small applications of test/clients, one for each driver or framework. Each says "fine" when all that it does
// comes out as it does with PostgreSQL.

func clients(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("../clients", name))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func fine(t *testing.T, out string) {
	t.Helper()
	if !strings.Contains(out, "fine") {
		t.Error(out)
	}
}

// TestJDBC runs PostgreSQL's JDBC driver.
func TestJDBC(t *testing.T) {
	const driver = "/usr/share/java/postgresql.jar"
	if _, err := os.Stat(driver); err != nil {
		absent(t, "libpostgresql-jdbc-java")
	}
	if _, err := exec.LookPath("javac"); err != nil {
		absent(t, "a JDK")
	}
	s := server(t)
	fine(t, client(t, nil, "java", "-XX:TieredStopAtLevel=1", "-cp", driver, filepath.Join(clients(t, "jdbc"), "Client.java"),
		"jdbc:postgresql://"+s.Address+"/postgres?user=postgres"))
}

// TestPython runs psycopg 3, asyncpg, SQLAlchemy and Django.
func TestPython(t *testing.T) {
	for _, c := range []struct{ script, modules, packages string }{
		{"drivers.py", "psycopg, asyncpg", "python3-psycopg and python3-asyncpg"},
		{"alchemy.py", "sqlalchemy, psycopg2", "python3-sqlalchemy"},
		{"django_app.py", "django, psycopg2", "python3-django"},
	} {
		t.Run(c.script, func(t *testing.T) {
			if exec.Command("/usr/bin/python3", "-c", "import "+c.modules).Run() != nil {
				absent(t, c.packages)
			}
			env := append(pgEnv(server(t)), "TMPDIR="+t.TempDir())
			fine(t, client(t, env, "/usr/bin/python3", "-W", "ignore", filepath.Join(clients(t, "python"), c.script)))
		})
	}
}

// TestNode runs node-postgres, postgres.js, Knex, Drizzle, Sequelize and TypeORM.
func TestNode(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil {
		absent(t, "npm")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(clients(t, "node"))); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error").CombinedOutput(); err != nil {
		t.Log(string(out))
		absent(t, "what package.json names, from the npm registry")
	}
	for _, script := range []string{"pg.mjs", "postgresjs.mjs", "orm.mjs"} {
		t.Run(script, func(t *testing.T) {
			fine(t, client(t, append(pgEnv(server(t)), "NODE_NO_WARNINGS=1"), "node", filepath.Join(dir, script)))
		})
	}
}

// TestGo runs GORM, goose, golang-migrate, lib/pq and pgx, from a module of its own.
func TestGo(t *testing.T) {
	const dir = "testdata/golang"
	binary := filepath.Join(t.TempDir(), "golang")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Log(string(out))
		absent(t, "what testdata/golang/go.mod names, from the Go module proxy")
	}
	fine(t, client(t, append(pgEnv(server(t)), "PGSSLMODE=disable"), binary))
}

// TestODBC runs PostgreSQL's ODBC driver under unixODBC's shell.
func TestODBC(t *testing.T) {
	for _, name := range []string{"isql", "odbcinst"} {
		if _, err := exec.LookPath(name); err != nil {
			absent(t, "unixodbc and odbc-postgresql")
		}
	}
	s := server(t)
	dir := t.TempDir()
	dsn := "[meridian]\nDriver=PostgreSQL Unicode\nServername=127.0.0.1\nPort=" + s.Port() + "\nDatabase=postgres\nUsername=postgres\nSSLmode=disable\n"
	if err := os.WriteFile(filepath.Join(dir, "odbc.ini"), []byte(dsn), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("isql", "-b", "-d,", "meridian")
	cmd.Env = append(cmd.Environ(), "ODBCINI="+filepath.Join(dir, "odbc.ini"))
	cmd.Stdin = strings.NewReader(`CREATE TABLE o (id serial PRIMARY KEY, t text, n numeric(8,2))
INSERT INTO o (t, n) VALUES ('one', 1.5), ('two', NULL)
SELECT id, t, n FROM o ORDER BY id
help o
`)
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"1,one,1.50", "2,two", "postgres,public,o,id,4,", "o,n,2,numeric"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("isql lacks %q: %v\n%s", want, err, out)
		}
	}
}

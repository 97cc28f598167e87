package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meridiandb/meridian/internal/auth/certs"
	"github.com/meridiandb/meridian/internal/host/oshost"
)

// TestCerts makes a cluster's files with the commands of the guide, and loads every node's folder.
func TestCerts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	run := func(args ...string) (status int, out string) {
		var stdout, stderr bytes.Buffer
		status = Main(append([]string{"certs"}, args...), &stdout, &stderr)
		return status, stdout.String() + stderr.String()
	}
	want := func(text string, status int, args ...string) {
		t.Helper()
		if got, out := run(args...); got != status || !strings.Contains(out, text) {
			t.Fatalf("%v: status %d, %s", args, got, out)
		}
	}
	want("there is no authority", 1, "create-node", "node1", "--dir", dir)
	want("3 node folders", 0, "cluster", "--dir", dir, "--cluster", "test", "--host", "db.example.com")
	want("is there already", 1, "cluster", "--dir", dir)
	want("is there already", 1, "create-node", "node1", "--dir", dir)
	want("Made", 0, "create-node", "node1", "--dir", dir, "--replace", "--days", "10")
	want("Made", 0, "create-node", "node4", "--dir", dir)
	want("not a name", 1, "create-node", "../x", "--dir", dir)
	want("db.example.com", 0, "show", dir)
	want("days left", 0, "show", dir)
	for _, node := range []string{"node1", "node2", "node3", "node4"} {
		k, err := certs.Load(oshost.New().FS(), filepath.Join(dir, node), time.Now)
		if err != nil || k.Cluster() != "test" || k.Node() != node {
			t.Fatal(node, err)
		}
	}
	before, err := os.ReadFile(filepath.Join(dir, "node4", certs.TokenFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certs.ParseToken(string(before)); err != nil {
		t.Fatal(err)
	}
	want("Made a join token", 0, "create-token", "--dir", dir)
	after, err := os.ReadFile(filepath.Join(dir, "node4", certs.TokenFile))
	if err != nil || bytes.Equal(before, after) {
		t.Fatal("the token is the old one", err)
	}
	for _, secret := range []string{"ca.key", certs.TokenFile, "node1/" + certs.NodeKeyFile, "node1/" + certs.TokenFile} {
		if info, err := os.Stat(filepath.Join(dir, secret)); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(secret, info, err)
		}
	}
	if _, out := run("create-token", "--dir", dir); strings.Contains(out, strings.TrimSpace(string(after))) {
		t.Error("the secret is printed")
	}
}

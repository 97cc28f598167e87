//go:build e2e

package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// TestTPCC runs a small TPC-C; the program checks the standard's consistency conditions after the run.
func TestTPCC(t *testing.T) {
	s := server(t)
	cmd := exec.Command("go", "run", "../bench/tpcc", "-url", s.URL("postgres"), "-load", "-customers", "60", "-items", "500", "-threads", "4", "-duration", "3s")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "consistency conditions hold") {
		t.Errorf("tpcc: %v\n%s", err, out)
	}
}

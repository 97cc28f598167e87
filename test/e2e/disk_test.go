//go:build e2e && linux

package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5"

	"github.com/meridiandb/meridian/test/workload"
)

// mounted mounts a file system for a test, or skips the test where that is not allowed.
func mounted(t *testing.T, args ...string) (dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a file system of its own for the test")
	}
	dir = t.TempDir()
	if out, err := exec.Command("mount", append(args, dir)...).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a file system for the test: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	return dir
}

// serverIn is a server whose data is on a mounted file system. It is started.
func serverIn(t *testing.T, dir string) *workload.Server {
	t.Helper()
	s := server(t)
	s.Kill()
	s.Dir = filepath.Join(dir, "data")
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// filler inserts rows that do not compress until its connection breaks, and remembers which were acknowledged.
type filler struct{ acked []int64 }

func (f *filler) run(ctx context.Context, url string, first int64) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	r := rand.New(rand.NewPCG(uint64(first), 7))
	b := make([]byte, 48<<10)
	for id := first; ; id++ {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if _, err := conn.Exec(ctx, "INSERT INTO filling VALUES ($1, $2)", id, base64.StdEncoding.EncodeToString(b)); err != nil {
			return
		}
		f.acked = append(f.acked, id)
	}
}

func (f *filler) verify(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var missing int
	err = conn.QueryRow(ctx, "SELECT count(*) FROM unnest($1::bigint[]) u(id) WHERE NOT EXISTS (SELECT FROM filling f WHERE f.id = u.id AND length(f.t) = 65536)",
		f.acked).Scan(&missing)
	if err == nil && missing > 0 {
		err = fmt.Errorf("%d of %d acknowledged rows are missing", missing, len(f.acked))
	}
	return err
}

// diskLoad is clients at work until the server is gone.
type diskLoad struct {
	bank  *workload.Bank
	fill  filler
	next  int64
	round uint64
}

func newDiskLoad(t *testing.T, s *workload.Server) *diskLoad {
	t.Helper()
	l := &diskLoad{bank: &workload.Bank{URL: s.URL("admin"), Accounts: 20, Balance: 1000}, next: 1}
	if err := l.bank.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), s.URL("admin"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "CREATE TABLE filling (id bigint PRIMARY KEY, t text)"); err != nil {
		t.Fatal(err)
	}
	return l
}

// run starts the clients; wait returns when they have ended, which they do when the server is gone.
func (l *diskLoad) run(ctx context.Context, s *workload.Server) (wait func()) {
	var wg sync.WaitGroup
	l.round++
	for w := range 3 {
		first, r := l.next+int64(w)*1_000_000, rand.New(rand.NewPCG(l.round, uint64(w)))
		wg.Go(func() { _, _ = l.bank.Run(ctx, first, r) })
	}
	first := l.next
	wg.Go(func() { l.fill.run(ctx, s.URL("admin"), first) })
	l.next += 4_000_000
	return wg.Wait
}

func (l *diskLoad) verify(t *testing.T, s *workload.Server) {
	t.Helper()
	if err := l.bank.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.fill.verify(t.Context(), s.URL("admin")); err != nil {
		t.Fatal(err)
	}
}

// mustStop waits until the server has stopped itself, which it must do with an error and a reason, of which parts are given.
func mustStop(t *testing.T, s *workload.Server, reasons ...string) {
	t.Helper()
	timer := time.NewTimer(2 * time.Minute)
	defer timer.Stop()
	select {
	case <-s.Exited():
	case <-timer.C:
		t.Fatalf("the server runs on, or does not end\n%s", s.Log())
	}
	log := s.Log()
	if code := s.ExitCode(); code != 1 {
		t.Fatalf("the exit status is %d\n%s", code, log)
	}
	const stopped = "meridian: the node stopped itself: "
	at := strings.LastIndex(log, stopped) // the log has all lives of the server
	why := log[max(at, 0):]
	for _, r := range reasons {
		if at < 0 || !strings.Contains(why, r) {
			t.Fatalf("the reason is not given, %q is missing:\n%s", r, log)
		}
	}
	t.Logf("%s", strings.TrimSpace(why))
}

// TestDiskFull fills the disk up under load. The server must stop and say why, and with more room everything that was
// acknowledged must be there.
func TestDiskFull(t *testing.T) {
	dir := mounted(t, "-t", "tmpfs", "-o", "size=400m", "meridian-test")
	s := serverIn(t, dir)
	l := newDiskLoad(t, s)
	wait := l.run(t.Context(), s)
	mustStop(t, s, "no space left on device", "hint: ")
	wait()
	if err := s.Start(t.Context()); err == nil {
		t.Log("it starts again on the full disk")
		s.Kill()
	} else if !strings.Contains(err.Error(), "no space left on device") {
		t.Fatalf("on the full disk: %v", err)
	}
	if out, err := exec.Command("mount", "-o", "remount,size=800m", dir).CombinedOutput(); err != nil {
		t.Fatalf("more room: %s", out)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.verify(t, s)
	committed, _, unknown := l.bank.Counts()
	t.Logf("%d transfers and %d large rows acknowledged, %d transfers unknown", committed, len(l.fill.acked), unknown)
	if committed < 10 || len(l.fill.acked) < 100 {
		t.Error("the test proves little")
	}
}

// TestDiskFails takes the disk away under load, as a broken cable would: from one moment on everything is an I/O error,
// and what had not been synced is lost. The server must stop and say why, and when the disk is back everything that was
// acknowledged must be there.
func TestDiskFails(t *testing.T) {
	image := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 1<<30); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
		t.Skipf("cannot make a file system for the test: %v %s", err, out)
	}
	dir := mounted(t, "-o", "loop", image)
	s := serverIn(t, dir)
	l := newDiskLoad(t, s)
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 4 {
		wait := l.run(t.Context(), s)
		timer := time.NewTimer(time.Duration(500+r.IntN(1500)) * time.Millisecond)
		<-timer.C
		if err := cutDisk(dir); err != nil {
			s.Kill()
			wait()
			t.Skipf("the file system cannot be shut down: %v", err)
		}
		mustStop(t, s, "input/output error")
		wait()
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Fatalf("umount: %s", out)
		}
		if out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput(); err != nil {
			t.Fatalf("mount: %s", out)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		l.verify(t, s)
	}
	committed, _, unknown := l.bank.Counts()
	t.Logf("%d transfers and %d large rows acknowledged, %d transfers unknown", committed, len(l.fill.acked), unknown)
	if committed < 10 {
		t.Error("the test proves little")
	}
	s.Kill() // before the disk goes away
}

// cutDisk shuts an ext4 file system down without writing out even its journal (EXT4_IOC_SHUTDOWN, NOLOGFLUSH).
func cutDisk(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	const shutdown, noLogFlush = 0x8004587d, uint32(2)
	how := noLogFlush
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		return errno
	}
	return nil
}

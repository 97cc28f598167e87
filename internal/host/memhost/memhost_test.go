package memhost

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/host/oshost"
)

func read(t *testing.T, f host.FS, name string) string {
	t.Helper()
	file, err := f.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if _, err := file.ReadAt(b, 0); err != nil && size > 0 {
		t.Fatal(err)
	}
	return string(b)
}

// TestSameAsReal runs one script on the real file system and on this one.
func TestSameAsReal(t *testing.T) {
	real := oshost.New().FS()
	for name, f := range map[string]host.FS{"real": real, "memory": New()} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			check := func(ok bool, what string) {
				t.Helper()
				if !ok {
					t.Fatal(what)
				}
			}
			check(f.MkdirAll(dir+"/a/b") == nil, "mkdir")
			file, err := f.Create(dir + "/a/b/x")
			check(err == nil, "create")
			_, err = file.Write([]byte("hello"))
			check(err == nil, "write")
			_, err = file.WriteAt([]byte("J"), 0)
			check(err == nil, "write at")
			check(file.Preallocate(0, 8) == nil, "preallocate")
			check(file.SyncData() == nil && file.Sync() == nil, "sync")
			check(file.Close() == nil, "close")
			check(read(t, f, dir+"/a/b/x") == "Jello\x00\x00\x00", "content")
			_, err = f.Open(dir + "/missing")
			check(errors.Is(err, fs.ErrNotExist), "missing")
			check(errors.Is(f.Remove(dir+"/missing"), fs.ErrNotExist), "remove missing")
			check(f.Link(dir+"/a/b/x", dir+"/a/b/y") == nil, "link")
			check(errors.Is(f.Link(dir+"/a/b/x", dir+"/a/b/y"), fs.ErrExist), "link over")
			check(f.Rename(dir+"/a/b/x", dir+"/a/b/z") == nil, "rename")
			check(f.SyncDir(dir+"/a/b") == nil, "sync dir")
			names, err := f.List(dir + "/a/b")
			check(err == nil && len(names) == 2 && names[0] == "y" && names[1] == "z", "list")
			file, err = f.OpenReadWrite(dir + "/a/b/z")
			check(err == nil && file.Truncate(2) == nil, "truncate")
			check(file.Close() == nil, "close")
			check(read(t, f, dir+"/a/b/y") == "Je", "one file, two names")
			l, err := f.Lock(dir + "/LOCK")
			check(err == nil, "lock")
			_, err = f.Lock(dir + "/LOCK")
			check(err != nil, "lock twice")
			check(l.Close() == nil, "unlock")
			l, err = f.Lock(dir + "/LOCK")
			check(err == nil && l.Close() == nil, "lock again")
			free, err := f.Free(dir)
			check(err == nil && free > 0, "free")
			check(f.RemoveAll(dir+"/a") == nil, "remove all")
			ok, err := f.Exists(dir + "/a/b/y")
			check(err == nil && !ok, "exists")
		})
	}
}

func TestCrash(t *testing.T) {
	f := New()
	file, _ := f.Create("d/x")
	_, _ = file.Write([]byte("one"))
	_ = file.Sync()
	f = f.Crash(nil)
	if ok, _ := f.Exists("d/x"); ok {
		t.Fatal("a name survived without a sync of its folder")
	}
	file, _ = f.Create("d/x")
	_, _ = file.Write([]byte("one"))
	_ = file.Sync()
	_ = f.SyncDir("d")
	_, _ = file.Write([]byte("two"))
	f = f.Crash(nil)
	if got := read(t, f, "d/x"); got != "one" {
		t.Fatal(got)
	}
	if _, err := file.Write([]byte("x")); !errors.Is(err, ErrCrashed) {
		t.Fatal(err)
	}
}

// TestTornWrite: a crash may keep any of the sectors.
func TestTornWrite(t *testing.T) {
	kinds := map[string]bool{}
	for seed := range uint64(40) {
		f := New()
		file, _ := f.Create("x")
		_ = f.SyncDir("/")
		b := make([]byte, 2*sector)
		for i := range b {
			b[i] = 'n'
		}
		_, _ = file.Write(b)
		f = f.Crash(rand.New(rand.NewPCG(seed, 0)))
		got := read(t, f, "x")
		kind := ""
		for i := 0; i < len(got); i += sector {
			kind += map[bool]string{true: "n", false: "-"}[got[i] == 'n']
		}
		kinds[kind] = true
	}
	for _, want := range []string{"", "n", "-n", "nn"} {
		if !kinds[want] {
			t.Errorf("never seen: %q of %v", want, kinds)
		}
	}
}

// TestDeadAfterCrash: a process that has not noticed yet that its machine crashed gets no answers any more. A sync of a
// folder that came after the crash must not claim that what came before it is durable.
func TestDeadAfterCrash(t *testing.T) {
	for how, end := range map[string]func(*FS) *FS{"crash": func(f *FS) *FS { return f.Crash(nil) }, "kill": (*FS).Kill} {
		f := New()
		file, _ := f.Create("d/x")
		_, _ = file.Write([]byte("one"))
		_ = file.Sync()
		lock, _ := f.Lock("d/LOCK")
		next := end(f)
		if again := end(f); !f.Dead() || next.Dead() || again.Dead() {
			t.Fatal(how, "ended twice")
		}
		_, open := f.Open("d/x")
		_, create := f.Create("d/y")
		_, readWrite := f.OpenReadWrite("d/y")
		_, list := f.List("d")
		_, exists := f.Exists("d/x")
		_, lockAgain := f.Lock("d/LOCK")
		_, free := f.Free("d")
		_, size := file.Size()
		for op, err := range map[string]error{"open": open, "create": create, "read-write": readWrite, "list": list,
			"exists": exists, "lock": lockAgain, "free": free, "size": size, "sync dir": f.SyncDir("d"), "sync": file.SyncData(),
			"rename": f.Rename("d/x", "d/z"), "link": f.Link("d/x", "d/z"), "remove": f.Remove("d/x"), "remove all": f.RemoveAll("d"),
			"truncate": file.Truncate(0), "preallocate": file.Preallocate(0, 9), "close": file.Close()} {
			if !errors.Is(err, ErrCrashed) {
				t.Errorf("%s after %s: %v", op, how, err)
			}
		}
		if _, err := next.Lock("d/LOCK"); err != nil {
			t.Error(err)
		}
		_ = lock.Close()
		if _, err := next.Lock("d/LOCK"); err == nil {
			t.Error("a dead process gave the lock of a living one back")
		}
		if ok, _ := next.Exists("d/x"); ok != (how == "kill") {
			t.Error(how, ok)
		}
		if next = next.Crash(nil); how == "kill" {
			if ok, _ := next.Exists("d/x"); ok {
				t.Error("a kill made a name durable")
			}
		}
	}
}

// TestPlannedEnd: CrashAt strikes right before a change.
func TestPlannedEnd(t *testing.T) {
	for n := 1; n <= 4; n++ {
		f := New()
		f.CrashAt(n, nil)
		var errs [4]error
		var file host.File
		if file, errs[0] = f.Create("d/x"); file != nil {
			_, errs[1] = file.Write([]byte("one"))
			errs[2] = file.Sync()
		}
		errs[3] = f.SyncDir("d")
		for i, err := range errs[:n-1] {
			if err != nil {
				t.Errorf("change %d before the crash at %d: %v", i+1, n, err)
			}
		}
		if !errors.Is(errs[3], ErrCrashed) || !f.Dead() {
			t.Errorf("crash at %d: %v", n, errs)
		}
	}
}

// TestRenameIsAtomic: a crash never leaves both names of a renamed file, nor none.
func TestRenameIsAtomic(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(40) {
		f := New()
		_, _ = f.Create("d/x")
		_ = f.SyncDir("d")
		_ = f.Rename("d/x", "d/y")
		f = f.Crash(rand.New(rand.NewPCG(seed, 0)))
		names, _ := f.List("d")
		if len(names) != 1 {
			t.Fatal(names)
		}
		seen[names[0]] = true
	}
	if len(seen) != 2 {
		t.Fatal(seen)
	}
}

// TestLosesOnRequest: the planted bugs answer success and keep nothing.
func TestLosesOnRequest(t *testing.T) {
	for _, faults := range []Faults{{LoseData: true}, {LoseNames: true}} {
		f := New()
		f.SetFaults(faults)
		file, _ := f.Create("d/x")
		_, _ = file.Write([]byte("one"))
		if file.Sync() != nil || f.SyncDir("d") != nil {
			t.Fatal("it must look like success")
		}
		f = f.Crash(nil)
		if ok, _ := f.Exists("d/x"); ok != faults.LoseData {
			t.Fatal(faults, ok)
		}
		if faults.LoseData && read(t, f, "d/x") != "" {
			t.Fatal("data survived")
		}
	}
}

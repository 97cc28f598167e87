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
	f.Crash(nil)
	if ok, _ := f.Exists("d/x"); ok {
		t.Fatal("a name survived without a sync of its folder")
	}
	file, _ = f.Create("d/x")
	_, _ = file.Write([]byte("one"))
	_ = file.Sync()
	_ = f.SyncDir("d")
	_, _ = file.Write([]byte("two"))
	f.Crash(nil)
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
		f.Crash(rand.New(rand.NewPCG(seed, 0)))
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

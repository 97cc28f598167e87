package storage

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
)

// A storage lives in the folder <dir>, or, when it was rebuilt, in <dir>-<n>. The file <dir>.current names the folder; it is
// replaced in one step once a new folder is whole and durable. Every other folder is a leftover of a crash.
const (
	currentSuffix = ".current"
	outgoing      = ".out-" // checkpoints that are being sent
)

// generation is where the files are.
type generation struct {
	fs   host.FS
	base string // the configured folder
	n    uint64 // 0: the configured folder itself
}

func (g generation) dir() string {
	if g.n == 0 {
		return g.base
	}
	return fmt.Sprintf("%s-%d", g.base, g.n)
}

// openGeneration finds out which folder counts and removes the others.
func openGeneration(fs host.FS, base string) (generation, error) {
	g := generation{fs: fs, base: base}
	name := base + currentSuffix
	ok, err := fs.Exists(name)
	if err != nil {
		return g, ioError("look for", name, err)
	}
	if ok {
		if err := g.read(name); err != nil {
			return g, err
		}
	}
	return g, g.clean()
}

func (g *generation) read(name string) error {
	f, err := g.fs.Open(name)
	if err != nil {
		return ioError("open", name, err)
	}
	defer f.Close()
	var b [12]byte
	if n, err := f.ReadAt(b[:], 0); n < len(b) {
		return ioError("read", name, err)
	}
	if crc32.Checksum(b[:8], castagnoli()) != binary.LittleEndian.Uint32(b[8:]) {
		return failure.New(failure.DataCorrupted, "file \"%s\" is damaged", path.Base(name))
	}
	g.n = binary.LittleEndian.Uint64(b[:])
	return nil
}

// clean removes every folder but the one that counts.
func (g *generation) clean() error {
	parent, stem := path.Split(g.base)
	if parent == "" {
		parent = "."
	}
	names, err := g.fs.List(parent)
	if err != nil {
		return nil // there is nothing yet
	}
	for _, name := range names {
		full := path.Join(parent, name)
		rest, mine := strings.CutPrefix(name, stem)
		if !mine || full == path.Clean(g.dir()) {
			continue
		}
		old := rest == "" || numbered(rest)
		if _, after, ok := strings.Cut(rest, outgoing); ok {
			old = numbered("-" + after)
		}
		if old || rest == currentSuffix+".new" {
			if err := g.fs.RemoveAll(full); err != nil {
				return ioError("remove", name, err)
			}
		}
	}
	return nil
}

// numbered says whether a name is a dash and digits.
func numbered(s string) bool {
	digits, ok := strings.CutPrefix(s, "-")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// next is where a new copy is made.
func (g generation) next() generation {
	g.n++
	return g
}

// install makes this generation the one that counts, durably.
func (g generation) install() error {
	name := g.base + currentSuffix
	b := binary.LittleEndian.AppendUint64(nil, g.n)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
	f, err := g.fs.Create(name + ".new")
	if err != nil {
		return ioError("create", name, err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	// The folder's own name must be durable before the file that speaks of it.
	if err == nil {
		err = g.fs.SyncDir(path.Dir(g.base))
	}
	if err == nil {
		err = g.fs.Rename(name+".new", name)
	}
	if err == nil {
		err = g.fs.SyncDir(path.Dir(g.base))
	}
	if err != nil {
		return ioError("write", name, err)
	}
	return nil
}

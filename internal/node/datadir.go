package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/meridiandb/meridian/internal/control"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
)

// FormatVersion is the version of everything in a data folder together (docs/formats/datadir.md). A folder with a higher
// one is refused; a lower one would be upgraded here.
const FormatVersion = 2

// The formats of new folders: one of a process alone, one of a member of a cluster.
const (
	formatAlone  = 1
	formatMember = 2
)

// identity is what a data folder says of itself, in the file IDENTITY.
type identity struct {
	Format         int    `json:"format"`
	Cluster        string `json:"cluster"`
	HashSeed       uint64 `json:"hash_seed"`
	ConflictRanges int    `json:"conflict_ranges"`
	// Member is the node's place in a cluster, nil in the folder of a process alone.
	Member *control.Membership `json:"member,omitempty"`
}

// openDataDir locks the folder and reads its identity, making both when the folder is new. member says that the node is to be
// one of a cluster.
func openDataDir(h host.Host, dir string, ranges int, member bool) (identity, io.Closer, error) {
	fsys := h.FS()
	if err := fsys.MkdirAll(dir); err != nil {
		return identity{}, nil, fmt.Errorf("making the data folder: %w", err)
	}
	lock, err := fsys.Lock(path.Join(dir, "LOCK"))
	if err != nil {
		return identity{}, nil, failure.New(failure.ObjectInUse, "the data folder %s is in use by another process", dir).
			WithHint("Stop the other process, or choose another folder with --data-dir.").WithCause(err)
	}
	id, err := readIdentity(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		syncParents(fsys, dir)
		id = identity{Format: formatAlone, HashSeed: h.Uint64(), ConflictRanges: ranges,
			Cluster: fmt.Sprintf("%016x%016x", h.Uint64(), h.Uint64())}
		if member {
			id = identity{Format: formatMember, ConflictRanges: 1, Member: &control.Membership{}}
		}
		err = writeIdentity(fsys, dir, id)
	}
	if err == nil && id.Format > FormatVersion {
		err = failure.New(failure.ObjectNotInPrerequisiteState,
			"the data folder %s has format %d, and this version of Meridian knows formats up to %d", dir, id.Format, FormatVersion).
			WithHint("Start it with the newer version of Meridian that wrote it.")
	}
	if err == nil && member != (id.Member != nil) {
		err = failure.New(failure.ObjectNotInPrerequisiteState, "the data folder %s belongs to a process alone", dir).
			WithHint("Start it without --join, or give the new node a folder of its own with --data-dir.")
		if !member {
			err = failure.New(failure.ObjectNotInPrerequisiteState, "the data folder %s belongs to a member of a cluster", dir).
				WithHint("Start it with --join and the addresses of the cluster's nodes.")
		}
	}
	if err != nil {
		_ = lock.Close()
		return identity{}, nil, err
	}
	return id, lock, nil
}

// syncParents makes a new data folder's own name durable, and those of the folders that were made on the way to it. A
// folder above that may not be read was not made by this process.
func syncParents(fsys host.FS, dir string) {
	for parent := path.Dir(path.Clean(dir)); fsys.SyncDir(parent) == nil && parent != path.Dir(parent); {
		parent = path.Dir(parent)
	}
}

func readIdentity(fsys host.FS, dir string) (identity, error) {
	name := path.Join(dir, "IDENTITY")
	text, err := readFile(fsys, name)
	if err != nil {
		return identity{}, err
	}
	var id identity
	if err := json.Unmarshal(text, &id); err != nil || id.Format < 1 || id.ConflictRanges < 1 {
		return identity{}, failure.New(failure.DataCorrupted, "the file %s is damaged", name).
			WithHint("Restore it from a backup of the folder.")
	}
	return id, nil
}

func readFile(fsys host.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// writeFile writes a small file so that it is there wholly or not at all.
func writeFile(fsys host.FS, dir, name string, data []byte) error {
	full := path.Join(dir, name)
	f, err := fsys.Create(full + ".tmp")
	if err != nil {
		return fmt.Errorf("creating %s: %w", full, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = fsys.Rename(full+".tmp", full)
	}
	if err == nil {
		err = fsys.SyncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", full, err)
	}
	return nil
}

func writeIdentity(fsys host.FS, dir string, id identity) error {
	text, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the identity: %w", err)
	}
	return writeFile(fsys, dir, "IDENTITY", append(text, '\n'))
}

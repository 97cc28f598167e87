package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
	"github.com/meridiandb/meridian/internal/txn"
)

// A copy of a storage travels as a row of items, each with a kind in front:
//
//	'H' version ‖ number of journals ‖ (journal ‖ index)*     everything up to the index is in the copy
//	'F' size ‖ name                                           a file begins
//	'D' checksum (4 bytes) ‖ bytes                            the next piece of it
//	'E' number of files ‖ bytes of all                        the end, without which nothing counts
//
// Numbers are uvarints. Anything may be lost with the connection, nothing is believed before the end has come.
const (
	copyVersion = 1

	copyHead = 'H'
	copyFile = 'F'
	copyData = 'D'
	copyEnd  = 'E'

	copyPiece = 256 << 10
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// ServeCopy sends everything that this storage has applied, as one consistent state with the positions that belong to it.
func (s *Storage) ServeCopy(ctx context.Context, send func([]byte) error) error {
	if err := s.Flush(); err != nil {
		return err
	}
	fs := s.cfg.Store.FS
	dir := s.cfg.Store.Dir + outgoing + strconv.FormatUint(s.copies.Add(1), 10)
	if err := fs.RemoveAll(dir); err != nil {
		return ioError("remove", dir, err)
	}
	defer func() { _ = fs.RemoveAll(dir) }()
	// Positions are read first: the copy holds at least as much.
	positions, err := s.store.Positions(true)
	if err != nil {
		return err
	}
	if err := s.store.Checkpoint(dir); err != nil {
		return err
	}
	head := binary.AppendUvarint([]byte{copyHead, copyVersion}, uint64(len(positions)))
	for j, p := range positions {
		head = binary.AppendUvarint(binary.AppendUvarint(head, uint64(j)), p.Index)
	}
	if err := send(head); err != nil {
		return err
	}
	names, err := fs.List(dir)
	if err != nil {
		return ioError("list", dir, err)
	}
	total, files := uint64(0), uint64(0)
	for _, name := range names {
		n, err := sendFile(ctx, fs, dir, name, send)
		if err != nil {
			return err
		}
		total += n
		files++
	}
	return send(binary.AppendUvarint(binary.AppendUvarint([]byte{copyEnd}, files), total))
}

func ioError(what, name string, err error) error {
	if e := failure.As(err); e != nil {
		return e
	}
	return failure.New(failure.IOError, "could not %s \"%s\": %v", what, path.Base(name), err).WithCause(err)
}

func sendFile(ctx context.Context, fs host.FS, dir, name string, send func([]byte) error) (uint64, error) {
	f, err := fs.Open(path.Join(dir, name))
	if err != nil {
		return 0, ioError("open", name, err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return 0, ioError("read", name, err)
	}
	if err := send(append(binary.AppendUvarint([]byte{copyFile}, uint64(size)), name...)); err != nil {
		return 0, err
	}
	item := make([]byte, 5+copyPiece)
	item[0] = copyData
	for off := int64(0); off < size; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		b := item[5 : 5+min(copyPiece, size-off)]
		if n, err := f.ReadAt(b, off); n < len(b) {
			return 0, ioError("read", name, errors.Join(err, io.ErrUnexpectedEOF))
		}
		binary.LittleEndian.PutUint32(item[1:], crc32.Checksum(b, castagnoli()))
		if err := send(item[:5+len(b)]); err != nil {
			return 0, err
		}
		off += int64(len(b))
	}
	return uint64(size), nil
}

// Copy is the stream of a peer's copy.
type Copy = interface {
	// Recv returns the next item, io.EOF behind the last.
	Recv(ctx context.Context) ([]byte, error)
	Close()
}

// receiver writes a copy into a folder that nobody uses.
type receiver struct {
	fs    host.FS
	dir   string
	file  host.File
	name  string
	left  uint64
	total uint64
	files uint64
	done  bool
	// head is told the positions of the copy, as soon as they are known.
	head   func(map[txn.JournalID]uint64)
	headed bool
}

func badCopy(what string) error {
	return failure.New(failure.DataCorrupted, "malformed copy of a storage: %s", what)
}

// receive reads a whole copy into a new folder and makes it durable. After an error the folder is to be thrown away.
func receive(ctx context.Context, fs host.FS, dir string, c Copy, head func(map[txn.JournalID]uint64)) error {
	if err := fs.RemoveAll(dir); err != nil {
		return ioError("remove", dir, err)
	}
	if err := fs.MkdirAll(dir); err != nil {
		return ioError("make", dir, err)
	}
	r := &receiver{fs: fs, dir: dir, head: head}
	defer func() {
		if r.file != nil {
			_ = r.file.Close()
		}
	}()
	for !r.done {
		item, err := c.Recv(ctx)
		if errors.Is(err, io.EOF) {
			return badCopy("it ends too early")
		}
		if err != nil {
			return err
		}
		if err := r.take(item); err != nil {
			return err
		}
	}
	if err := fs.SyncDir(dir); err != nil {
		return ioError("sync", dir, err)
	}
	return nil
}

func (r *receiver) take(item []byte) error {
	if len(item) < 2 {
		return badCopy("an empty item")
	}
	body := item[1:]
	switch {
	case item[0] == copyHead && !r.headed:
		return r.takeHead(body)
	case !r.headed:
		return badCopy("no head")
	case item[0] == copyFile && r.file == nil:
		return r.begin(body)
	case item[0] == copyData && r.file != nil:
		return r.write(body)
	case item[0] == copyEnd && r.file == nil:
		files, n := binary.Uvarint(body)
		total, m := binary.Uvarint(body[max(n, 0):])
		if n <= 0 || m <= 0 || files != r.files || total != r.total || files == 0 {
			return badCopy("files are missing")
		}
		r.done = true
		return nil
	default:
		return badCopy("an item out of turn")
	}
}

func (r *receiver) takeHead(b []byte) error {
	if b[0] != copyVersion {
		return failure.NotSupported("version %d of copies is", b[0])
	}
	b = b[1:]
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)) {
		return badCopy("head")
	}
	b = b[k:]
	positions := make(map[txn.JournalID]uint64, n)
	for range n {
		j, k := binary.Uvarint(b)
		index, m := binary.Uvarint(b[max(k, 0):])
		if k <= 0 || m <= 0 || j > 1<<32-1 {
			return badCopy("head")
		}
		b = b[k+m:]
		positions[txn.JournalID(j)] = index
	}
	r.headed = true
	r.head(positions)
	return nil
}

func (r *receiver) begin(b []byte) error {
	size, n := binary.Uvarint(b)
	if n <= 0 {
		return badCopy("file")
	}
	name := string(b[n:])
	if name == "" || len(name) > 255 || name != path.Base(name) || strings.HasPrefix(name, "..") || name == "." {
		return badCopy("name of a file")
	}
	f, err := r.fs.Create(path.Join(r.dir, name))
	if err != nil {
		return ioError("create", name, err)
	}
	r.file, r.name, r.left = f, name, size
	return r.finish()
}

func (r *receiver) write(b []byte) error {
	if len(b) < 5 || uint64(len(b)-4) > r.left {
		return badCopy("too much of a file")
	}
	if crc32.Checksum(b[4:], castagnoli()) != binary.LittleEndian.Uint32(b) {
		return badCopy("wrong checksum")
	}
	if _, err := r.file.Write(b[4:]); err != nil {
		return ioError("write", r.name, err)
	}
	r.left -= uint64(len(b) - 4)
	r.total += uint64(len(b) - 4)
	return r.finish()
}

// finish ends a file that is whole.
func (r *receiver) finish() error {
	if r.left > 0 {
		return nil
	}
	err := r.file.Sync()
	if e := r.file.Close(); err == nil {
		err = e
	}
	r.file = nil
	r.files++
	if err != nil {
		return ioError("write", r.name, err)
	}
	return nil
}

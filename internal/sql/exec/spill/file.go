package spill

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
	"github.com/meridiandb/meridian/internal/host"
)

// blockSize is the size at which a block of encoded rows is written. A larger row makes a larger block.
const blockSize = 64 << 10

// blockHeader is the length and the checksum (Castagnoli) of a block.
const blockHeader = 8

// file is a temporary file, shared by the run that wrote it and its readers.
type file struct {
	mem  *Memory
	f    host.File
	path string
	size int64
}

func (m *Memory) newFile() (*file, error) {
	if m.cfg.FS == nil {
		return nil, failure.New(failure.OutOfMemory, "out of memory").
			WithDetail("There is no place for temporary files.")
	}
	path := m.nextPath()
	if m.files == nil {
		m.files = map[*file]struct{}{}
		if err := m.cfg.FS.MkdirAll(m.cfg.Dir); err != nil {
			return nil, ioError(err)
		}
	}
	f, err := m.cfg.FS.Create(path)
	if err != nil {
		return nil, ioError(err)
	}
	t := &file{mem: m, f: f, path: path}
	m.files[t] = struct{}{}
	return t, nil
}

func ioError(err error) error {
	return failure.New(failure.DiskFull, "could not use a temporary file: %s", err.Error()).WithCause(err)
}

func (t *file) write(b []byte) error {
	m := t.mem
	if m.disk+int64(len(b)) > m.cfg.DiskLimit {
		return failure.New(failure.ConfigurationLimitExceeded, "temporary file size exceeds the query's limit (%d MiB)",
			m.cfg.DiskLimit>>20)
	}
	if _, err := t.f.Write(b); err != nil {
		return ioError(err)
	}
	t.size += int64(len(b))
	m.disk += int64(len(b))
	m.spilled += int64(len(b))
	return nil
}

func (t *file) remove() {
	if t == nil || t.f == nil {
		return
	}
	// What cannot be removed is left for the next start, which empties the folder.
	_ = t.f.Close()
	_ = t.mem.cfg.FS.Remove(t.path)
	t.f = nil
	t.mem.disk -= t.size
	delete(t.mem.files, t)
}

// Run is a sequence of rows in a temporary file: written once, then read any number of times.
type Run struct {
	mem  *Memory
	file *file
	buf  []byte
	rows int64
	done bool
}

// NewRun makes an empty run; its file is created with the first block.
func (m *Memory) NewRun() *Run { return &Run{mem: m} }

// Rows returns the number of rows written.
func (r *Run) Rows() int64 { return r.rows }

// Add appends a row.
func (r *Run) Add(row []datum.Datum) error {
	if r.buf == nil {
		r.buf = make([]byte, blockHeader, blockSize+blockSize/8)
	}
	var err error
	if r.buf, err = AppendRow(r.buf, row); err != nil {
		return err
	}
	r.rows++
	if len(r.buf) >= blockSize {
		return r.flush()
	}
	return nil
}

func (r *Run) flush() error {
	if len(r.buf) <= blockHeader {
		return nil
	}
	if r.file == nil {
		f, err := r.mem.newFile()
		if err != nil {
			return err
		}
		r.file = f
	}
	body := r.buf[blockHeader:]
	binary.LittleEndian.PutUint32(r.buf, uint32(len(body)))
	binary.LittleEndian.PutUint32(r.buf[4:], crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	err := r.file.write(r.buf)
	r.buf = r.buf[:blockHeader]
	return err
}

// Finish ends writing.
func (r *Run) Finish() error {
	err := r.flush()
	r.buf, r.done = nil, true
	return err
}

// Close removes the file.
func (r *Run) Close() {
	if r != nil {
		r.file.remove()
		r.file = nil
	}
}

// Reader returns a reader at the first row. The run must be finished.
func (r *Run) Reader() *RunReader { return &RunReader{run: r} }

// RunReader reads a run from its start.
type RunReader struct {
	run   *Run
	off   int64
	dec   decoder
	arena Arena
}

// Next returns the next row, nil at the end. The caller may keep the row.
func (r *RunReader) Next() ([]datum.Datum, error) {
	for len(r.dec.b) == 0 {
		more, err := r.block()
		if err != nil || !more {
			return nil, err
		}
	}
	return r.dec.row(&r.arena)
}

func (r *RunReader) block() (bool, error) {
	t := r.run.file
	if t == nil || r.off >= t.size {
		return false, nil
	}
	var h [blockHeader]byte
	if err := readFull(t.f, h[:], r.off); err != nil {
		return false, err
	}
	// A fresh buffer for each block: texts of decoded rows alias it.
	b := make([]byte, binary.LittleEndian.Uint32(h[:]))
	if err := readFull(t.f, b, r.off+blockHeader); err != nil {
		return false, err
	}
	if crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(h[4:]) {
		return false, corrupt()
	}
	r.off += blockHeader + int64(len(b))
	r.dec = decoder{b: b}
	return true, nil
}

func readFull(f host.File, b []byte, off int64) error {
	n, err := f.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return ioError(err)
}

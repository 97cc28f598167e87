package raftgroup

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

const (
	checkpointMagic    = 0x324b434d // "MCK2"
	checkpointMagicOld = 0x314b434d // "MCK1": without members
)

func (g *Group) checkpointName() string { return fmt.Sprintf("group-%08x.checkpoint", uint32(g.id)) }

// snapshotName is where a snapshot of another node waits until the log says that it starts behind it.
func (g *Group) snapshotName() string { return fmt.Sprintf("group-%08x.snapshot", uint32(g.id)) }

// Checkpoint durably saves the machine's state as of an applied index. It is slow, and called by one goroutine at a time.
// It does nothing when a snapshot of another node has overtaken it.
func (g *Group) Checkpoint(index uint64, data []byte) error {
	name := g.checkpointName()
	if err := g.writeState(name+".new", index, g.state.confAt(index), data); err != nil {
		return wrapIO(err, "write", name)
	}
	return g.adoptState(name+".new", index)
}

// writeState writes a state to a file of its own and syncs it.
func (g *Group) writeState(name string, index uint64, conf *pb.ConfState, data []byte) error {
	members, err := proto.Marshal(conf)
	if err != nil {
		return err
	}
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, 24+len(members)+len(data)), checkpointMagic)
	b = binary.LittleEndian.AppendUint32(b, uint32(g.id))
	b = binary.LittleEndian.AppendUint64(b, index)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(members)))
	b = append(b, members...)
	b = append(b, data...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
	f, err := g.log.fs.Create(path.Join(g.log.dir, name))
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// adoptState makes a written state the checkpoint, unless that is newer.
func (g *Group) adoptState(name string, index uint64) error {
	g.ckptMu.Lock()
	defer g.ckptMu.Unlock()
	from := path.Join(g.log.dir, name)
	if index < g.ckpt {
		return g.log.fs.Remove(from)
	}
	err := g.log.fs.Rename(from, path.Join(g.log.dir, g.checkpointName()))
	if err == nil {
		err = g.log.fs.SyncDir(g.log.dir)
	}
	if err != nil {
		return wrapIO(err, "write", g.checkpointName())
	}
	g.ckpt = index
	return nil
}

// removeCheckpoints deletes what is left of a group.
func (g *Group) removeCheckpoints() error {
	for _, name := range [...]string{g.checkpointName(), g.snapshotName()} {
		full := path.Join(g.log.dir, name)
		ok, err := g.log.fs.Exists(full)
		if err == nil && ok {
			err = g.log.fs.Remove(full)
		}
		if err != nil {
			return wrapIO(err, "remove", name)
		}
	}
	return nil
}

// loadCheckpoint returns the saved state, nil when there is none. A snapshot that the log starts behind, but that did not
// become the checkpoint, does so now; another one was received in vain.
func (g *Group) loadCheckpoint() ([]byte, error) {
	s := g.state
	index, conf, data, err := g.readState(g.checkpointName())
	if err != nil {
		return nil, err
	}
	if s.mu.base > 1 && (data == nil || index < s.mu.base) {
		i, c, d, err := g.readState(g.snapshotName())
		if err != nil {
			return nil, err
		}
		if d != nil && i == s.mu.base {
			if err := g.adoptState(g.snapshotName(), i); err != nil {
				return nil, err
			}
			index, conf, data = i, c, d
		}
	}
	if data == nil {
		return nil, nil
	}
	g.ckpt = index
	if conf != nil && index > s.mu.base {
		s.noteConf(index, conf)
	}
	return data, nil
}

// readState reads a file of writeState's. Data is nil when there is none, and conf in files of before it was kept.
func (g *Group) readState(name string) (index uint64, conf *pb.ConfState, data []byte, err error) {
	full := path.Join(g.log.dir, name)
	ok, err := g.log.fs.Exists(full)
	if err != nil || !ok {
		return 0, nil, nil, err
	}
	f, err := g.log.fs.Open(full)
	if err != nil {
		return 0, nil, nil, wrapIO(err, "open", name)
	}
	size, err := f.Size()
	b := make([]byte, size)
	if err == nil && size > 0 {
		_, err = f.ReadAt(b, 0)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return 0, nil, nil, wrapIO(err, "read", name)
	}
	index, conf, data, ok = g.parseState(b)
	if !ok {
		return 0, nil, nil, damaged(name, 0)
	}
	return index, conf, data, nil
}

func (g *Group) parseState(b []byte) (index uint64, conf *pb.ConfState, data []byte, ok bool) {
	if len(b) < 20 || binary.LittleEndian.Uint32(b[4:]) != uint32(g.id) ||
		crc32.Checksum(b[:len(b)-4], castagnoli()) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return 0, nil, nil, false
	}
	index, b = binary.LittleEndian.Uint64(b[8:]), b[:len(b)-4]
	switch binary.LittleEndian.Uint32(b) {
	case checkpointMagicOld:
		return index, nil, b[16:], true
	case checkpointMagic:
		if len(b) < 20 || uint64(binary.LittleEndian.Uint32(b[16:])) > uint64(len(b)-20) {
			return 0, nil, nil, false
		}
		n := int(binary.LittleEndian.Uint32(b[16:]))
		conf = &pb.ConfState{}
		if proto.Unmarshal(b[20:20+n], conf) != nil {
			return 0, nil, nil, false
		}
		return index, conf, b[20+n:], true
	}
	return 0, nil, nil, false
}

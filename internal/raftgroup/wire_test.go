package raftgroup

import (
	"bytes"
	"reflect"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

func exampleBatch() []Envelope {
	entries := []*pb.Entry{
		{Index: new(uint64(8)), Term: new(uint64(3)), Type: pb.EntryNormal.Enum(), Data: []byte("data")},
		{Index: new(uint64(9)), Term: new(uint64(4)), Type: pb.EntryConfChange.Enum(), Data: []byte("c")},
		{Index: new(uint64(10)), Term: new(uint64(4)), Type: pb.EntryNormal.Enum()},
	}
	snap := &pb.Snapshot{Data: []byte("head"), Metadata: &pb.SnapshotMetadata{Index: new(uint64(70)), Term: new(uint64(5)),
		ConfState: &pb.ConfState{Voters: []uint64{1, 2, 3}, Learners: []uint64{4}}}}
	message := func(kind pb.MessageType, m *pb.Message) *pb.Message {
		m.Type, m.To, m.From, m.Term = kind.Enum(), new(uint64(2)), new(uint64(1)), new(uint64(4))
		return m
	}
	return []Envelope{
		{group: 1, m: message(pb.MsgApp, &pb.Message{Index: new(uint64(7)), LogTerm: new(uint64(3)), Commit: new(uint64(6)), Entries: entries, Context: markSynced()})},
		{group: 1 << 31, m: message(pb.MsgAppResp, &pb.Message{Index: new(uint64(7)), Reject: new(true), RejectHint: new(uint64(1) << 60)})},
		{group: 2, m: message(pb.MsgSnap, &pb.Message{Snapshot: snap})},
		{group: 2, piece: &piece{from: 1, to: 2, index: 3, term: 4, offset: 5, pull: true}},
		{group: 2, piece: &piece{from: 1, to: 2, index: 3, term: 4, offset: 1 << 40, data: bytes.Repeat([]byte("x"), 300)}},
	}
}

func TestMessages(t *testing.T) {
	batch := exampleBatch()
	got, err := DecodeMessages(EncodeMessages(nil, batch))
	if err != nil || len(got) != len(batch) {
		t.Fatal(len(got), err)
	}
	for i, e := range got {
		if e.group != batch[i].group || e.To() != 2 || e.From() != 1 {
			t.Errorf("envelope %d: %+v", i, e)
		}
		if p := e.piece; p != nil {
			if want := batch[i].piece; p.pull {
				p.data = nil
			} else if !reflect.DeepEqual(p, want) {
				t.Errorf("piece %d: %+v, want %+v", i, p, want)
			}
			continue
		}
		want := proto.CloneOf(batch[i].m)
		for _, v := range []**uint64{&want.LogTerm, &want.Index, &want.Commit, &want.RejectHint} {
			if *v == nil {
				*v = new(uint64)
			}
		}
		want.Reject = new(want.GetReject())
		if !proto.Equal(e.m, want) {
			t.Errorf("message %d:\n got %v\nwant %v", i, e.m, want)
		}
	}
}

func FuzzMessages(f *testing.F) {
	whole := EncodeMessages(nil, exampleBatch())
	f.Add(whole)
	for _, e := range exampleBatch() {
		f.Add(EncodeMessages(nil, []Envelope{e}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		batch, err := DecodeMessages(bytes.Clone(b))
		if err != nil {
			return
		}
		again, err := DecodeMessages(EncodeMessages(nil, batch))
		if err != nil || len(again) != len(batch) {
			t.Fatalf("%d envelopes, then %d: %v", len(batch), len(again), err)
		}
	})
}

package rpc

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The protocol's versions that this binary speaks. A change that older nodes cannot ignore raises versionMax; versionMin follows
// one release later, so that a cluster can be upgraded node by node.
const (
	versionMin = 1
	versionMax = 1
)

const magic = "MRDN\x01rpc"

// maxName bounds cluster ids.
const maxName = 128

// maxText bounds the text of a refusal.
const maxText = 1024

var errHungUp = errors.New("the connection was closed without a greeting: the node is stopping, or the two have different TLS settings")

// hello is what both sides say first.
type hello struct {
	min, max uint16 // versions; the accepter's answer has its choice in both
	from     NodeID // 0: a stranger
	to       NodeID // whom the dialer wants; 0 whoever it is
	features uint64 // bits that both must have to be used; none yet
	cluster  string // "": has not joined
}

func appendHello(b []byte, k kind, h hello) []byte {
	b = append(b, byte(k))
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint16(b, h.min)
	b = binary.LittleEndian.AppendUint16(b, h.max)
	b = binary.LittleEndian.AppendUint32(b, uint32(h.from))
	b = binary.LittleEndian.AppendUint32(b, uint32(h.to))
	b = binary.LittleEndian.AppendUint64(b, h.features)
	b = binary.AppendUvarint(b, uint64(len(h.cluster)))
	return append(b, h.cluster...)
}

var errNotMeridian = errors.New("this is not a Meridian node's port for other nodes, or one with other TLS settings")

// decodeHello reads a hello or welcome; what a newer version says behind it is ignored.
func decodeHello(b []byte) (kind, hello, error) {
	if len(b) < 1+len(magic)+20 || string(b[1:1+len(magic)]) != magic {
		return 0, hello{}, errNotMeridian
	}
	k := kind(b[0])
	b = b[1+len(magic):]
	h := hello{min: binary.LittleEndian.Uint16(b), max: binary.LittleEndian.Uint16(b[2:]),
		from: NodeID(binary.LittleEndian.Uint32(b[4:])), to: NodeID(binary.LittleEndian.Uint32(b[8:])),
		features: binary.LittleEndian.Uint64(b[12:])}
	d := decoder{b: b[20:]}
	h.cluster = string(d.bytes(maxName))
	if d.err != nil || h.min > h.max || (k != kindHello && k != kindWelcome) {
		return 0, hello{}, errNotMeridian
	}
	return k, h, nil
}

// refusal is a handshake that ended with a reason from the other side.
type refusal struct{ text string }

func (r *refusal) Error() string { return "refused: " + r.text }

// identity is who this process is.
type identity struct {
	self    NodeID
	cluster string
}

// judge decides about a hello that arrived: the version to speak, or why not.
func (me identity) judge(h hello, removed func(NodeID) bool) (uint16, error) {
	if h.min > versionMax || h.max < versionMin {
		return 0, fmt.Errorf("protocol versions %d to %d are spoken here, %d to %d there: upgrade node by node, one release at a time",
			versionMin, versionMax, h.min, h.max)
	}
	v := min(h.max, versionMax)
	switch {
	case h.from == 0:
		return v, nil
	case me.cluster == "":
		return 0, errors.New("this node has not joined a cluster yet")
	case h.cluster != me.cluster:
		return 0, fmt.Errorf("this node belongs to cluster %s, not to %s", me.cluster, h.cluster)
	case removed(h.from):
		return 0, fmt.Errorf("node %d was removed from the cluster; to use the machine again, start it with an empty data folder and join", h.from)
	case h.to != 0 && h.to != me.self:
		return 0, fmt.Errorf("this is node %d, not node %d: the address in the cluster's map is wrong", me.self, h.to)
	case h.from == me.self:
		return 0, fmt.Errorf("both ends say they are node %d: a data folder was copied, or the address is this node's own", me.self)
	}
	return v, nil
}

// shake greets as the dialer and returns who answered.
func (me identity) shake(w io.Writer, r *bufio.Reader, to NodeID) (hello, error) {
	h := hello{min: versionMin, max: versionMax, from: me.self, to: to, cluster: me.cluster}
	if _, err := w.Write(appendFrame(nil, appendHello(nil, kindHello, h), nil)); err != nil {
		return hello{}, fmt.Errorf("greeting: %w", err)
	}
	var scratch [headMax]byte
	b, err := readFrame(r, handshakeMax, &scratch)
	if err != nil {
		if errors.Is(err, errFrame) {
			return hello{}, errNotMeridian
		}
		if errors.Is(err, io.EOF) {
			return hello{}, errHungUp
		}
		return hello{}, fmt.Errorf("waiting for a welcome: %w", err)
	}
	if kind(b[0]) == kindRefuse {
		return hello{}, &refusal{printable(b[1:])}
	}
	k, answer, err := decodeHello(b)
	switch {
	case err != nil:
		return hello{}, err
	case k != kindWelcome || answer.max < versionMin || answer.max > versionMax:
		return hello{}, errNotMeridian
	case to != 0 && answer.from != to:
		return hello{}, fmt.Errorf("node %d answers there, not node %d", answer.from, to)
	case me.self != 0 && answer.cluster != me.cluster:
		return hello{}, fmt.Errorf("a node of cluster %s answers there, this one belongs to %s", answer.cluster, me.cluster)
	}
	return answer, nil
}

// printable makes a peer's text safe for logs.
func printable(b []byte) string {
	b = b[:min(len(b), maxText)]
	out := make([]rune, 0, len(b))
	for _, r := range string(b) {
		if r < ' ' || r == 0xFFFD {
			r = '?'
		}
		out = append(out, r)
	}
	return string(out)
}

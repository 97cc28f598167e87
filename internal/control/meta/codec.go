package meta

import (
	"encoding/json"

	"github.com/meridiandb/meridian/internal/failure"
)

// What is written is a version byte and JSON behind it: the map is small and changes seldom, and people can read it
// everywhere. Fields that this version does not know are not looked at, which is safe because a command with new fields
// is proposed only once the cluster's protocol, known to all nodes, allows it. docs/formats/control.md has the fields.
const codecVersion = 1

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		// Only numbers, strings and slices of them are in there.
		panic("meta: " + err.Error())
	}
	return append([]byte{codecVersion}, text...)
}

func decode(b []byte, what string, into any) error {
	if len(b) == 0 || b[0] == 0 {
		return failure.New(failure.DataCorrupted, "malformed %s", what)
	}
	if b[0] > codecVersion {
		return failure.New(failure.ObjectNotInPrerequisiteState, "%s of format %d, and this version of Meridian knows formats up to %d",
			what, b[0], codecVersion).WithHint("Start the node with the newer version of Meridian.")
	}
	if err := json.Unmarshal(b[1:], into); err != nil {
		return failure.New(failure.DataCorrupted, "malformed %s", what).WithCause(err)
	}
	return nil
}

// Encode renders a map; equal maps give equal bytes.
func (m *Map) Encode() []byte { return encode(m) }

// DecodeMap reads a map and checks that it is sound.
func DecodeMap(b []byte) (*Map, error) {
	m := &Map{}
	if err := decode(b, "map of the cluster", m); err != nil {
		return nil, err
	}
	if m.Version == 0 {
		return &Map{}, nil
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// Encode renders a command.
func (c *Command) Encode() []byte { return encode(c) }

// DecodeCommand reads a command.
func DecodeCommand(b []byte) (*Command, error) {
	c := &Command{}
	if err := decode(b, "command to the control plane", c); err != nil {
		return nil, err
	}
	return c, nil
}

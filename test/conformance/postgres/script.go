//go:build e2e

package postgres

import (
	"fmt"
	"strings"
)

// message is one thing sent to the server.
type message struct {
	line    int
	session string // "--session" before it, "" for no change
	bind    []string
	bound   bool // sent with the extended protocol
	text    string
	data    string // what follows COPY FROM STDIN
	copying bool
}

// key is the message as differences.txt names it: on one line.
func (m message) key() string { return strings.Join(strings.Fields(m.text), " ") }

func (m message) ordered() bool { return strings.Contains(strings.ToLower(m.text), "order by") }

func (m message) explains() bool { return hasWord(m.text, "explain") }

func hasWord(text, word string) bool {
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(text)), word)
}

func (m message) copiesIn() bool {
	return hasWord(m.text, "copy") && strings.Contains(strings.ToLower(m.text), "from stdin")
}

func (m message) copiesOut() bool {
	return hasWord(m.text, "copy") && strings.Contains(strings.ToLower(m.text), "to stdout")
}

// parse cuts a script into its messages.
func parse(script string) ([]message, error) {
	var all []message
	var m message
	var text []string
	block := false
	lines := strings.Split(script, "\n")
	end := func() {
		m.text = strings.Join(text, "\n")
		all = append(all, m)
		m, text = message{}, nil
	}
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		switch {
		case block && l == "--}":
			block = false
			end()
		case block:
			text = append(text, l)
		case len(text) == 0 && l == "--{":
			block, m.line = true, i+1
		case len(text) == 0 && strings.HasPrefix(l, "--session "):
			m.session = strings.TrimPrefix(l, "--session ")
		case len(text) == 0 && strings.HasPrefix(l, "--bind"):
			m.bound = true
			if p := strings.TrimSpace(strings.TrimPrefix(l, "--bind")); p != "" {
				for _, v := range strings.Split(p, "|") {
					m.bind = append(m.bind, strings.TrimSpace(v))
				}
			}
		case len(text) == 0 && (strings.TrimSpace(l) == "" || strings.HasPrefix(l, "--")):
		default:
			if len(text) == 0 {
				m.line = i + 1
			}
			text = append(text, l)
			if !strings.HasSuffix(l, ";") {
				continue
			}
			m.text = strings.Join(text, "\n")
			if m.copiesIn() {
				m.copying = true
				var data strings.Builder
				for i++; i < len(lines) && lines[i] != `\.`; i++ {
					data.WriteString(lines[i] + "\n")
				}
				m.data = data.String()
			}
			end()
		}
	}
	if len(text) > 0 {
		return nil, fmt.Errorf("line %d: the last message has no end", m.line)
	}
	return all, nil
}

// answer is a message and what a server said to it.
type answer struct{ text, output string }

const (
	messageMark = "===="
	outputMark  = "----"
)

// format writes answers as a .out file.
func format(answers []answer) string {
	var b strings.Builder
	for _, a := range answers {
		fmt.Fprintf(&b, "%s\n%s\n%s\n%s", messageMark, a.text, outputMark, a.output)
	}
	return b.String()
}

// read reads a .out file.
func read(out string) []answer {
	var all []answer
	for _, part := range strings.Split("\n"+out, "\n"+messageMark+"\n")[1:] {
		text, output, _ := strings.Cut(part, "\n"+outputMark+"\n")
		all = append(all, answer{text, strings.TrimSuffix(output, "\n")})
	}
	return all
}

// difference is a line of differences.txt.
type difference struct {
	script, key, reason string
	line                int
	used                bool
}

// readDifferences reads differences.txt: a reason on lines that begin with "#", then lines "script: message".
func readDifferences(text string) ([]*difference, error) {
	var all []*difference
	reason, fresh := "", true
	for i, l := range strings.Split(text, "\n") {
		switch {
		case strings.TrimSpace(l) == "":
			fresh = true
		case strings.HasPrefix(l, "#"):
			if fresh {
				reason, fresh = "", false
			}
			reason = strings.TrimSpace(reason + " " + strings.TrimSpace(l[1:]))
		default:
			script, key, ok := strings.Cut(l, ": ")
			if !ok || reason == "" {
				return nil, fmt.Errorf("differences.txt:%d: want a reason, then lines \"script: message\"", i+1)
			}
			all = append(all, &difference{script: script, key: key, reason: reason, line: i + 1})
		}
	}
	return all, nil
}

// formatDifferences writes those that are used, each reason once, in the order in which reasons come first.
func formatDifferences(all []*difference) string {
	var reasons []string
	lines, seen := map[string][]string{}, map[string]bool{}
	for _, d := range all {
		name := d.script + ": " + d.key
		if !d.used || seen[name] {
			continue
		}
		seen[name] = true
		if lines[d.reason] == nil {
			reasons = append(reasons, d.reason)
		}
		lines[d.reason] = append(lines[d.reason], name)
	}
	var b strings.Builder
	for i, r := range reasons {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "# %s\n%s\n", r, strings.Join(lines[r], "\n"))
	}
	return b.String()
}

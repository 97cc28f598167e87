package session

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridiandb/meridian/internal/datum"
)

// normalized is a statement's text with its integer and string constants taken out, so that statements that differ in
// them alone share a plan.
type normalized struct {
	text   []byte
	params []datum.Datum // strings as text: the plan says what they are to be
	types  []datum.OID   // 0 for strings
}

// maxNormalized bounds the texts and constants worth the trouble: short statements that come many times.
const (
	maxNormalizedText   = 1024
	maxNormalizedParams = 32
)

// normalize replaces constants by $1, $2, … where a constant and a parameter mean the same: after a comparison or an
// arithmetic operator, and in VALUES lists. A string there has no type of its own, as a parameter without one. It answers
// false for texts that it does not understand at a glance (comments, escapes, parameters of their own, several statements)
// and for those without such constants.
func (n *normalized) normalize(sql string) bool {
	n.text, n.params, n.types = n.text[:0], n.params[:0], n.types[:0]
	if len(sql) > maxNormalizedText || !dataStatement(sql) {
		return false
	}
	values := false  // inside a VALUES list
	after := byte(0) // the last significant byte
	for i := 0; i < len(sql); {
		c := sql[i]
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			n.text = append(n.text, c)
			i++
			continue
		case isWordStart(c):
			j := i + 1
			for j < len(sql) && (isWordStart(sql[j]) || sql[j] >= '0' && sql[j] <= '9') {
				j++
			}
			word := sql[i:j]
			if j < len(sql) && sql[j] == '\'' {
				return false // E'', B'', date '…'
			}
			if equalFold(word, "tablesample") {
				return false
			}
			if equalFold(word, "values") {
				values = true
			} else if !equalFold(word, "null") && !equalFold(word, "default") && !equalFold(word, "current_timestamp") {
				values = values && after != ')' // ON CONFLICT, RETURNING
			}
			n.text = append(n.text, word...)
			i, after = j, 'a'
			continue
		case c >= '0' && c <= '9':
			j := i + 1
			for j < len(sql) && sql[j] >= '0' && sql[j] <= '9' {
				j++
			}
			if j < len(sql) && (sql[j] == '.' || isWordStart(sql[j])) {
				return false
			}
			if !n.constant(sql[i:j], after, values) {
				n.text = append(n.text, sql[i:j]...)
			}
			i, after = j, '0'
			continue
		case c == '\'':
			j := i + 1
			for j < len(sql) && (sql[j] != '\'' || j+1 < len(sql) && sql[j+1] == '\'') {
				if sql[j] == '\'' {
					j++
				}
				j++
			}
			if j >= len(sql) || after == '\'' {
				return false
			}
			if !n.quoted(sql[i+1:j], after, values) {
				n.text = append(n.text, sql[i:j+1]...)
			}
			i, after = j+1, '\''
			continue
		case c == '"' || c == '$' || c == '\\' || c >= 0x80 || c == ':' || c == '[' || c == '.' && after == '0':
			return false
		case (c == '-' || c == '/') && i+1 < len(sql) && (sql[i+1] == '-' || sql[i+1] == '*'):
			return false
		case c == ';':
			for j := i + 1; j < len(sql); j++ {
				if sql[j] != ' ' && sql[j] != '\n' {
					return false
				}
			}
		}
		n.text = append(n.text, c)
		after = c
		i++
	}
	return len(n.params) > 0
}

// constant takes a constant out when its place allows it.
func (n *normalized) constant(digits string, after byte, values bool) bool {
	switch after {
	case '=', '<', '>', '+', '*':
	case '-':
		if digits == "2147483648" {
			return false // an integer with its sign, a bigint without
		}
	case '(', ',':
		if !values {
			return false
		}
	default:
		return false
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || len(n.params) >= maxNormalizedParams {
		return false
	}
	t := datum.OIDInt4
	if v > 1<<31-1 {
		t = datum.OIDInt8
	}
	n.take(datum.NewInt(v), t)
	return true
}

// quoted takes a string out when its place allows it. What is between the quotes is checked: with a backslash it depends
// on a setting. Bounds of ranges stay, because how many rows lie beyond them decides the plan.
func (n *normalized) quoted(body string, after byte, values bool) bool {
	switch after {
	case '=':
		t := bytes.TrimRight(n.text, " \t\r\n")
		if len(t) >= 2 && (t[len(t)-2] == '<' || t[len(t)-2] == '>' || t[len(t)-2] == '!') {
			return false
		}
	case '(', ',':
		if !values {
			return false
		}
	default:
		return false
	}
	if len(n.params) >= maxNormalizedParams || strings.IndexByte(body, '\\') >= 0 || !utf8.ValidString(body) {
		return false
	}
	if strings.IndexByte(body, '\'') >= 0 {
		body = strings.ReplaceAll(body, "''", "'")
	}
	n.take(datum.NewText(body), 0)
	return true
}

func (n *normalized) take(d datum.Datum, t datum.OID) {
	n.params = append(n.params, d)
	n.types = append(n.types, t)
	n.text = append(n.text, '$')
	n.text = strconv.AppendInt(n.text, int64(len(n.params)), 10)
}

// key appends what the plan depends on beside the text: the parameters' types.
func (n *normalized) key() []byte {
	for _, t := range n.types {
		c := byte('4')
		switch t {
		case 0:
			c = 's'
		case datum.OIDInt8:
			c = '8'
		}
		n.text = append(n.text, 0, c)
	}
	return n.text
}

func isWordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

// dataStatement says whether a text begins like a query or a data change.
func dataStatement(sql string) bool {
	i := 0
	for i < len(sql) && (sql[i] == ' ' || sql[i] == '\n') {
		i++
	}
	if len(sql)-i < 7 {
		return false
	}
	word := sql[i : i+6]
	return equalFold(word, "select") || equalFold(word, "update") || equalFold(word, "insert") || equalFold(word, "delete")
}

func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

package parser

import "github.com/meridiandb/meridian/internal/failure"

// copy parses COPY in all its syntaxes.
func (p *parser) copy() Statement {
	s := &CopyStmt{Pos: p.take().pos}
	if p.is('(') {
		p.copyQuery(s)
		return s
	}
	binary := p.is(kwBinary)
	if binary {
		s.Options = append(s.Options, wordOption(p.take().pos, "format", "binary"))
	}
	s.Relation = p.relationPtr()
	s.Columns = p.optParenNames()
	switch {
	case p.accept(kwFrom):
		s.From = true
	default:
		p.expect(kwTo)
	}
	p.copyFile(s)
	// The old syntax has the delimiter before WITH.
	if p.is(kwUsing) || p.is(kwDelimiters) {
		pos := p.tok.pos
		p.accept(kwUsing)
		p.expect(kwDelimiters)
		s.Options = append(s.Options, p.textOption(pos, "delimiter"))
	}
	p.copyOptions(s)
	if p.is(kwWhere) {
		pos := p.tok.pos
		s.Where = p.whereClause()
		if !s.From {
			p.fail(failure.New(failure.SyntaxError, "WHERE clause not allowed with COPY TO").At(CharPosition(p.sql, pos)))
		}
	}
	return s
}

// copyQuery parses COPY (query) TO.
func (p *parser) copyQuery(s *CopyStmt) {
	p.expect('(')
	s.Query = p.preparableOnly()
	p.expectAll(')', kwTo)
	p.copyFile(s)
	p.copyOptions(s)
}

// copyFile parses COPY's file, program or stream.
func (p *parser) copyFile(s *CopyStmt) {
	at := p.tok.pos
	switch {
	case p.accept(kwProgram):
		s.Program = true
		if p.is(kwStdin) || p.is(kwStdout) {
			if s.Relation != nil {
				at = NoPos // PostgreSQL gives no position here
			}
			p.failAt(at, failure.SyntaxError, "STDIN/STDOUT not allowed with PROGRAM")
		}
		s.HasFile, s.Filename = true, p.sconst()
	case p.accept(kwStdin), p.accept(kwStdout):
	default:
		s.HasFile, s.Filename = true, p.sconst()
	}
}

// copyOptions parses [WITH] (options) or the old options.
func (p *parser) copyOptions(s *CopyStmt) {
	p.accept(kwWith)
	if p.is('(') {
		s.Options = append(s.Options, p.copyGeneric()...)
		return
	}
	for {
		o := p.copyOldOption()
		if o == nil {
			return
		}
		s.Options = append(s.Options, o)
	}
}

func wordOption(pos int, name, value string) *DefElem {
	return &DefElem{Pos: pos, Name: name, Arg: &Const{Pos: pos, Kind: ConstString, Str: value}}
}

func boolOption(pos int, name string, value bool) *DefElem {
	return &DefElem{Pos: pos, Name: name, Arg: &Const{Pos: pos, Kind: ConstBoolean, Bool: value}}
}

// textOption takes [AS] 'value'.
func (p *parser) textOption(pos int, name string) *DefElem {
	p.accept(kwAs)
	return &DefElem{Pos: pos, Name: name, Arg: &Const{Pos: p.here(), Kind: ConstString, Str: p.sconst()}}
}

// copyOldOption parses one option of the old syntax, nil when there is none.
func (p *parser) copyOldOption() *DefElem {
	pos := p.tok.pos
	switch p.tok.kind {
	case kwBinary:
		p.advance()
		return wordOption(pos, "format", "binary")
	case kwCsv:
		p.advance()
		return wordOption(pos, "format", "csv")
	case kwFreeze:
		p.advance()
		return &DefElem{Pos: pos, Name: "freeze"}
	case kwHeader:
		p.advance()
		return &DefElem{Pos: pos, Name: "header"}
	case kwDelimiter:
		p.advance()
		return p.textOption(pos, "delimiter")
	case kwNull:
		p.advance()
		return p.textOption(pos, "null")
	case kwQuote:
		p.advance()
		return p.textOption(pos, "quote")
	case kwEscape:
		p.advance()
		return p.textOption(pos, "escape")
	case kwEncoding:
		p.advance()
		return &DefElem{Pos: pos, Name: "encoding", Arg: &Const{Pos: p.here(), Kind: ConstString, Str: p.sconst()}}
	case kwForce:
		p.advance()
		return p.copyForce(pos)
	}
	return nil
}

func (p *parser) copyForce(pos int) *DefElem {
	d := &DefElem{Pos: pos}
	switch {
	case p.accept(kwQuote):
		d.Name = "force_quote"
		if p.is('*') {
			d.Arg = &Star{Pos: p.take().pos}
			return d
		}
	case p.accept(kwNot):
		p.expect(kwNull)
		d.Name = "force_not_null"
	default:
		p.expect(kwNull)
		d.Name = "force_null"
	}
	d.Arg = &NameList{Pos: p.here(), Names: p.nameList()}
	return d
}

// copyGeneric parses (name value, …).
func (p *parser) copyGeneric() []*DefElem {
	p.expect('(')
	var list []*DefElem
	for {
		d := &DefElem{Pos: p.here(), Name: p.colLabel()}
		switch p.tok.kind {
		case '*':
			d.Arg = &Star{Pos: p.take().pos}
		case '(':
			l := &NameList{Pos: p.take().pos}
			for {
				c := p.variableValue()
				k, ok := c.(*Const)
				if !ok || k.Kind != ConstString {
					p.syntaxError()
				}
				l.Names = append(l.Names, k.Str)
				if !p.accept(',') {
					break
				}
			}
			p.expect(')')
			d.Arg = l
		default:
			d.Arg = p.optionValue()
		}
		list = append(list, d)
		if !p.accept(',') {
			break
		}
	}
	p.expect(')')
	return list
}

package copyio

import (
	"strings"

	"github.com/meridiandb/meridian/internal/failure"
)

// Format is the data format.
type Format uint8

// The formats.
const (
	Text Format = iota
	CSV
	Binary
)

// Header says what the first line is.
type Header uint8

// The kinds of header lines.
const (
	HeaderNone  Header = iota
	HeaderWrite        // written, or skipped when reading
	HeaderMatch        // must equal the column names
)

// Options of a COPY, complete after Finish.
type Options struct {
	Format       Format
	Delimiter    byte
	Null         string
	Header       Header
	Quote        byte
	Escape       byte
	ForceQuote   []bool // by column; nil is none
	ForceNotNull []bool
	ForceNull    []bool

	// Raw values as given; Finish checks them together.
	DelimiterText, QuoteText, EscapeText string
	NullGiven                            bool
}

func invalid(format string, args ...any) error {
	return failure.New(failure.FeatureNotSupported, format, args...)
}

func badValue(format string, args ...any) error {
	return failure.New(failure.InvalidParameterValue, format, args...)
}

// Finish fills in the defaults and checks that the options go together, with PostgreSQL's messages.
func (o *Options) Finish(from bool) error {
	csv := o.Format == CSV
	if o.Format == Binary {
		switch {
		case o.DelimiterText != "":
			return failure.New(failure.SyntaxError, "cannot specify DELIMITER in BINARY mode")
		case o.NullGiven:
			return failure.New(failure.SyntaxError, "cannot specify NULL in BINARY mode")
		case o.Header != HeaderNone:
			return invalid("cannot specify HEADER in BINARY mode")
		}
	}
	o.Delimiter, o.Quote, o.Escape = '\t', '"', '"'
	if csv {
		o.Delimiter = ','
	}
	if !o.NullGiven {
		o.Null = `\N`
		if csv {
			o.Null = ""
		}
	}
	if o.DelimiterText != "" {
		if len(o.DelimiterText) != 1 {
			return invalid("COPY delimiter must be a single one-byte character")
		}
		o.Delimiter = o.DelimiterText[0]
	}
	if o.Delimiter == '\r' || o.Delimiter == '\n' {
		return badValue("COPY delimiter cannot be newline or carriage return")
	}
	if strings.ContainsAny(o.Null, "\r\n") {
		return badValue("COPY null representation cannot use newline or carriage return")
	}
	if !csv && o.Format == Text && strings.IndexByte(`\.abcdefghijklmnopqrstuvwxyz0123456789`, o.Delimiter) >= 0 {
		return badValue("COPY delimiter cannot be \"%c\"", o.Delimiter)
	}
	if err := o.finishQuotes(csv, from); err != nil {
		return err
	}
	if o.Format != Binary && strings.IndexByte(o.Null, o.Delimiter) >= 0 {
		return invalid("COPY delimiter must not appear in the NULL specification")
	}
	if csv && strings.IndexByte(o.Null, o.Quote) >= 0 {
		return invalid("CSV quote character must not appear in the NULL specification")
	}
	return nil
}

func (o *Options) finishQuotes(csv, from bool) error {
	if !csv {
		switch {
		case o.QuoteText != "":
			return invalid("COPY quote available only in CSV mode")
		case o.EscapeText != "":
			return invalid("COPY escape available only in CSV mode")
		case o.ForceQuote != nil:
			return invalid("COPY force quote available only in CSV mode")
		case o.ForceNotNull != nil:
			return invalid("COPY force not null available only in CSV mode")
		case o.ForceNull != nil:
			return invalid("COPY force null available only in CSV mode")
		}
		return nil
	}
	if o.QuoteText != "" {
		if len(o.QuoteText) != 1 {
			return invalid("COPY quote must be a single one-byte character")
		}
		o.Quote = o.QuoteText[0]
		o.Escape = o.Quote
	}
	if o.EscapeText != "" {
		if len(o.EscapeText) != 1 {
			return invalid("COPY escape must be a single one-byte character")
		}
		o.Escape = o.EscapeText[0]
	}
	switch {
	case o.Delimiter == o.Quote:
		return badValue("COPY delimiter and quote must be different")
	case o.ForceQuote != nil && from:
		return invalid("COPY force quote only available using COPY TO")
	case o.ForceNotNull != nil && !from:
		return invalid("COPY force not null only available using COPY FROM")
	case o.ForceNull != nil && !from:
		return invalid("COPY force null only available using COPY FROM")
	}
	return nil
}

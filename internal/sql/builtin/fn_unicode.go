package builtin

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/meridiandb/meridian/internal/datum"
	"github.com/meridiandb/meridian/internal/failure"
)

// registerUnicode registers normalize() and IS NORMALIZED.
func registerUnicode(r *registry) {
	form := func(name string) (norm.Form, error) {
		switch strings.ToUpper(name) {
		case "NFC":
			return norm.NFC, nil
		case "NFD":
			return norm.NFD, nil
		case "NFKC":
			return norm.NFKC, nil
		case "NFKD":
			return norm.NFKD, nil
		}
		return 0, failure.New(failure.InvalidParameterValue, "invalid normalization form: %s", name)
	}
	r.impl["unicode_normalize_func"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		f, err := form(a[1].Text())
		if err != nil {
			return datum.Null, err
		}
		return datum.NewText(f.String(a[0].Text())), nil
	}
	r.impl["unicode_is_normalized"] = func(_ *Context, a []datum.Datum) (datum.Datum, error) {
		f, err := form(a[1].Text())
		if err != nil {
			return datum.Null, err
		}
		return datum.NewBool(f.IsNormalString(a[0].Text())), nil
	}
}

package builtin

// FastOp names a function that an executor can inline, in place of calling its Impl.
type FastOp uint8

// The inlinable functions. Int covers all integers, oid, date, time, timestamp and timestamptz (their Datum.Int
// compares); Text is bytewise. Comparisons of one group are in the order LT, LE, EQ, GE, GT, NE.
const (
	FastNone FastOp = iota
	FastIntLT
	FastIntLE
	FastIntEQ
	FastIntGE
	FastIntGT
	FastIntNE
	FastFloatLT
	FastFloatLE
	FastFloatEQ
	FastFloatGE
	FastFloatGT
	FastFloatNE
	FastTextLT
	FastTextLE
	FastTextEQ
	FastTextGE
	FastTextGT
	FastTextNE
	FastInt4Add // overflow is 22003 through the Impl
	FastInt4Sub
	FastInt8Add
	FastInt8Sub
	FastIntWiden // int2 and int4 to wider integers: the same Datum
)

// Fast returns the inlinable operation of a function, FastNone for most.
func (fn *Func) Fast() FastOp {
	switch fn.Prosrc {
	case "int4pl", "int24pl", "int42pl":
		return FastInt4Add
	case "int4mi", "int24mi", "int42mi":
		return FastInt4Sub
	case "int8pl", "int48pl", "int84pl", "int28pl", "int82pl":
		return FastInt8Add
	case "int8mi", "int48mi", "int84mi", "int28mi", "int82mi":
		return FastInt8Sub
	case "int28", "int48", "i2toi4", "oidtoi8":
		return FastIntWiden
	}
	prefix, op := cutComparison(fn.Prosrc)
	if op == 0 {
		return FastNone
	}
	switch prefix {
	case "int2", "int4", "int8", "int24", "int42", "int28", "int82", "int48", "int84", "oid", "date_", "time_",
		"timestamp_":
		return FastIntLT + op - 1
	case "float4", "float8", "float48", "float84":
		return FastFloatLT + op - 1
	case "text", "text_", "name":
		return FastTextLT + op - 1
	}
	return FastNone
}

func cutComparison(s string) (prefix string, op FastOp) {
	if len(s) < 3 {
		return s, 0
	}
	prefix = s[:len(s)-2]
	switch s[len(s)-2:] {
	case "lt":
		return prefix, 1
	case "le":
		return prefix, 2
	case "eq":
		return prefix, 3
	case "ge":
		return prefix, 4
	case "gt":
		return prefix, 5
	case "ne":
		return prefix, 6
	}
	return s, 0
}

package jsondoc

import (
	"strconv"
	"strings"
)

// decimal is digits × 10^exp, without leading or trailing zeros in digits, so that equal numbers
// have equal decimals. Nothing is expanded: 1e999999999 costs no more than 1.
type decimal struct {
	negative bool
	digits   string
	exp      int64
}

// EqualNumbers reports whether two JSON number literals mean exactly the same number.
// A literal whose exponent does not fit 32 bits equals only its own spelling.
func EqualNumbers(a, b string) bool {
	if a == b {
		return true
	}
	x, okX := parseDecimal(a)
	y, okY := parseDecimal(b)
	return okX && okY && x == y
}

func parseDecimal(literal string) (d decimal, ok bool) {
	mantissa := literal
	if i := strings.IndexAny(literal, "eE"); i >= 0 {
		exp, err := strconv.ParseInt(literal[i+1:], 10, 32)
		if err != nil {
			return decimal{}, false
		}
		mantissa, d.exp = literal[:i], exp
	}
	mantissa, d.negative = strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	d.exp -= int64(len(fraction))
	d.digits = strings.TrimLeft(whole+fraction, "0")
	trimmed := strings.TrimRight(d.digits, "0")
	d.exp += int64(len(d.digits) - len(trimmed))
	d.digits = trimmed
	if d.digits == "" { // zero has one form: -0 and 0e7 too
		return decimal{}, true
	}
	return d, true
}

// Int64 returns the value of an integer that fits: 1, 1.0 and 1e3 do, 1.5 and 1e400 do not.
func (v Value) Int64() (int64, bool) {
	literal, ok := v.Number()
	if !ok {
		return 0, false
	}
	if i, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return i, true
	}
	d, ok := parseDecimal(literal)
	if !ok || d.exp < 0 || d.exp > 18 {
		return 0, false
	}
	text := "0" + d.digits + strings.Repeat("0", int(d.exp)) // also of 0.0 and 0e5
	if d.negative {
		text = "-" + text
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false
	}
	return i, true
}

// Float64 returns the nearest float64. It returns false for other kinds and beyond its range.
func (v Value) Float64() (float64, bool) {
	literal, ok := v.Number()
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return 0, false
	}
	return f, true
}

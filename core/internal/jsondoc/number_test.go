package jsondoc_test

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

func TestEqualNumbers_Exact(t *testing.T) {
	for _, test := range []struct {
		name, a, b string
		want       bool
	}{
		{"one", "1", "1", true},
		{"one with a fraction of zero", "1", "1.000", true},
		{"one with an exponent of zero", "1", "1e0", true},
		{"ten as an exponent", "10", "1e1", true},
		{"a tenth", "0.1", "1E-1", true},
		{"a capital E and a plus sign", "1200", "1.2E+3", true},
		{"a fraction moved by the exponent", "123.45", "0.0012345e5", true},
		{"one and minus one", "1", "-1", false},
		{"one and ten", "1", "10", false},
		{"one and a tenth", "1", "0.1", false},
		{"zero and minus zero", "0", "-0", true},
		{"zero with any exponent", "0", "0.000e7", true},
		{"zero and 1e-400", "0", "1e-400", false},
		{"neighbours beyond 2^53", "9007199254740992", "9007199254740993", false},
		{"numbers that are one float64", "0.1", "0.1000000000000000055511151231257827", false},
		{"numbers beyond every float64", "1e400", "10e399", true},
		{"different numbers beyond every float64", "1e400", "1e401", false},
		{"a thousand digits", strings.Repeat("9", 1000), strings.Repeat("9", 1000) + ".0", true},
		{"a million digits against an exponent", "1" + strings.Repeat("0", 1_000_000), "1e1000000", true},
		{"a huge exponent", "1e2147483647", "10e2147483646", true},
		{"an exponent too large to compute with equals its own spelling", "1e99999999999", "1e99999999999", true},
		{"zero and an exponent too large to compute with", "0", "0e99999999999", false},
		{"an exponent too large to compute with equals nothing else", "1e99999999999", "10e99999999998", false},
		{"exponents too large to compute with do not equal each other", "1e99999999999", "1e99999999998", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if jsondoc.EqualNumbers(test.a, test.b) != test.want || jsondoc.EqualNumbers(test.b, test.a) != test.want {
				t.Errorf("EqualNumbers is %t and the other way %t, want %t", jsondoc.EqualNumbers(test.a, test.b), jsondoc.EqualNumbers(test.b, test.a), test.want)
			}
		})
	}
}

func TestValue_Int64(t *testing.T) {
	for _, test := range []struct {
		name, literal string
		want          int64
		ok            bool
	}{
		{"zero", "0", 0, true},
		{"minus zero", "-0", 0, true},
		{"zero with a fraction", "0.0", 0, true},
		{"zero with an exponent", "0e5", 0, true},
		{"minus zero with both", "-0.00e-7", 0, true},
		{"one with a fraction of zero", "1.0", 1, true},
		{"a thousand as an exponent", "1e3", 1000, true},
		{"minus a thousand as an exponent", "-1e3", -1000, true},
		{"a fraction that the exponent takes away", "1.5e1", 15, true},
		{"a half", "0.5", 0, false},
		{"one and a half", "1.5", 0, false},
		{"beyond 2^53", "9007199254740993", 9007199254740993, true},
		{"beyond 2^53, with an exponent", "900719925474099.3e1", 9007199254740993, true},
		{"the largest", "9223372036854775807", math.MaxInt64, true},
		{"the largest, with a fraction", "9223372036854775807.0", math.MaxInt64, true},
		{"one more than the largest", "9223372036854775808", 0, false},
		{"one more than the largest, with a fraction", "9223372036854775808.0", 0, false},
		{"the smallest", "-9223372036854775808", math.MinInt64, true},
		{"the smallest, with a fraction", "-9223372036854775808.0", math.MinInt64, true},
		{"one less than the smallest", "-9223372036854775809", 0, false},
		{"ten to the 18th", "1e18", 1e18, true},
		{"ten to the 19th", "1e19", 0, false},
		{"beyond every float", "1e400", 0, false},
		{"an exponent of millions", "1e999999999", 0, false},
		{"an exponent that fits nothing", "1e99999999999999999999", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := parse(t, test.literal).Int64()
			if got != test.want || ok != test.ok {
				t.Errorf("got %d, %t; want %d, %t", got, ok, test.want, test.ok)
			}
		})
	}
}

func TestValue_Float64(t *testing.T) {
	for _, test := range []struct {
		name, literal string
		want          float64
		ok            bool
	}{
		{"a half", "0.5", 0.5, true},
		{"an integer", "-3", -3, true},
		{"the largest", "1.7976931348623157e308", math.MaxFloat64, true},
		{"beyond the largest", "1e400", 0, false},
		{"beyond the smallest", "-1e400", 0, false},
		{"too close to zero", "1e-400", 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := parse(t, test.literal).Float64()
			if ok != test.ok || got != test.want {
				t.Errorf("got %g, %t; want %g, %t", got, ok, test.want, test.ok)
			}
		})
	}
}

// moderate keeps math/big from computing numbers of a million digits.
func moderate(literal string) bool {
	exp := 0
	if i := strings.IndexAny(literal, "eE"); i >= 0 {
		var err error
		if exp, err = strconv.Atoi(literal[i+1:]); err != nil {
			return false
		}
	}
	return exp > -400 && exp < 400 && len(literal) < 400
}

func FuzzEqualNumbers(f *testing.F) {
	for _, literal := range []string{"0", "-0", "0.0", "1", "1.0", "10e-1", "1E+2", "100", "9007199254740993", "9007199254740993.0", "0.1", "1e-1", "-5e-3", "1e300"} {
		f.Add(literal, "1")
		f.Add(literal, literal+"0")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, err := jsondoc.Parse([]byte("[" + a + "," + b + "]"))
		if err != nil || v.Len() != 2 {
			return
		}
		var literals []string
		for e := range v.Elements() {
			literal, ok := e.Number()
			if !ok || !moderate(literal) {
				return
			}
			literals = append(literals, literal)
		}
		x, okX := new(big.Rat).SetString(literals[0])
		y, okY := new(big.Rat).SetString(literals[1])
		if !okX || !okY {
			t.Fatalf("math/big cannot read %q", literals)
		}
		if got, want := jsondoc.EqualNumbers(literals[0], literals[1]), x.Cmp(y) == 0; got != want {
			t.Errorf("EqualNumbers(%s, %s) = %t, want %t", literals[0], literals[1], got, want)
		}
		for i, e := range []*big.Rat{x, y} {
			number := parse(t, literals[i])
			got, ok := number.Int64()
			if want := e.IsInt() && e.Num().IsInt64(); ok != want || (ok && got != e.Num().Int64()) {
				t.Errorf("Int64 of %s = %d, %t", literals[i], got, ok)
			}
		}
	})
}

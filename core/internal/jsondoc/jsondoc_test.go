package jsondoc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
	"weak"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

func parse(t *testing.T, text string) jsondoc.Value {
	t.Helper()
	v, err := jsondoc.Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return v
}

func nested(open, end string, depth int) string {
	return strings.Repeat(open, depth) + "1" + strings.Repeat(end, depth)
}

// Texts about which readers could disagree are refused.
func TestParse_Refuses(t *testing.T) {
	for _, test := range []struct {
		name, text string
		err        error // nil: any
	}{
		{"nothing", "", nil},
		{"white space alone", " \n\t ", nil},
		{"a member twice", `{"a":1,"a":1}`, jsondoc.ErrDuplicate},
		{"a member twice with others between", `{"a":1,"b":2,"a":3}`, jsondoc.ErrDuplicate},
		{"a member twice, once spelled by an escape", `{"exp":1,"e\u0078p":2}`, jsondoc.ErrDuplicate},
		{"a member twice, once spelled by a surrogate pair", `{"😀":1,"\ud83d\ude00":2}`, jsondoc.ErrDuplicate},
		{"an empty name twice", `{"":1,"":2}`, jsondoc.ErrDuplicate},
		{"a member twice in an inner object", `{"a":{"b":[{"c":1,"c":2}]}}`, jsondoc.ErrDuplicate},
		{"a member twice among many", `{` + manyMembers(200) + `,"m7":0}`, jsondoc.ErrDuplicate},
		{"a member twice among very many", `{` + manyMembers(5000) + `,"m7":0}`, jsondoc.ErrDuplicate},
		{"a member twice in a row after many", `{` + manyMembers(200) + `,"z":0,"z":0}`, jsondoc.ErrDuplicate},
		{"33 arrays in each other", nested("[", "]", 33), jsondoc.ErrTooDeep},
		{"33 objects in each other", nested(`{"a":`, "}", 33), jsondoc.ErrTooDeep},
		{"33 levels of both", nested(`[`, "]", 1)[:1] + nested(`{"a":`, "}", 32) + "]", jsondoc.ErrTooDeep},
		{"a hundred thousand open arrays", strings.Repeat("[", 100_000), nil},
		{"a second value", `{} {}`, nil},
		{"a second value without a gap", `{}{}`, nil},
		{"a trailing bracket", `{}]`, nil},
		{"a trailing comma", `{},`, nil},
		{"a trailing NUL", "{}\x00", nil},
		{"a trailing comment", `{}//`, nil},
		{"a comment within", `{/**/}`, nil},
		{"a byte order mark", "\ufeff{}", nil},
		{"UTF-16", "\xff\xfe{\x00}\x00", nil},
		{"a byte that is not UTF-8 in a string", "[\"\xff\"]", nil},
		{"a byte that is not UTF-8 in a name", "{\"\xff\":1}", nil},
		{"an overlong encoding of a slash", "[\"\xc0\xaf\"]", nil},
		{"a surrogate encoded in UTF-8", "[\"\xed\xa0\x80\"]", nil},
		{"a lone high surrogate", `["\ud800"]`, nil},
		{"a lone low surrogate", `["\udc00"]`, nil},
		{"surrogates the wrong way round", `["\udc00\ud800"]`, nil},
		{"a lone surrogate in a name", `{"\ud800":1}`, nil},
		{"a line break in a string", "[\"\n\"]", nil},
		{"a NUL in a string", "[\"\x00\"]", nil},
		{"an unknown escape", `["\x41"]`, nil},
		{"a string that does not end", `["abc`, nil},
		{"an object that does not end", `{"a":1`, nil},
		{"an array closed as an object", `[1}`, nil},
		{"an object closed as an array", `{"a":1]`, nil},
		{"a name that is a number", `{1:2}`, nil},
		{"a name that is an object", `{{}:1}`, nil},
		{"a name without its first quote", `{a":1}`, nil},
		{"a name without its first quote, where a string ends", `{"a":"b",c":1}`, nil},
		{"an object that ends before a name", `{"a":1,`, nil},
		{"a name without a value", `{"a"}`, nil},
		{"a name and a comma", `{"a","b"}`, nil},
		{"a comma too many in an object", `{"a":1,}`, nil},
		{"a comma too many in an array", `[1,]`, nil},
		{"single quotes", `{'a':1}`, nil},
		{"a number that begins with zero", `[01]`, nil},
		{"a number that begins with plus", `[+1]`, nil},
		{"a number that ends in a point", `[1.]`, nil},
		{"a number that begins with a point", `[.5]`, nil},
		{"a number in hex", `[0x10]`, nil},
		{"an exponent without digits", `[1e]`, nil},
		{"a minus sign alone", `[-]`, nil},
		{"NaN", `[NaN]`, nil},
		{"Infinity", `[-Infinity]`, nil},
		{"True as Python spells it", `[True]`, nil},
		{"half a literal", `[nul]`, nil},
		{"another word of four letters for null", `[nope]`, nil},
		{"another word of four letters for true", `[tree]`, nil},
		{"another word of five letters for false", `[fault]`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, err := jsondoc.Parse([]byte(test.text))
			if err == nil {
				t.Fatalf("accepted %.80q", test.text)
			}
			if v.Kind() != jsondoc.Absent {
				t.Errorf("with the error %v came a value: %v", err, v.Kind())
			}
			if test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("error is %v, want %v", err, test.err)
			}
			_, lenient := jsondoc.ParseWithin([]byte(test.text), jsondoc.Limits{Depth: jsondoc.MaxDepth, Lenient: true})
			if surrogate := strings.Contains(test.name, "surrogate") && strings.HasPrefix(test.text, `["\u`); surrogate != (lenient == nil) {
				t.Errorf("ParseWithin: %v", lenient)
			}
		})
	}
}

func TestParseWithin_LoneSurrogates(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`"Ada \ud83d"`, "Ada \ufffd"},
		{`"Ada \uD83D"`, "Ada \ufffd"},
		{`"\ude00 Ada"`, "\ufffd Ada"},
		{`"\ud83d\ud83d\ude00"`, "\ufffd😀"},
		{`"\ud83d\n"`, "\ufffd\n"},
		{`"\ud83d\"\\"`, "\ufffd\"\\"},
		{`"\udc00\ud800"`, "\ufffd\ufffd"},
		{`"\ud83dx"`, "\ufffdx"},
		{`"\ud83d:"`, "\ufffd:"},
		{`"\u00e9 \ud83d é"`, "é \ufffd é"},
	} {
		v, err := jsondoc.ParseWithin([]byte(`{"a":[1,`+test.text+`],"b":"\ud83d\ude00","c":"\ufffd"}`), jsondoc.Limits{Depth: jsondoc.MaxDepth, Lenient: true})
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		for e := range v.Get("a").Elements() {
			if s, isText := e.Text(); s != test.want && isText || e.Replaced() != isText {
				t.Errorf("%s: %q, replaced: %t", test.text, s, e.Replaced())
			}
		}
		if !v.Replaced() || !v.Get("a").Replaced() || v.Get("b").Replaced() || v.Get("c").Replaced() || v.Get("d").Replaced() {
			t.Errorf("%s: the wrong values are replaced", test.text)
		}
	}
	for _, text := range []string{
		`{"\ud83d":1}`, `{"a\ud83d" :1}`, "{\"\\ud83d\"\n\t: 1}", `[{"x":[{"\udc00":"\ud83d"}]}]`, "[\"\\ud83d\xff\"]", "{\"\\ud83d\":1,\"\\ud83e\":2}", `["\ud83d"`, `["\ud83"]`, `{"a":"\ud83d","a":1}`,
	} {
		if v, err := jsondoc.ParseWithin([]byte(text), jsondoc.Limits{Depth: jsondoc.MaxDepth, Lenient: true}); err == nil {
			t.Errorf("accepted %q as %#v", text, tree(v))
		}
	}
	t.Run("what was replaced equals nothing", func(t *testing.T) {
		v, err := jsondoc.ParseWithin([]byte(`{"a":"\ud83d","b":"\ufffd","c":["\ud83d"],"d":["\ufffd"]}`), jsondoc.Limits{Depth: jsondoc.MaxDepth, Lenient: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b", "c", "d"} {
			for _, other := range []string{"a", "b", "c", "d"} {
				if got := v.Get(name).Equal(v.Get(other)); got != (name == other && (name == "b" || name == "d")) {
					t.Errorf("%s equals %s: %t", name, other, got)
				}
			}
		}
	})
}

func TestParseWithin_Depth(t *testing.T) {
	for _, most := range []int{2, 32, 34, 500, 2048} {
		for _, form := range []struct {
			open, end string
			levels    int // of one
		}{{"[", "]", 1}, {`{"a":`, "}", 1}, {`[{"a":`, "}]", 2}, {`[0,{"b":2},`, ",[1]]", 1}} {
			times := most / form.levels
			if strings.Contains(form.end, ",") {
				times-- // its elements are a level deeper
			}
			for _, lenient := range []bool{false, true} {
				text := nested(form.open, form.end, times)
				if v, err := jsondoc.ParseWithin([]byte(text), jsondoc.Limits{Depth: most, Lenient: lenient}); err != nil || string(v.AppendJSON(nil)) != text {
					t.Errorf("%d times %s: %v", times, form.open, err)
				}
				_, err := jsondoc.ParseWithin([]byte(nested(form.open, form.end, times+1)), jsondoc.Limits{Depth: most, Lenient: lenient})
				if !errors.Is(err, jsondoc.ErrTooDeep) || !strings.Contains(err.Error(), "more than "+strconv.Itoa(most)+" levels") {
					t.Errorf("%d times %s within %d: %v", times+1, form.open, most, err)
				}
			}
		}
	}
	v := parse(t, `{"a":[[1],[[2,{"b":[]}],3]],"c":{"d":{}},"e":4}`)
	if got := fmt.Sprint(tree(v)); got != "map[a:[[1] [[2 map[b:[]]] 3]] c:map[d:map[]] e:4]" {
		t.Error(got)
	}
}

func manyMembers(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = `"m` + strconv.Itoa(i) + `":0`
	}
	return strings.Join(members, ",")
}

func TestParse_Accepts(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       any
	}{
		{"null", `null`, nil},
		{"true", `true`, true},
		{"false among white space", " \r\n\tfalse ", false},
		{"a string", `"a"`, "a"},
		{"an empty string", `""`, ""},
		{"every escape", `"\"\\\/\b\f\n\r\té😀"`, "\"\\/\b\f\n\r\té😀"},
		{"an escaped NUL", `"\u0000"`, "\x00"},
		{"a number", `-12.5e+3`, json.Number("-12.5e+3")},
		{"a number beyond every float", `1e400`, json.Number("1e400")},
		{"an integer beyond 2^53", `9007199254740993`, json.Number("9007199254740993")},
		{"an empty array", `[ ]`, []any{}},
		{"an empty object", `{ }`, map[string]any{}},
		{"an empty name", `{"":1}`, map[string]any{"": json.Number("1")}},
		{"names that differ in case", `{"a":1,"A":2}`, map[string]any{"a": json.Number("1"), "A": json.Number("2")}},
		{"one name at two levels", `{"a":{"a":1}}`, map[string]any{"a": map[string]any{"a": json.Number("1")}}},
		{"one name in two elements", `[{"a":1},{"a":2}]`, []any{map[string]any{"a": json.Number("1")}, map[string]any{"a": json.Number("2")}}},
		{
			"strings with escapes beside strings without", `{"a\n":"b","c":"d\n","e":["f","\u0067"]}`,
			map[string]any{"a\n": "b", "c": "d\n", "e": []any{"f", "g"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := parse(t, test.text)
			if got := tree(v); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
			again := parse(t, string(v.AppendJSON(nil)))
			if got := tree(again); !reflect.DeepEqual(got, test.want) {
				t.Errorf("re-encoded: got %#v, want %#v", got, test.want)
			}
		})
	}
	t.Run("very many members", func(t *testing.T) {
		if n := parse(t, `{`+manyMembers(5000)+`}`).Len(); n != 5000 {
			t.Errorf("%d members", n)
		}
	})
	t.Run("32 levels of arrays", func(t *testing.T) { parse(t, nested("[", "]", 32)) })
	t.Run("32 levels of objects", func(t *testing.T) { parse(t, nested(`{"a":`, "}", 32)) })
	t.Run("32 levels twice side by side", func(t *testing.T) {
		inner := nested("[", "]", 31)
		parse(t, "["+inner+","+inner+"]")
	})
}

// Each byte is read as encoding/json reads it, at each place of a string, except for invalid UTF-8.
func TestParse_EachByteInStrings(t *testing.T) {
	for _, around := range []string{"abcdefghijklmnopqrstuvwxyz", "0123456789ABCDEFGHIJKLMNOP"} {
		for length := range around {
			for at := range length {
				for b := range 256 {
					text := []byte(`"` + around[:length] + `"`)
					text[1+at] = byte(b)
					var want string
					valid := json.Unmarshal(text, &want) == nil && utf8.Valid(text)
					v, err := jsondoc.Parse(text)
					if got, _ := v.Text(); (err == nil) != valid || valid && got != want {
						t.Fatalf("%q: read %q, %v; want %q, %t", text, got, err, want, valid)
					}
				}
			}
		}
	}
}

// Parse does not read beyond the end of the text.
func TestParse_EndsWithText(t *testing.T) {
	for _, whole := range []string{`["a\n"]`, `["abcdefgh"]`, `[true]`, `[1.5e+7]`, `{"a":1}`} {
		for n := range len(whole) {
			if _, err := jsondoc.Parse([]byte(whole)[:n]); err == nil {
				t.Errorf("%q was read beyond its end", whole[:n])
			}
		}
	}
}

// By its size a cache bounds what it keeps.
func TestValue_Size(t *testing.T) {
	if n := (jsondoc.Value{}).Size(); n != 0 {
		t.Errorf("an absent value takes %d bytes", n)
	}
	for name, text := range map[string]string{
		"a long string":            `"` + strings.Repeat("x", 4096-2) + `"`,
		"a long string of escapes": `"` + strings.Repeat(`\n`, 2048) + `"`,
		"many values":              `[` + strings.Repeat("0,", 1000) + `0]`,
		"one member":               `{"a":0}`,
	} {
		t.Run(name, func(t *testing.T) {
			const count = 2000
			given := []byte(text)
			kept := make([]jsondoc.Value, count)
			heap := func() float64 {
				var stats runtime.MemStats
				runtime.GC()
				runtime.GC() // the first leaves what is in pools
				runtime.ReadMemStats(&stats)
				return float64(stats.HeapAlloc)
			}
			before := heap()
			for i := range kept {
				kept[i], _ = jsondoc.Parse(given)
			}
			takes, said := (heap()-before)/count, float64(kept[0].Size())
			if said < 0.7*takes || said > 1.5*takes { // with 32 bits it takes less
				t.Errorf("the size is said to be %.0f bytes; it is %.0f", said, takes)
			}
			runtime.KeepAlive(kept)
		})
	}
}

func TestParse_ErrorsWithoutText(t *testing.T) {
	const secret = "hunter2"
	for _, text := range []string{
		`{"` + secret + `":1,"` + secret + `":2}`, `"` + secret, secret, `{"a":` + secret, `{"` + secret + `"}`, `{} ` + secret,
		`["` + secret + `\ud800"]`, strings.Repeat("[", 40) + `"` + secret + `"`,
	} {
		_, err := jsondoc.Parse([]byte(text))
		if err == nil {
			t.Errorf("accepted %q", text)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), secret) {
				t.Errorf("the error for %q holds it: %v", text, e)
			}
		}
	}
}

func TestParse_CopiesText(t *testing.T) {
	text := []byte(`{"a":"plain","b":"esc\u0061ped","c":[1,true]}`)
	v, err := jsondoc.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	clear(text)
	for range 10 { // and the pooled reader keeps none of the value
		parse(t, `{"z":"zzzzz","y":"\u007a\u007a\u007a\u007a\u007a\u007a","x":[0,false]}`)
	}
	want := map[string]any{"a": "plain", "b": "escaped", "c": []any{json.Number("1"), true}}
	if got := tree(v); !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
}

// The pool of decoders keeps no text, which may be part of a token.
func TestParse_PoolKeepsNoText(t *testing.T) {
	for _, form := range []string{`{"a":"secret"}`, `{"a":"secret"`} {
		text := []byte(form + strings.Repeat(" ", 1<<10))
		weakly := weak.Make(&text[0])
		_, _ = jsondoc.Parse(text)
		runtime.GC() // a pool survives the first
		if weakly.Value() != nil {
			t.Errorf("%s is referenced after it was read", form)
		}
	}
}

func TestParse_AfterError(t *testing.T) {
	for range 100 {
		for _, bad := range []string{`{"a":`, `{"a":1,"a":2}`, `["\ud800"]`, `{} x`, strings.Repeat("[", 50), ``} {
			if _, err := jsondoc.Parse([]byte(bad)); err == nil {
				t.Fatalf("accepted %q", bad)
			}
			if got := tree(parse(t, `{"a":"b\n"}`)); !reflect.DeepEqual(got, map[string]any{"a": "b\n"}) {
				t.Fatalf("after %q: %#v", bad, got)
			}
		}
	}
}

func TestParse_Concurrent(t *testing.T) {
	shared := parse(t, `{"a":[1,{"b":"c\t"}]}`)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 200 {
				n := strconv.Itoa(i)
				v, err := jsondoc.Parse([]byte(`{"n":` + n + `,"s":"\u0041` + n + `"}`))
				if err != nil {
					t.Error(err)
					return
				}
				if s, _ := v.Get("s").Text(); s != "A"+n {
					t.Errorf("got %q, want A%s", s, n)
				}
				if got, ok := tree(shared.Get("a")).([]any); !ok || len(got) != 2 {
					t.Errorf("shared: %#v", got)
				}
			}
		})
	}
	group.Wait()
}

func TestValue_Get(t *testing.T) {
	v := parse(t, `{"exp":1,"Exp":2,"a.b":3,"":4,"o":{"exp":5},"esc\u0061pe":6,"l":["exp"],"s":"exp"}`)
	for _, test := range []struct {
		name string
		path []string
		want string // empty: absent
	}{
		{"a member", []string{"exp"}, "1"},
		{"a member by another case", []string{"EXP"}, ""},
		{"its neighbour by case", []string{"Exp"}, "2"},
		{"a name with a dot", []string{"a.b"}, "3"},
		{"an empty name", []string{""}, "4"},
		{"an inner member", []string{"o", "exp"}, "5"},
		{"a name that was escaped", []string{"escape"}, "6"},
		{"an element of an array by its value", []string{"l", "exp"}, ""},
		{"an element of an array by its index", []string{"l", "0"}, ""},
		{"a member of a string", []string{"s", "exp"}, ""},
		{"a member of nothing", []string{"x", "exp"}, ""},
		{"a name followed by more", []string{"expo"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			at := v
			for _, name := range test.path {
				at = at.Get(name)
			}
			if got, _ := at.Number(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestValue_Kinds(t *testing.T) {
	kinds := map[string]string{
		"nothing": "", "null": "null", "boolean": "true", "number": "0", "string": `""`, "array": "[1]", "object": `{"a":1}`,
	}
	for kind, literal := range kinds {
		t.Run(kind, func(t *testing.T) {
			var v jsondoc.Value
			if kind != "nothing" {
				v = parse(t, literal)
			}
			if got := v.Kind().String(); got != kind {
				t.Errorf("Kind is %s", got)
			}
			text, isText := v.Text()
			on, isBool := v.Bool()
			number, isNumber := v.Number()
			whole, isInt := v.Int64()
			float, isFloat := v.Float64()
			for what, got := range map[string]bool{"string": isText, "boolean": isBool, "number": isNumber} {
				if got != (what == kind) {
					t.Errorf("as a %s: %t", what, got)
				}
			}
			if isInt != isNumber || isFloat != isNumber {
				t.Errorf("as an integer: %t, as a float: %t", isInt, isFloat)
			}
			if text != "" || on && !isBool || number != "" && !isNumber || whole != 0 || float != 0 {
				t.Errorf("a failed conversion returned a value: %q, %t, %q, %d, %g", text, on, number, whole, float)
			}
			elements := len(slices.Collect(v.Elements()))
			members := len(maps.Collect(v.Members()))
			if (elements > 0) != (kind == "array") || (members > 0) != (kind == "object") || v.Len() != elements+members {
				t.Errorf("%d elements, %d members, Len %d", elements, members, v.Len())
			}
			if string(v.AppendJSON([]byte("x"))) != "x"+literal {
				t.Errorf("AppendJSON: %s", v.AppendJSON([]byte("x")))
			}
		})
	}
}

func TestValue_IterationStops(t *testing.T) {
	v := parse(t, `{"a":[1,2,3],"b":0,"c":0}`)
	var seen []string
	for name := range v.Members() {
		seen = append(seen, name)
		if name == "b" {
			break
		}
	}
	for e := range v.Get("a").Elements() {
		n, _ := e.Number()
		seen = append(seen, n)
		break
	}
	if want := []string{"a", "b", "1"}; !slices.Equal(seen, want) {
		t.Errorf("saw %q, want %q", seen, want)
	}
}

func TestValue_Equal(t *testing.T) {
	for _, test := range []struct {
		name, a, b string
		want       bool
	}{
		{"null and null", `null`, `null`, true},
		{"null and false", `null`, `false`, false},
		{"null and an empty string", `null`, `""`, false},
		{"true and true", `true`, `true`, true},
		{"true and false", `true`, `false`, false},
		{"true and 1", `true`, `1`, false},
		{"false and 0", `false`, `0`, false},
		{"1 and a string 1", `1`, `"1"`, false},
		{"1 and 1.0", `1`, `1.0`, true},
		{"neighbours beyond 2^53", `9007199254740993`, `9007199254740992`, false},
		{"a string by another spelling", `"aé"`, `"\u0061\u00e9"`, true},
		{"strings in other cases", `"a"`, `"A"`, false},
		{"é composed and decomposed", `"\u00e9"`, `"e\u0301"`, false},
		{"empty arrays", `[]`, `[ ]`, true},
		{"arrays in another order", `[1,2]`, `[2,1]`, false},
		{"an array and its beginning", `[1,2]`, `[1]`, false},
		{"nested arrays", `[[1],[2,[3.0]]]`, `[[1.0],[2,[3]]]`, true},
		{"arrays that differ deep down", `[[1],[2,[3]]]`, `[[1],[2,[4]]]`, false},
		{"an empty array and an empty object", `[]`, `{}`, false},
		{"objects in another order", `{"a":1,"b":[2]}`, `{"b":[2],"a":1}`, true},
		{"an object and a part of it", `{"a":1,"b":2}`, `{"a":1}`, false},
		{"objects of the same size", `{"a":1,"b":2}`, `{"a":1,"c":2}`, false},
		{"objects whose values differ in type", `{"a":1}`, `{"a":"1"}`, false},
		{"a null member and a missing one", `{"a":null}`, `{"b":null}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := parse(t, test.a), parse(t, test.b)
			if a.Equal(b) != test.want || b.Equal(a) != test.want {
				t.Errorf("Equal is %t and the other way %t, want %t", a.Equal(b), b.Equal(a), test.want)
			}
			if same, again := parse(t, test.a), parse(t, test.b); !a.Equal(same) || !b.Equal(again) {
				t.Error("a value does not equal itself")
			}
		})
	}
	t.Run("nothing and nothing", func(t *testing.T) {
		if (jsondoc.Value{}).Equal(jsondoc.Value{}) {
			t.Error("an absent value equals another")
		}
	})
	t.Run("nothing and null", func(t *testing.T) {
		if null := parse(t, `null`); null.Equal(jsondoc.Value{}) || (jsondoc.Value{}).Equal(null) {
			t.Error("an absent value equals null")
		}
	})
}

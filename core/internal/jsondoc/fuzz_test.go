package jsondoc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// FuzzParseAgreesWithJSONText holds this package's reader to jsontext, which it took the place of:
// both accept and refuse the same, but for the depth.
func FuzzParseAgreesWithJSONText(f *testing.F) {
	for _, text := range []string{
		`null`, ` true `, `"a\n\ud83d\ude00"`, `-1.5e+7`, `[1,"2",[3],{}]`, `{"a":{"b":[1,{"c":"d"}]},"e\u0078p":1}`,
		`{"a":1,"a":2}`, `{"a":1}x`, "\ufeff{}", `["\ud800"]`, "[\"\xff\"]", `{"a":1,}`, `[1,]`, `{"a" 1}`, `{"":0,"":1}`, `01`, `-`, `1.`, `1e`, `.5`, `+1`, `tru`, `"`, `"\`, `"\u12`,
		`{"\u0061":1,"a":2}`, `"\udc00\ud800"`, "\"\x7f\"", "\"\x1f\"", "\"\u2028\"", `[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]`, `{"a":[}`, `[}`, `{]`, `1 2`, ` `, ``, `nulll`, `{"a":nul}`, `-0`, `-01`, `0e0`, `0.0E-0`,
	} {
		f.Add([]byte(text))
	}
	many := []byte("{")
	for i := range 100 {
		many = fmt.Appendf(many, `"%d":%d,`, i%70, i)
	}
	f.Add(append(many, `"z":0}`...))
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := jsondoc.Parse(text)
		valid := jsontext.Value(text).IsValid()
		if errors.Is(err, jsondoc.ErrTooDeep) {
			return // which may be found before something else
		}
		if (err == nil) != valid {
			t.Fatalf("%q: %v, where jsontext says %v", text, err, valid)
		}
		var d jsondoc.Document
		again, err2 := d.Read(text)
		if (err == nil) != (err2 == nil) || err == nil && !again.Equal(v) {
			t.Fatalf("%q: Read says %v", text, err2)
		}
		if err == nil {
			return
		}
		_, theirs := jsontext.NewDecoder(bytes.NewReader(text)).ReadValue()
		if errors.Is(err, jsondoc.ErrDuplicate) != errors.Is(theirs, jsontext.ErrDuplicateName) {
			t.Fatalf("%q: %v, where jsontext says %v", text, err, theirs)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`null`, ` true `, `"a\n\ud83d\ude00"`, `-1.5e+7`, `[1,"2",[3],{}]`, `{"a":{"b":[1,{"c":"d"}]},"e\u0078p":1}`,
		`{"a":1,"a":2}`, `{"a":1}x`, "\ufeff{}", `["\ud800"]`, "[\"\xff\"]", `[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		given := bytes.Clone(text)
		v, err := jsondoc.Parse(text)
		if !bytes.Equal(given, text) {
			t.Fatal("Parse changed the text")
		}
		if err != nil {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("accepted %q, which encoding/json refuses: %v", text, err)
		}
		if _, err := decoder.Token(); err != io.EOF {
			t.Fatalf("accepted %q, after which encoding/json finds more: %v", text, err)
		}
		got := v.Any()
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: read %#v where encoding/json reads %#v", text, got, want)
		}
		encoded := v.AppendJSON(nil)
		again, err := jsondoc.Parse(encoded)
		if err != nil {
			t.Fatalf("%q was encoded as %q, which is refused: %v", text, encoded, err)
		}
		if !reflect.DeepEqual(again.Any(), want) || !again.Equal(v) || !v.Equal(again) {
			t.Fatalf("%q was encoded as %q, which means something else", text, encoded)
		}
	})
}

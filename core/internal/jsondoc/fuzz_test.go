package jsondoc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// FuzzParse compares with encoding/json, and with jsontext in what is valid.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`null`, ` true `, `"a\n\ud83d\ude00"`, `-1.5e+7`, `[1,"2",[3],{}]`, `{"a":{"b":[1,{"c":"d"}]},"e\u0078p":1}`,
		`{"a":1,"a":2}`, `{"a":1}x`, "\ufeff{}", `["\ud800"]`, `{"a":"\ud83d\n","\ud83d\ude00":"\uDE00"}`, `{"\ud83d":1}`, "[\"\xff\"]", `[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]`,
		`{"a":1,}`, `[1,]`, `{"a" 1}`, `{"":0,"":1}`, `01`, `-`, `1.`, `1e`, `.5`, `+1`, `tru`, `"`, `"\`, `"\u12`, `{"\u0061":1,"a":2}`,
		`"\udc00\ud800"`, "\"\x7f\"", "\"\x1f\"", "\"\u2028\"", `{"a":[}`, `[}`, `{]`, `1 2`, ` `, ``, `nulll`, `{"a":nul}`, `-0`, `-01`, `0e0`, `0.0E-0`, `",,,,,,,,"`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		given := bytes.Clone(text)
		v, err := jsondoc.Parse(text)
		if err != nil {
			if v, err := jsondoc.ParseWithin(text, jsondoc.Limits{Depth: jsondoc.MaxDepth, Lenient: true}); err == nil && (!v.Replaced() || !reflect.DeepEqual(tree(v), decoded(t, text))) {
				t.Fatalf("%q was read as %#v", text, tree(v))
			}
		}
		if !bytes.Equal(given, text) {
			t.Fatal("Parse changed the text")
		}
		valid := jsontext.Value(text).IsValid()
		if err != nil {
			if valid && !errors.Is(err, jsondoc.ErrTooDeep) {
				t.Fatalf("%q: %v", text, err)
			}
			_, theirs := jsontext.NewDecoder(bytes.NewReader(text)).ReadValue()
			if errors.Is(err, jsondoc.ErrDuplicate) != errors.Is(theirs, jsontext.ErrDuplicateName) {
				t.Fatalf("%q: %v, where jsontext says %v", text, err, theirs)
			}
			return
		}
		want := decoded(t, text)
		got := tree(v)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: read %#v where encoding/json reads %#v", text, got, want)
		}
		encoded := v.AppendJSON(nil)
		again, err := jsondoc.Parse(encoded)
		if err != nil {
			t.Fatalf("%q was encoded as %q, which is refused: %v", text, encoded, err)
		}
		if !reflect.DeepEqual(tree(again), want) || !again.Equal(v) || !v.Equal(again) {
			t.Fatalf("%q was encoded as %q, which means something else", text, encoded)
		}
	})
}

// decoded reads a text by encoding/json.
func decoded(t *testing.T, text []byte) (want any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&want); err != nil {
		t.Fatalf("accepted %q, which encoding/json refuses: %v", text, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Fatalf("accepted %q, after which encoding/json finds more: %v", text, err)
	}
	return want
}

// tree returns a value as Go values, by the methods of its kind.
func tree(v jsondoc.Value) any {
	switch v.Kind() {
	case jsondoc.Bool:
		b, _ := v.Bool()
		return b
	case jsondoc.Number:
		n, _ := v.Number()
		return json.Number(n)
	case jsondoc.String:
		s, _ := v.Text()
		return s
	case jsondoc.Array:
		list := []any{}
		for e := range v.Elements() {
			list = append(list, tree(e))
		}
		return list
	case jsondoc.Object:
		object := map[string]any{}
		for name, member := range v.Members() {
			object[name] = tree(member)
		}
		return object
	}
	return nil
}

package jsondoc_test

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

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

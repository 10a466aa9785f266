package keys_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/more-retail/moresso-go/core/keys"
)

// FuzzMembers compares with encoding/json.
func FuzzMembers(f *testing.F) {
	for _, text := range []string{
		`{}`, ` { } `, `{"a":1}`, `{"a":1,"a":2}`, `{"a":{"b":[1,{"c":",:]}"}]},"d":[]}`, `{"\u0061\"":"\\","b":"\\\"}"}`, "{\n\t\"a\" : null ,\r\n \"b\": [ ] }",
		`[]`, ` [ ] `, `[1,"a,b",[2,[3]],{"a":[4]}]`, `["\\","\"",",","]"]`, `null`, `"{"`, `1`, ``, `{`, `{"a"}`, `{"a":1}}`, `[1,]`, `{"\ud800":1}`, `{"\ud800":1,"a":2}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			return // not JSON, though encoding/json replaces the bytes
		}
		var object map[string]json.RawMessage
		wantObject := json.Unmarshal(text, &object) == nil && object != nil
		members, err := keys.Members(text)
		if want := wantObject && !namesTwice(text); (err == nil) != want {
			t.Fatalf("%q: error %v, but encoding/json says it is an object without duplicates: %v", text, err, want)
		}
		for name, value := range members {
			if !bytes.Equal(value, object[name]) {
				t.Errorf("%q: %q is %q, want %q", text, name, value, object[name])
			}
		}
		for name := range maps.Keys(object) { // names that are not valid UTF-8 contain �, and match no wanted name
			if _, found := members[name]; err == nil && !found && !strings.ContainsRune(name, utf8.RuneError) {
				t.Errorf("%q: %q is missing", text, name)
			}
		}
		if !json.Valid(text) {
			return
		}
		var array []json.RawMessage
		wantArray := json.Unmarshal(text, &array) == nil && array != nil
		elements := keys.Parts(text)
		if wantArray && !slices.EqualFunc(elements, array, func(a jsontext.Value, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
			t.Errorf("%q: elements %q, want %q", text, elements, array)
		}
	})
}

// namesTwice reports whether an object has two members of one name, as encoding/json reads it.
func namesTwice(text []byte) bool {
	decoder, names := json.NewDecoder(bytes.NewReader(text)), map[string]bool{}
	_, _ = decoder.Token()
	for decoder.More() {
		token, _ := decoder.Token()
		var value json.RawMessage
		name, ok := token.(string)
		if !ok || decoder.Decode(&value) != nil {
			return false
		}
		if names[name] {
			return true
		}
		names[name] = !strings.ContainsRune(name, utf8.RuneError) // as below
	}
	return false
}

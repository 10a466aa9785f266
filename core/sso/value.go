package sso

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// Value is a JSON value out of a token's claims. The zero Value is absent: a claim that is not
// there is no error until somebody asks it for something. A Value is immutable and safe for
// concurrent use.
type Value struct{ v jsondoc.Value }

// ValueOf returns a Go value by its JSON meaning: what [encoding/json] makes of it. A nil is
// JSON's null. It fails for what has no JSON form, such as a function, and for a text that a token
// could not hold either, such as an object with a member twice.
func ValueOf(v any) (Value, error) {
	if v, ok := v.(Value); ok {
		return v, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return Value{}, fmt.Errorf("sso: %T has no JSON form: %w", v, err)
	}
	doc, err := jsondoc.Parse(text)
	if err != nil {
		return Value{}, fmt.Errorf("sso: %T has no acceptable JSON form: %w", v, err)
	}
	return Value{doc}, nil
}

// Exists reports whether the claim is there at all; null is.
func (v Value) Exists() bool { return v.v.Kind() != jsondoc.Absent }

// IsNull reports whether the claim is there and null.
func (v Value) IsNull() bool { return v.v.Kind() == jsondoc.Null }

// IsArray reports whether the claim is a JSON array.
func (v Value) IsArray() bool { return v.v.Kind() == jsondoc.Array }

// Kind names the JSON type: "string", "number", "boolean", "array", "object", "null", or
// "nothing" where there is no value.
func (v Value) Kind() string { return v.v.Kind().String() }

// Text returns a JSON string; false for all other types.
func (v Value) Text() (string, bool) { return v.v.Text() }

// Bool returns a JSON boolean; ok is false for all other types.
func (v Value) Bool() (value, ok bool) { return v.v.Bool() }

// Int64 returns a JSON number that is an integer and fits, exactly; false for all else.
func (v Value) Int64() (int64, bool) { return v.v.Int64() }

// Float64 returns the float64 nearest to a JSON number; false for other types and numbers
// beyond its range.
func (v Value) Float64() (float64, bool) { return v.v.Float64() }

// Len returns the number of elements of an array or members of an object, else 0.
func (v Value) Len() int { return v.v.Len() }

// Get returns a member of an object by its exact name; absent if there is none.
func (v Value) Get(name string) Value { return Value{v.v.Get(name)} }

// Lookup follows a path of member names: dots separate, `\.` is a literal dot, so that
// `https://corp\.example/roles` names one claim; `\\` is a backslash. It is absent if any step is.
// Names are compared exactly, and arrays have no members.
func (v Value) Lookup(path string) Value {
	for !strings.Contains(path, `\`) { // the usual path, without an allocation
		name, rest, more := strings.Cut(path, ".")
		v = v.Get(name)
		if !more {
			return v
		}
		path = rest
	}
	for _, name := range jsondoc.SplitPath(path) {
		v = v.Get(name)
	}
	return v
}

// Elements yields the elements of an array in order; nothing for other types.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for e := range v.v.Elements() {
			if !yield(Value{e}) {
				return
			}
		}
	}
}

// Members yields the members of an object in order; nothing for other types.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for name, member := range v.v.Members() {
			if !yield(name, Value{member}) {
				return
			}
		}
	}
}

// Strings returns the elements of an array of strings, or the one string that a claim is; false
// for everything else, an array with another type in it included.
func (v Value) Strings() ([]string, bool) {
	if text, ok := v.Text(); ok {
		return []string{text}, true
	}
	if v.v.Kind() != jsondoc.Array {
		return nil, false
	}
	list := make([]string, 0, v.Len())
	for e := range v.Elements() {
		text, ok := e.Text()
		if !ok {
			return nil, false
		}
		list = append(list, text)
	}
	return list, true
}

// Equal compares by JSON meaning: types never convert ("1" is not 1, 1 is not true), numbers
// compare exactly (1 equals 1.0; 9007199254740993 is not 9007199254740992), the order of an
// object's members does not matter. An absent value equals nothing, not even another one.
func (v Value) Equal(w Value) bool { return v.v.Equal(w.v) }

// Any returns a copy in Go's types: nil, bool, [encoding/json.Number], string, []any,
// map[string]any.
func (v Value) Any() any { return v.v.Any() }

// Decode stores the value in what target points to, as [encoding/json.Unmarshal] does. An
// absent value is an error. In an any numbers become float64, which loses digits of long ones: use
// int64 or [encoding/json.Number], or [Value.Any].
func (v Value) Decode(target any) error {
	if !v.Exists() {
		return fmt.Errorf("sso: no such claim")
	}
	return json.Unmarshal(v.v.AppendJSON(nil), target)
}

// MarshalJSON returns the value as JSON text; null if it is absent.
func (v Value) MarshalJSON() ([]byte, error) {
	if !v.Exists() {
		return []byte("null"), nil
	}
	return v.v.AppendJSON(nil), nil
}

// String returns the value as JSON text, in which a string stands in quotes ([Value.Text] is without);
// empty if it is absent.
func (v Value) String() string { return string(v.v.AppendJSON(nil)) }

// SplitPath splits the path of a claim at its dots; see [Value.Lookup].
func SplitPath(path string) []string { return jsondoc.SplitPath(path) }

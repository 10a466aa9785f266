package sso

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/internal/verify"
)

// Value is a JSON value from a token's claims. The zero Value is absent, as is a claim that the token
// does not have. A Value is immutable and safe for concurrent use.
type Value struct{ v jsondoc.Value }

// ValueOf returns a Go value as JSON, as [encoding/json] encodes it. Nil is null. It fails for a value
// without a JSON form, such as a function, and for JSON that a token cannot have, such as an object
// with a duplicate member.
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

// Exists reports whether the token has the value, which may be null.
func (v Value) Exists() bool { return v.v.Kind() != jsondoc.Absent }

// Kind returns the JSON type: "string", "number", "boolean", "array", "object", "null", or "nothing"
// for an absent value.
func (v Value) Kind() string { return v.v.Kind().String() }

// Text returns a JSON string; false for other types.
func (v Value) Text() (string, bool) { return v.v.Text() }

// Bool returns a JSON boolean; ok is false for other types.
func (v Value) Bool() (value, ok bool) { return v.v.Bool() }

// Int64 returns a JSON number that is an integer of 64 bits; false for other types and numbers.
func (v Value) Int64() (int64, bool) { return v.v.Int64() }

// Float64 returns the float64 nearest to a JSON number; false for other types and numbers
// beyond its range.
func (v Value) Float64() (float64, bool) { return v.v.Float64() }

// Len returns the number of elements of an array or members of an object; 0 for other types.
func (v Value) Len() int { return v.v.Len() }

// Get returns the member of an object with exactly this name, or an absent value.
func (v Value) Get(name string) Value { return Value{v.v.Get(name)} }

// Lookup follows a path of member names, separated by dots. `\.` is a dot within a name, as in
// `https://corp\.example/roles`, and `\\` a backslash; before any other character a backslash is
// itself. Lookup returns an absent value if any step does. Names are compared exactly, and arrays have
// no members.
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

// within returns the parts of permissions that are on one of the paths, or below; all for nil.
func (v Value) within(paths [][]string) Value {
	if paths == nil || !v.Exists() {
		return v
	}
	var permissions any
	d := json.NewDecoder(bytes.NewReader(v.v.AppendJSON(nil)))
	d.UseNumber()
	_ = d.Decode(&permissions) // the token was read before
	part, _ := ValueOf(partOf(permissions, paths))
	return part
}

// partOf removes what is not on one of the paths, or below.
func partOf(permissions any, paths [][]string) any {
	switch value := permissions.(type) {
	case map[string]any:
		for name, member := range value {
			var below [][]string
			for _, path := range paths {
				if path[0] == name {
					below = append(below, path[1:])
				}
			}
			_, isObject := member.(map[string]any)
			switch {
			case slices.ContainsFunc(below, func(path []string) bool { return len(path) == 0 }): // all of it
			case below != nil && isObject:
				value[name] = partOf(member, below)
			default:
				delete(value, name)
			}
		}
		return value
	case []any:
		return slices.DeleteFunc(value, func(element any) bool {
			return !slices.ContainsFunc(paths, func(path []string) bool {
				name, _ := element.(string)
				return strings.HasPrefix(name+".", strings.Join(path, ".")+".")
			})
		})
	}
	return nil
}

// Elements yields the elements of an array in order; nothing for other types.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		v.v.Elements()(func(e jsondoc.Value) bool { return yield(Value{e}) })
	}
}

// Members yields the members of an object in order; nothing for other types.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		v.v.Members()(func(name string, member jsondoc.Value) bool { return yield(name, Value{member}) })
	}
}

// Strings returns the elements of an array of strings, or a string as the only element; false for
// other types and for an array with an element of another type.
func (v Value) Strings() ([]string, bool) {
	if text, ok := v.Text(); ok {
		return []string{text}, true
	}
	if v.v.Kind() != jsondoc.Array {
		return nil, false
	}
	list := slices.AppendSeq(make([]string, 0, v.Len()), verify.Texts(v.v))
	if len(list) < v.Len() {
		return nil, false
	}
	return list, true
}

// Equal compares by JSON meaning. Types never convert ("1" is not 1, 1 is not true), numbers compare
// exactly (1 equals 1.0; 9007199254740993 is not 9007199254740992), and the order of an object's
// members does not matter. An absent value equals nothing, not even another absent value.
func (v Value) Equal(w Value) bool { return v.v.Equal(w.v) }

// Decode stores the value in what target points to, as [encoding/json.Unmarshal] does, except that the
// names of members are compared exactly, as permissions compare them: without a tag the field Tenant
// gets the member "Tenant", and not "tenant". It fails for an absent value. Numbers in an any become
// float64, which loses digits of long ones: decode them into int64 or [encoding/json.Number].
func (v Value) Decode(target any) error {
	if !v.Exists() {
		return fmt.Errorf("sso: no such claim")
	}
	return jsonv2.Unmarshal(v.v.AppendJSON(nil), target, jsonv1.DefaultOptionsV1(), jsonv2.MatchCaseInsensitiveNames(false),
		jsonv2.WithUnmarshalers(jsonv2.UnmarshalFromFunc(readNumber)))
}

// readNumber reads a number with all its digits, as package encoding/json does.
func readNumber(d *jsontext.Decoder, n *json.Number) error {
	if d.PeekKind() != '0' {
		return errors.ErrUnsupported // a null leaves it as it is, and others are errors
	}
	text, err := d.ReadValue()
	*n = json.Number(text)
	return err
}

// MarshalJSON returns the value as JSON; null for an absent value.
func (v Value) MarshalJSON() ([]byte, error) {
	if !v.Exists() {
		return []byte("null"), nil
	}
	return v.v.AppendJSON(nil), nil
}

// String returns the text of a string without quotes, and any other value as JSON, for messages; empty for
// an absent value. Compare by [Value.Text] or [Value.Equal]: the string "1" prints as the number 1.
func (v Value) String() string {
	if text, ok := v.Text(); ok {
		return text
	}
	return string(v.v.AppendJSON(nil))
}

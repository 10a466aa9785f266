// Package jsondoc reads a JSON text strictly, once, into a flat immutable form that can be
// asked questions without being parsed again.
//
// Strictly means RFC 7493 (I-JSON): valid UTF-8, no duplicate member names at any level, no
// trailing data. Two readers that disagree about a text are how a token passes one check and
// fools the next; a text on which readers could disagree is therefore refused here.
//
// Numbers keep their literal text, so 9007199254740993 stays itself.
package jsondoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how many objects and arrays may be nested in each other.
const MaxDepth = 32

// Errors that callers tell apart. All others are syntax errors.
var (
	ErrTooDeep   = fmt.Errorf("nested deeper than %d levels", MaxDepth)
	ErrDuplicate = errors.New("duplicate member name")
	errTrailing  = errors.New("data after the JSON value")
)

// Kind is the JSON type of a value. The zero Kind belongs to a value that is not there.
type Kind uint8

// The kinds of JSON values.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String returns the kind's name as it appears in explanations.
func (k Kind) String() string {
	return [...]string{"nothing", "null", "boolean", "number", "string", "array", "object"}[k]
}

// A node is one value. For a string, start and end enclose its unquoted content; for all else
// its text. Children follow their parent directly; next is the first node after the subtree.
type node struct {
	kind       Kind
	start, end uint32
	next       uint32
}

// Document is a JSON text that has been read. Unless it is read into again it is immutable and
// safe for concurrent use.
type Document struct {
	text  string // the JSON text, then the content of those strings that had escapes
	nodes []node
}

// Value is one value within a document. The zero Value is absent. It is immutable and safe
// for concurrent use.
type Value struct {
	doc *Document
	at  uint32
}

// Parse reads one JSON value that makes up the whole of text. It keeps no reference to text.
func Parse(text []byte) (Value, error) {
	r := readers.Get().(*reader) //nolint:errcheck // the pool holds nothing else
	defer r.release()
	if err := r.read(text); err != nil {
		return Value{}, err
	}
	return Value{doc: &Document{text: r.whole(), nodes: slices.Clone(r.nodes)}}, nil
}

// Read is [Parse] into memory that is used again: whatever d held before must not be looked at
// any more. Strings that values hand out stay good all the same.
func (d *Document) Read(text []byte) (Value, error) {
	r := readers.Get().(*reader) //nolint:errcheck // as above
	defer r.release()
	if err := r.read(text); err != nil {
		return Value{}, err
	}
	d.text, d.nodes = r.whole(), append(d.nodes[:0], r.nodes...)
	return Value{doc: d}, nil
}

// Forget lets go of what was read.
func (d *Document) Forget() { d.text, d.nodes = "", d.nodes[:0] }

// whole is the text of a document.
func (r *reader) whole() string {
	var text strings.Builder
	text.Grow(len(r.text) + len(r.unquoted))
	text.Write(r.text)
	text.Write(r.unquoted)
	return text.String()
}

// Size is about how many bytes the whole document of a value takes in memory.
func (v Value) Size() int {
	if v.doc == nil {
		return 0
	}
	const document, node = 48, 16
	return document + len(v.doc.text) + node*len(v.doc.nodes)
}

func (v Value) node() node { return v.doc.nodes[v.at] }

// Kind tells the JSON type; Absent for the zero Value.
func (v Value) Kind() Kind {
	if v.doc == nil {
		return Absent
	}
	return v.node().kind
}

// Text returns the content of a JSON string.
func (v Value) Text() (string, bool) {
	if v.Kind() != String {
		return "", false
	}
	n := v.node()
	return v.doc.text[n.start:n.end], true
}

// Bool returns a JSON boolean.
func (v Value) Bool() (value, ok bool) {
	if v.Kind() != Bool {
		return false, false
	}
	return v.doc.text[v.node().start] == 't', true
}

// Number returns the literal text of a JSON number.
func (v Value) Number() (string, bool) {
	if v.Kind() != Number {
		return "", false
	}
	n := v.node()
	return v.doc.text[n.start:n.end], true
}

// Len returns the number of elements of an array or of members of an object, else 0.
func (v Value) Len() int {
	count := 0
	switch v.Kind() {
	case Array:
		for range v.Elements() {
			count++
		}
	case Object:
		for range v.Members() {
			count++
		}
	}
	return count
}

// Get returns the member of an object by its exact name; absent if there is none.
func (v Value) Get(name string) Value {
	if v.Kind() != Object {
		return Value{}
	}
	nodes, end := v.doc.nodes, v.node().next
	for at := v.at + 1; at < end; {
		key := nodes[at]
		if v.doc.text[key.start:key.end] == name {
			return Value{v.doc, at + 1}
		}
		at = nodes[at+1].next
	}
	return Value{}
}

// Elements yields the elements of an array in order; nothing for other kinds.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() != Array {
			return
		}
		for at, end := v.at+1, v.node().next; at < end; at = v.doc.nodes[at].next {
			if !yield(Value{v.doc, at}) {
				return
			}
		}
	}
}

// Members yields the members of an object in order; nothing for other kinds.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != Object {
			return
		}
		for at, end := v.at+1, v.node().next; at < end; at = v.doc.nodes[at+1].next {
			key := v.doc.nodes[at]
			if !yield(v.doc.text[key.start:key.end], Value{v.doc, at + 1}) {
				return
			}
		}
	}
}

// AppendJSON appends the value as JSON text; nothing if it is absent.
func (v Value) AppendJSON(dst []byte) []byte {
	if v.doc == nil {
		return dst
	}
	n := v.node()
	if n.kind != String {
		return append(dst, v.doc.text[n.start:n.end]...)
	}
	dst, _ = jsontext.AppendQuote(dst, v.doc.text[n.start:n.end]) // fails on bad UTF-8 only, which Parse refuses
	return dst
}

// Any returns the value as Go values: nil, bool, json.Number, string, []any, map[string]any.
// What it returns is the caller's own.
func (v Value) Any() any {
	switch v.Kind() {
	case Bool:
		b, _ := v.Bool()
		return b
	case Number:
		n, _ := v.Number()
		return json.Number(n)
	case String:
		s, _ := v.Text()
		return strings.Clone(s)
	case Array:
		list := make([]any, 0, v.Len())
		for e := range v.Elements() {
			list = append(list, e.Any())
		}
		return list
	case Object:
		object := make(map[string]any, v.Len())
		for name, member := range v.Members() {
			object[strings.Clone(name)] = member.Any()
		}
		return object
	}
	return nil
}

// Equal compares by JSON meaning: types never convert, numbers compare by their exact value
// (1 equals 1.0 and 1e0), objects regardless of member order. An absent value equals nothing.
func (v Value) Equal(w Value) bool {
	if v.Kind() != w.Kind() {
		return false
	}
	a, b := v, w // one kind
	switch a.Kind() {
	case Null:
		return true
	case Bool:
		x, _ := a.Bool()
		y, _ := b.Bool()
		return x == y
	case Number:
		x, _ := a.Number()
		y, _ := b.Number()
		return EqualNumbers(x, y)
	case String:
		x, _ := a.Text()
		y, _ := b.Text()
		return x == y
	case Array:
		if a.Len() != b.Len() {
			return false
		}
		y := Value{b.doc, b.at + 1}
		for x := range a.Elements() {
			if !x.Equal(y) {
				return false
			}
			y.at = y.node().next
		}
		return true
	case Object:
		if a.Len() != b.Len() {
			return false
		}
		for name, x := range a.Members() {
			if !x.Equal(b.Get(name)) {
				return false
			}
		}
		return true
	}
	return false // absent
}

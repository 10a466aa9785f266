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
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how many objects and arrays may be nested in each other.
const MaxDepth = 32

// Errors that callers tell apart. All others are syntax errors.
var (
	ErrTooDeep   = fmt.Errorf("nested deeper than %d levels", MaxDepth)
	ErrDuplicate = errors.New("duplicate member name")
	errTrailing  = errors.New("data after the JSON value")
	errSyntax    = errors.New("not JSON")
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

// scratch are documents whose memory is used again. What [Parse] returns is never one of them.
var scratch = sync.Pool{New: func() any { return new(Document) }}

// Parse reads one JSON value that makes up the whole of text. It keeps no reference to text.
func Parse(text []byte) (Value, error) {
	s := scratch.Get().(*Document) //nolint:errcheck // the pool holds nothing else
	defer func() {
		if s.text = ""; cap(s.nodes) <= 1<<14 { // one monstrous text must not stay in the pool
			scratch.Put(s)
		}
	}()
	if _, err := s.Read(text); err != nil {
		return Value{}, err
	}
	return Value{doc: &Document{text: s.text, nodes: slices.Clone(s.nodes)}}, nil
}

// Read is [Parse] into memory that is used again: whatever d held before must not be looked at
// any more. Strings that values hand out stay good all the same.
func (d *Document) Read(text []byte) (Value, error) {
	if begin := bytes.TrimLeft(text, " \t\r\n"); len(begin) == 0 || strings.IndexByte(`{["-0123456789tfn`, begin[0]) < 0 {
		return Value{}, errSyntax // at a glance, as most rubbish is
	}
	if !jsontext.Value(text).IsValid() {
		return Value{}, reason(text)
	}
	d.text, d.nodes = string(text), d.nodes[:0]
	if err := d.index(); err != nil {
		return Value{}, err
	}
	return Value{doc: d}, nil
}

// index notes where the values are in a text that jsontext has found to be valid.
func (d *Document) index() error {
	text := d.text
	var room [MaxDepth]uint32
	open := room[:0]    // the objects and arrays that have begun
	var unquoted []byte // the strings that had escapes
	for i := 0; i < len(text); {
		n := node{start: uint32(i), next: uint32(len(d.nodes) + 1)} //nolint:gosec // texts are far below 4 GiB
		switch c := text[i]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
			continue
		case '}', ']':
			i++
			container := &d.nodes[open[len(open)-1]]
			open = open[:len(open)-1]
			container.end, container.next = uint32(i), uint32(len(d.nodes)) //nolint:gosec // as above
			continue
		case '{', '[':
			if len(open) == MaxDepth {
				return ErrTooDeep
			}
			open = append(open, uint32(len(d.nodes))) //nolint:gosec // as above
			n.kind = Array
			if c == '{' {
				n.kind = Object
			}
			i++
		case '"':
			n.kind = String
			quoted := text[i : i+lengthOfString(text[i:])]
			i += len(quoted)
			n.start, n.end = n.start+1, uint32(i-1) //nolint:gosec // as above
			if strings.IndexByte(quoted, '\\') >= 0 {
				n.start = uint32(len(text) + len(unquoted)) //nolint:gosec // as above
				var err error
				if unquoted, err = jsontext.AppendUnquote(unquoted, quoted); err != nil {
					return errSyntax
				}
				n.end = uint32(len(text) + len(unquoted)) //nolint:gosec // as above
			}
		default:
			n.kind = literalKind(c)
			for i < len(text) && !endsLiteral(text[i]) {
				i++
			}
			n.end = uint32(i)
		}
		d.nodes = append(d.nodes, n)
	}
	if len(unquoted) > 0 {
		d.text += string(unquoted)
	}
	return nil
}

// lengthOfString is that of the string which a text begins with, its quotes included.
func lengthOfString(text string) int {
	for i := 1; ; i++ {
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++ // and what follows it
		}
	}
}

// literalKind tells null, booleans and numbers by their first byte.
func literalKind(c byte) Kind {
	switch c {
	case 'n':
		return Null
	case 't', 'f':
		return Bool
	}
	return Number
}

// endsLiteral tells what can follow a number, a boolean or null.
func endsLiteral(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// reason says what is wrong with a text, and repeats none of it: it may be part of a token.
func reason(text []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text))
	for {
		_, err := dec.ReadToken()
		var syntactic *jsontext.SyntacticError
		switch {
		case err == nil && dec.StackDepth() > MaxDepth:
			return ErrTooDeep
		case err == nil && dec.StackDepth() == 0:
			return errTrailing
		case err == nil:
		case errors.Is(err, jsontext.ErrDuplicateName):
			return ErrDuplicate
		case errors.As(err, &syntactic):
			return fmt.Errorf("%w: at byte %d", errSyntax, syntactic.ByteOffset)
		default:
			return fmt.Errorf("%w: unexpected end", errSyntax)
		}
	}
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

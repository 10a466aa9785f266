// Package jsondoc reads a JSON text strictly, once, into a flat immutable form.
//
// Strict means RFC 7493 (I-JSON): valid UTF-8, no duplicate member names at any level, no trailing
// data. If two readers disagree about a text, a token can pass one check and fool the next, so
// such texts are refused.
//
// Package jsontext validates. Numbers keep their literal text, so 9007199254740993 is exact.
package jsondoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how many objects and arrays may be nested in each other, unless [ParseWithin] sets another.
const MaxDepth = 32

// Errors of [Parse]. All others are syntax errors.
var (
	ErrTooDeep   = errors.New("nested too deep")
	ErrTooMany   = errors.New("too many values or escapes")
	ErrDuplicate = errors.New("duplicate member name")
	errTrailing  = errors.New("data after the JSON value")
	errSurrogate = errors.New("a lone surrogate in a member name")
)

// Kind is the JSON type of a value.
type Kind uint8

// The kinds of JSON values. Absent is the kind of the zero [Value].
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String returns the kind's name in messages.
func (k Kind) String() string {
	return [...]string{"nothing", "null", "boolean", "number", "string", "array", "object"}[k]
}

// node is one value. For a string, start and end enclose its unquoted content, otherwise its text.
// Children follow their parent directly; next is the first node after the subtree, and the enclosing object
// or array while that is open.
type node struct {
	kind       Kind
	replaced   bool // a string that had a lone surrogate
	start, end uint32
	next       uint32
}

type document struct {
	text     string // the JSON text, then the content of the strings that have escapes
	nodes    []node
	replaced bool // in one of the nodes
}

// Value is one value within a document. The zero Value is absent. It is immutable and safe
// for concurrent use.
type Value struct {
	doc *document
	at  uint32
}

// Parse reads one JSON value that makes up the whole of text. It keeps no reference to text.
func Parse(text []byte) (Value, error) { return ParseWithin(text, Limits{Depth: MaxDepth}) }

// Limits bound what [ParseWithin] reads.
type Limits struct {
	Depth  int // objects and arrays in each other
	Values int // about how many values, and a quarter of the escapes in strings; zero: any number
	// Lenient reads a lone surrogate in a string, which no UTF-8 text can have, as U+FFFD, as most readers
	// do: names are cut in the middle of an emoji. In a member name it is refused. See [Value.Replaced].
	Lenient bool
}

// ParseWithin is [Parse] with other limits.
func ParseWithin(text []byte, l Limits) (Value, error) {
	if l.Values > 0 && bytes.Count(text, []byte(",")) >= l.Values && values(text) > l.Values {
		return Value{}, fmt.Errorf("%w: more than %d", ErrTooMany, l.Values)
	}
	if l.Values > 0 && bytes.Count(text, []byte(`\`)) > 4*l.Values {
		return Value{}, fmt.Errorf("%w: more than %d escapes", ErrTooMany, 4*l.Values)
	}
	err := validate(text)
	if err != nil && l.Lenient && (bytes.Contains(text, []byte(`\ud`)) || bytes.Contains(text, []byte(`\uD`))) && utf8.Valid(text) {
		err = validate(text, jsontext.AllowInvalidUTF8(true))
	}
	if err != nil {
		return Value{}, err
	}
	doc := &document{text: string(text)}
	if err := doc.index(l.Depth); err != nil {
		return Value{}, err
	}
	return Value{doc: doc}, nil
}

// values counts what separates the values of a text, outside of its strings, before it is validated.
func values(text []byte) (count int) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ',', '[', '{':
			count++
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		}
	}
	return count
}

// reader is a decoder and the text that it reads.
type reader struct {
	decoder *jsontext.Decoder
	text    bytes.Buffer
}

var readers = sync.Pool{New: func() any { return &reader{decoder: new(jsontext.Decoder)} }}

// validate checks a text by jsontext. Its errors repeat none of the text, which may be part of a
// token.
func validate(text []byte, lenient ...jsontext.Options) error {
	r := readers.Get().(*reader) //nolint:errcheck // the pool holds nothing else
	r.text = *bytes.NewBuffer(text)
	r.decoder.Reset(&r.text, lenient...)
	_, err := r.decoder.ReadValue()
	if err == nil {
		if _, end := r.decoder.ReadToken(); !errors.Is(end, io.EOF) {
			err = errTrailing
		}
	} else {
		err = reason(err)
	}
	r.text = bytes.Buffer{} // the pool keeps no token
	r.decoder.Reset(&r.text)
	readers.Put(r)
	return err
}

// reason converts an error of jsontext, which may quote the text.
func reason(err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return ErrDuplicate
	}
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntactic) && errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("not JSON: at byte %d: the text ends", syntactic.ByteOffset)
	case syntactic != nil:
		return fmt.Errorf("not JSON: at byte %d", syntactic.ByteOffset)
	}
	return errors.New("not JSON: unexpected end")
}

// index appends the nodes of a text that is valid, and far below 4 GiB. Most bounds the nesting.
//
//nolint:gosec // which is why the conversions are safe
func (d *document) index(most int) error {
	text := d.text
	// Each value follows one of these, or is the whole text.
	size := 1 + strings.Count(text, ",") + strings.Count(text, ":") + strings.Count(text, "{") + strings.Count(text, "[")
	nodes := make([]node, 0, size)
	var (
		open     uint32 // the enclosing object or array
		depth    int
		unquoted []byte
		err      error
	)
	for i := 0; i < len(text); {
		n := node{start: uint32(i), next: uint32(len(nodes) + 1)}
		switch c := text[i]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
			continue
		case '}', ']':
			i++
			depth--
			container := &nodes[open]
			open = container.next
			container.end, container.next = uint32(i), uint32(len(nodes))
			continue
		case '{', '[':
			if depth == most {
				return fmt.Errorf("%w: more than %d levels", ErrTooDeep, most)
			}
			n.next, open = open, uint32(len(nodes))
			depth++
			if n.kind = Array; c == '{' {
				n.kind = Object
			}
			i++
		case '"':
			begin, escaped := i, false
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++ // over the next byte
					escaped = true
				}
			}
			i++
			n.kind, n.start, n.end = String, uint32(begin+1), uint32(i-1)
			if escaped {
				n.start = uint32(len(text) + len(unquoted))
				if unquoted, err = jsontext.AppendUnquote(unquoted, text[begin:i]); err != nil { // a lone surrogate
					if strings.HasPrefix(strings.TrimLeft(text[i:], " \t\r\n"), ":") {
						return errSurrogate
					}
					n.replaced, d.replaced = true, true
				}
				n.end = uint32(len(text) + len(unquoted))
			}
		default:
			switch n.kind = Number; c {
			case 'n':
				n.kind = Null
			case 't', 'f':
				n.kind = Bool
			}
			for i < len(text) && text[i] > ' ' && text[i] != ',' && text[i] != ']' && text[i] != '}' {
				i++
			}
			n.end = uint32(i)
		}
		nodes = append(nodes, n)
	}
	if len(unquoted) > 0 {
		d.text += string(unquoted)
	}
	if size > 2*len(nodes) { // strings can be full of commas
		nodes = slices.Clone(nodes)
	}
	d.nodes = nodes
	return nil
}

// Size returns about how many bytes the whole document of a value takes in memory.
func (v Value) Size() int {
	if v.doc == nil {
		return 0
	}
	const document, node = 48, 16
	return document + len(v.doc.text) + node*cap(v.doc.nodes)
}

// Replaced reports whether a string within v had a lone surrogate and is read as U+FFFD.
func (v Value) Replaced() bool {
	return v.doc != nil && v.doc.replaced &&
		slices.ContainsFunc(v.doc.nodes[v.at:v.node().next], func(n node) bool { return n.replaced })
}

func (v Value) node() node { return v.doc.nodes[v.at] }

// Kind returns the JSON type, [Absent] for the zero Value.
func (v Value) Kind() Kind {
	if v.doc == nil {
		return Absent
	}
	return v.node().kind
}

// literal returns the text of a value of one kind; of a string, its content.
func (v Value) literal(kind Kind) (string, bool) {
	if v.doc == nil || v.node().kind != kind {
		return "", false
	}
	n := v.node()
	return v.doc.text[n.start:n.end], true
}

// Text returns the content of a JSON string.
func (v Value) Text() (string, bool) { return v.literal(String) }

// Number returns the literal text of a JSON number.
func (v Value) Number() (string, bool) { return v.literal(Number) }

// Bool returns a JSON boolean.
func (v Value) Bool() (value, ok bool) {
	text, ok := v.literal(Bool)
	return text == "true", ok
}

// Len returns the number of elements of an array or of members of an object, otherwise 0.
func (v Value) Len() (count int) {
	for range v.Elements() {
		count++
	}
	for range v.Members() {
		count++
	}
	return count
}

// Get returns the member of an object by its exact name, or the absent value.
func (v Value) Get(name string) Value {
	if v.Kind() != Object {
		return Value{}
	}
	text, nodes := v.doc.text, v.doc.nodes
	for at, end := v.at+1, nodes[v.at].next; at < end; at = nodes[at+1].next {
		if key := &nodes[at]; text[key.start:key.end] == name {
			return Value{v.doc, at + 1}
		}
	}
	return Value{}
}

// Elements yields the elements of an array in order. It yields nothing for other kinds.
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

// Members yields the members of an object in order. It yields nothing for other kinds.
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

// AppendJSON appends the value as JSON text. It appends nothing if the value is absent.
func (v Value) AppendJSON(dst []byte) []byte {
	if v.doc == nil {
		return dst
	}
	n := v.node()
	if n.kind != String {
		return append(dst, v.doc.text[n.start:n.end]...)
	}
	dst, _ = jsontext.AppendQuote(dst, v.doc.text[n.start:n.end]) // it fails only for invalid UTF-8, which Parse refuses
	return dst
}

// Equal compares by JSON meaning: types never convert, numbers compare by their exact value
// (1 equals 1.0 and 1e0), objects regardless of member order. An absent value equals nothing, and neither
// does a string that had a lone surrogate.
func (v Value) Equal(w Value) bool {
	kind := v.Kind()
	if kind != w.Kind() || v.Len() != w.Len() {
		return false
	}
	x, _ := v.literal(kind)
	y, _ := w.literal(kind)
	switch kind {
	case Null, Bool, String:
		return x == y && !v.node().replaced && !w.node().replaced
	case Number:
		return EqualNumbers(x, y)
	case Array:
		next := Value{w.doc, w.at + 1}
		for element := range v.Elements() {
			if !element.Equal(next) {
				return false
			}
			next.at = next.node().next
		}
		return true
	case Object:
		for name, member := range v.Members() {
			if !member.Equal(w.Get(name)) {
				return false
			}
		}
		return true
	}
	return false // absent
}

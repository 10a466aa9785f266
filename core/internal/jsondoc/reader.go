package jsondoc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// This is the one place where a text is read. It is here, and not jsontext, because reading took
// a third of what a new token costs beside its signature; it refuses what jsontext refuses, and
// [FuzzParseAgreesWithJSONText] holds it to that.

// syntaxError says where a text stops being JSON, and repeats none of it: it may be part of a
// token.
type syntaxError int

func (e syntaxError) Error() string { return fmt.Sprintf("not JSON: at byte %d", int(e)) }

// reader is what one reading needs beside the text and the nodes.
type reader struct {
	text     []byte
	nodes    []node
	unquoted []byte   // the content of strings that had escapes
	names    []uint32 // the nodes of the names of those objects that are being read
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// release forgets the text, which may be part of a token.
func (r *reader) release() {
	clear(r.unquoted)
	r.text, r.unquoted = nil, r.unquoted[:0]
	if cap(r.nodes) <= 1<<14 && cap(r.unquoted) <= 1<<17 { // one monstrous text must not stay in the pool
		readers.Put(r)
	}
}

// read notes where the values of a text are, which has to be one value and nothing more.
func (r *reader) read(text []byte) error {
	r.text, r.nodes, r.names = text, r.nodes[:0], r.names[:0]
	end, err := r.value(r.space(0), 0)
	if err != nil {
		return err
	}
	if r.space(end) != len(text) {
		return errTrailing
	}
	return nil
}

// value reads the value that begins at i, and returns where it ends.
func (r *reader) value(i, depth int) (end int, err error) {
	if i == len(r.text) {
		return 0, syntaxError(i)
	}
	c := r.text[i]
	if c == '{' || c == '[' {
		return r.container(i, depth)
	}
	if c == '"' {
		return r.str(i)
	}
	kind := Number
	switch c {
	case 'n':
		kind, end = Null, r.literal(i, "null")
	case 't':
		kind, end = Bool, r.literal(i, "true")
	case 'f':
		kind, end = Bool, r.literal(i, "false")
	default:
		end = r.number(i)
	}
	if end == i {
		return 0, syntaxError(i)
	}
	r.add(kind, i, end)
	return end, nil
}

// add notes a value without children. Texts are far below 4 GiB, here and everywhere.
func (r *reader) add(kind Kind, start, end int) {
	r.nodes = append(r.nodes, node{kind: kind, start: uint32(start), end: uint32(end), next: uint32(len(r.nodes) + 1)}) //nolint:gosec // as said
}

// container reads an object or an array.
func (r *reader) container(i, depth int) (end int, err error) {
	if depth == MaxDepth {
		return 0, ErrTooDeep
	}
	at := len(r.nodes)
	object, closing := r.text[i] == '{', byte(']')
	r.add(Array, i, 0)
	if object {
		r.nodes[at].kind, closing = Object, '}'
	}
	seen := names{from: len(r.names)}
	i = r.space(i + 1)
	for first := true; i == len(r.text) || r.text[i] != closing; first = false {
		if !first {
			if i == len(r.text) || r.text[i] != ',' {
				return 0, syntaxError(i)
			}
			i = r.space(i + 1)
		}
		if object {
			if i, err = r.name(i, &seen); err != nil {
				return 0, err
			}
		}
		if i, err = r.value(i, depth+1); err != nil {
			return 0, err
		}
		i = r.space(i)
	}
	r.names = r.names[:seen.from]
	r.nodes[at].end, r.nodes[at].next = uint32(i+1), uint32(len(r.nodes)) //nolint:gosec // as above
	return i + 1, nil
}

// name reads the name of a member and the colon behind it, and returns where its value begins.
func (r *reader) name(i int, seen *names) (value int, err error) {
	if i == len(r.text) || r.text[i] != '"' {
		return 0, syntaxError(i)
	}
	at := len(r.nodes)
	if i, err = r.str(i); err != nil {
		return 0, err
	}
	if !seen.add(r, at) {
		return 0, ErrDuplicate
	}
	if i = r.space(i); i == len(r.text) || r.text[i] != ':' {
		return 0, syntaxError(i)
	}
	return r.space(i + 1), nil
}

// str reads a string. What it stands for is noted without the quotes, and unescaped.
func (r *reader) str(i int) (end int, err error) {
	start, ascii := i+1, byte(0)
	for i = start; i+8 <= len(r.text) && plain(binary.LittleEndian.Uint64(r.text[i:])); {
		i += 8
	}
	for ; i < len(r.text) && inString[r.text[i]]; i++ {
		ascii |= r.text[i]
	}
	switch {
	case i == len(r.text):
		return 0, syntaxError(i)
	case r.text[i] == '\\':
		return r.escaped(start - 1)
	case r.text[i] != '"': // a control character
		return 0, syntaxError(i)
	case ascii >= utf8.RuneSelf && !utf8.Valid(r.text[start:i]):
		return 0, syntaxError(start)
	}
	r.add(String, start, i)
	return i + 1, nil
}

// plain reports that eight bytes are ASCII and stand for themselves in a string. It may be wrong
// about bytes that do, and never about others: a subtraction that borrows only makes it say no.
func plain(eight uint64) bool {
	const each, top = 0x0101010101010101, 0x8080808080808080
	control := eight - ' '*each
	quote, backslash := (eight^'"'*each)-each, (eight^'\\'*each)-each
	return (eight|control|quote|backslash)&top == 0
}

// inString tells the bytes that stand for themselves in a string, as far as one byte can tell.
var inString = func() (set [256]bool) {
	for c := range set {
		set[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return set
}()

// escaped reads a string with escapes. jsontext judges it.
func (r *reader) escaped(begin int) (end int, err error) {
	end = begin + 1
	for end < len(r.text) && r.text[end] != '"' {
		if r.text[end] == '\\' {
			end++
		}
		end++
	}
	end++
	if end > len(r.text) {
		return 0, syntaxError(len(r.text))
	}
	from := len(r.unquoted)
	if r.unquoted, err = jsontext.AppendUnquote(r.unquoted, r.text[begin:end]); err != nil {
		return 0, syntaxError(begin)
	}
	r.add(String, len(r.text)+from, len(r.text)+len(r.unquoted))
	return end, nil
}

// content is what a string stands for.
func (r *reader) content(n node) []byte {
	if int(n.start) < len(r.text) {
		return r.text[n.start:n.end]
	}
	from := len(r.text)
	return r.unquoted[int(n.start)-from : int(n.end)-from]
}

// space skips white space.
func (r *reader) space(i int) int {
	for i < len(r.text) && (r.text[i] == ' ' || r.text[i] == '\n' || r.text[i] == '\r' || r.text[i] == '\t') {
		i++
	}
	return i
}

// literal returns where a word ends; its beginning if something else stands there.
func (r *reader) literal(i int, word string) (end int) {
	if end = i + len(word); end <= len(r.text) && string(r.text[i:end]) == word {
		return end
	}
	return i
}

// number returns where a number ends (RFC 8259, section 6); its beginning if it is none. Something stands there.
func (r *reader) number(begin int) (end int) {
	i := begin
	if r.text[i] == '-' {
		i++
	}
	whole := r.digits(i)
	if whole == i || whole > i+1 && r.text[i] == '0' {
		return begin
	}
	i = whole
	if i < len(r.text) && r.text[i] == '.' {
		fraction := r.digits(i + 1)
		if fraction == i+1 {
			return begin
		}
		i = fraction
	}
	if i < len(r.text) && (r.text[i] == 'e' || r.text[i] == 'E') {
		i++
		if i < len(r.text) && (r.text[i] == '+' || r.text[i] == '-') {
			i++
		}
		exponent := r.digits(i)
		if exponent == i {
			return begin
		}
		i = exponent
	}
	return i
}

func (r *reader) digits(i int) (end int) {
	for i < len(r.text) && '0' <= r.text[i] && r.text[i] <= '9' {
		i++
	}
	return i
}

// names are the names of one object, to see that each comes once.
type names struct {
	from  int      // where they begin among the reader's names, those of objects within left out
	some  uint64   // a bit for each, by a rough hash: most names need not be compared at all
	table []uint32 // once there are many: their nodes by their hashes, 0 where there is none
}

// manyNames is from when on comparing each with each would take too long.
const manyNames = 64

// seed makes the hashes of one process unlike those of another, so that nobody can send names of
// one hash.
var seed = maphash.MakeSeed()

// add notes the name at a node; false if it was there already.
func (n *names) add(r *reader, at int) bool {
	name := r.content(r.nodes[at])
	bit := uint64(1) << (rough(name) % 64)
	if n.table == nil && n.some&bit != 0 {
		for _, other := range r.names[n.from:] {
			if bytes.Equal(r.content(r.nodes[other]), name) {
				return false
			}
		}
	}
	n.some |= bit
	r.names = append(r.names, uint32(at)) //nolint:gosec // as above
	count := len(r.names) - n.from
	if count < manyNames {
		return true
	}
	if count*2 > len(n.table) {
		n.table = make([]uint32, max(8*manyNames, 4*len(n.table))) // a power of two
		for _, other := range r.names[n.from : len(r.names)-1] {
			n.place(r, other)
		}
	}
	return n.place(r, uint32(at)) //nolint:gosec // as above
}

// place puts a name into the table; false if it is there already.
func (n *names) place(r *reader, at uint32) bool {
	name := r.content(r.nodes[at])
	for i := maphash.Bytes(seed, name); ; i++ {
		slot := &n.table[i&uint64(len(n.table)-1)] //nolint:gosec // a length
		if *slot == 0 {
			*slot = at // never 0: that is an object's own node
			return true
		}
		if bytes.Equal(r.content(r.nodes[*slot]), name) {
			return false
		}
	}
}

func rough(name []byte) uint {
	if len(name) == 0 {
		return 0
	}
	return uint(len(name))*7 + uint(name[0])*5 + uint(name[len(name)/2])*3 + uint(name[len(name)-1])
}

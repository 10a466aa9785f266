package keys

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// What holds keys is taken apart here and its parts are read by jsondoc, which refuses a text as a
// whole: one odd key must not take the others down. json.Unmarshal would do, but nothing else that
// every service runs needs it, and it adds 80 kB to each.

// members are the texts of an object's members, by their names. Two of one name are refused, since
// others may read the one where this reads the other (RFC 7517, section 4).
func members(text []byte) (map[string][]byte, error) {
	if !json.Valid(text) {
		_, err := jsondoc.Parse(text) // says where
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	inside, ok := within(text, '{')
	if !ok {
		return nil, errors.New("not a JSON object: another JSON type")
	}
	found := map[string][]byte{}
	for _, member := range split(inside, ',') {
		parts := split(member, ':')
		name, ok := textOf(parts[0])
		if !ok {
			continue // no text in UTF-8, and so none that is looked for
		}
		if _, twice := found[name]; twice {
			return nil, errors.New("not a JSON object: duplicate member name")
		}
		found[name] = parts[1]
	}
	return found, nil
}

// elements are the texts of what is in an array, which must be JSON.
func elements(text []byte) (list [][]byte, isArray bool) {
	inside, isArray := within(text, '[')
	return split(inside, ','), isArray
}

// textOf is the content of a string.
func textOf(text []byte) (string, bool) {
	value, err := jsondoc.Parse(text)
	if err != nil {
		return "", false
	}
	return value.Text()
}

// within is what is between the brackets of an object or array.
func within(text []byte, opening byte) ([]byte, bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != opening {
		return nil, false
	}
	return bytes.TrimSpace(text[1 : len(text)-1]), true
}

// split cuts at those separators that are in no string and in no object or array of their own. The
// text is part of one that is JSON, so that brackets and quotes pair.
func split(text []byte, separator byte) (parts [][]byte) {
	if len(text) == 0 {
		return nil
	}
	begin, depth, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++ // an escaped quote ends nothing
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			depth--
		case c == separator && depth == 0:
			parts = append(parts, bytes.TrimSpace(text[begin:i]))
			begin = i + 1
		}
	}
	return append(parts, bytes.TrimSpace(text[begin:]))
}

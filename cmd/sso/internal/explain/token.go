package explain

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// A Token is what can be shown of a token: its header and its claims, never its signature, since
// a header and claims alone open nothing. Nothing in it has been verified.
type Token struct {
	Header json.RawMessage `json:"header"` // null if it is no JSON object
	Claims json.RawMessage `json:"claims"` // null if it is no JSON object
	Bytes  int             `json:"bytes"`  // of the whole token
}

// segments are the parts of a token as they came.
type segments []string

// read takes a token apart for people. It is lenient where the library is strict: it decides
// nothing.
func read(token string) (Token, segments) {
	parts := segments(strings.Split(token, "."))
	t := Token{Bytes: len(token)}
	// Of what has another number of parts nobody can say which is the signature.
	if len(parts) == 3 || len(parts) == 2 {
		t.Header, t.Claims = object(parts[0]), object(parts[1])
	}
	return t, parts
}

// object is the JSON object that a segment stands for, nil if it stands for something else.
func object(segment string) json.RawMessage {
	text, err := decode(segment)
	if err != nil {
		return nil
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '{' || !json.Valid(text) || depth(text) > maxDepth {
		return nil
	}
	return text
}

// maxDepth bounds the nesting of what is shown: each level indents all that is in it. The
// library reads less.
const maxDepth = 64

// depth is how deep a JSON text nests.
func depth(text []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

func decode(segment string) ([]byte, error) {
	segment = strings.NewReplacer("+", "-", "/", "_", "\n", "", "\r", "").Replace(strings.TrimRight(segment, "="))
	return base64.RawURLEncoding.DecodeString(segment)
}

// A Member is one of a JSON object's.
type Member struct {
	Name  string
	Value string // JSON text
	Note  string // what it means to a person, for dates
}

// Members are those of a header or of claims in their order, names that stand twice included.
func Members(object json.RawMessage, now time.Time) []Member {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	var list []Member
	for decoder.More() {
		name, err := decoder.Token()
		text, ok := name.(string)
		if err != nil || !ok {
			return list
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return list
		}
		list = append(list, Member{Name: text, Value: string(value), Note: date(text, string(value), now)})
	}
	return list
}

// member is the JSON text of a member, the last of that name; empty if there is none.
func member(object json.RawMessage, name string) string {
	value := ""
	for _, m := range Members(object, time.Time{}) {
		if m.Name == name {
			value = m.Value
		}
	}
	return value
}

// text is a member that is a string, empty if it is none.
func text(object json.RawMessage, name string) string {
	var s string
	if json.Unmarshal([]byte(member(object, name)), &s) != nil {
		return ""
	}
	return s
}

// date reads the claims that are dates to people.
func date(name, value string, now time.Time) string {
	switch name {
	case "exp", "nbf", "iat", "auth_time":
	default:
		return ""
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err != nil || seconds < 0 || seconds > 253402300799 { // the end of the year 9999
		return ""
	}
	at := time.Unix(seconds, 0).UTC()
	return at.Format("2006-01-02 15:04:05 MST") + ", " + distance(at.Sub(now))
}

// distance says how far a moment lies from now.
func distance(d time.Duration) string {
	d = d.Round(time.Second)
	if d < 0 {
		return (-d).String() + " ago"
	}
	return "in " + d.String()
}

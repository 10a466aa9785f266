package explain

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Token is the printable part of a token: header and claims, unverified. Without the signature they
// are worthless to an attacker.
type Token struct {
	Header json.RawMessage `json:"header"` // null if it is not a JSON object
	Claims json.RawMessage `json:"claims"` // null if it is not a JSON object
	Bytes  int             `json:"bytes"`  // of the whole token
}

// read decodes a token leniently, for people.
func read(token string) Token {
	parts := strings.Split(token, ".")
	t := Token{Bytes: len(token)}
	if len(parts) == 3 || len(parts) == 2 { // else it is unknown which part is the signature
		t.Header, t.Claims = object(parts[0]), object(parts[1])
	}
	return t
}

// object decodes a segment that is a JSON object, and returns nil for others.
func object(segment string) json.RawMessage {
	segment = strings.NewReplacer("+", "-", "/", "_", "\n", "", "\r", "").Replace(strings.TrimRight(segment, "="))
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if text = bytes.TrimSpace(text); err != nil || !bytes.HasPrefix(text, []byte("{")) || !json.Valid(text) || depth(text) > maxDepth {
		return nil
	}
	return text
}

// maxDepth bounds the nesting of what is printed, which grows with the indentation. The library accepts
// less by default.
const maxDepth = 64

// depth returns how deep valid JSON nests.
func depth(text []byte) (deepest int) {
	now := 0
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		switch token, err := decoder.Token(); {
		case err != nil:
			return deepest
		case token == json.Delim('{'), token == json.Delim('['):
			now++
			deepest = max(deepest, now)
		case token == json.Delim('}'), token == json.Delim(']'):
			now--
		}
	}
}

// A Member is a member of a header or of claims.
type Member struct {
	Name  string
	Value string // JSON
	Note  string // the date, if the value is one
}

// Members returns the members of an object in their order, including duplicates.
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

// member returns the JSON of the last member of a name, or "".
func member(object json.RawMessage, name string) string {
	value := ""
	for _, m := range Members(object, time.Time{}) {
		if m.Name == name {
			value = m.Value
		}
	}
	return value
}

// text returns a member that is a string, or "".
func text(object json.RawMessage, name string) string {
	var s string
	if json.Unmarshal([]byte(member(object, name)), &s) != nil {
		return ""
	}
	return s
}

// date formats the claims that are dates.
func date(name, value string, now time.Time) string {
	seconds, err := strconv.ParseInt(value, 10, 64)
	if !slices.Contains([]string{"exp", "nbf", "iat", "auth_time"}, name) || err != nil || seconds < 0 || seconds > 253402300799 { // the year 9999
		return ""
	}
	at := time.Unix(seconds, 0).UTC()
	distance := at.Sub(now).Round(time.Second)
	if distance < 0 {
		return at.Format("2006-01-02 15:04:05 MST") + ", " + (-distance).String() + " ago"
	}
	return at.Format("2006-01-02 15:04:05 MST") + ", in " + distance.String()
}

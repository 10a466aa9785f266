package explain_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/explain"
)

func token(payload string) explain.Input {
	encode := base64.RawURLEncoding.EncodeToString
	return explain.ParseInput(encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(payload)) + ".c2lnbmF0dXJl")
}

func TestDecode_Depth(t *testing.T) {
	for depth, shown := range map[int]bool{1: true, 63: true, 64: false, 5000: false} {
		decoded, err := explain.Decode(token(`{"quoted":"[[[{{{\"[","x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}"))
		if err != nil || (decoded.Claims != nil) != shown {
			t.Errorf("depth %d: %v, %.40s", depth, err, decoded.Claims)
		}
	}
}

func TestMembers(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var got []string
	for _, m := range explain.Members([]byte(`{"z":1,"exp":1800000060,"z":{"a":[1]},"iat":-1,"nbf":"x"}`), now) {
		got = append(got, m.Name+" "+m.Value+" "+m.Note)
	}
	want := []string{"z 1 ", "exp 1800000060 2027-01-15 08:01:00 UTC, in 1m0s", `z {"a":[1]} `, "iat -1 ", `nbf "x" `}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", got)
	}
	for _, text := range []string{"", "null", "[]", "x", `{"a"`} {
		if list := explain.Members([]byte(text), now); len(list) > 0 {
			t.Errorf("%q has %v", text, list)
		}
	}
}

func TestParseInput(t *testing.T) {
	for text, want := range map[string]explain.Input{
		"a.b.c\n":      {Token: "a.b.c"},
		"a.b.c\r\n":    {Token: "a.b.c"},
		"a.b.c\n\n":    {Token: "a.b.c\n"},
		" a.b.c":       {Token: " a.b.c"},
		"bearer a.b.c": {Fields: []string{"bearer a.b.c"}},
		"Bearer":       {Token: "Bearer"},
		"Basic a":      {Token: "Basic a"},
		"Authorization: Bearer a\nauthorization:Basic b\n": {Fields: []string{"Bearer a", "Basic b"}},
		"Authorization: Bearer a\r\nX-User: root\r\n":      {Fields: []string{"Bearer a\r\nX-User: root"}},
		"Authorization:\nAuthorization: \n":                {Fields: []string{"", ""}},
		"Proxy-Authorization: Bearer a":                    {Token: "Proxy-Authorization: Bearer a"},
	} {
		got := explain.ParseInput(text)
		if got.Token != want.Token || strings.Join(got.Fields, "|") != strings.Join(want.Fields, "|") || (got.Fields == nil) != (want.Fields == nil) {
			t.Errorf("%q is %+q", text, got)
		}
	}
	for text, empty := range map[string]bool{"": true, "\n": true, " \n": true, "x": false, "Authorization: \n": false} {
		if explain.ParseInput(text).Empty() != empty {
			t.Errorf("%q", text)
		}
	}
}

package term_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
)

// hostile are texts that a terminal obeys, or that people misread.
var hostile = map[string]string{
	"clear the screen":     "\x1b[2J",
	"set the title":        "\x1b]0;owned\x07",
	"the same in one byte": "\u009b2J",
	"a forged line":        "x\nok    signature",
	"the line again":       "x\rok    signature",
	"backspaces":           "no\b\bok",
	"delete":               "\x7f",
	"right to left":        "\u202egnitirw",
	"isolates":             "\u2066x\u2069",
	"zero width":           "a\u200bb",
	"line separator":       "a\u2028b",
	"invalid UTF-8":        "\xff\x9b2J",
	"a tag":                "\U000e0041",
	"NUL":                  "\x00",
}

func TestPrinter_ControlCharacters(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := term.NewPrinter(&out)
			p.Printf("%s|%v|%s|%v", text, errors.New(text), []string{text}, struct{ s string }{text})
			if strings.Contains(out.String(), "\n") {
				t.Errorf("output with line breaks: %q", out.String())
			}
			for _, r := range out.String() {
				if r != '\n' && (r < ' ' || r > '~') {
					t.Errorf("%q holds %q", out.String(), r)
				}
			}
			out.Reset()
			if err := term.JSON(&out, map[string]string{text: text}); err != nil {
				t.Fatal(err)
			}
			for _, r := range out.String() {
				if r != '\n' && (r < ' ' || r > '~') {
					t.Errorf("%q holds %q", out.String(), r)
				}
			}
			var back map[string]string
			if err := json.Unmarshal(out.Bytes(), &back); err != nil || len(back) != 1 {
				t.Errorf("%v: %s", err, out.String())
			}
		})
	}
}

func TestSafe_Invisible(t *testing.T) {
	for _, r := range []rune{0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180e, 0x180f, 0x200b, 0x2060, 0x2064, 0x2065, 0x206a, 0x2800, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff0, 0x1bca0, 0x1d173, 0xe0000, 0xe0001, 0xe0100, 0xe01ef, 0xe0fff} {
		if got, want := term.Safe("admin"+string(r)), fmt.Sprintf(`admin\u{%x}`, r); got != want {
			t.Errorf("%U became %q", r, got)
		}
	}
}

func TestSafe_Unchanged(t *testing.T) {
	for _, text := range []string{"", "hello ada", "Grüße an 李", "é", `C:\path`, "🙂"} {
		if got := term.Safe(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := term.SafeLines("a\x1b\nb"); got != "a\\x1b\nb" {
		t.Errorf("%q", got)
	}
}

func TestClip(t *testing.T) {
	for text, want := range map[string]string{"": "", "abc": "abc", "abcd": "abc…", "abüd": "ab…", "🙂": "…"} {
		if got := term.Clip(text, 3); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

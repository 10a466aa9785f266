// Package term writes text that is safe to show on a terminal. Text from a token, a provider or a
// file may hold control characters, which a terminal obeys, and invisible characters.
package term

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Safe returns s for one line of a terminal. Control characters, line breaks, direction marks,
// invisible characters and invalid UTF-8 are escaped.
func Safe(s string) string {
	var b strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case visible(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
		s = s[size:]
	}
	return b.String()
}

// visible reports whether a character shows. Unicode counts some invisible ones as printable:
// Default_Ignorable_Code_Point, variation selectors, and the blank Braille pattern.
func visible(r rune) bool {
	return unicode.IsPrint(r) && r != '\u2800' && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// SafeLines is [Safe] for text of several lines.
func SafeLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Safe(line)
	}
	return strings.Join(lines, "\n")
}

// Clip shortens s to most bytes, at a character boundary.
func Clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

var userInfo = regexp.MustCompile(`//[^/,]*@`)

// Redact returns a setting or an address without possible secrets: the user, query and fragment of
// URLs, and any text that is not certainly harmless.
func Redact(value string) string {
	redacted, _, _ := strings.Cut(strings.ReplaceAll(value, "#", "?"), "?") // what follows may hold commas
	redacted = userInfo.ReplaceAllString(redacted, "//")
	if len(redacted) > 200 || strings.ContainsAny(redacted, "{@\n") || strings.Contains(redacted, "-----") || // JSON or PEM
		strings.Contains(strings.ToLower(redacted), "data:") ||
		len(redacted) > 30 && !strings.ContainsAny(redacted, ".:, ") || // Base64 or hex: a key in the wrong setting
		redacted != value && !strings.Contains(redacted, "://") {
		return fmt.Sprintf("a text of %d bytes", len(value))
	}
	if redacted != value {
		redacted += " (shortened)"
	}
	return redacted
}

// Printer prints text through [Safe].
type Printer struct{ out io.Writer }

// NewPrinter returns a printer that writes to out.
func NewPrinter(out io.Writer) *Printer { return &Printer{out: out} }

// Printf formats as [fmt.Printf] does. Each argument is a string that has passed through [Safe]; the
// format has not. Errors of the writer are ignored.
func (p *Printer) Printf(format string, args ...any) {
	safe := make([]any, len(args))
	for i, arg := range args {
		safe[i] = Safe(fmt.Sprint(arg))
	}
	_, _ = fmt.Fprintf(p.out, format, safe...)
}

// IsTerminal reports whether a reader is a terminal or another character device, so that reading it
// would wait for a person.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// JSON writes a value as indented JSON in ASCII, which is as safe as [Safe].
func JSON(out io.Writer, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	var ascii strings.Builder
	for _, u := range utf16.Encode([]rune(text.String())) { // only strings hold other characters
		if u < 0x7f {
			ascii.WriteByte(byte(u))
		} else {
			fmt.Fprintf(&ascii, `\u%04x`, u)
		}
	}
	_, err := io.WriteString(out, ascii.String())
	return err
}

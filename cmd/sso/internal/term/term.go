// Package term writes for people at a terminal and for programs behind a pipe. What a token, a
// provider or a file says is never trusted to be harmless: a terminal obeys control characters,
// and text can be made to look as if it ran in another direction.
package term

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Safe is a text that can go to a terminal as part of a line: control characters, line breaks,
// what changes the direction of text and what cannot be seen stand as escapes, bytes that are not
// UTF-8 too.
func Safe(s string) string {
	clean := true
	for _, r := range s {
		if clean = r != utf8.RuneError && seen(r); !clean {
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case seen(r):
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

// seen reports whether a character leaves something to be seen. Unicode calls some letters and
// marks printable that are not (Default_Ignorable_Code_Point: fillers, variation selectors), and a
// Braille pattern without dots is blank.
func seen(r rune) bool {
	return unicode.IsPrint(r) && r != '\u2800' && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// SafeLines is [Safe] for a text of several lines.
func SafeLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Safe(line)
	}
	return strings.Join(lines, "\n")
}

// Clip is a text cut to a length in bytes, at least.
func Clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

// Markup is text that may go to the terminal as it is.
type Markup string

// A Color of a [Printer].
type Color string

// The colors that findings have.
const (
	Green  Color = "32"
	Yellow Color = "33"
	Red    Color = "31"
	Gray   Color = "2"
	Bold   Color = "1"
)

// Printer prints lines. Everything that is printed through it is [Safe], but for the format and
// for [Markup].
type Printer struct {
	out    io.Writer
	colors bool
}

// NewPrinter makes a printer over a writer. It uses colors if that is a terminal and noColor is
// false.
func NewPrinter(out io.Writer, noColor bool) *Printer {
	return &Printer{out: out, colors: !noColor && IsTerminal(out)}
}

// IsTerminal reports whether a reader or writer is a terminal, or something else to which nobody
// redirected it.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Paint puts text into a color, if there are any.
func (p *Printer) Paint(c Color, text string) Markup {
	text = Safe(text)
	if !p.colors {
		return Markup(text)
	}
	return Markup("\x1b[" + string(c) + "m" + text + "\x1b[0m")
}

// Printf prints as [fmt.Printf] does, each argument made safe. An error of the writer is lost: a
// reader who has gone away needs no answer.
func (p *Printer) Printf(format string, args ...any) {
	safe := make([]any, len(args))
	for i, arg := range args {
		safe[i] = sanitize(arg)
	}
	_, _ = fmt.Fprintf(p.out, format, safe...)
}

// Lines prints a text of several lines, each indented.
func (p *Printer) Lines(indent, text string) {
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		p.Printf("%s%s\n", indent, line)
	}
}

func sanitize(arg any) any {
	switch v := arg.(type) {
	case Markup:
		return string(v)
	case bool, int, int64, float64:
		return v
	default:
		return Safe(fmt.Sprint(v))
	}
}

// JSON prints a value as JSON in ASCII letters alone, so that it is as harmless on a terminal as
// the rest.
func JSON(out io.Writer, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := io.WriteString(out, ascii(text.String()))
	return err
}

// ascii spells what is not ASCII, which can only stand in JSON's strings, as escapes.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

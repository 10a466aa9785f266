// Package configerr collects everything that is wrong with a configuration.
package configerr

import (
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a setting.
type Problem struct {
	Setting string // the field or the environment variable
	Problem string // what it holds and why that is refused
	Remedy  string // what to write instead
}

// List collects problems. The zero value names settings by their fields.
type List struct {
	// Name returns what the reader calls a field, such as its environment variable; nil: the field.
	Name func(field string) string
	// Raw returns the text that a list was parsed from; nil for a configuration in code.
	Raw func(field string) string

	problems []Problem
	quoted   map[string]bool // fields whose only problem is the quotes around them
}

// Setting returns what the reader calls a field.
func (l *List) Setting(field string) string {
	if l.Name == nil {
		return field
	}
	return l.Name(field)
}

// Add adds a problem, once.
func (l *List) Add(field, problem, remedy string) {
	p := Problem{l.Setting(field), problem, remedy}
	if !l.quoted[field] && !slices.Contains(l.problems, p) {
		l.problems = append(l.problems, p)
	}
}

// Has reports whether a problem of a field was added.
func (l *List) Has(field string) bool {
	return slices.ContainsFunc(l.problems, func(p Problem) bool { return p.Setting == l.Setting(field) })
}

// CheckQuotes reports a value that kept the quotes of the file it came from. Nothing else is
// reported about that field afterwards.
func (l *List) CheckQuotes(field, value string) {
	value = strings.TrimSpace(value)
	if len(value) < 2 || value[0] != value[len(value)-1] || value[0] != '"' && value[0] != '\'' {
		return
	}
	l.Add(field, "has quotes around it", "remove the quotes: most files of environment variables take them literally")
	if l.quoted == nil {
		l.quoted = map[string]bool{}
	}
	l.quoted[field] = true
}

// CheckList reports the elements of a list that are empty or have surrounding white space.
func (l *List) CheckList(field string, list []string, remedy string) {
	var malformed []string
	for _, element := range list {
		if element == "" || strings.TrimSpace(element) != element {
			malformed = append(malformed, element)
		}
	}
	if len(malformed) == 0 {
		return
	}
	slices.Sort(malformed)
	malformed = slices.Compact(malformed)
	for i := range malformed {
		malformed[i] = Quote(malformed[i])
	}
	problem := "holds " + strings.Join(malformed, " and ")
	if l.Raw != nil {
		problem += " in " + Quote(l.Raw(field))
	}
	l.Add(field, problem, remedy)
}

// Problems returns what was added.
func (l *List) Problems() []Problem { return l.problems }

// maxQuote bounds a value in a message.
const maxQuote = 200

// Quote returns a value as it may appear in a message: bounded, and never a key.
func Quote(value string) string {
	if strings.Contains(value, "-----BEGIN") {
		return "a key text"
	}
	if len(value) > maxQuote {
		value = value[:maxQuote] + "…"
	}
	return strconv.Quote(value)
}

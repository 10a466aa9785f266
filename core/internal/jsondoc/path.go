package jsondoc

import "strings"

// SplitPath splits a path at its dots. `\.` is a dot within a name and `\\` is a backslash. A
// backslash before any other character is literal.
func SplitPath(path string) []string {
	var (
		names []string
		name  strings.Builder
	)
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\' && i+1 < len(path) && (path[i+1] == '.' || path[i+1] == '\\'):
			i++
			name.WriteByte(path[i])
		case c == '.':
			names = append(names, name.String())
			name.Reset()
		default:
			name.WriteByte(c)
		}
	}
	return append(names, name.String())
}

package term

import (
	"fmt"
	"net/url"
	"strings"
)

// Address is an address, or what was given for one, without what could be a secret in it: of a URL
// scheme, host and path; anything else only if it can hold none.
func Address(text string) string {
	if u, err := url.Parse(text); err == nil && u.Host != "" && !strings.Contains(u.Path, "@") {
		return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	}
	if len(text) > 200 || strings.ContainsAny(text, "?#@{\n") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(text)), "data:") {
		return fmt.Sprintf("a text of %d bytes", len(text))
	}
	return text
}

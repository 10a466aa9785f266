// Package netaddr answers questions about addresses in settings and requests.
package netaddr

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/configerr"
)

// Loopback reports whether a host (without a port) is this machine: localhost in any letter case, an
// address in 127.0.0.0/8, or ::1.
func Loopback(host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// maxRedacted bounds what is not a URL, in bytes.
const maxRedacted = 200

// Redact returns a quoted address for a message, without query, user and password. Text that is not a URL
// may be a key, so it is returned only if it is short, is one line without ?, #, @ and {, and has a dot or
// a colon. File names and ARNs have one; Base64 and hex do not.
func Redact(uri string) string {
	if u, err := url.Parse(uri); err == nil && u.Host != "" {
		return configerr.Quote((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String())
	}
	data := strings.HasPrefix(strings.ToLower(strings.TrimSpace(uri)), "data:")
	if len(uri) > maxRedacted || data || strings.ContainsAny(uri, "?#@{\n") || !strings.ContainsAny(uri, ".:") {
		return fmt.Sprintf("a text of %d bytes", len(uri))
	}
	return configerr.Quote(uri)
}

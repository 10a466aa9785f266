package sso

import "github.com/more-retail/moresso-go/core/internal/compact"

// KnownHeaders are the headers of an authenticator, without one.
type KnownHeaders struct{ headers }

// Add remembers a header as that of a verified token, and gives back how many are known.
func (h *KnownHeaders) Add(raw string) int {
	h.add(&candidate{token: &compact.Token{RawHeader: raw, Signed: raw + ".e30"}})
	return len(*h.list.Load())
}

// Listed shows texts in a log line.
var Listed = listed

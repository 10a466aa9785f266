package permission

import (
	"slices"

	"github.com/more-retail/moresso-go/core/sso"
)

// ReadsRequest reports whether what a permission decides may depend on the request, and not on
// the principal alone: such an answer must not be kept for another request. It knows the
// permissions of this package; a [Func] and a type of your own count as reading the request
// unless they have a method ReadsRequest() bool that says otherwise.
func ReadsRequest(p sso.Permission) bool {
	switch p := p.(type) {
	case interface{ ReadsRequest() bool }:
		return p.ReadsRequest()
	case *sameAsPath, method, *function:
		return true
	case leaf:
		return false
	case *not:
		return ReadsRequest(p.meant)
	case *forbidden:
		return ReadsRequest(p.leaf)
	case *ifElse:
		return anyReads(p.condition, p.then, p.otherwise)
	case all:
		return anyReads(p...)
	case anyOf:
		return anyReads(p...)
	}
	return true
}

// ReadsClock reports whether what a permission decides changes with time, so that an answer must
// not be kept at all. It knows the permissions of this package; of a type of your own it is
// true if a method ReadsClock() bool says so.
func ReadsClock(p sso.Permission) bool {
	switch p := p.(type) {
	case interface{ ReadsClock() bool }:
		return p.ReadsClock()
	case freshLogin:
		return true
	case *not:
		return ReadsClock(p.meant)
	case *forbidden:
		return ReadsClock(p.leaf)
	case *ifElse:
		return slices.ContainsFunc([]sso.Permission{p.condition, p.then, p.otherwise}, ReadsClock)
	case all:
		return slices.ContainsFunc(p, ReadsClock)
	case anyOf:
		return slices.ContainsFunc(p, ReadsClock)
	}
	return false
}

func anyReads(list ...sso.Permission) bool {
	return slices.ContainsFunc(list, ReadsRequest)
}

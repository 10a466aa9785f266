package permission

import (
	"slices"

	"github.com/more-retail/moresso-go/core/sso"
)

// ReadsRequest reports whether what a permission decides may depend on the request, and not on
// the principal alone: such an answer must not be kept for another request, as API Gateway keeps
// that of a Lambda authorizer. It knows the permissions of this package: [Method], [SameAsPath] and
// every [Func] read it, and a combination does if one of its parts does. A type of your own counts
// as reading the request unless it has a method ReadsRequest() bool that says otherwise.
func ReadsRequest(p sso.Permission) bool {
	return reads(p, func(p sso.Permission) bool {
		switch p := p.(type) {
		case interface{ ReadsRequest() bool }:
			return p.ReadsRequest()
		case *sameAsPath, method, *function:
			return true
		case leaf:
			return false
		}
		return true
	})
}

// ReadsClock reports whether what a permission decides changes with time, so that an answer must
// not be kept at all. It knows the permissions of this package: [FreshLogin] does, and a
// combination if one of its parts does. Of a type of your own it is true only if a method
// ReadsClock() bool says so, and of a [Func] it is false.
func ReadsClock(p sso.Permission) bool {
	return reads(p, func(p sso.Permission) bool {
		switch p := p.(type) {
		case interface{ ReadsClock() bool }:
			return p.ReadsClock()
		case freshLogin:
			return true
		}
		return false
	})
}

// reads reports whether something is so of any of the permissions that one is made of.
func reads(p sso.Permission, so func(sso.Permission) bool) bool {
	either := func(list ...sso.Permission) bool {
		return slices.ContainsFunc(list, func(p sso.Permission) bool { return reads(p, so) })
	}
	switch p := p.(type) {
	case *not:
		return either(p.meant)
	case *forbidden:
		return either(p.leaf)
	case *ifElse:
		return either(p.condition, p.then, p.otherwise)
	case all:
		return either(p...)
	case anyOf:
		return either(p...)
	}
	return so(p)
}

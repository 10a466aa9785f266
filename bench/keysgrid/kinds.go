package main

import (
	"reflect"
	"strings"
)

// kinds returns the properties by which a program can recognize an error, outermost first: the types
// in its chain that have more than a text, and the values that errors.Is can compare.
func kinds(err error) (found []any) {
	if err == nil {
		return nil
	}
	typ := reflect.TypeOf(err)
	if name := typ.String(); !strings.HasPrefix(name, "*errors.") && !strings.HasPrefix(name, "*fmt.") {
		found = append(found, typ)
	}
	if typ.Comparable() {
		found = append(found, err)
	}
	switch wrapping := err.(type) { //nolint:errorlint // this walks the chain itself
	case interface{ Unwrap() error }:
		found = append(found, kinds(wrapping.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, err := range wrapping.Unwrap() {
			found = append(found, kinds(err)...)
		}
	}
	return found
}

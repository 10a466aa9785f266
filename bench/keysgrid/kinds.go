package main

import (
	"fmt"
	"reflect"
	"slices"
)

// shapeless are the types of errors that hold nothing but a text.
var shapeless = []string{"*errors.errorString", "*errors.joinError", "*fmt.wrapError", "*fmt.wrapErrors"}

// kind is a type or a value that a program can tell an error by.
type kind struct {
	is   any
	name string
}

// kinds lists what a program can tell an error by without reading it, outermost first: the types
// in its chain, and the values that it may be compared with.
func kinds(err error) (found []kind) {
	if err == nil {
		return nil
	}
	typ := reflect.TypeOf(err)
	if !slices.Contains(shapeless, typ.String()) {
		found = append(found, kind{typ, typ.String()})
	}
	if typ.Comparable() {
		found = append(found, kind{err, fmt.Sprintf("%q", err)})
	}
	switch wrapping := err.(type) { //nolint:errorlint // the chain itself is what is looked at
	case interface{ Unwrap() error }:
		found = append(found, kinds(wrapping.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, err := range wrapping.Unwrap() {
			found = append(found, kinds(err)...)
		}
	}
	return found
}

// Package wycheproof runs the test vectors of Project Wycheproof. It is a module of its own, so that
// the vectors do not enter the module graph of a service.
package wycheproof

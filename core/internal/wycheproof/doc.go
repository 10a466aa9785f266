// Package wycheproof holds the library to the test vectors of Project Wycheproof, which nobody
// here wrote. It is a module of its own, so that the vectors enter nobody's module graph.
package wycheproof

package main

import "testing"

func TestExportedNames(t *testing.T) {
	const text = `package p
const A, b = 1, 2
type T struct { F, g int; T2 }
type u struct { F int }
type I interface { M(); n() }
func (*T) Do() {}
func (t *G[K]) Do() {}
func (u) Do() {}
func F() {}
`
	for file, want := range map[string]int{
		"core/sso/a.go": 7, "core/internal/x/a.go": 0, "bench/a.go": 0, "tools/size/a.go": 0,
	} {
		if got, err := exportedNames(file, []byte(text)); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", file, got, err, want)
		}
	}
}

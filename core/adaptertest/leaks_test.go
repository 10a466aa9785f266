package adaptertest_test

import (
	"slices"
	"testing"

	"github.com/more-retail/moresso-go/core/adaptertest"
)

// failing counts the errors that it is given.
type failing struct {
	testing.TB
	cleanups []func()
	errors   int
}

func (f *failing) Helper()               {}
func (f *failing) Cleanup(do func())     { f.cleanups = append(f.cleanups, do) }
func (f *failing) Errorf(string, ...any) { f.errors++ }

func TestCheckLeaks(t *testing.T) {
	f := &failing{TB: t}
	adaptertest.CheckLeaks(f)
	stop := make(chan struct{})
	go func() { <-stop }()
	for _, do := range slices.Backward(f.cleanups) {
		do()
	}
	close(stop)
	if f.errors != 1 {
		t.Errorf("%d leaks were reported, want 1", f.errors)
	}
}

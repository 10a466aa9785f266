package protect_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/protect"
)

func TestCall(t *testing.T) {
	failure := errors.New("failure")
	if err := protect.Call(func() error { return failure }); !errors.Is(err, failure) {
		t.Error(err)
	}
	if err := protect.Call(func() error { return nil }); err != nil {
		t.Error(err)
	}
	for name, value := range map[string]any{"a text": "at the disco", "an error": failure, "nil": nil, "a value whose text panics": worse{}} {
		t.Run(name, func(t *testing.T) {
			err := protect.Call(func() error { panic(value) })
			var panicked *protect.PanicError
			if !errors.As(err, &panicked) || !strings.HasPrefix(err.Error(), "panic: ") || !strings.Contains(panicked.Stack, "TestCall") {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("nil, where recover returns it", func(t *testing.T) {
		t.Setenv("GODEBUG", "panicnil=1")
		if err := protect.Call(func() error { panic(nil) }); err == nil { //nolint:govet // the point
			t.Error("no error")
		}
	})
}

type worse struct{}

func (worse) Error() string { panic("worse") }

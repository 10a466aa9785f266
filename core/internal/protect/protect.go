// Package protect calls code that may panic.
package protect

import (
	"fmt"
	"runtime/debug"
)

// Call calls do and returns its error. A panic is returned as a [*PanicError], so that nothing
// unforeseen lets a request pass or ends the process.
func Call(do func() error) (err error) {
	done := false // with GODEBUG=panicnil=1 recover may return nil after a panic
	defer func() {
		if v := recover(); !done {
			stack := debug.Stack()
			err = &PanicError{v, string(stack[:min(len(stack), maxStack)])}
		}
	}()
	err = do()
	done = true
	return err
}

// Run calls do and returns its panic, as [Call] does.
func Run(do func()) error {
	return Call(func() error {
		do()
		return nil
	})
}

// PanicError is the error of a call that panicked.
type PanicError struct {
	Value any
	Stack string // the innermost calls, bounded
}

// maxStack bounds a stack, in bytes.
const maxStack = 16 << 10

// Error formats the value of the panic. Methods of the value that panic do no harm.
func (p *PanicError) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

//go:build !linux

package main

import "time"

// cpuTime is the time by the clock, where nobody here knows how to ask for the processor's.
func cpuTime() time.Duration { return time.Duration(time.Now().UnixNano()) }

// pin does nothing: threads cannot be bound to a processor here.
func pin() (release func(), err error) { return func() {}, nil }

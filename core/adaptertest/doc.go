// Package adaptertest is for tests of adapters, which connect this library to a framework.
//
// [TestAdapter] is the suite that every adapter has to pass. [Attacks] returns what a service has to
// reject, and needs no testing.TB. [CheckLeaks] finds goroutines that a test leaves. [TestNested],
// [TestMistakes], [TestStreams], [TestPathValues] and [TestResponseController] test what most frameworks
// have, in the words of the framework.
package adaptertest

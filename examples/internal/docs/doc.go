// Package docs holds the documentation to the code: every Go snippet in it must stand, line by
// line, in a file that is compiled and tested.
package docs

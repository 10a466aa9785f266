// Package docs tests the documentation: every Go snippet must be in a file that is compiled and tested.
package docs

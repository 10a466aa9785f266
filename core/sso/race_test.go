//go:build race

package sso_test

func init() { raceEnabled = true }

//go:build race

package permission_test

func init() { raceEnabled = true }

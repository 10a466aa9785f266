package peers

import (
	"runtime/debug"
	"slices"
	"strings"
)

// Versions tells what was measured, by what the linker knows.
func Versions(list []Peer) []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	lines := []string{"built by " + info.GoVersion}
	for _, peer := range list {
		var modules []string
		for _, path := range peer.Modules {
			at := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == path })
			switch {
			case at < 0:
				modules = append(modules, path)
			case info.Deps[at].Replace != nil:
				modules = append(modules, path+" (this tree)")
			default:
				modules = append(modules, path+" "+info.Deps[at].Version)
			}
		}
		lines = append(lines, peer.Name+": "+strings.Join(modules, ", "))
	}
	return lines
}

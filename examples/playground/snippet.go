package main

import (
	_ "embed"
	"regexp"
	"strings"
)

//go:embed routes.go
var routesSource string

// serviceFunctions are the functions of routes.go that register the routes, by server.
var serviceFunctions = map[string]string{
	"gin": "ginService", "echo": "echoService", "fiber": "fiberService", "net/http": "httpService", "lambda": "lambdaService",
}

var permissionName = regexp.MustCompile(`Require\((?:guard, )?(\w+)`)

// snippet returns the code of routes.go that protects a route in a service: the permission, the guard, and the line
// that puts both before the handler. It is empty if the route is unknown. It relies on gofmt.
func snippet(server, pattern string) string {
	_, body, _ := strings.Cut(routesSource, "\nfunc "+serviceFunctions[server]+"(")
	body, _, _ = strings.Cut(body, "\n}\n")
	var guard, route string
	for line := range strings.Lines(body) {
		line = strings.Join(strings.Fields(line), " ") // without the alignment
		switch {
		case strings.HasPrefix(line, "guard := "):
			guard = line + "\n"
		case strings.Contains(line, `"`+pattern+`"`), strings.Contains(line, `"GET `+pattern+`"`), strings.Contains(line, `"`+colons(pattern)+`"`):
			route = line + "\n"
		}
	}
	if guard == "" || route == "" {
		return ""
	}
	if strings.HasSuffix(route, ",\n") { // an entry of a map
		guard += "\n// one of the function's routes\n"
	}
	if name := permissionName.FindStringSubmatch(route); name != nil {
		return declaration(name[1]) + "\n" + guard + route
	}
	return guard + route
}

// declaration returns the declaration of a variable, which ends at the first line without indentation.
func declaration(name string) string {
	_, text, _ := strings.Cut(routesSource, "\nvar "+name+" = ")
	first, rest, _ := strings.Cut(text, "\n")
	declared := "var " + name + " = " + first + "\n"
	if strings.HasSuffix(first, "(") {
		rest, _, _ = strings.Cut(rest, "\n)\n")
		declared += rest + "\n)\n"
	}
	return strings.ReplaceAll(declared, "\t", "    ")
}

// colons writes a pattern as Gin, Echo and Fiber do.
func colons(pattern string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(pattern)
}

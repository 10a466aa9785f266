package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// brought is what a released module brings into a build.
type brought struct {
	module repo.Module
	list   []dependency
}

// render writes the document.
func render(released []brought) []byte {
	var b bytes.Buffer
	b.WriteString(`# Dependencies

What each module brings into a service that imports it, beside Go's own library and the other modules of this repository: what is compiled in on Linux, macOS or Windows, which is less than its ` + "`go.mod`" + ` names. A service that requires a newer version of one of them gets that one. ` + "`make dependencies`" + ` writes this page out of the build, and ` + "`make lint`" + ` checks that it is up to date and that every licence is one of those that ask for nothing but to keep the notice.

What is listed for ` + "`core`" + ` counts its development issuer and its test kit too, which alone bring go-jose: no adapter's list has it, and no service. ` + "`go-json-experiment/json`" + ` is the module in which Go's ` + "`encoding/json/v2`" + ` is developed; only its package ` + "`jsontext`" + ` is used, behind ` + "`core/internal/jsondoc`" + `, which reads most texts by itself and is held against it by fuzzing.
`)
	for _, r := range released {
		fmt.Fprintf(&b, "\n## %s\n\n", r.module.Dir)
		if len(r.list) == 0 {
			b.WriteString("Nothing.\n")
			continue
		}
		b.WriteString("| module | version | licence |\n|---|---|---|\n")
		for _, d := range r.list {
			ids, err := d.licences()
			if err != nil {
				ids = []string{err.Error()} // which has failed before
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", d.path, d.version, strings.Join(ids, ", "))
		}
	}
	return b.Bytes()
}

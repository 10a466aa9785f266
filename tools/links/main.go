// Command links checks that every relative link in the Markdown files below a folder leads to a file and a heading.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	code      = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	link      = regexp.MustCompile(`\]\(([^()\s]+)\)|(?m)^\[[^\]]+\]: (\S+)|(?:href|src)="([^"]+)"`)
	heading   = regexp.MustCompile(`(?m)^#+ +(.*)|<a id="([^"]+)"`)
	notInSlug = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
)

// anchors returns the names that a link may have after #, as GitHub makes them of headings. The files repeat no heading.
func anchors(text string) (names []string) {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		names = append(names, m[2], strings.ReplaceAll(strings.ToLower(notInSlug.ReplaceAllString(m[1], "")), " ", "-"))
	}
	return names
}

func check(page, target string) error {
	to, err := url.Parse(target)
	if err != nil || to.Scheme != "" {
		return err
	}
	file := filepath.Join(filepath.Dir(page), cmp.Or(to.Path, filepath.Base(page)))
	if _, err := os.Stat(file); err != nil || to.Fragment == "" || !strings.HasSuffix(file, ".md") {
		return err
	}
	text, err := os.ReadFile(file)
	if err == nil && !slices.Contains(anchors(string(text)), to.Fragment) {
		err = fmt.Errorf("%s has no heading #%s", file, to.Fragment)
	}
	return err
}

func main() {
	log.SetFlags(0)
	var errs []error
	for _, page := range os.Args[1:] {
		text, err := os.ReadFile(page)
		errs = append(errs, err)
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			if err := check(page, m[1]+m[2]+m[3]); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", page, err))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		log.Fatal(err)
	}
}

package main

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
)

// check says which links lead nowhere, as "file:line: what".
func (t *tree) check() (faults []string) {
	for _, name := range slices.Sorted(maps.Keys(t.pages)) {
		for _, l := range t.pages[name].links {
			if err := t.follow(name, l); err != nil {
				faults = append(faults, fmt.Sprintf("%s:%d: %v", name, l.line, err))
			}
		}
	}
	return faults
}

// follow says what is wrong with a link in a file.
func (t *tree) follow(from string, l link) error {
	if l.undefined {
		return fmt.Errorf("the reference %s is not defined: add a line [name]: address, or put the brackets into backticks", l.to)
	}
	to, err := url.Parse(l.to)
	if err != nil {
		return fmt.Errorf("%q is no address: %w", l.to, err)
	}
	switch {
	case to.Scheme == "mailto":
		return nil
	case to.Scheme != "" || to.Host != "":
		return elsewhere(to)
	case strings.HasPrefix(to.Path, "/"):
		return fmt.Errorf("%s begins with a slash, which is another place for every reader: write it relative to this file", l.to)
	}
	name := from
	if to.Path != "" {
		name = path.Join(path.Dir(from), to.Path)
	}
	if name == ".." || strings.HasPrefix(name, "../") {
		return fmt.Errorf("%s leads out of the repository", l.to)
	}
	if !t.names[name] {
		return fmt.Errorf("%s: there is no %s in the repository", l.to, name)
	}
	if to.Fragment == "" {
		return nil
	}
	p := t.pages[name]
	if p == nil {
		return fmt.Errorf("%s: only a Markdown file has headings to link to", l.to)
	}
	if !p.anchors[to.Fragment] {
		return fmt.Errorf("%s: %s has no heading #%s; it has #%s", l.to, name, to.Fragment, strings.Join(slices.Sorted(maps.Keys(p.anchors)), ", #"))
	}
	return nil
}

// elsewhere says what is wrong with an address outside the repository.
func elsewhere(to *url.URL) error {
	host := to.Hostname()
	if to.Scheme != "https" {
		return fmt.Errorf("%s: an address elsewhere begins with https://; an example goes into backticks", to)
	}
	// A name without a dot, or of a network of one's own, is another machine for every reader, or none.
	_, err := netip.ParseAddr(host)
	local := err == nil || !strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".localhost")
	if local || to.Port() != "" || to.User != nil {
		return fmt.Errorf("%s is no address that every reader can follow; an example goes into backticks", to)
	}
	return nil
}

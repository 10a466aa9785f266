package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// page is a Markdown file.
type page struct {
	anchors map[string]bool // what can stand after the # of a link to it
	links   []link
}

type link struct {
	to        string
	line      int
	undefined bool // a reference that nothing defines; to is the text
}

var (
	reference = regexp.MustCompile(`\[[^\[\]]+\]\[[^\[\]]*\]`) // [text][name] or [name][] that was left as it is
	address   = regexp.MustCompile(`\s(?:href|src)\s*=\s*["']([^"']*)["']`)
	identity  = regexp.MustCompile(`\s(?:id|name)\s*=\s*["']([^"']*)["']`)
)

// parse reads a file as GitHub does.
func parse(source []byte) *page {
	p := &page{anchors: map[string]bool{}}
	slugs := slugger{}
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			p.anchors[slugs.slug(plain(n, source))] = true
		case *ast.Link:
			p.add(string(n.Destination), line(n, source))
		case *ast.Image:
			p.add(string(n.Destination), line(n, source))
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkURL {
				p.add(string(n.URL(source)), line(n, source))
			}
		case *ast.RawHTML:
			p.html(n.Segments.Value(source), line(n, source))
		case *ast.HTMLBlock:
			p.html(n.Lines().Value(source), line(n, source))
		case *ast.Text:
			if _, code := n.Parent().(*ast.CodeSpan); !code {
				p.undefined(n, source)
			}
		}
		return ast.WalkContinue, nil
	})
	return p
}

func (p *page) add(to string, line int) { p.links = append(p.links, link{to: to, line: line}) }

func (p *page) html(tag []byte, line int) {
	for _, m := range address.FindAllSubmatch(tag, -1) {
		p.add(string(m[1]), line)
	}
	for _, m := range identity.FindAllSubmatch(tag, -1) {
		p.anchors[string(m[1])] = true
	}
}

// undefined finds references in a run of plain text, which is in pieces where brackets are.
func (p *page) undefined(first *ast.Text, source []byte) {
	if _, inside := first.PreviousSibling().(*ast.Text); inside {
		return
	}
	var run bytes.Buffer
	for n := ast.Node(first); n != nil; n = n.NextSibling() {
		t, ok := n.(*ast.Text)
		if !ok {
			break
		}
		run.Write(t.Segment.Value(source))
		if t.SoftLineBreak() || t.HardLineBreak() {
			run.WriteByte(' ')
		}
	}
	for _, m := range reference.FindAll(run.Bytes(), -1) {
		p.links = append(p.links, link{to: string(m), line: line(first, source), undefined: true})
	}
}

// plain is the text of a heading without its marks.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			switch n := n.(type) {
			case *ast.Text:
				b.Write(n.Segment.Value(source))
			case *ast.String:
				b.Write(n.Value)
			case *ast.AutoLink:
				b.Write(n.Label(source))
			case *ast.Image:
				return ast.WalkSkipChildren, nil
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// line is where a node stands, or the block that it is in, which knows its lines.
func line(n ast.Node, source []byte) int {
	at := -1
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && at < 0 {
			at = t.Segment.Start
		}
		return ast.WalkContinue, nil
	})
	for ; n != nil && at < 0; n = n.Parent() {
		if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
			at = n.Lines().At(0).Start
		}
	}
	return 1 + bytes.Count(source[:max(at, 0)], []byte("\n"))
}

// slugger names headings as GitHub does; of those that are alike it counts all but the first.
type slugger map[string]int

func (s slugger) slug(heading string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Pc):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	free := name
	for {
		if _, taken := s[free]; !taken {
			s[free] = 0
			return free
		}
		s[name]++
		free = fmt.Sprintf("%s-%d", name, s[name])
	}
}

package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// bar is one line of a chart.
type bar struct {
	name  string
	value float64
	ours  bool
}

// charts are the figures as pictures, by the names of their files.
func (r *report) charts() map[string]string {
	var cold, warm, cpu, rate []bar
	for _, v := range r.verification {
		switch v.name {
		case digestOnly, oursWarm1k:
		case oursWarm:
			warm = append(warm, bar{v.name, v.median, true})
		default:
			cold = append(cold, bar{v.name, v.median, v.name == oursCold})
			if v.name != anchor {
				warm = append(warm, bar{v.name, v.median, v.name == oursCold})
			}
		}
	}
	for _, s := range r.loopback {
		ours := s.guard == withOurs || s.guard == withCold
		cpu = append(cpu, bar{s.name(), s.cpu.median, ours})
		rate = append(rate, bar{s.name(), s.rate.median, ours})
	}
	return map[string]string{
		"bench-new-token.svg":       chart("A new token: processor time, × one RSA verification", cold, false),
		"bench-known-token.svg":     chart("A token that comes again: processor time, × one RSA verification (logarithmic)", warm, true),
		"bench-loopback-cpu.svg":    chart("Over loopback: the server's processor time for a request, × the bare route's", cpu, false),
		"bench-loopback-second.svg": chart("Over loopback: requests a second, × the bare route's", rate, false),
	}
}

// chart draws horizontal bars. Its colours follow the reader's light or dark.
func chart(title string, bars []bar, logarithmic bool) string {
	const width, left, row, top, least = 760, 270, 22, 46, 0.01
	length := func(v float64) float64 {
		if logarithmic {
			return math.Log10(max(v, least) / least)
		}
		return v
	}
	longest := 0.0
	for _, b := range bars {
		longest = max(longest, length(b.value))
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="%s">`+"\n", width, top+row*len(bars)+10, width, html.EscapeString(title))
	s.WriteString("<style>text{fill:#24292f}.bar{fill:#8c959f}.ours{fill:#0969da}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#58a6ff}}</style>\n")
	fmt.Fprintf(&s, `<text x="10" y="24" font-size="15" font-weight="600">%s</text>`+"\n", html.EscapeString(title))
	for i, b := range bars {
		y := top + row*i
		class := "bar"
		if b.ours {
			class = "ours"
		}
		w := length(b.value) / longest * (width - left - 70)
		fmt.Fprintf(&s, `<text x="%d" y="%d" text-anchor="end">%s</text><rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/><text x="%.1f" y="%d">%s</text>`+"\n",
			left-8, y+13, html.EscapeString(b.name), class, left, y+2, w, row-7, float64(left)+w+6, y+13, figure(b.value))
	}
	s.WriteString("</svg>\n")
	return s.String()
}

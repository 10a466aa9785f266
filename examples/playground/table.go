package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// printTable sends the ten requests to every service and prints the answers. It fails unless all services agree
// and answer as expected.
func (p *playground) printTable(ctx context.Context, w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	header := []string{"request"}
	for _, s := range p.services {
		header = append(header, s.Name)
	}
	_, _ = fmt.Fprintln(table, strings.Join(append(header, "agree", "reason in the log"), "\t"))
	var failed []string
	for _, preset := range presets {
		if preset.Rotate {
			p.issuer.Rotate()
		}
		who, _ := find(personas(time.Now()), func(one persona) bool { return one.ID == preset.Persona })
		out, err := p.send(ctx, order{who.Claims, preset.Flaw, preset.Route})
		if err != nil {
			return err
		}
		row, agree := []string{preset.Name}, "yes"
		for _, a := range out.Answers {
			row = append(row, a.short())
		}
		if len(out.Differ) > 0 || out.Answers[0].short() != preset.want {
			agree = "NO"
			failed = append(failed, preset.Name)
		}
		_, _ = fmt.Fprintln(table, strings.Join(append(row, agree, cmp.Or(string(out.Answers[0].Reason), "-")), "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("unexpected answers: %s", strings.Join(failed, ", "))
	}
	return nil
}

// short is a status and, of a refusal, its code.
func (a answer) short() string {
	var body struct{ Code string }
	_ = json.Unmarshal([]byte(a.Body), &body) // the answer of a handler is plain text
	return strings.TrimSpace(strconv.Itoa(a.Status) + " " + body.Code)
}

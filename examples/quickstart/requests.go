package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/examples/internal/doors"
)

// A call is one of the ten requests. Its Authorization fields are made when its turn comes.
type call struct {
	name          string
	want          string
	authorization func(*devissuer.Issuer) []string
}

// token mints a token with the permission that the route demands, and what else is said.
func token(opts ...devissuer.TokenOption) func(*devissuer.Issuer) []string {
	return func(issuer *devissuer.Issuer) []string {
		all := append([]devissuer.TokenOption{devissuer.Permission("orders.role", "clerk")}, opts...)
		return []string{"Bearer " + issuer.MustToken(all...)}
	}
}

var calls = []call{
	{"allowed", "200", token()},
	{"no token", "401 missing_token", func(*devissuer.Issuer) []string { return nil }},
	{"wrong scheme", "401 missing_token", func(*devissuer.Issuer) []string { return []string{"Basic YWRhOnNlY3JldA=="} }},
	{"two headers", "400 invalid_request", func(issuer *devissuer.Issuer) []string {
		one := token()(issuer)
		return append(one, one...)
	}},
	{"key rotated just now", "200", func(issuer *devissuer.Issuer) []string {
		issuer.Rotate()
		return token()(issuer)
	}},
	{"expired", "401 invalid_token", token(devissuer.Expired())},
	{"wrong audience", "401 invalid_token", token(devissuer.WrongAudience())},
	{"bad signature", "401 invalid_token", token(devissuer.BadSignature())},
	{"unknown key", "401 invalid_token", token(devissuer.UnknownKey())},
	{"missing permission", "403 insufficient_scope", token(devissuer.Permission("orders.role", "guest"))},
}

// compare sends every call to every door and prints a table. It reports whether all answered
// as they should, which includes that all answered alike, byte for byte.
func compare(ctx context.Context, w io.Writer, issuer *devissuer.Issuer, list []doors.Door) bool {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	header := []string{"request"}
	for _, d := range list {
		header = append(header, d.Name)
	}
	_, _ = fmt.Fprintln(table, strings.Join(append(header, "agree", "the operator's log says"), "\t"))
	good := true
	for _, c := range calls {
		authorization := c.authorization(issuer)
		row := []string{c.name}
		agree, reason := "yes", "-"
		var first answer
		for i, d := range list {
			got := send(ctx, d, authorization)
			if i == 0 {
				first = got
			}
			if got.summary != c.want || got.raw != first.raw {
				agree, good = "NO", false
			}
			if c.want != "200" {
				report, err := d.Report(ctx)
				if err != nil || i > 0 && string(report.Reason) != reason {
					agree, good = "NO", false
				}
				reason = string(report.Reason)
			}
			row = append(row, got.summary)
		}
		_, _ = fmt.Fprintln(table, strings.Join(append(row, agree, reason), "\t"))
	}
	_ = table.Flush()
	return good
}

var client = &http.Client{Transport: &http.Transport{}}

func closeIdle() { client.CloseIdleConnections() }

// answer is a response: in short for the table, and whole for comparing.
type answer struct{ summary, raw string }

func send(ctx context.Context, d doors.Door, authorization []string) answer {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL+route, http.NoBody)
	if err != nil {
		return answer{summary: err.Error()}
	}
	if authorization != nil {
		request.Header["Authorization"] = authorization
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{summary: err.Error()}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{summary: err.Error()}
	}
	summary := fmt.Sprint(response.StatusCode)
	if _, rest, ok := strings.Cut(string(body), `"code":"`); ok {
		code, _, _ := strings.Cut(rest, `"`)
		summary += " " + code
	}
	raw := fmt.Sprint(summary, string(body), response.Header.Values("WWW-Authenticate"), response.Header.Values("Cache-Control"))
	return answer{summary, raw}
}

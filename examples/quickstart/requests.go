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
	"github.com/more-retail/moresso-go/examples/servers"
)

// A call is one of the ten requests. Its Authorization fields are made just before it is sent.
type call struct {
	name          string
	want          string
	authorization func(*devissuer.Issuer) []string
}

// token mints a token with the permission that the route requires, and these options.
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

// compare sends every call to every server and prints a table. It reports whether all answered as expected, and
// alike, byte for byte.
func compare(ctx context.Context, w io.Writer, demo *servers.Demo) bool {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	header := []string{"request"}
	for _, s := range demo.Servers {
		header = append(header, s.Name)
	}
	_, _ = fmt.Fprintln(table, strings.Join(append(header, "agree", "reason in the log"), "\t"))
	all := true
	for _, c := range calls {
		authorization := c.authorization(demo.Issuer)
		row := []string{c.name}
		agree, reason := "yes", "-"
		var first answer
		for i, s := range demo.Servers {
			got := send(ctx, s, authorization)
			if i == 0 {
				first = got
			}
			if got.summary != c.want || got.raw != first.raw {
				agree, all = "NO", false
			}
			if c.want != "200" {
				report, err := s.Report(ctx)
				if err != nil || i > 0 && string(report.Reason) != reason {
					agree, all = "NO", false
				}
				reason = string(report.Reason)
			}
			row = append(row, got.summary)
		}
		_, _ = fmt.Fprintln(table, strings.Join(append(row, agree, reason), "\t"))
	}
	_ = table.Flush()
	return all
}

var client = &http.Client{Transport: &http.Transport{}}

// answer is a response: a summary for the table, and the whole for the comparison.
type answer struct{ summary, raw string }

func send(ctx context.Context, s *servers.Server, authorization []string) answer {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+route, http.NoBody)
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

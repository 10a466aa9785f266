package main

import (
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/examples/servers"
)

func TestMain(m *testing.M) {
	servers.RunFunction(service.Functions(), nil)
	m.Run()
}

func startForTest(t *testing.T) *playground {
	t.Helper()
	adaptertest.CheckLeaks(t)
	p, err := start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

// claimsOf are the claims of a persona.
func claimsOf(t *testing.T, id string) json.RawMessage {
	t.Helper()
	found, ok := find(personas(time.Now()), func(p persona) bool { return p.ID == id })
	if !ok {
		t.Fatalf("no persona %q", id)
	}
	return found.Claims
}

// sent sends an order and checks that all five agree.
func sent(t *testing.T, p *playground, who, flaw, route string) *outcome {
	t.Helper()
	out, err := p.send(t.Context(), order{claimsOf(t, who), flaw, route})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Answers) != 5 || len(out.Differ) != 0 {
		t.Errorf("%s, %s, %s: %d answers, and they differ: %q", who, flaw, route, len(out.Answers), out.Differ)
	}
	return out
}

func TestPlayground_Table(t *testing.T) {
	p := startForTest(t)
	t.Run("all services answer as expected", func(t *testing.T) {
		var table strings.Builder
		if err := p.printTable(t.Context(), &table); err != nil {
			t.Errorf("%v\n%s", err, &table)
		}
		if got := strings.Count(table.String(), "\n"); got != 1+10 || strings.Contains(table.String(), "NO") {
			t.Errorf("%d lines:\n%s", got, &table)
		}
	})
	t.Run("a service that disagrees is shown", func(t *testing.T) {
		p.services[2].URL += "/nowhere"
		var table strings.Builder
		if err := p.printTable(t.Context(), &table); err == nil || strings.Count(table.String(), "NO") != 10 {
			t.Errorf("%v\n%s", err, &table)
		}
	})
}

func TestPlayground_Flaws(t *testing.T) {
	p := startForTest(t)
	for _, f := range flaws[1:] {
		out := sent(t, p, "ada", f.ID, "me")
		at := slices.IndexFunc(out.Why.Steps, func(s step) bool { return s.Verdict == "no" })
		switch {
		case out.Answers[0].Status/100 != 4 || out.Why.Log == "":
			t.Errorf("%s: %s, and the log says %q", f.ID, out.Answers[0].short(), out.Why.Log)
		case at < 0 || out.Why.Steps[at].Remedy == "" || at == 0 && out.Why.Steps[at].Detail == "" || at == 1 && !failsOnce(out.Why.Steps[at].Checks):
			t.Errorf("%s is not explained: %+v", f.ID, out.Why.Steps)
		}
		if f.About == "" {
			t.Errorf("%s says nothing of itself", f.ID)
		}
	}
}

// failsOnce reports whether one check failed, and says why.
func failsOnce(checks []check) bool {
	failed := slices.DeleteFunc(slices.Clone(checks), func(c check) bool { return c.Verdict != "no" })
	return len(failed) == 1 && failed[0].Detail != ""
}

func TestPlayground_Personas(t *testing.T) {
	p := startForTest(t)
	want := map[string]string{ // by route: orders, me, reports, users, payouts
		"ada":     "200 200 403 200 403",
		"grace":   "200 200 200 200 200",
		"lin":     "403 200 200 403 401",
		"guest":   "403 200 403 403 403",
		"export":  "403 200 200 403 403",
		"mallory": "403 200 403 403 403",
	}
	for _, who := range personas(time.Now()) {
		var got []string
		for _, to := range routes {
			out := sent(t, p, who.ID, "none", to.ID)
			status, _, _ := strings.Cut(out.Answers[0].short(), " ")
			got = append(got, status)
			last := out.Why.Steps[2]
			if granted := status == "200"; granted != (last.Verdict == "yes") || last.Tree != nil && granted != (last.Tree.Verdict == "granted") {
				t.Errorf("%s, %s: %s, but the tree says %+v", who.ID, to.ID, status, last)
			}
		}
		if line := strings.Join(got, " "); line != want[who.ID] {
			t.Errorf("%s: %s, want %s", who.ID, line, want[who.ID])
		}
	}
}

// The library stops at the first part that decides. The page shows all parts.
func TestPlayground_Tree(t *testing.T) {
	p := startForTest(t)
	tree := sent(t, p, "export", "none", "reports").Why.Steps[2].Tree
	if tree.Text != "any of" || len(tree.Children) != 2 || tree.Children[0].Verdict != "denied" || !strings.Contains(tree.Children[0].Detail, "reports.role") {
		t.Fatalf("%+v", tree)
	}
	for _, leaf := range tree.Children[1].Children {
		if leaf.Verdict != "granted" || leaf.Detail != "" {
			t.Errorf("%+v", leaf)
		}
	}
}

func TestDecide(t *testing.T) {
	p, err := permission.Parse(`(has("a") || !claim("b", 1, "x", true, null)) && all(role("r"), acr("silver"), humanUser())`)
	if err != nil {
		t.Fatal(err)
	}
	tree := decide(t.Context(), p, sso.NewAccess(nil, nil))
	if tree.Text != "all of" || len(tree.Children) != 2 || tree.Children[0].Text != "any of" || tree.Children[0].Children[1].Text != "not" {
		t.Errorf("%+v", tree)
	}
}

func TestPlayground_Differences(t *testing.T) {
	p := startForTest(t)
	p.services[2].URL += "/nowhere"
	out, err := p.send(t.Context(), order{claimsOf(t, "ada"), "none", "orders"})
	if err != nil || len(out.Differ) != 1 || !strings.HasPrefix(out.Differ[0], "fiber answered 400 where gin answered 200") {
		t.Errorf("%q, %v", out.Differ, err)
	}
	p.services[0].URL = "http://127.0.0.1:1"
	if out, err = p.send(t.Context(), order{claimsOf(t, "ada"), "none", "orders"}); err != nil || len(out.Differ) < 2 || out.Why.Steps[0].Verdict != "unknown" {
		t.Errorf("%+v, %v", out, err)
	}
	same := answer{Server: "a", Status: 401, Body: "b", Header: [][2]string{{"Date", "1"}, {"X", "1"}}, Reason: "expired"}
	for name, other := range map[string]answer{
		"body": {Status: 401, Header: same.Header, Reason: "expired"}, "header": {Status: 401, Body: "b", Reason: "expired"}, "reason": {Status: 401, Body: "b", Header: same.Header},
	} {
		if len(differences([]answer{same, other})) != 1 {
			t.Errorf("another %s went unnoticed", name)
		}
	}
	later := same
	later.Header = [][2]string{{"Date", "2"}, {"X", "1"}}
	if got := differences([]answer{same, later}); len(got) != 0 {
		t.Errorf("the time of day counts as a difference: %q", got)
	}
}

func TestPlayground_Outage(t *testing.T) {
	p := startForTest(t)
	sent(t, p, "ada", "none", "orders")
	p.setDown(true)
	if got := sent(t, p, "ada", "none", "orders").Answers[0].short(); got != "200" {
		t.Errorf("a known key, in an outage: %s", got)
	}
	p.issuer.Rotate()
	out := sent(t, p, "ada", "none", "orders")
	if got := out.Answers[0].short(); got != "503 unavailable" || out.Why.Steps[1].Verdict != "unknown" {
		t.Errorf("an unknown key, in an outage: %s, %+v", got, out.Why.Steps)
	}
	now := p.state(t.Context())
	if !now.Issuer.Down || len(now.Issuer.Published) != 2 || len(now.Caches) != 5 {
		t.Errorf("%+v", now)
	}
	for _, c := range now.Caches {
		if c.Error != "" || !c.Usable || c.LastError == "" || c.Fetches != 2 || len(c.KeyIDs) != 1 {
			t.Errorf("%+v", c)
		}
	}
	p.setDown(false)
	if p.state(t.Context()).Issuer.Down {
		t.Error("the issuer is up")
	}
}

func TestSnippet(t *testing.T) {
	for server := range serviceFunctions {
		for _, to := range routes {
			got := snippet(server, to.Pattern)
			wanted := []string{"guard := ", "sso.New(auth)", `"`}
			if to.permission != nil {
				wanted = append(wanted, "permission.", "Require(")
			} else {
				wanted = append(wanted, "Authenticate(")
			}
			for _, text := range wanted {
				if !strings.Contains(got, text) {
					t.Errorf("%s, %s: no %s in\n%s", server, to.ID, text, got)
				}
			}
			if server == "lambda" {
				continue // an entry of a map is not a statement
			}
			before, after, found := strings.Cut(got, "\n\nguard")
			if !found {
				before, after = "", strings.TrimPrefix(got, "guard")
			}
			if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+before+"\nfunc f() {\nguard"+after+"}", 0); err != nil {
				t.Errorf("%s, %s: %v in\n%s", server, to.ID, err, got)
			}
		}
	}
	if snippet("gin", "/nowhere") != "" || snippet("unknown", "/orders") != "" {
		t.Error("code for what is not there")
	}
}

func TestCurl(t *testing.T) {
	got := curl("http://127.0.0.1:1/orders", []string{"Bearer a.b.c", "Basic $(x)'y"})
	want := `curl -i -H "Authorization: Bearer a.b.c" -H 'Authorization: Basic $(x)'\''y' http://127.0.0.1:1/orders`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

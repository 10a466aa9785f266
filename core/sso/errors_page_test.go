package sso

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/verify"
)

var update = flag.Bool("update", false, "write the tables of docs/ERRORS.md")

// unchecked are errors of the reasons that no check of a token has. Logout tokens have a code of their own.
var unchecked = []struct {
	reason Reason
	err    error
	code   string
}{
	{ReasonMissingToken, ErrNoToken, CodeMissingToken},
	{ReasonBadCredentials, ErrInvalidRequest, CodeInvalidRequest},
	{ReasonCrossOrigin, errCrossOrigin, CodeCrossOrigin},
	{ReasonAccessDenied, &AccessDeniedError{}, CodeInsufficientScope},
	{ReasonWeakLogin, &AccessDeniedError{Decision: Deny("x", "x").With(Details{ACRValues: []string{"x"}})}, CodeInsufficientUserAuthentication},
	{ReasonSessionEnded, tokenError("session", ReasonSessionEnded, "x"), CodeInvalidToken},
	{ReasonNoSession, tokenError("sid", ReasonNoSession, "x"), CodeInvalidToken},
	{ReasonReplayed, nil, CodeInvalidRequest},
	{ReasonKeysUnavailable, &UnavailableError{Err: ErrUnavailable}, CodeUnavailable},
	{ReasonSessionsUnavailable, unavailableSessions(ErrUnavailable), CodeUnavailable},
	{ReasonInternal, errNotMade, CodeInternal},
	{ReasonCanceled, nil, ""},
}

// TestErrorsPage requires docs/ERRORS.md to have a row for each reason, made from the checks, the comments
// of the reasons and the remedies. With -update it writes the tables.
func TestErrorsPage(t *testing.T) {
	const path = "../../docs/ERRORS.md"
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skip("no docs outside of the repository")
	} else if err != nil {
		t.Fatal(err)
	}
	meanings := meanings(t)
	var rows []reasonRow
	for _, check := range slices.Concat(verify.AccessToken, verify.LogoutToken) {
		i := slices.IndexFunc(rows, func(r reasonRow) bool { return r.reason == Reason(check.Reason) })
		if i < 0 {
			i = len(rows)
			rows = append(rows, reasonRow{reason: Reason(check.Reason)})
		}
		rows[i].names = appendNew(rows[i].names, "`"+check.Name+"`")
		rows[i].clauses = appendNew(rows[i].clauses, strings.Split(check.Clause, "; ")...)
	}
	var checks, others strings.Builder
	checks.WriteString("| `reason` | what happened | `check` | protects | what to do |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&checks, "| `%s` | %s | %s | %s | %s |\n", r.reason, meanings[r.reason], strings.Join(r.names, ", "), cite(r.clauses), r.reason.Remedy())
	}
	others.WriteString("| `reason` | code | what happened | what to do |\n|---|---|---|---|\n")
	for _, u := range unchecked {
		if u.err != nil {
			if reason, d := reasonOf(u.err), deny(u.err, false); reason != u.reason || d.Code != u.code {
				t.Errorf("%s: %s has the reason %s and the code %s", u.reason, u.err, reason, d.Code)
			} else if line := fmt.Sprintf("\n| %d | %#q | ", d.Status, d.Code); !strings.Contains(string(text), line) {
				t.Errorf("the page does not have %q", line)
			}
		}
		rows = append(rows, reasonRow{reason: u.reason})
		fmt.Fprintf(&others, "| `%s` | `%s` | %s | %s |\n", u.reason, u.code, meanings[u.reason], u.reason.Remedy())
	}
	for _, r := range rows {
		if len(r.reason.Remedy()) < 20 || !strings.HasSuffix(r.reason.Remedy(), ".") || meanings[r.reason] == "" {
			t.Errorf("%s: what happened is %q, what to do %q", r.reason, meanings[r.reason], r.reason.Remedy())
		}
		delete(meanings, r.reason)
	}
	for reason := range meanings {
		t.Errorf("%s is neither the reason of a check nor in unchecked", reason)
	}
	escape := strings.NewReplacer("<", "&lt;").Replace
	page := between(t, between(t, string(text), "checks", escape(checks.String())), "others", escape(others.String()))
	switch {
	case page == string(text):
	case *update:
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("docs/ERRORS.md is outdated: run make docs")
	}
}

// reasonRow is a reason, the names of its checks and the clauses that they protect.
type reasonRow struct {
	reason         Reason
	names, clauses []string
}

// meanings returns the comments of the reasons.
func meanings(t *testing.T) map[Reason]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := map[Reason]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Reason") {
			value, err := strconv.Unquote(types.ExprString(spec.Values[0]))
			if err != nil {
				t.Fatal(err)
			}
			found[Reason(value)] = strings.TrimSpace(spec.Comment.Text())
		}
		return true
	})
	return found
}

// cite groups clauses by their standard. References to settings are code.
func cite(clauses []string) string {
	var standards []string
	sections := map[string][]string{}
	for _, clause := range clauses {
		standard, section, ok := strings.Cut(clause, ", section ")
		if !ok && strings.HasPrefix(clause, "Config.") {
			standard = "`" + clause + "`"
		}
		standards = appendNew(standards, standard)
		sections[standard] = append(sections[standard], section)
	}
	for i, standard := range standards {
		if list := sections[standard]; list[0] != "" {
			standards[i] += " §" + strings.Join(list, ", §")
		}
	}
	return strings.Join(standards, "; ")
}

func appendNew(list []string, elements ...string) []string {
	for _, e := range elements {
		if !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	return list
}

// between replaces what is between two comments of a page.
func between(t *testing.T, page, name, content string) string {
	t.Helper()
	start, end := "<!-- "+name+": written by make docs -->\n", "<!-- end of "+name+" -->\n"
	before, rest, found := strings.Cut(page, start)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%q or %q is missing", start, end)
	}
	return before + start + content + end + after
}

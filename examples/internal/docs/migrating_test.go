package docs

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/compat"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// MIGRATING.md has every case in which more-sso-auth's measured answer differs, with both answers.
func TestMigrating_EveryDifference(t *testing.T) {
	var measured struct {
		Cases []struct {
			ID            int
			Claims        map[string]any
			AllowedByPyth bool   `json:"allowed_by_python"`
			Differs       string `json:"differs_because"`
		}
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(root, "core", "compat", "testdata", "permission_vectors.json"))), &measured); err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(read(t, filepath.Join(root, "docs", "MIGRATING.md")), "\n## Permissions\n")
	section, _, _ = strings.Cut(section, "\n## ")
	table := rows(section)

	next := 0
	for _, c := range measured.Cases {
		if c.Differs == "" {
			continue
		}
		if next == len(table) {
			t.Fatalf("case %d is missing", c.ID)
		}
		row := table[next]
		next++
		var permissions any
		if err := json.Unmarshal([]byte(strings.Trim(row[0], "`")), &permissions); err != nil {
			t.Fatalf("%q: %v", row, err)
		}
		if !reflect.DeepEqual(permissions, c.Claims["permissions"]) || row[2] != answer(c.AllowedByPyth) {
			t.Errorf("case %d is %v, %s; the page has %q", c.ID, c.Claims, answer(c.AllowedByPyth), row)
		}
		who := ssotest.NewPrincipal(devissuer.Claim("permissions", permissions))
		if got := answerInPage(t, row[3], who); got != row[4] {
			t.Errorf("%s on %s: %s, the page has %s", row[3], row[0], got, row[4])
		}
		if row[5] != "–" {
			if got := answerInPage(t, row[5], who); got != row[2] {
				t.Errorf("%s on %s: %s, more-sso-auth %s", row[5], row[0], got, row[2])
			}
		}
	}
	if next < 10 || next != len(table) {
		t.Errorf("%d of the page's %d rows are cases that differ", next, len(table))
	}
}

// answerInPage returns the answer in the words of the page.
func answerInPage(t *testing.T, expression string, who *sso.Principal) string {
	t.Helper()
	expression = strings.Trim(expression, "`")
	if path, ok := strings.CutPrefix(expression, `compat.Truthy("`); ok {
		p := compat.Truthy(strings.TrimSuffix(path, `")`))
		return answer(sso.Check(t.Context(), p, ssotest.Access(who, nil)).Granted())
	}
	p, err := permission.Parse(expression)
	if err != nil {
		return "refused when it is built"
	}
	return answer(sso.Check(t.Context(), p, ssotest.Access(who, nil)).Granted())
}

func answer(granted bool) string {
	if granted {
		return "granted"
	}
	return "denied"
}

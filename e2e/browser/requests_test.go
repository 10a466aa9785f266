package browser

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The ten requests of make demo, by the buttons of the page.
func TestPage_TenRequests(t *testing.T) {
	page := open(t)
	want := []struct{ name, answer string }{
		{"allowed", "200"},
		{"no token", "401 missing_token"},
		{"wrong scheme", "401 missing_token"},
		{"two headers", "400 invalid_request"},
		{"key rotated just now", "200"},
		{"expired", "401 invalid_token"},
		{"wrong audience", "401 invalid_token"},
		{"invalid signature", "401 invalid_token"},
		{"unknown key", "401 invalid_token"},
		{"missing permission", "403 insufficient_scope"},
	}
	if n := evaluate[int](page, `document.querySelectorAll("#presets button").length`); n != len(want) {
		t.Fatalf("%d buttons", n)
	}
	for i, w := range want {
		button := fmt.Sprintf(`[data-preset="%d"]`, i)
		if name := evaluate[string](page, `document.querySelector('`+button+`').textContent`); name != w.name {
			t.Errorf("button %d is %q, want %q", i, name, w.name)
		}
		got := page.after(func() { page.click(button) })
		page.want(got, w.answer)
		if status, _, _ := strings.Cut(w.answer, " "); !strings.Contains(got.Verdict, "all five answered "+status) {
			t.Errorf("%s: the verdict is %q", w.name, got.Verdict)
		}
	}
	for _, text := range []string{"Why?", "wanted \"clerk\", found \"guest\"", `Bearer error="insufficient_scope"`, "guard.Require(isClerk)", "curl -i -H \"Authorization: Bearer ey"} {
		if shown := evaluate[string](page, "document.body.innerText"); !strings.Contains(shown, text) {
			t.Errorf("the page does not show %s", text)
		}
	}
}

// strip returns what the live strip shows: for each cache the number of keys and of fetches.
func (p *tab) strip() (keys []int, fetches []string) {
	p.t.Helper()
	return evaluate[[]int](p, `[...document.querySelectorAll("#caches li")].map((li) => li.querySelectorAll(".key").length)`),
		evaluate[[]string](p, `[...document.querySelectorAll("#caches li")].map((li) => li.dataset.fetches)`)
}

func TestPage_Rotation(t *testing.T) {
	page := open(t)
	if keys, fetches := page.strip(); fmt.Sprint(keys, fetches) != "[1 1 1 1 1] [1 1 1 1 1]" {
		t.Errorf("before: %v keys, %v fetches", keys, fetches)
	}
	before := evaluate[string](page, `document.getElementById("signing").title`)
	page.click("#rotate")
	page.await(`document.getElementById("signing").title !== "` + before + `"`)
	page.await(answers + `.ariaBusy === "false"`)
	page.want(page.send(), "200")
	if keys, fetches := page.strip(); fmt.Sprint(keys, fetches) != "[2 2 2 2 2] [2 2 2 2 2]" {
		t.Errorf("after: %v keys, %v fetches", keys, fetches)
	}
	page.want(page.send(), "200")
	if keys, fetches := page.strip(); fmt.Sprint(keys, fetches) != "[2 2 2 2 2] [2 2 2 2 2]" {
		t.Errorf("a known key was fetched again: %v keys, %v fetches", keys, fetches)
	}
}

func TestPage_Outage(t *testing.T) {
	page := open(t)
	page.power("down")
	page.want(page.send(), "200") // the key is known

	page.click("#rotate")
	page.await(answers + `.ariaBusy === "false"`)
	got := page.send()
	page.want(got, "503 unavailable") // the key is unknown
	if !strings.Contains(got.Panes[4].Text, "Retry-After") || fmt.Sprint(got.Steps) != "[yes unknown unasked]" {
		t.Errorf("%+v", got)
	}
	page.await(`[...document.querySelectorAll("#caches li")].every((li) => li.innerText.includes("in use"))`)

	page.power("up")
	for deadline := time.Now().Add(limit); ; { // each service has its own back-off
		if got = page.send(); got.short() == "200" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the services did not recover: %s", got.short())
		}
	}
	page.await(`[...document.querySelectorAll("#caches li")].every((li) => li.innerText.includes("fresh"))`)
}

// power takes the issuer down or up.
func (p *tab) power(want string) {
	p.t.Helper()
	p.click("#power")
	p.await(`document.getElementById("issuer-state").textContent === "` + want + `" && ` + answers + `.ariaBusy === "false"`)
}

// The five agree, so the test changes the server's answer on its way to the page.
func TestPage_Disagreement(t *testing.T) {
	page := open(t)
	evaluate[bool](page, `(() => {
		const real = window.fetch;
		window.fetch = async (path, options) => {
			const response = await real(path, options);
			if (!path.endsWith("api/send")) return response;
			const outcome = await response.json();
			Object.assign(outcome.answers[2], { status: 404, title: "Not Found" });
			outcome.differ = ["fiber answered 404 where gin answered 200"];
			return new Response(JSON.stringify(outcome));
		};
		return true;
	})()`)
	got := page.send()
	if !got.Banner || got.Panes[2].Status != "404" || strings.Contains(got.Verdict, "all five") {
		t.Errorf("%+v", got)
	}
	shown := evaluate[string](page, `document.getElementById("banner").innerText`)
	if !strings.Contains(shown, "do not agree") || !strings.Contains(shown, "fiber answered 404") {
		t.Errorf("the banner says %q", shown)
	}
}

// The page shows the content of a token as text, and never as markup.
func TestPage_Markup(t *testing.T) {
	page := open(t)
	elements := `document.querySelectorAll("img, script, b, svg, iframe").length`
	before := evaluate[int](page, elements)
	image, script := `<img src=x onerror="window.hit=1">`, `</script><script>window.hit=2</script>`
	for _, role := range []string{"clerk", `<b onclick="window.hit=3">x</b>`} {
		claims, err := json.Marshal(map[string]any{
			"sub": image, script: script, "name": script + `</pre></textarea></title><svg onload="window.hit=4">`,
			"permissions": map[string]any{"orders": map[string]any{"role": role}},
		})
		if err != nil {
			t.Fatal(err)
		}
		page.do(chromedp.SetValue(chromedp.CSS("#claims"), string(claims)))
		got := page.send()
		shown := evaluate[string](page, `document.getElementById("token-claims").textContent`)
		if !strings.Contains(shown, `<img src=x onerror=`) || !strings.Contains(shown, script) {
			t.Errorf("the claims are shown as %q", shown)
		}
		if role == "clerk" {
			page.want(got, "200")
			if !strings.Contains(got.Panes[0].Text, "hello "+image) {
				t.Errorf("the body is shown as %q", got.Panes[0].Text)
			}
			continue
		}
		page.want(got, "403 insufficient_scope")
		if steps := evaluate[string](page, `document.getElementById("steps").textContent`); !strings.Contains(steps, "<b onclick=") || !strings.Contains(steps, "<img src=x") {
			t.Errorf("the decision is shown as %q", steps)
		}
	}
	if after := evaluate[int](page, elements); after != before {
		t.Errorf("%d elements became %d", before, after)
	}
	if evaluate[bool](page, "'hit' in window") {
		t.Error("something ran")
	}
}

func TestPage_InvalidClaims(t *testing.T) {
	page := open(t)
	for claims, want := range map[string]string{`{"sub":`: "not JSON", `["ada"]`: "not a JSON object"} {
		page.do(chromedp.SetValue(chromedp.CSS("#claims"), claims))
		page.click("#send")
		page.await(`document.getElementById("claims-error").textContent.includes("` + want + `") && ` + answers + `.ariaBusy === "false"`)
		if !evaluate[bool](page, `document.getElementById("edit").open && document.getElementById("claims").ariaInvalid === "true"`) {
			t.Errorf("%s: the field is not marked", claims)
		}
	}
	for _, problem := range page.takeProblems() { // the browser logs every status above 399
		if !strings.Contains(problem, "422") {
			t.Errorf("in the console: %s", problem)
		}
	}
}

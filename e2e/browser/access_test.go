package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A page of another host whose name resolves to this machine (DNS rebinding) gets no answer.
func TestAccess_Host(t *testing.T) {
	url := strings.Replace(start(t), "127.0.0.1", otherHost, 1)
	page := newTab(t, url)
	page.navigate(url)
	if shown := evaluate[string](page, "document.body.innerText"); !strings.Contains(shown, "127.0.0.1 and [::1] only") {
		t.Errorf("the page shows %q", shown)
	}
	for _, path := range []string{"api/state", "api/send"} {
		status := evaluateAsync[int](page, fmt.Sprintf(`fetch(%q, {method: %q}).then((r) => r.status)`, "/"+path, map[bool]string{true: "POST", false: "GET"}[path == "api/send"]))
		if status != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d", path, status)
		}
	}
	page.takeProblems() // the browser logs each 421
}

// Another origin can send requests, but they change nothing, and it cannot read the answers.
func TestAccess_Origin(t *testing.T) {
	page := open(t)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>another origin</title><link rel=icon href=data:,>"))
	}))
	t.Cleanup(other.Close)
	attacker := newTab(t, "http://127.0.0.1:")
	attacker.navigate(other.URL)
	for _, script := range []string{
		`fetch(%q, {method: "POST", mode: "no-cors"}).then(() => "sent", () => "refused")`,
		`fetch(%q, {method: "POST"}).then(() => "read", () => "refused")`,
		`(() => { const f = document.createElement("form"); f.method = "post"; f.action = %q; document.body.append(f); f.submit(); return "sent"; })()`,
	} {
		if got := evaluateAsync[string](attacker, fmt.Sprintf(script, page.url+"api/down")); got == "read" {
			t.Error("the answer was read")
		}
	}
	attacker.await(`document.body.innerText.includes("cross-origin request")`) // the page that the form led to
	attacker.takeProblems()
	page.await(`document.getElementById("issuer-state").textContent === "up"`)
	page.want(page.send(), "200")
	if got := evaluate[string](page, `document.getElementById("issuer-state").textContent`); got != "up" {
		t.Errorf("the issuer is %s", got)
	}
}

func evaluateAsync[T any](p *tab, script string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", script, err)
	}
	return value
}

// focused describes the element that has the focus.
const focused = `(() => { const e = document.activeElement; return e.id || (e.name ? e.name + "=" + e.value : e.textContent); })()`

// tabTo presses Tab until an element has the focus, which must be visible.
func (p *tab) tabTo(want string) {
	p.t.Helper()
	var seen []string
	for range 60 {
		p.press(kb.Tab)
		at := evaluate[string](p, focused)
		seen = append(seen, at)
		if !evaluate[bool](p, `(() => {
			const e = document.activeElement;
			const shows = (x) => x !== null && getComputedStyle(x).outlineStyle !== "none" && parseFloat(getComputedStyle(x).outlineWidth) >= 2;
			return e === document.body || shows(e) || shows(e.closest("label"));
		})()`) {
			p.t.Errorf("the focus is not visible at %s", at)
		}
		if at == want {
			return
		}
	}
	p.t.Fatalf("%s not reached, but %q", want, seen)
}

func (p *tab) press(key string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...)))
}

func TestAccess_Keyboard(t *testing.T) {
	page := open(t)
	page.tabTo("persona")
	page.press("Sam, a guest")
	page.tabTo("flaw")
	page.want(page.after(func() { page.press(kb.Tab + kb.Tab); page.press(kb.Enter) }), "403 insufficient_scope")

	page.do(chromedp.Focus(chromedp.CSS("#persona"))) // back to the top, as Shift+Tab would
	page.tabTo("flaw")
	page.press("Expired")
	page.tabTo("route=orders")
	page.press(kb.ArrowDown)
	if got := evaluate[string](page, focused); got != "route=me" {
		t.Errorf("the arrow led to %s", got)
	}
	page.want(page.after(func() { page.press(kb.Enter) }), "401 invalid_token")

	page.tabTo("rotate")
	before := evaluate[string](page, `document.getElementById("signing").title`)
	page.press(" ")
	page.await(`document.getElementById("signing").title !== "` + before + `"`)
	page.tabTo("server=gin")
	page.press(kb.ArrowDown)
	page.await(`document.getElementById("code").textContent.includes("e.GET(")`)
	page.tabTo("copy")
	page.press(kb.Enter)
	page.await(`/Copied|Selected/.test(document.getElementById("copied").textContent)`)

	page.do(chromedp.Focus(chromedp.CSS("summary")))
	page.press(kb.Enter) // opens the claims
	page.tabTo("claims")
	page.want(page.after(func() { page.press(kb.Enter, chromedp.ModifierCtrl) }), "401 invalid_token")
}

func TestLayout_Phone(t *testing.T) {
	page := open(t)
	page.do(chromedp.EmulateViewport(320, 640))
	wide := func(when string) {
		t.Helper()
		if got := evaluate[int](page, "document.documentElement.scrollWidth"); got > 320 {
			t.Errorf("%s: %d pixels: %s", when, got, evaluate[[]string](page,
				`[...document.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > 320).map((e) => e.tagName + "#" + e.id + "." + e.className)`))
		}
	}
	wide("a valid token")
	page.click("summary")
	wide("the claims")
	for i := range 10 {
		page.after(func() { page.click(fmt.Sprintf(`[data-preset="%d"]`, i)) })
		wide(fmt.Sprint("request ", i))
	}
	page.click(`[name=route][value=reports]`)
	page.send()
	wide("a tree")
	for _, server := range []string{"echo", "fiber", "net/http", "lambda"} {
		page.click(`[name=server][value="` + server + `"]`)
		wide(server)
	}
}

func TestLayout_Boxes(t *testing.T) {
	page := open(t)
	page.power("down")
	page.click("#rotate")
	page.await(answers + `.ariaBusy === "false"`)
	page.want(page.send(), "503 unavailable") // the longest words
	for _, width := range []int64{320, 500, 800, 1000, 1200, 1400, 1800} {
		page.do(chromedp.EmulateViewport(width, 900))
		if got := evaluate[int64](page, "document.documentElement.scrollWidth"); got > width {
			t.Errorf("at %d pixels the page has %d", width, got)
		}
		if out := evaluate[[]string](page, `[...document.querySelectorAll(".pane, #caches li")].flatMap((box) => [...box.querySelectorAll("*")]
			.filter((e) => e.getBoundingClientRect().right > box.getBoundingClientRect().right).map((e) => e.textContent))`); len(out) != 0 {
			t.Errorf("at %d pixels these leave their boxes: %q", width, out)
		}
	}
}

// Every text has a contrast of at least 4.5 in both palettes (WCAG 2.2, 1.4.3), and every control has a name for
// screen readers.
func TestLayout_DarkAndLight(t *testing.T) {
	page := open(t)
	backgrounds := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		page.scheme(scheme)
		backgrounds[evaluate[string](page, "getComputedStyle(document.body).backgroundColor")] = true
		for _, preset := range []int{0, 9, 1} {
			page.after(func() { page.click(fmt.Sprintf(`[data-preset="%d"]`, preset)) })
			page.legible(scheme)
		}
		page.power("down")
		page.click("#rotate")
		page.await(answers + `.ariaBusy === "false"`)
		page.after(func() { page.click(`[data-preset="0"]`) })
		page.legible(scheme + ", in an outage")
		page.power("up")
	}
	if len(backgrounds) != 2 {
		t.Errorf("dark and light look the same: %v", backgrounds)
	}
	if unnamed := evaluate[[]string](page, `[...document.querySelectorAll("button, input, select, textarea, summary, [tabindex='0']")]
		.filter((e) => !(e.textContent.trim() && e.matches("button, summary")) && !e.labels?.length && !e.ariaLabel).map((e) => e.outerHTML)`); len(unnamed) != 0 {
		t.Errorf("controls without a name: %q", unnamed)
	}
}

func (p *tab) scheme(name string) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	}); err != nil {
		p.t.Fatal(err)
	}
}

// legible checks the contrast of every visible text. A canvas converts the colours, whose notation differs between
// browsers.
func (p *tab) legible(when string) {
	p.t.Helper()
	faint := evaluate[[]string](p, `(() => {
		const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
		const numbers = (colour) => {
			canvas.clearRect(0, 0, 1, 1);
			canvas.fillStyle = colour;
			canvas.fillRect(0, 0, 1, 1);
			return [...canvas.getImageData(0, 0, 1, 1).data];
		};
		const light = (colour) => numbers(colour).slice(0, 3).map((c) => c / 255)
			.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
			.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
		const behind = (e) => {
			for (; e; e = e.parentElement) {
				const colour = getComputedStyle(e).backgroundColor;
				if (numbers(colour)[3] !== 0) return colour;
			}
			return "rgb(255, 255, 255)";
		};
		return [...document.querySelectorAll("body *")]
			.filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
			.map((e) => {
				const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
				return [(a + 0.05) / (b + 0.05), e.tagName + "." + e.className + ": " + e.textContent.slice(0, 30)];
			})
			.filter(([contrast]) => contrast < 4.5).map(([contrast, text]) => contrast.toFixed(2) + " " + text);
	})()`)
	for _, text := range faint {
		p.t.Errorf("%s: contrast below 4.5: %s", when, text)
	}
}

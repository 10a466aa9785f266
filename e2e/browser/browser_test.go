// Package browser tests the playground in a real browser.
package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// limit bounds every wait. On a fast machine they take a fraction of it.
const limit = 30 * time.Second

// otherHost is a name that the browser resolves to this machine, as in DNS rebinding.
const otherHost = "stranger.example"

var (
	programs    = []string{"chromium-headless-shell", "headless_shell", "chromium", "google-chrome"}
	screenshots = flag.String("screenshots", "", "write screenshots into this `folder`, from the folder of this package")

	browser    context.Context // nil without a browser
	playground string          // the program
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		log.Print(err)
		code = 1
	}
	os.Exit(code)
}

// run builds the playground and starts one browser for all tests. It fails if a process is left.
func run(m *testing.M) (code int, err error) {
	program := findBrowser()
	if program == "" {
		return m.Run(), nil // needBrowser skips every test
	}
	dir, err := os.MkdirTemp("", "moresso-browser-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	playground = filepath.Join(dir, "playground")
	build := exec.Command("go", "build", "-o", playground, "./playground")
	build.Dir = filepath.Join("..", "..", "examples")
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the playground: %w\n%s", err, out)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.Flag("host-resolver-rules", "MAP "+otherHost+" 127.0.0.1"),
		chromedp.Flag("lang", "en-US"),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // the sandbox does not work as root
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		err = fmt.Errorf("starting %s: %w", program, err)
		stop()
		stopAllocator()
		return 0, err
	}
	browser = ctx //nolint:fatcontext // one browser for all tests
	code = m.Run()
	err = chromedp.Cancel(ctx) // closes the browser and waits for its end
	stop()
	stopAllocator()
	return code, errors.Join(err, ended(dir))
}

func findBrowser() string {
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// ended waits until no process is left whose command line names the folder. It needs /proc.
func ended(dir string) error {
	var left []string
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		left = nil
		lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, path := range lines {
			text, _ := os.ReadFile(path) // the process may have ended
			if strings.Contains(string(text), dir) {
				left = append(left, strings.ReplaceAll(string(text), "\x00", " "))
			}
		}
		if len(left) == 0 {
			return nil
		}
	}
	return fmt.Errorf("processes were left running:\n%s", strings.Join(left, "\n"))
}

// needBrowser skips a test without a browser, and fails it if CI=true.
func needBrowser(t *testing.T) {
	t.Helper()
	if browser != nil {
		return
	}
	message := "no browser: run scripts/e2e-deps, or install Debian's package chromium-headless-shell"
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// A tab is a page in the browser, with its console messages and requests.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string // of the playground

	mu       sync.Mutex
	problems []string // console messages
	requests []string // the URLs of all requests
}

// open starts a playground, opens it in a new tab, and waits for its first answers. The console must be empty when
// the test ends, except for what takeProblems has returned.
func open(t *testing.T) *tab {
	t.Helper()
	page := newTab(t, start(t))
	page.navigate(page.url)
	page.awaitRun(1)
	return page
}

func newTab(t *testing.T, url string) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	ctx, cancel := context.WithTimeout(ctx, 4*limit)
	t.Cleanup(func() { cancel(); stop() })
	page := &tab{t: t, ctx: ctx, url: url}
	if err := chromedp.Listen(ctx, page.note); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(page.check)
	return page
}

// note records an event of the browser. It must not block.
func (p *tab) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		p.problems = append(p.problems, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, fmt.Sprintf("exception: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *cdplog.EventEntryAdded:
		p.problems = append(p.problems, fmt.Sprintf("log, %s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	}
}

// takeProblems returns the console messages and removes them.
func (p *tab) takeProblems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	problems := p.problems
	p.problems = nil
	return problems
}

// check checks what must be true at the end of every test.
func (p *tab) check() {
	for _, problem := range p.takeProblems() {
		p.t.Errorf("in the console: %s", problem)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.requests) == 0 {
		p.t.Error("no request was recorded")
	}
	for _, request := range p.requests {
		if !strings.HasPrefix(request, p.url) {
			p.t.Errorf("a request to another host: %s", request)
		}
	}
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) navigate(url string) { p.t.Helper(); p.do(chromedp.Navigate(url)) }

// evaluate runs a script as the developer tools do. The page's policy does not apply to it.
func evaluate[T any](p *tab, script string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		p.t.Fatalf("%s: %v", script, err)
	}
	return value
}

// run runs statements and ignores their values: what the DOM's methods return differs between browsers.
func (p *tab) run(statements string) {
	p.t.Helper()
	evaluate[bool](p, "(() => { "+statements+"; return true; })()")
}

// await polls until the value of an expression is truthy. During a navigation it is an error.
func (p *tab) await(script string) {
	p.t.Helper()
	var last error
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		var yes bool
		if yes, last = chromedp.Run(p.ctx, chromedp.Evaluate[bool]("Boolean("+script+")")); yes {
			return
		}
	}
	p.t.Fatalf("not true in time: %s (%v)\n%s", script, last, evaluate[string](p, "document.body.innerText"))
}

func (p *tab) click(selector string) { p.t.Helper(); p.do(chromedp.Click(chromedp.CSS(selector))) }

// runs is the number of requests whose answers the page has shown.
func (p *tab) runs() int { p.t.Helper(); return evaluate[int](p, "Number("+answers+".dataset.run)") }

func (p *tab) awaitRun(n int) {
	p.t.Helper()
	p.await(fmt.Sprintf("%s?.dataset.run >= %d && %s.ariaBusy === 'false'", answers, n, answers))
}

const answers = "document.getElementById('answers')"

// after runs a function that sends a request, and waits for its answers.
func (p *tab) after(do func()) result {
	p.t.Helper()
	n := p.runs()
	do()
	p.awaitRun(n + 1)
	return p.result()
}

func (p *tab) send() result { p.t.Helper(); return p.after(func() { p.click("#send") }) }

// A result is the content of the page after a request.
type result struct {
	Panes   []pane
	Verdict string
	Banner  bool // the red one
	Steps   []string
}

type pane struct{ Server, Status, Code, Text string }

func (p *tab) result() result {
	p.t.Helper()
	return evaluate[result](p, `({
		Panes: [...document.querySelectorAll(".pane")].map((pane) => ({
			Server: pane.dataset.server, Status: pane.dataset.status, Text: pane.innerText,
			Code: /"code":"(\w+)"/.exec(pane.querySelector("pre").textContent)?.[1] ?? "",
		})),
		Verdict: document.getElementById("verdict").textContent,
		Banner: !document.getElementById("banner").hidden,
		Steps: [...document.querySelectorAll("#steps > li")].map((li) => li.dataset.verdict),
	})`)
}

// short is the answer of all five, or their disagreement.
func (r result) short() string {
	if len(r.Panes) != 5 || r.Banner {
		return fmt.Sprintf("%d panes, banner: %v", len(r.Panes), r.Banner)
	}
	first := r.Panes[0]
	for _, p := range r.Panes {
		if p.Status != first.Status || p.Code != first.Code {
			return fmt.Sprintf("%s shows %s %s where %s shows %s %s", p.Server, p.Status, p.Code, first.Server, first.Status, first.Code)
		}
	}
	return strings.TrimSpace(first.Status + " " + first.Code)
}

func (p *tab) want(r result, want string) {
	p.t.Helper()
	if got := r.short(); got != want {
		p.t.Errorf("%s, want %s\n%+v", got, want, r)
	}
}

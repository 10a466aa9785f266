package guides

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const limit = 10 * time.Minute // of a cold build on a busy machine; a warm one takes seconds

var frameworks = []string{"Gin", "Echo", "Fiber", "net/http", "AWS Lambda"}

// The sections of docs/GETTING-STARTED.md around those of the frameworks.
const (
	first = "1. Start an issuer"
	then  = "3. Run it"
	last  = "4. Stop the issuer"
)

// TestGuide_GettingStarted does what docs/GETTING-STARTED.md says, in every framework.
func TestGuide_GettingStarted(t *testing.T) {
	page := read(t, "docs/GETTING-STARTED.md")
	for _, status := range []string{"200", "401", "403"} {
		if !strings.Contains(section(t, page, then), status) {
			t.Errorf("no request is promised %s", status)
		}
	}
	for _, framework := range frameworks {
		t.Run(framework, func(t *testing.T) { run(t, sections(t, page, first, framework, then, last)) })
	}
}

// sections joins sections of a page.
func sections(t *testing.T, page string, headings ...string) string {
	t.Helper()
	var all []string
	for _, heading := range headings {
		all = append(all, section(t, page, heading))
	}
	return strings.Join(all, "\n")
}

// TestGuide_Readme goes from git clone to a 200 and a 403 by the README alone.
func TestGuide_Readme(t *testing.T) {
	guide := section(t, read(t, "README.md"), "From clone to a 200 and a 403")
	begun := time.Now()
	run(t, guide)
	t.Logf("the README's first session took %v", time.Since(begun).Round(time.Second/10))
}

// TestGuide_RotationDrill does the drill of docs/PRODUCTION.md.
func TestGuide_RotationDrill(t *testing.T) {
	run(t, section(t, read(t, "docs/PRODUCTION.md"), "Rotation drill"))
}

// TestGuide_Testing runs the test of docs/TESTING.md on the services of docs/GETTING-STARTED.md.
func TestGuide_Testing(t *testing.T) {
	page := read(t, "docs/GETTING-STARTED.md")
	test := section(t, read(t, "docs/TESTING.md"), "Real tokens")
	test, _, found := strings.Cut(test, "\ngo test\n```\n") // the rest is about other frameworks
	if !found {
		t.Fatal("docs/TESTING.md does not run go test")
	}
	test += "\ngo test\n```\n"
	for framework, directory := range map[string]string{"Gin": "orders-gin", "Echo": "orders-echo", "net/http": "orders-nethttp"} {
		t.Run(framework, func(t *testing.T) {
			back := "\nAgain:\n\n```sh\ncd " + directory + "\n```\n"
			run(t, sections(t, page, first, framework, then)+back+test)
		})
	}
}

// TestGuide_OneTerminal runs everything in one terminal: no step may disturb a later one.
func TestGuide_OneTerminal(t *testing.T) {
	page := read(t, "docs/GETTING-STARTED.md")
	guides := []string{
		section(t, read(t, "README.md"), "From clone to a 200 and a 403"),
		section(t, page, first),
	}
	for _, framework := range frameworks {
		guides = append(guides, sections(t, page, framework, then))
	}
	guides = append(guides, section(t, page, last), section(t, read(t, "docs/PRODUCTION.md"), "Rotation drill"))
	run(t, strings.Join(guides, "\n"))
}

func TestScript(t *testing.T) {
	for name, text := range map[string]string{
		"without a request":         "Do:\n\n```sh\ngo version\n```\n",
		"a request without promise": "Do:\n\n```sh\ncurl -i http://localhost:8080/\n```\n",
		"a promise too many":        "It is 401, then 200:\n\n```sh\ncurl -i http://localhost:8080/\n```\n",
		"a file without name":       "This:\n\n```go\npackage main\n```\n",
	} {
		if _, err := Script(text, 1, 2); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	script, err := Script("First 401, then 200:\n\n```sh\nsso serve &\ncurl -i http://localhost:8080/\ncurl -X POST http://localhost:9000/up\ncurl -i -X DELETE http://localhost:8080/\n```\n", 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nsso serve --listen 127.0.0.1:2 &\n",
		"\ntry 401 'curl -i http://localhost:1/'\n",
		"\ncurl -fsS -X POST http://localhost:2/up\n",
		"\ntry 200 'curl -i -X DELETE http://localhost:1/'\n",
	} {
		if !strings.Contains(script, want) {
			t.Errorf("%q is not in %q", want, strings.TrimPrefix(script, prelude))
		}
	}
}

// run runs guides in an empty directory, and ends every process that they started.
func run(t *testing.T, text string) {
	t.Helper()
	for _, program := range []string{"bash", "curl", "make"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skipf("%v: run scripts/e2e-deps to install what this test needs", err)
		}
	}
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	service, issuer := freePort(t), freePort(t)
	script, err := Script(text, service, issuer)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	bash := exec.CommandContext(ctx, "bash", "-c", script)
	bash.Dir = t.TempDir()
	bash.Env = append(environment(), "CHECKOUT="+checkout, "XDG_CONFIG_HOME="+t.TempDir(), "GOFLAGS="+flags(t, checkout, service))
	bash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()                      //nolint:errcheck // other processes wrote it
	bash.Stdout, bash.Stderr = output, output // a file: the services would keep a pipe open
	if err := bash.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() error { return syscall.Kill(-bash.Process.Pid, syscall.SIGKILL) } // and what it started
	bash.Cancel = end
	failed := bash.Wait()
	_ = end() // there may be nothing left
	if failed != nil {
		text, err := os.ReadFile(output.Name())
		t.Fatalf("%v (%v)\n%s", failed, err, text)
	}
}

// environment is the developer's, without the variables that make and the tests set.
func environment() (kept []string) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch {
		case name == "GOWORK", name == "GOFLAGS", strings.HasPrefix(name, "SSO_"), strings.HasPrefix(name, "MAKE"), name == "MFLAGS":
		case name == "PUBLIC_KEY_URI", name == "AUDIENCE", name == "AWS_LAMBDA_RUNTIME_API":
		default:
			kept = append(kept, variable)
		}
	}
	return append(kept, "GOSUMDB=off") // the checkout's go.sum has the checksums
}

// flags make the example that the README starts listen on a free port.
func flags(t *testing.T, checkout string, port int) string {
	t.Helper()
	example := filepath.Join(checkout, "examples", "nethttp", "main.go")
	moved := filepath.Join(t.TempDir(), "main.go")
	text := strings.Replace(read(t, "examples/nethttp/main.go"), "localhost:8080", "localhost:"+strconv.Itoa(port), 1)
	if err := os.WriteFile(moved, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{example: moved}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(os.Getenv("GOFLAGS") + " -overlay=" + file)
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()                     //nolint:errcheck // only its port was needed
	return listener.Addr().(*net.TCPAddr).Port //nolint:errcheck,forcetypeassert // a TCP listener's
}

func section(t *testing.T, page, heading string) string {
	t.Helper()
	text, err := Section(page, heading)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

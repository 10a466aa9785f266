package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/more-retail/moresso-go/cmd/sso/internal/cli"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// A call is one run of the command line.
type call struct {
	args   []string
	stdin  string
	env    map[string]string
	client *http.Client
	now    func() time.Time

	refused func()

	service  func() (sso.Config, error)
	pipe     io.Reader // instead of stdin
	patience time.Duration
}

type outcome struct {
	stdout, stderr string
	code           int
}

func (c call) run(t *testing.T) outcome {
	t.Helper()
	return c.runContext(t.Context(), t)
}

func (c call) runContext(ctx context.Context, t *testing.T) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if c.pipe == nil {
		c.pipe = strings.NewReader(c.stdin)
	}
	code := cli.Run(ctx, cli.Environment{
		Args: c.args, Stdin: c.pipe, Stdout: &stdout, Stderr: &stderr,
		Lookup:     func(name string) string { return c.env[name] },
		HTTPClient: c.client, Now: c.now, Refused: c.refused, Service: c.service, Patience: c.patience,
	})
	return outcome{stdout.String(), stderr.String(), code}
}

// object decodes the output.
func (o outcome) object(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(o.stdout), into); err != nil {
		t.Fatalf("%v in\n%s%s", err, o.stdout, o.stderr)
	}
}

// harmless fails the test if the output has control characters.
func (o outcome) harmless(t *testing.T) {
	t.Helper()
	for name, text := range map[string]string{"output": o.stdout, "errors": o.stderr} {
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("the %s have %q in\n%s", name, text[i:min(i+10, len(text))], text)
		}
	}
}

// trusting returns the flags of a service that accepts an issuer.
func trusting(i *ssotest.Issuer) []string {
	return []string{"--keys", i.JWKSURL(), "--issuer", i.URL(), "--audience", "api", "--algorithms", i.Algorithm()}
}

// recorder builds a response, for transports without a server.
type recorder struct{ body bytes.Buffer }

func newRecorder() *recorder { return &recorder{} }

func (r *recorder) response(request *http.Request) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(&r.body), Request: request}
}

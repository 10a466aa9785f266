package adaptertest

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/more-retail/moresso-go/core/ssotest"
)

// TestStreams reads what an application answers at length: at /events a line for each event that
// it takes from next, which ends with the principal's subject, until next is closed; and at
// /socket, over the connection that it took over, "hello " and the subject. The token is
// about "ada". next has room for one event. It is for whoever writes an adapter: a middleware that
// wraps the response writer must let both through.
func TestStreams(t *testing.T, do ssotest.Do, token string, next chan<- string) {
	t.Helper()
	request := func(path string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		r.Header.Set("Authorization", "Bearer "+token)
		return r
	}
	next <- "one"
	response, err := do(request("/events"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(response.Body)
	for _, event := range []string{"one", "two"} {
		if event != "one" {
			next <- event
		}
		if !lines.Scan() || lines.Text() != event+" ada" {
			t.Errorf("the stream has %q", lines.Text())
		}
	}
	close(next)
	_ = response.Body.Close()
	upgrade := request("/socket")
	upgrade.Header.Set("Connection", "Upgrade")
	upgrade.Header.Set("Upgrade", "echo")
	response, err = do(upgrade)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if line, err := bufio.NewReader(response.Body).ReadString('\n'); response.StatusCode != http.StatusSwitchingProtocols || line != "hello ada\n" {
		t.Errorf("the socket has %d %q (%v)", response.StatusCode, line, err)
	}
}

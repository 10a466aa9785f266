package providers

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// hydra is a process of Ory Hydra.
type hydra struct{ issuer, admin string }

// startHydra starts bin/hydra on loopback, with a database in memory and without a configuration file, until the
// test ends. The program takes minutes to build, so that only HYDRA=1 scripts/e2e-deps does so.
func startHydra(t *testing.T) hydra {
	t.Helper()
	const path = "../../bin/hydra"
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("HYDRA") != "" {
			t.Fatal(err)
		}
		t.Skip("HYDRA=1 scripts/e2e-deps builds Ory Hydra")
	}
	public, admin := freePort(t), freePort(t)
	h := hydra{issuer: "http://127.0.0.1:" + public, admin: "http://127.0.0.1:" + admin}
	ctx, stop := context.WithCancel(context.Background())
	process := exec.CommandContext(ctx, path, "serve", "all", "--dev")
	process.Env = []string{
		"DSN=memory", "SECRETS_SYSTEM=" + rand.Text(), "URLS_SELF_ISSUER=" + h.issuer, "HOME=" + t.TempDir(),
		"SERVE_PUBLIC_HOST=127.0.0.1", "SERVE_PUBLIC_PORT=" + public, "SERVE_ADMIN_HOST=127.0.0.1", "SERVE_ADMIN_PORT=" + admin,
	}
	var log bytes.Buffer
	process.Stdout, process.Stderr = &log, &log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = process.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		if t.Failed() {
			t.Logf("hydra wrote:\n%s", log.Bytes())
		}
	})
	for deadline := time.After(time.Minute); ; {
		response, err := http.Get(h.issuer + "/health/ready")
		if err == nil {
			response.Body.Close()
		}
		if err == nil && response.StatusCode == http.StatusOK {
			return h
		}
		select {
		case <-ended:
			t.Fatal("hydra ended")
		case <-deadline:
			t.Fatal("hydra is not ready")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // it frees the port
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// token registers a client, and requests its token. The strategy jwt is a setting of the client; Hydra's default is
// opaque.
func (h hydra) token(t *testing.T, strategy, audience string) string {
	t.Helper()
	client := map[string]any{"grant_types": []string{"client_credentials"}, "audience": []string{audience}, "scope": "orders.read"}
	if strategy != "opaque" {
		client["access_token_strategy"] = strategy
	}
	body, err := json.Marshal(client)
	if err != nil {
		t.Fatal(err)
	}
	var registered struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	response, err := http.Post(h.admin+"/admin/clients", "application/json", bytes.NewReader(body))
	answer(t, response, err, &registered)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.issuer+"/oauth2/token", strings.NewReader(url.Values{
		"grant_type": {"client_credentials"}, "audience": {audience}, "scope": {"orders.read"},
	}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(registered.ID, registered.Secret)
	var issued struct {
		AccessToken string `json:"access_token"`
	}
	response, err = http.DefaultClient.Do(request)
	answer(t, response, err, &issued)
	return issued.AccessToken
}

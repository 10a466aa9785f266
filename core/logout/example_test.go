package logout_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/core/sso"
)

// sessionsEnded is a store in memory: the sessions that have ended, and the logout tokens.
type sessionsEnded struct {
	mu    sync.Mutex
	ended map[string]bool
	done  map[string]bool
}

func (s *sessionsEnded) Check(_ context.Context, session sso.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended[session.Issuer+" "+session.ID] {
		return sso.ErrSessionEnded
	}
	return nil
}

func (s *sessionsEnded) RevokesFor(string) bool { return true }

func (s *sessionsEnded) RevokeSession(_ context.Context, r logout.Revocation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended[r.Issuer+" "+r.SessionID] = true // a real one forgets it after r.Until
	return nil
}

func (s *sessionsEnded) RevokeSubject(context.Context, logout.Revocation) error {
	return errors.ErrUnsupported // this store does not keep users
}

func (s *sessionsEnded) LogoutRecorded(_ context.Context, issuer, tokenID string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done[issuer+" "+tokenID], nil
}

func (s *sessionsEnded) RecordLogout(_ context.Context, issuer, tokenID string, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done[issuer+" "+tokenID] = true
	return nil
}

// A logout endpoint of your own; httpsso.BackChannelLogout is one for net/http.
func ExampleNew() {
	store := &sessionsEnded{ended: map[string]bool{}, done: map[string]bool{}}
	auth, issuer := forExamples(sso.Config{
		MaxTokenAge: time.Hour, Sessions: store,
	})
	receiver, err := logout.New(auth, store, "web-shop")
	if err != nil {
		log.Fatal(err)
	}
	receive := func(token string) int {
		if err := receiver.Receive(context.Background(), token); err != nil {
			return sso.DenialOf(err).Status
		}
		return http.StatusOK
	}
	token := issuer.MustToken(devissuer.Claim("sid", "s1"))
	_, err = auth.ValidateToken(context.Background(), token)
	fmt.Println("before:", err)

	ofLogout := issuer.MustToken(devissuer.Audience("web-shop"), devissuer.Claim("sid", "s1"), devissuer.Claim("jti", "l1"),
		devissuer.Claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}))
	fmt.Println(receive(""), receive(token), receive(ofLogout), receive(ofLogout))
	_, err = auth.ValidateToken(context.Background(), token)
	var ended *sso.TokenError
	fmt.Println("after:", errors.As(err, &ended) && ended.Reason == sso.ReasonSessionEnded)
	// Output:
	// before: <nil>
	// 400 400 200 400
	// after: true
}

// forExamples returns an authenticator for an issuer in memory.
func forExamples(cfg sso.Config) (*sso.Authenticator, *devissuer.Issuer) {
	issuer, err := devissuer.New()
	if err != nil {
		log.Fatal(err)
	}
	cfg.PublicKeyURI, cfg.HTTPClient, cfg.Issuer = issuer.JWKSURL(), issuer.Client(), issuer.URL()
	cfg.Audience, cfg.Logger = []string{"api"}, slog.New(slog.DiscardHandler)
	auth, err := sso.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	return auth, issuer
}

package sso_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"log/slog"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// A token that comes another way than in an HTTP request.
func ExampleAuthenticator_ValidateToken() {
	issuer, err := devissuer.New()
	if err != nil {
		log.Fatal(err)
	}
	auth, err := sso.New(sso.Config{
		PublicKeyURI: issuer.JWKSURL(),
		Audience:     []string{"api"},
		Issuer:       issuer.URL(),
		HTTPClient:   issuer.Client(),
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	principal, err := auth.ValidateToken(ctx, issuer.MustToken(devissuer.Claim("level", int64(9007199254740993))))
	fmt.Println(principal.Subject(), principal.Claim("level"), err)

	_, err = auth.ValidateToken(ctx, issuer.MustToken(devissuer.WrongAudience()))
	var invalid *sso.TokenError
	fmt.Println(errors.Is(err, sso.ErrInvalidToken), errors.As(err, &invalid) && invalid.Reason == sso.ReasonWrongAudience)
	// Output:
	// ada 9007199254740993 <nil>
	// true true
}

// A service that is shipped with a snapshot of its provider's keys serves before the first
// fetch, and while the provider is down.
func ExampleConfig_snapshot() {
	configure := func(cfg *sso.Config) error {
		snapshot, err := keys.File("keys.json")
		if err != nil {
			return err
		}
		provider, err := keys.URL("https://login.example.com/.well-known/jwks.json", keys.Options{})
		if err != nil {
			return err
		}
		cfg.Keys = keys.WithSnapshot(snapshot, provider)
		return nil
	}
	fmt.Println(errors.Is(configure(&sso.Config{}), fs.ErrNotExist)) // of the file, here
	// Output:
	// true
}

// A service for the staff's tokens and the partners', each by its own provider and rules.
func ExampleJoin() {
	staff, staffIssuer := withIssuer("https://staff.example.com")
	partners, partnersIssuer := withIssuer("https://partners.example.com")
	auth, err := sso.Join(staff, partners)
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close() //nolint:errcheck // it returns no error here
	for _, token := range []string{
		staffIssuer.MustToken(),
		partnersIssuer.MustToken(),
		partnersIssuer.MustToken(devissuer.IssuedBy("https://staff.example.com")), // whose key did not sign it
	} {
		principal, err := auth.ValidateToken(context.Background(), token)
		fmt.Println(principal.Issuer(), err == nil)
	}
	// Output:
	// https://staff.example.com true
	// https://partners.example.com true
	//  false
}

// withIssuer makes an issuer in memory and an authenticator that trusts only it.
func withIssuer(issuer string) (*sso.Authenticator, *devissuer.Issuer) {
	made, err := devissuer.New(devissuer.WithIssuer(issuer))
	if err != nil {
		log.Fatal(err)
	}
	auth, err := sso.New(sso.Config{
		Audience:   []string{"api"},
		Issuer:     issuer, // from which the keys are discovered
		HTTPClient: made.Client(),
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	return auth, made
}

// A service layer that sees only a context finds the principal there.
func ExampleFromContext() {
	fmt.Println(cancelOrder(context.Background(), "7"))
	// Output:
	// no principal
}

func cancelOrder(ctx context.Context, id string) error {
	principal, ok := sso.FromContext(ctx)
	if !ok {
		return errors.New("no principal")
	}
	tenant, _ := principal.Claim("tenant.id").Text()
	fmt.Printf("%s of %s cancels order %s\n", principal.Subject(), tenant, id)
	return nil
}

// The reason of a refusal is in the log, and Observe gets it too. Values from the token are personal
// data.
func ExampleConfig_observe() {
	issuer, err := devissuer.New()
	if err != nil {
		log.Fatal(err)
	}
	cfg := sso.Config{
		PublicKeyURI: issuer.JWKSURL(),
		Audience:     []string{"api"},
		Issuer:       issuer.URL(),
		HTTPClient:   issuer.Client(),
		Logger:       slog.New(slog.DiscardHandler),
	}
	cfg.Observe = func(event sso.Event) {
		if denied, ok := errors.AsType[*sso.AccessDeniedError](event.Err); ok {
			// Values of the token are personal data.
			fmt.Printf("%s %s: %s\n", event.Reason, denied.Principal.Subject(), denied.Decision.ExplainWithValues())
		}
	}
	auth, err := sso.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	request := adapter.EventRequest{
		HTTPMethod: "GET",
		Fields:     map[string]string{"authorization": "Bearer " + issuer.MustToken(devissuer.Permission("orders.role", "guest"))},
	}
	_, err = auth.Authorize(context.Background(), request, permission.Is("orders.role", "clerk"))
	fmt.Println(errors.Is(err, sso.ErrAccessDenied))
	// Output:
	// access_denied ada: denied: wrong_value at orders.role, wanted "clerk", found "guest"; the token's permissions (an object) need "clerk" at orders.role
	// true
}

var errSignInAgain = errors.New("sign in again")

// whoSent distinguishes an invalid token from an outage.
func whoSent(ctx context.Context, auth *sso.Authenticator, token string) (string, error) {
	principal, err := auth.ValidateToken(ctx, token)
	switch {
	case errors.Is(err, sso.ErrInvalidToken): // JWTValidationError
		return "", errSignInAgain
	case err != nil: // sso.ErrUnavailable
		return "", err
	}
	return principal.Subject(), nil
}

// An invalid token differs from unavailable keys.
func ExampleAuthenticator_ValidateToken_errors() {
	issuer, err := devissuer.New()
	if err != nil {
		log.Fatal(err)
	}
	auth, err := sso.New(sso.Config{
		PublicKeyURI: issuer.JWKSURL(),
		Audience:     []string{"api"},
		Issuer:       issuer.URL(),
		HTTPClient:   issuer.Client(),
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, token := context.Background(), issuer.MustToken()
	issuer.Down()
	who, err := whoSent(ctx, auth, token)
	fmt.Printf("%q %t\n", who, errors.Is(err, sso.ErrUnavailable))
	who, err = whoSent(ctx, auth, issuer.MustToken(devissuer.Expired()))
	fmt.Printf("%q %v\n", who, err)
	// Output:
	// "" true
	// "" sign in again
}

package servers

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// Demo is an identity provider and the servers that accept its tokens.
type Demo struct {
	Issuer  *devissuer.Issuer
	Servers []*Server
	// Stop ends all of them.
	Stop func() error
}

// StartDemo starts an identity provider and, with its tokens for this audience, the service in every framework;
// see [Start].
func StartDemo(ctx context.Context, audience string, s Service) (*Demo, error) {
	issuer, err := devissuer.Start(devissuer.WithAudience(audience))
	if err != nil {
		return nil, err
	}
	config := sso.Config{PublicKeyURI: issuer.JWKSURL(), Audience: []string{audience}, Issuer: issuer.URL()}
	list, stop, err := Start(ctx, Options{Config: config}, s)
	if err != nil {
		return nil, errors.Join(err, issuer.Close())
	}
	return &Demo{issuer, list, func() error { return errors.Join(stop(), issuer.Close()) }}, nil
}

// Print lists the provider and the servers, each with a path that it serves.
func (d *Demo) Print(w io.Writer, path string) {
	_, _ = fmt.Fprintf(w, "An issuer at %s, and the services that accept its tokens:\n", d.Issuer.URL())
	for _, s := range d.Servers {
		_, _ = fmt.Fprintf(w, "  %-8s %s%s\n", s.Name, s.URL, path)
	}
	_, _ = fmt.Fprintln(w)
}

package explain

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// placed says which check a reason belongs to, where that is plain.
var placed = map[sso.Reason]string{
	sso.ReasonMissingToken:      checkCredentials,
	sso.ReasonBadCredentials:    checkCredentials,
	sso.ReasonCrossOrigin:       checkCredentials,
	sso.ReasonTooLarge:          checkForm,
	sso.ReasonEncrypted:         checkForm,
	sso.ReasonCriticalHeader:    checkCrit,
	sso.ReasonUnsupportedHeader: checkPacking,
	sso.ReasonAlgorithm:         checkAlgorithm,
	sso.ReasonKeyID:             checkKeyID,
	sso.ReasonMissingExpiry:     checkDates,
	sso.ReasonExpired:           checkDates,
	sso.ReasonNotYetValid:       checkDates,
	sso.ReasonIssuedInFuture:    checkDates,
	sso.ReasonWrongAudience:     checkAudience,
	sso.ReasonWrongIssuer:       checkIssuer,
	sso.ReasonWrongClient:       checkClient,
	sso.ReasonTokenKind:         checkKind,
	sso.ReasonBoundToken:        checkKind,
	sso.ReasonMissingClaim:      checkKind,
	sso.ReasonUnknownKey:        checkKey,
	sso.ReasonAmbiguousKey:      checkKey,
	sso.ReasonKeyAlgorithm:      checkKey,
	sso.ReasonKeysUnavailable:   checkKey,
	sso.ReasonBadSignature:      checkSignature,
}

// failed names the check that the library's reason belongs to. Three reasons stand for several
// checks; which one it was the library itself tells, asked about parts of the token.
func (c *inquiry) failed() string {
	switch c.reason {
	case "":
		return ""
	case sso.ReasonMalformed:
		if c.opened() {
			return checkBody
		}
		return checkForm
	case sso.ReasonMalformedClaim:
		return c.malformedClaim()
	case sso.ReasonTokenType:
		lenient := c.cfg
		lenient.TokenType = sso.AnyAccessToken
		if c.ask(lenient, c.parts[0], c.good(nil), "AA") == sso.ReasonTokenType {
			return checkType
		}
		return checkKind
	}
	if name, ok := placed[c.reason]; ok {
		return name
	}
	return c.order()[0] // a fault of the service, which judged nothing
}

// opened reports whether the library got past the header: the parts are three, and the header is
// in order by itself as far as its form goes.
func (c *inquiry) opened() bool {
	if len(c.parts) != 3 {
		return false
	}
	unsigned := segment(map[string]any{"alg": "none"}) // which is looked at before the body
	return c.ask(c.cfg, unsigned, c.parts[1], c.parts[2]) == sso.ReasonAlgorithm &&
		c.ask(c.cfg, c.parts[0], c.good(nil), "AA") != sso.ReasonMalformed
}

// malformedClaim asks about one claim after the other, in a token that has nothing else wrong.
func (c *inquiry) malformedClaim() string {
	for _, claim := range []struct{ name, check string }{
		{"exp", checkDates},
		{"nbf", checkDates},
		{"iat", checkDates},
		{"iss", checkNames},
		{"sub", checkNames},
		{"aud", checkAudience},
		{"client_id", checkClient},
	} {
		value := member(c.token.Claims, claim.name)
		if value == "" {
			continue
		}
		payload := c.good(map[string]any{claim.name: json.RawMessage(value)})
		if c.ask(c.cfg, segment(map[string]any{"alg": c.algorithms()[0]}), payload, "AA") == sso.ReasonMalformedClaim {
			return claim.check
		}
	}
	return checkKind // jti, which RFC 9068 demands
}

// ask has the library judge a token made of parts, with no key to be had.
func (c *inquiry) ask(cfg sso.Config, header, payload, signature string) sso.Reason {
	cfg.PublicKeyURI, cfg.Keys, cfg.HTTPClient = "", noKeys{}, nil
	cfg.Now = func() time.Time { return c.now }
	cfg.Logger, cfg.Observe = slog.New(slog.DiscardHandler), nil
	auth, err := sso.New(cfg)
	if err != nil {
		return sso.ReasonInternal
	}
	defer auth.Close() //nolint:errcheck // nothing is in flight
	_, err = auth.ValidateToken(context.Background(), header+"."+payload+"."+signature)
	var token *sso.TokenError
	if errors.As(err, &token) {
		return token.Reason
	}
	return sso.ReasonKeysUnavailable
}

// good is the payload of a token that keeps the rules, but for what is changed in it.
func (c *inquiry) good(change map[string]any) string {
	claims := map[string]any{"exp": c.now.Add(time.Hour).Unix(), "sub": "somebody"}
	if len(c.cfg.Audience) > 0 {
		claims["aud"] = c.cfg.Audience[0]
	}
	if c.cfg.Issuer != "" {
		claims["iss"] = c.cfg.Issuer
	}
	if len(c.cfg.ClientIDs) > 0 {
		claims["client_id"] = c.cfg.ClientIDs[0]
	}
	maps.Copy(claims, change)
	return segment(claims)
}

func segment(object map[string]any) string {
	text, err := json.Marshal(object)
	if err != nil {
		return "" // of what was JSON before, so it does not happen
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// noKeys is a source that is never asked, or asked in vain.
type noKeys struct{}

func (noKeys) Fetch(context.Context, *keys.Set) (*keys.Set, error) {
	return nil, errors.New("no keys are asked for")
}
func (noKeys) String() string { return "no keys" }

package explain

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// Trial is one verification of a token.
type Trial struct {
	*Report

	With   []string // what was changed before; empty at first
	Change string   // what would pass the check that failed: a setting, or another token; "" if nothing would
}

// Try verifies a token as [Explain] does. While it is refused, Try changes what the refusal is about and
// verifies again, until nothing that it can change helps. Config.Keys must be set, so that the keys stay the
// same.
func Try(ctx context.Context, q Question) (trials []Trial, err error) {
	var changes []string
	for {
		report, err := Explain(ctx, q)
		if err != nil {
			return trials, err
		}
		trial := Trial{Report: report, With: slices.Clone(changes), Change: q.change(report)}
		trials = append(trials, trial)
		if trial.Change == "" {
			return trials, nil
		}
		changes = append(changes, trial.Change)
	}
}

// change changes the question so that the check passes that failed, and says what it changed. Each change
// removes the reason of its case, so that none is made twice.
func (q *Question) change(r *Report) string {
	if r.Token == nil {
		return ""
	}
	var (
		cfg       = &q.Config
		expires   = r.Token.number("exp")
		_, client = r.Token.client()
	)
	switch r.Reason {
	case sso.ReasonTooLarge:
		if r.Token.Bytes <= 1<<20 {
			cfg.MaxTokenBytes = r.Token.Bytes
			return fmt.Sprintf("SSO_MAX_TOKEN_BYTES=%d", r.Token.Bytes)
		}
	case sso.ReasonAlgorithm:
		if alg := text(r.Token.Header, "alg"); slices.Contains(keys.Algorithms(), alg) {
			cfg.Algorithms = append(slices.Clone(cfg.Algorithms), alg)
			return "SSO_ALGORITHMS=" + strings.Join(cfg.Algorithms, ",")
		}
	case sso.ReasonTokenType, sso.ReasonMissingClaim:
		if cfg.TokenType == sso.StrictAccessToken {
			cfg.TokenType = sso.AnyAccessToken
			return "SSO_TOKEN_TYPE= (empty)"
		}
	case sso.ReasonTokenKind:
		if r.failed("access claims") {
			cfg.SkipAccessTokenCheck = true
			return "SSO_SKIP_ACCESS_TOKEN_CHECK=true"
		}
		if cfg.TokenType != sso.AllowIDToken {
			cfg.TokenType = sso.AllowIDToken
			return "SSO_TOKEN_TYPE=id_token"
		}
	case sso.ReasonExpired:
		at := time.Unix(expires-1, 0)
		q.Now = func() time.Time { return at }
		return "a new token"
	case sso.ReasonWrongAudience:
		audience := slices.DeleteFunc(r.Token.audience(), func(name string) bool { return name == "account" }) // all clients of Keycloak
		if len(audience) > 0 {
			cfg.Audience = audience[:1]
			return "SSO_AUDIENCE=" + audience[0]
		} else if client != "" && cfg.Issuer != "" && len(r.Token.audience()) == 0 {
			cfg.Audience, cfg.SkipAudienceCheck, cfg.ClientIDs = nil, true, []string{client}
			return "SSO_SKIP_AUDIENCE_CHECK=true SSO_CLIENT_IDS=" + client + " SSO_AUDIENCE= (empty)"
		}
	case sso.ReasonWrongIssuer:
		if iss := text(r.Token.Claims, "iss"); iss != "" && iss != cfg.Issuer {
			discoverable := strings.TrimSuffix(iss, "/") == strings.TrimSuffix(cfg.Issuer, "/")
			cfg.Issuer = iss
			if discoverable || q.KeysAt == "" {
				return "SSO_ISSUER=" + iss
			}
			return "SSO_ISSUER=" + iss + " SSO_PUBLIC_KEY_URI=" + q.KeysAt
		}
	case sso.ReasonWrongClient:
		if client != "" && !slices.Contains(cfg.ClientIDs, client) {
			cfg.ClientIDs = append(slices.Clone(cfg.ClientIDs), client)
			return "SSO_CLIENT_IDS=" + strings.Join(cfg.ClientIDs, ",")
		}
	case sso.ReasonTooLongLived:
		if issued := r.Token.number("iat"); issued > 0 && expires > issued {
			cfg.MaxTokenAge = time.Duration(expires-issued) * time.Second
			return "SSO_MAX_TOKEN_AGE=" + cfg.MaxTokenAge.String()
		}
	}
	return ""
}

// number returns a claim that is a date, in whole seconds; 0 for others.
func (t *Token) number(claim string) int64 {
	n, err := json.Number(member(t.Claims, claim)).Float64()
	if err != nil || n < 0 || n > 1<<40 {
		return 0
	}
	return int64(n)
}

// Package compat keeps what more-sso-auth, the Python library, does differently, for services that
// migrate from it. New services do not need it.
//
//	cfg, err := compat.ConfigFromEnv()               // reads PUBLIC_KEY_URI and AUDIENCE too
//	cfg.Renderer = compat.Render                     // answers with more-sso-auth's body
//	guard.Require(compat.Truthy("orders.edit"))      // checks a path as @auth_required(permission=…) does
//
// A store of more-sso-auth's live sessions finds the user and the session of a token by
// [SessionPolicy], and the user's key in Redis by [RedisKey].
//
// The value "*" in a token's permissions matches any value, as in more-sso-auth, if the configuration
// is from ConfigFromEnv; see [sso.Config.Wildcard]. docs/MIGRATING.md lists what is different on purpose.
package compat

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"

	"github.com/more-retail/moresso-go/core/sso"
)

// oldNames are more-sso-auth's variables, by the variable that overrides them.
var oldNames = map[string]string{"SSO_PUBLIC_KEY_URI": "PUBLIC_KEY_URI", "SSO_AUDIENCE": "AUDIENCE"}

// ConfigFromEnv is [sso.ConfigFromEnv], except that PUBLIC_KEY_URI and AUDIENCE count if
// SSO_PUBLIC_KEY_URI and SSO_AUDIENCE are not set, and that SSO_WILDCARD is true by default. The error
// names the variable that was set.
func ConfigFromEnv() (sso.Config, error) {
	set := func(name string) string {
		if old := oldNames[name]; os.Getenv(name) == "" && os.Getenv(old) != "" {
			return old
		}
		return name
	}
	cfg, err := sso.ConfigFromLookup(func(name string) string {
		if name == "SSO_WILDCARD" {
			return cmp.Or(os.Getenv(name), "true")
		}
		return os.Getenv(set(name))
	})
	problems := problemsOf(err)
	for i, f := range problems {
		problems[i].Setting = set(f.Setting)
	}
	// A lookup cannot find variables with unknown names, such as SSO_ISUER.
	_, err = sso.ConfigFromEnv()
	for _, f := range problemsOf(err) {
		reported := slices.ContainsFunc(problems, func(other sso.ConfigProblem) bool { return other.Setting == f.Setting })
		if !reported && os.Getenv(f.Setting) != "" {
			problems = append(problems, f)
		}
	}
	if len(problems) > 0 {
		return cfg, &sso.ConfigError{Problems: problems}
	}
	return cfg, nil
}

func problemsOf(err error) []sso.ConfigProblem {
	if list, ok := errors.AsType[*sso.ConfigError](err); ok {
		return slices.Clone(list.Problems)
	}
	return nil
}

// Render answers a refusal with more-sso-auth's body, {"data": null, "detail": "Unauthorized"}, for
// [sso.Config.Renderer]. The status and the challenge stay as they are. more-sso-auth wrote the cause
// of the refusal as detail; here only the log has the cause.
func Render(_ sso.Request, d sso.Denial) sso.Denial {
	body, _ := json.Marshal(map[string]any{"detail": http.StatusText(d.Status), "data": nil}) //nolint:errchkjson // strings have a JSON form
	d.Header = d.Header.Clone()
	d.Header.Set("Content-Type", "application/json")
	d.Body = body
	return d
}

// SessionPolicy finds a token's session as more-sso-auth does: by the claims user_id and session_id.
func SessionPolicy() sso.SessionPolicy {
	return sso.SessionPolicy{UserClaim: "user_id", SessionClaim: "session_id"}
}

// RedisKey returns the key under which more-sso-auth keeps the session of a user.
func RedisKey(audience, user string) string { return audience + ":" + user }

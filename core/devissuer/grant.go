package devissuer

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// asked reads what a request to the token endpoint wants beyond the standard:
//
//	persona      the name of somebody whom WithPersona introduced
//	audience     aud; may be repeated
//	scope        scope, as in the standard
//	permissions  a JSON object that is laid over the permissions of the persona
//	claims       a JSON object of claims that replace those above
//	without      the name of a claim that is left out; may be repeated
//	expires_in   seconds; negative for a token that has expired
//
// Later lines win over earlier ones.
func (i *Issuer) asked(form url.Values, client, persona string) ([]TokenOption, error) {
	opts := []TokenOption{Subject(client), Claim("client_id", client)}
	if persona != "" {
		known := i.personas[persona]
		if known == nil {
			return nil, i.stranger(persona)
		}
		opts = append(opts, known...)
	}
	if audience := form["audience"]; len(audience) > 0 {
		opts = append(opts, Audience(audience...))
	}
	if scope := form.Get("scope"); scope != "" {
		opts = append(opts, Claim("scope", scope))
	}
	if text := form.Get("permissions"); text != "" {
		object, err := jsonObject(text)
		if err != nil {
			return nil, errors.New(`permissions is not a JSON object such as {"pma":{"role":"admin"}}`)
		}
		opts = append(opts, overPermissions(nil, object))
	}
	if text := form.Get("claims"); text != "" {
		object, err := jsonObject(text)
		if err != nil {
			return nil, errors.New(`claims is not a JSON object such as {"tenant":{"id":"t1"}}`)
		}
		for name, value := range object {
			opts = append(opts, Claim(name, value))
		}
	}
	for _, name := range form["without"] {
		opts = append(opts, WithoutClaim(name))
	}
	if text := form.Get("expires_in"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, errors.New("expires_in is not a number of seconds such as 3600")
		}
		opts = append(opts, ValidFor(time.Duration(seconds)*time.Second))
	}
	return opts, nil
}

// stranger names the personas that there are.
func (i *Issuer) stranger(persona string) error {
	if len(i.personas) == 0 {
		return fmt.Errorf("there is no persona %q, nor any other", persona)
	}
	return fmt.Errorf("there is no persona %q; there are %s", persona, strings.Join(slices.Sorted(maps.Keys(i.personas)), ", "))
}

func jsonObject(text string) (map[string]json.RawMessage, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, errors.New("null is no object")
	}
	return object, nil
}

// maxPermissionDepth is how deep permissions are laid over one another; what
// lies deeper is replaced as a whole.
const maxPermissionDepth = 32

// overPermissions lays an object over the permissions: what it does not name
// stays.
func overPermissions(path []string, object map[string]json.RawMessage) TokenOption {
	return func(d *draft) {
		for name, value := range object {
			at := append(slices.Clone(path), name)
			if below, err := jsonObject(string(value)); err == nil && len(below) > 0 && len(at) < maxPermissionDepth {
				overPermissions(at, below)(d)
				continue
			}
			d.claims["permissions"] = withValue(d.claims["permissions"], at, value)
		}
		if len(path) == 0 && len(object) == 0 {
			d.claims.fill("permissions", json.RawMessage("{}"))
		}
	}
}

// expiresIn is the token's exp as the answer tells it (RFC 6749, section 5.1);
// false for a token without, or with one that is no number.
func (i *Issuer) expiresIn(token string) (seconds int64, ok bool) {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return 0, false
	}
	var claims struct {
		Expires *int64 `json:"exp"`
	}
	if json.Unmarshal(text, &claims) != nil || claims.Expires == nil {
		return 0, false
	}
	return *claims.Expires - i.now().Unix(), true
}

package devissuer

import (
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

// requested returns the options of a form beyond the standard; see the package comment.
func (i *Issuer) requested(form url.Values, client, persona string) ([]TokenOption, error) {
	opts := []TokenOption{Subject(client), Claim("client_id", client)}
	if persona != "" {
		options := i.personas[persona]
		if options == nil {
			return nil, i.unknownPersona(persona)
		}
		opts = append(opts, options...)
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
		opts = append(opts, mergePermissions(nil, object))
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

// unknownPersona is an error that lists the personas.
func (i *Issuer) unknownPersona(persona string) error {
	if len(i.personas) == 0 {
		return fmt.Errorf("unknown persona %q: the issuer has none", persona)
	}
	return fmt.Errorf("unknown persona %q, want one of %s", persona, strings.Join(slices.Sorted(maps.Keys(i.personas)), ", "))
}

func jsonObject(text string) (map[string]json.RawMessage, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, errors.New("null is not an object")
	}
	return object, nil
}

// maxPermissionDepth bounds how deep permissions are merged; deeper values are replaced.
const maxPermissionDepth = 32

// mergePermissions merges an object into the permissions. Members that it does not name stay.
func mergePermissions(path []string, object map[string]json.RawMessage) TokenOption {
	return func(d *draft) {
		for name, value := range object {
			at := append(slices.Clone(path), name)
			if below, err := jsonObject(string(value)); err == nil && len(below) > 0 && len(at) < maxPermissionDepth {
				mergePermissions(at, below)(d)
				continue
			}
			d.claims["permissions"] = withValue(d.claims["permissions"], at, value)
		}
		if len(path) == 0 && len(object) == 0 {
			d.claims.fill("permissions", json.RawMessage("{}"))
		}
	}
}

// expiresIn returns the seconds until the token's exp (RFC 6749, section 5.1), and false without a
// numeric exp.
func (d *draft) expiresIn() (seconds int64, ok bool) {
	text, _ := encode(d.claims["exp"]) // encoded before, with the token
	exp, err := strconv.ParseInt(text, 10, 64)
	return exp - d.now.Unix(), err == nil
}

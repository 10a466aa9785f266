package verify

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/compact"
	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

const (
	maxKeyIDBytes = 256
	minValues     = 256 // that every token may have
	maxDateDigits = 32  // and other characters of the number
	maxClaims     = 512 // at the payload's root
	maxThumbprint = 44  // of SHA-256 in base64, padding included
	// latestDate is the last second of the year 9999.
	latestDate = 253402300799
)

// The tables. Checks run in order, the cheapest first; what needs a key comes last. `jwk`, `jku`,
// `x5u` and `x5c` are never read: a token does not choose its own key (RFC 8725, section 3.10).
var (
	// AccessToken are the checks of access tokens (RFC 7519, RFC 8725, RFC 9068).
	AccessToken = slices.Concat(form, []Check{
		{"typ", "token_type", "RFC 8725, section 3.11; RFC 9068, section 2.1", accessTokenType},
	}, keyID, payload, []Check{
		{"exp", "missing_expiry", "RFC 7519, section 4.1.4", present("exp")},
	}, dates, []Check{
		{"iat", "missing_claim", "RFC 9068, section 2.2", strict(present("iat"))},
		{"iat", "too_long_lived", "Config.MaxTokenAge", lifetime},
	}, identity, []Check{
		{"client_id", "malformed_claim", "RFC 9068, section 2.2", text("client_id")},
		{"client_id", "missing_claim", "RFC 9068, section 2.2", strict(present("client_id"))},
		{"client_id", "wrong_client", "RFC 9068, section 2.2; OpenID Connect Core 1.0, section 2", client},
		{"azp", "wrong_client", "OpenID Connect Core 1.0, section 3.1.3.7", authorizedParty},
		{"jti", "missing_claim", "RFC 9068, section 2.2", strict(present("jti"))},
		{"jti", "malformed_claim", "RFC 7519, section 4.1.7", strict(text("jti"))},
	}, otherKinds, []Check{
		{"at_hash", "token_kind", "OpenID Connect Core 1.0, section 3.3.2.11", unlessIDToken(absent("at_hash"))},
		{"c_hash", "token_kind", "OpenID Connect Core 1.0, section 3.3.2.11", unlessIDToken(absent("c_hash"))},
		{"s_hash", "token_kind", "FAPI 1.0 Advanced, section 5.1.1", unlessIDToken(absent("s_hash"))},
		{"nonce", "token_kind", "OpenID Connect Core 1.0, section 2", unlessIDToken(accessTokenNonce)},
		{AccessClaims, "token_kind", "documentation of Microsoft Entra, Okta and Amazon Cognito", unlessIDToken(accessClaims)},
		{"events", "token_kind", "RFC 8417, section 2.2", absent("events")},
		{"cnf", "bound_token", "RFC 7800, section 3.1", unbound},
	}, signature)

	// LogoutToken are the checks of logout tokens (OpenID Connect Back-Channel Logout 1.0,
	// sections 2.4 and 2.6).
	LogoutToken = slices.Concat(form, []Check{
		{"typ", "token_type", "OpenID Connect Back-Channel Logout 1.0, section 2.4", logoutTokenType},
	}, keyID, payload, []Check{
		{"iat", "missing_claim", "OpenID Connect Back-Channel Logout 1.0, section 2.4", present("iat")},
	}, dates, identity, otherKinds, []Check{
		{"at_hash", "token_kind", "OpenID Connect Back-Channel Logout 1.0, section 2.6", absent("at_hash")},
		{"c_hash", "token_kind", "OpenID Connect Back-Channel Logout 1.0, section 2.6", absent("c_hash")},
		{"nonce", "token_kind", "OpenID Connect Back-Channel Logout 1.0, section 2.6", absent("nonce")},
		{"events", "token_kind", "OpenID Connect Back-Channel Logout 1.0, section 2.4", logoutEvent},
		{"jti", "missing_claim", "OpenID Connect Back-Channel Logout 1.0, section 2.4", present("jti")},
		{"jti", "malformed_claim", "RFC 7519, section 4.1.7", text("jti")},
		{"sid", "malformed_claim", "OpenID Connect Back-Channel Logout 1.0, section 2.4", text("sid")},
		{"sid", "missing_claim", "OpenID Connect Back-Channel Logout 1.0, section 2.4", sidOrSub},
	}, signature)
)

// The rows that both tables have.
var (
	form = []Check{
		{"token", "too_large", "Config.MaxTokenBytes", length},
		{"token", "encrypted", "RFC 7516, section 3.1", notEncrypted},
		{"token", "malformed", "RFC 7515, section 7.1", segments},
		{"iss", "wrong_issuer", "RFC 8725, section 3.8", selectIssuer},
		{"header", "malformed", "RFC 7515, section 4", header},
		{"crit", "critical_header", "RFC 7515, section 4.1.11", noHeader("crit")},
		{"zip", "unsupported_header", "RFC 7516, section 4.1.3", noHeader("zip")},
		{"b64", "unsupported_header", "RFC 7797, section 3", noHeader("b64")},
		{"alg", "algorithm", "RFC 8725, section 3.1", algorithm},
		{"cty", "token_type", "RFC 7519, section 5.2", notNested},
	}
	keyID = []Check{
		{"kid", "key_id", "RFC 7515, section 4.1.4", readKeyID},
		{"kid", "unknown_key", "RFC 7515, section 4.1.4", keyNotKnownMissing},
	}
	payload = []Check{
		{"payload", "malformed", "RFC 7519, section 7.2", readPayload},
		{"payload", "malformed", "RFC 7519, section 4", exactNames},
		{"payload", "malformed", "RFC 8259, section 8.2", exactTexts},
	}
	dates = []Check{
		{"exp", "malformed_claim", "RFC 7519, section 4.1.4", expiry},
		{"exp", "expired", "RFC 7519, section 4.1.4", notExpired},
		{"nbf", "malformed_claim", "RFC 7519, section 4.1.5", notBefore},
		{"nbf", "not_yet_valid", "RFC 7519, section 4.1.5", alreadyValid},
		{"iat", "malformed_claim", "RFC 7519, section 4.1.6", issued},
		{"iat", "issued_in_future", "RFC 7519, section 4.1.6", alreadyIssued},
	}
	identity = []Check{
		{"sub", "malformed_claim", "RFC 7519, section 4.1.2", text("sub")},
		{"sub", "missing_claim", "RFC 9068, section 2.2", strict(present("sub"))},
		{"aud", "malformed_claim", "RFC 7519, section 4.1.3", readAudience},
		{"aud", "missing_claim", "RFC 9068, section 2.2", strict(present("aud"))},
		{"aud", "wrong_audience", "RFC 7519, section 4.1.3", forAudience},
		{"iss", "malformed_claim", "RFC 7519, section 4.1.1", issuer},
		{"iss", "missing_claim", "RFC 9068, section 2.2", strict(present("iss"))},
		{"iss", "wrong_issuer", "RFC 8725, section 3.8", trustedIssuer},
	}
	// Tokens of many kinds are signed by the same keys (RFC 8725, section 2.8). The header's typ
	// distinguishes some of them, these claims others.
	otherKinds = []Check{
		{"payload typ", "token_kind", "Keycloak's payload member typ", payloadType},
		{"token_use", "token_kind", "Amazon Cognito's claim token_use", tokenUse},
	}
	signature = []Check{
		{"key", "unknown_key", "RFC 7515, section 4.1.4", findKey},
		{"key", "key_algorithm", "RFC 8725, section 3.1", keyAlgorithm},
		{"signature", "bad_signature", "RFC 7515, section 5.2", verifySignature},
		{"iss", "wrong_issuer", "OpenID Connect Discovery 1.0, section 4.3", discoveredIssuer},
	}
)

func length(_ context.Context, t *Token) error {
	if most := t.engine.MaxBytes(); len(t.raw) > most {
		return fail("got %d bytes, want at most %d", len(t.raw), most)
	}
	return nil
}

func notEncrypted(_ context.Context, t *Token) error {
	if t.form, t.formErr = compact.Open(t.raw); errors.Is(t.formErr, compact.ErrEncrypted) {
		return fail("%w", t.formErr)
	}
	if t.formErr == nil { // one level for each 512 bytes that a token may have, and a value for each 16
		t.form.Limits.Depth = max(jsondoc.MaxDepth, t.engine.MaxBytes()/512)
		t.form.Limits.Values = max(minValues, t.engine.MaxBytes()/16)
	}
	return nil
}

func segments(_ context.Context, t *Token) error { return failure(t.formErr) }

// failure refuses a token for an error that is safe to log.
func failure(err error) error {
	if err == nil {
		return nil
	}
	return fail("%w", err)
}

// selectIssuer finds the rules of a token where several issuers are accepted. `iss` is not trusted
// by that: the signature must be by a key of the issuer that it selects.
func selectIssuer(_ context.Context, t *Token) error {
	if t.engine.byIssuer == nil {
		return ErrSkipped
	}
	if t.formErr = t.form.ReadBody(); t.formErr != nil {
		return nil //nolint:nilerr // reported by readPayload, whose reason it is
	}
	iss, _ := t.claim("iss").Text()
	if t.Rules = t.engine.byIssuer[iss]; t.Rules == nil {
		return fail("got %q, want one of the %d accepted issuers", iss, len(t.engine.issuers))
	}
	return nil
}

func header(_ context.Context, t *Token) error {
	if err := t.form.ReadHeader(); err != nil {
		return failure(err)
	}
	return headerNames.exact(t.form.Header)
}

func noHeader(name string) func(context.Context, *Token) error {
	return without((*Token).header, name, "present, and not supported")
}

func algorithm(_ context.Context, t *Token) error {
	alg, ok := t.header("alg").Text()
	if !ok {
		return fail("missing, or not a string")
	}
	if !slices.Contains(t.Algorithms, alg) && !slices.Contains(t.Algorithms, keys.OlderName(alg)) {
		return fail("got %q, want one of %q", alg, t.Algorithms)
	}
	t.Algorithm = alg
	return nil
}

// notNested refuses a token whose payload is a token. Any other content type says nothing about the claims.
func notNested(_ context.Context, t *Token) error {
	cty := t.header("cty")
	text, ok := cty.Text()
	content, _, _ := strings.Cut(text, ";")
	content = strings.ToLower(strings.TrimSpace(content))
	content = content[strings.LastIndexByte(content, '/')+1:]
	if cty.Kind() != jsondoc.Absent && (!ok || strings.HasSuffix(content, "jwt") || strings.HasPrefix(content, "jose")) {
		return fail("got %q, which marks a token within the token", text)
	}
	return nil
}

// The media types in the header's `typ`, without their common prefix.
var (
	strictTypes = []string{"at+jwt"}
	accessTypes = []string{"JWT", "at+jwt"}
	logoutTypes = []string{"JWT", "logout+jwt"}
)

func accessTokenType(_ context.Context, t *Token) error {
	if t.TokenType == StrictAccessToken {
		return t.typ(true, strictTypes)
	}
	return t.typ(false, accessTypes)
}

func logoutTokenType(_ context.Context, t *Token) error { return t.typ(false, logoutTypes) }

// typ compares the header's `typ` as a media type, in any letter case and with or without "application/"
// (RFC 7515, section 4.1.9). JOSE says no more than that this is a JWS or JWE.
func (t *Token) typ(required bool, accepted []string) error {
	value := t.header("typ")
	got, _ := value.Text()
	if n := len("application/"); len(got) > n && strings.EqualFold(got[:n], "application/") {
		got = got[n:]
	}
	if !required && (value.Kind() == jsondoc.Absent || strings.EqualFold(got, "JOSE")) {
		return nil
	}
	if !slices.ContainsFunc(accepted, func(want string) bool { return strings.EqualFold(got, want) }) {
		return fail("got %q, want one of %q", got, accepted)
	}
	return nil
}

func readKeyID(_ context.Context, t *Token) error {
	kid := t.header("kid")
	id, ok := kid.Text()
	if kid.Kind() != jsondoc.Absent && (!ok || len(id) > maxKeyIDBytes) {
		return fail("not a string of at most %d bytes", maxKeyIDBytes)
	}
	t.Key.KeyID = id
	t.Key.X5T, t.Key.X5TS256 = t.certificate("x5t"), t.certificate("x5t#S256")
	return nil
}

// certificate returns a thumbprint from the header. Providers write all kinds of values there, which
// name no key.
func (t *Token) certificate(name string) string {
	if text, _ := t.header(name).Text(); len(text) <= maxThumbprint {
		return text
	}
	return ""
}

// keyNotKnownMissing refuses a token for its header alone where no fetch could bring its key.
func keyNotKnownMissing(_ context.Context, t *Token) error {
	if t.Keys.Lacks(t.Key.KeyID) {
		return fail("the issuer has no key %q", t.Key.KeyID)
	}
	return nil
}

func readPayload(_ context.Context, t *Token) error {
	if t.engine.byIssuer == nil {
		t.formErr = t.form.ReadBody()
	}
	return failure(t.formErr)
}

// exactNames refuses a claim that some readers would take for one that decides something.
func exactNames(_ context.Context, t *Token) error {
	if n := t.form.Claims.Len(); n > maxClaims { // each check looks for its claim
		return fail("got %d claims, want at most %d beside each other", n, maxClaims)
	}
	configured := t.Rules.Claims
	if t.isLogout() {
		configured = logoutNames
	}
	for member := range t.form.Claims.Members() {
		if configured.plain && isPlain(member) {
			continue
		}
		name := cmp.Or(decisive.Lookalike(member), configured.Lookalike(member))
		if other := granting.Lookalike(member); name == "" && other != "" && t.claim(other).Kind() != jsondoc.Absent {
			name = other
		}
		if name != "" {
			return lookalike(name)
		}
	}
	return nil
}

// exactTexts refuses a lone surrogate in a claim that decides something: readers replace it differently.
func exactTexts(_ context.Context, t *Token) error {
	if !t.form.Claims.Replaced() {
		return nil
	}
	for name, value := range t.form.Claims.Members() {
		if value.Replaced() && (slices.Contains(ClaimNames.list, name) || slices.Contains(t.Reads, name)) {
			return fail("%s has a lone surrogate", name)
		}
	}
	return nil
}

// present requires a claim.
func present(name string) func(context.Context, *Token) error {
	return func(_ context.Context, t *Token) error {
		if t.claim(name).Kind() == jsondoc.Absent {
			return fail("missing")
		}
		return nil
	}
}

// absent refuses a claim.
func absent(name string) func(context.Context, *Token) error {
	return without((*Token).claim, name, "present, which marks another kind of token")
}

var unbound = without((*Token).claim, "cnf", "present: the token requires a proof of possession")

// without refuses a header member or claim.
func without(get func(*Token, string) jsondoc.Value, name, problem string) func(context.Context, *Token) error {
	return func(_ context.Context, t *Token) error {
		if get(t, name).Kind() != jsondoc.Absent {
			return fail(problem)
		}
		return nil
	}
}

// text requires a claim to be a non-empty string if it is present; see member for what is.
func text(name string) func(context.Context, *Token) error {
	return func(_ context.Context, t *Token) error {
		value := t.claim(name)
		if s, ok := value.Text(); value.Kind() != jsondoc.Absent && (!ok || s == "") {
			return fail("not a non-empty string")
		}
		return nil
	}
}

// strict applies a check if only RFC 9068 access tokens are accepted.
func strict(do func(context.Context, *Token) error) func(context.Context, *Token) error {
	return func(ctx context.Context, t *Token) error {
		if t.TokenType != StrictAccessToken || t.isLogout() {
			return ErrSkipped
		}
		return do(ctx, t)
	}
}

// unlessIDToken applies a check unless ID tokens are accepted.
func unlessIDToken(do func(context.Context, *Token) error) func(context.Context, *Token) error {
	return func(ctx context.Context, t *Token) error {
		if t.TokenType == AllowIDToken {
			return ErrSkipped
		}
		return do(ctx, t)
	}
}

// errNoTime means that nothing could expire.
var errNoTime = errors.New("sso: Config.Now returned the zero time")

// date reads a claim that is a date if it is present.
func (t *Token) date(name string, date *time.Time) error {
	value := t.claim(name)
	if value.Kind() == jsondoc.Absent {
		return nil
	}
	var ok bool
	if *date, ok = NumericDate(value); !ok {
		return fail("not a date")
	}
	return nil
}

func expiry(_ context.Context, t *Token) error {
	if t.now = t.Now(); t.now.IsZero() {
		return errNoTime
	}
	if err := t.date("exp", &t.Times.Expires); err != nil {
		return err
	}
	if t.claim("exp").Kind() == jsondoc.Absent { // a logout token; its iat is required
		if err := t.date("iat", &t.Times.Issued); err != nil {
			return err
		}
		t.Times.Expires = t.Times.Issued.Add(logoutLifetime)
	}
	if t.Times.Expires.Unix() <= 0 {
		return fail("not a date")
	}
	return nil
}

// logoutLifetime applies to logout tokens without `exp`. The specification recommends two minutes
// for those that have one; the rest is for providers that deliver late.
const logoutLifetime = 10 * time.Minute

func notExpired(_ context.Context, t *Token) error {
	if t.expired(t.Times, t.now) {
		return fail("expired at %s, %v ago", stamp(t.Times.Expires), t.now.Sub(t.Times.Expires).Round(time.Second))
	}
	return nil
}

func stamp(date time.Time) string { return date.UTC().Format(time.RFC3339) }

func notBefore(_ context.Context, t *Token) error { return t.date("nbf", &t.Times.NotBefore) }

func alreadyValid(_ context.Context, t *Token) error {
	if t.ahead(t.Times.NotBefore, t.now) {
		return fail("valid from %s, in %v", stamp(t.Times.NotBefore), t.Times.NotBefore.Sub(t.now).Round(time.Second))
	}
	return nil
}

func issued(_ context.Context, t *Token) error { return t.date("iat", &t.Times.Issued) }

func alreadyIssued(_ context.Context, t *Token) error {
	if t.ahead(t.Times.Issued, t.now) {
		return fail("issued at %s, %v ahead of this clock", stamp(t.Times.Issued), t.Times.Issued.Sub(t.now).Round(time.Second))
	}
	return nil
}

func lifetime(_ context.Context, t *Token) error {
	switch {
	case t.MaxAge == 0:
		return ErrSkipped
	case t.Times.Issued.IsZero():
		return fail("iat is missing, so the lifetime is unknown; want at most %v", t.MaxAge)
	case t.Times.Expires.Sub(t.Times.Issued) > t.MaxAge:
		return fail("got a lifetime of %v, want at most %v", t.Times.Expires.Sub(t.Times.Issued), t.MaxAge)
	}
	return nil
}

// NumericDate reads a NumericDate (RFC 7519, section 2): seconds since 1970, fractions allowed.
func NumericDate(v jsondoc.Value) (time.Time, bool) {
	if literal, _ := v.Number(); len(literal) > maxDateDigits {
		return time.Time{}, false
	}
	if seconds, ok := v.Int64(); ok {
		return time.Unix(seconds, 0), seconds >= 0 && seconds <= latestDate
	}
	seconds, ok := v.Float64()
	if !ok || math.Signbit(seconds) || seconds > latestDate { // -1e-400 is -0
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*float64(time.Second))), true
}

func issuer(ctx context.Context, t *Token) error {
	t.Issuer, _ = t.claim("iss").Text()
	return text("iss")(ctx, t)
}

func trustedIssuer(_ context.Context, t *Token) error {
	if t.Rules.Issuer == "" {
		return ErrSkipped
	}
	return t.issuedBy(t.Rules.Issuer)
}

func discoveredIssuer(_ context.Context, t *Token) error {
	if t.Match.Issuer == "" {
		return ErrSkipped
	}
	return t.issuedBy(t.Match.Issuer)
}

// issuedBy compares exactly (RFC 7519, section 4.1.1).
func (t *Token) issuedBy(want string) error {
	switch {
	case t.Issuer == want:
		return nil
	case strings.TrimSuffix(t.Issuer, "/") == strings.TrimSuffix(want, "/"):
		return fail("got %q, want %q: they differ by the slash at the end", t.Issuer, want)
	}
	return fail("got %q, want %q", t.Issuer, want)
}

// readAudience requires `aud` to be a string or an array of strings if it is present.
func readAudience(_ context.Context, t *Token) error {
	aud := t.claim("aud")
	switch aud.Kind() {
	case jsondoc.Absent, jsondoc.String:
		return nil
	case jsondoc.Array:
	default:
		return fail("got a JSON %s, want a string or an array of strings", aud.Kind())
	}
	for e := range aud.Elements() {
		if e.Kind() != jsondoc.String {
			return fail("got an array with a JSON %s, want strings", e.Kind())
		}
	}
	return nil
}

func forAudience(_ context.Context, t *Token) error {
	wanted := t.audience
	if wanted == nil {
		wanted = t.Audience
	}
	if len(wanted) == 0 {
		return ErrSkipped
	}
	var got []string
	for name := range Texts(t.claim("aud")) {
		if slices.Contains(wanted, name) {
			return nil
		}
		if len(got) < maxListed {
			got = append(got, Clip(name))
		}
	}
	return fail("got %q, want one of %q", got, wanted)
}

// maxListed bounds the audiences in a message.
const maxListed = 8

// clientClaims name the client that a token was issued to: those of RFC 9068, OpenID Connect, Microsoft
// Entra v1 and Okta.
var clientClaims = []string{"client_id", "azp", "appid", "cid"}

// client requires one of the listed clients, in the first of clientClaims that the token has.
func client(_ context.Context, t *Token) error {
	if len(t.ClientIDs) == 0 {
		return ErrSkipped
	}
	var read, id string
	for _, name := range clientClaims {
		value := t.claim(name)
		text, isText := value.Text()
		switch {
		case value.Kind() == jsondoc.Absent:
		case !isText:
			return fail("%s is not a string", name)
		case read == "":
			read, id = name, text
		case text != id:
			return fail("%s is %q, and %s is %q: want one client", read, id, name, text)
		}
	}
	switch {
	case read == "":
		return fail("none of %q is present, want one of %q", clientClaims, t.ClientIDs)
	case !slices.Contains(t.ClientIDs, id):
		return fail("%s is %q, want one of %q", read, id, t.ClientIDs)
	}
	return nil
}

// authorizedParty requires that an ID token was issued to this service: by `aud` it may be for others too.
func authorizedParty(_ context.Context, t *Token) error {
	azp := t.claim("azp")
	if t.TokenType != AllowIDToken || len(t.ClientIDs) > 0 || azp.Kind() == jsondoc.Absent {
		return ErrSkipped
	}
	if id, ok := azp.Text(); !ok || !slices.Contains(t.Audience, id) {
		return fail("got %q, want one of %q, or of Config.ClientIDs", id, t.Audience)
	}
	return nil
}

// AccessClaims is the name of a check.
const AccessClaims = "access claims"

// accessClaims requires what the provider's access tokens have and its ID tokens do not.
func accessClaims(_ context.Context, t *Token) error {
	if t.AccessClaims == nil {
		return ErrSkipped
	}
	for _, name := range t.AccessClaims {
		if t.claim(name).Kind() != jsondoc.Absent {
			return nil
		}
	}
	return fail("none of %q is present, as in an ID token", t.AccessClaims)
}

func payloadType(_ context.Context, t *Token) error {
	for typ := range Texts(t.claim("typ")) {
		switch strings.ToLower(typ) {
		case "id":
			if t.TokenType == AllowIDToken && !t.isLogout() {
				continue
			}
		case "refresh", "offline":
		case "logout":
			if t.isLogout() {
				continue
			}
		default:
			continue
		}
		return fail("that of another kind of token")
	}
	return nil
}

// isLogout reports whether the table is [LogoutToken]: only that is run with audiences of its own.
func (t *Token) isLogout() bool { return t.audience != nil }

func tokenUse(_ context.Context, t *Token) error {
	for use := range Texts(t.claim("token_use")) {
		if strings.EqualFold(use, "id") && (t.TokenType != AllowIDToken || t.isLogout()) {
			return fail("that of an ID token")
		}
	}
	return nil
}

// accessTokenNonce refuses a nonce in a token without anything that access tokens have. Older
// Keycloak and Azure AD B2C put nonce into access tokens, beside scopes or a payload typ of Bearer.
func accessTokenNonce(_ context.Context, t *Token) error {
	has := func(name string) bool { return t.claim(name).Kind() != jsondoc.Absent }
	typ, _ := t.claim("typ").Text()
	if t.claim("nonce").Kind() != jsondoc.Absent && !has("scope") && !has("scp") && !strings.EqualFold(typ, "bearer") {
		return fail("present without scope or scp, as in an ID token")
	}
	return nil
}

// LogoutEvent is the member of `events` that marks a logout token (OpenID Connect Back-Channel
// Logout 1.0, section 2.4).
const LogoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func logoutEvent(_ context.Context, t *Token) error {
	events := t.claim("events")
	if event := events.Get(LogoutEvent); event.Kind() != jsondoc.Object {
		return fail("got a JSON %s with a logout event of JSON %s, want an object", events.Kind(), event.Kind())
	}
	return nil
}

func sidOrSub(_ context.Context, t *Token) error {
	if t.claim("sid").Kind() == jsondoc.Absent && t.claim("sub").Kind() == jsondoc.Absent {
		return fail("neither sid nor sub is present")
	}
	return nil
}

// findKey looks the key up, which may fetch the key set. Errors of other rows are kept for them.
func findKey(ctx context.Context, t *Token) error {
	t.Match, t.keyErr = t.Keys.Find(ctx, t.Key, t.Algorithm)
	switch {
	case errors.Is(t.keyErr, keycache.ErrUnknownKey):
		return fail("the issuer has no key %q", t.Key.KeyID)
	case errors.Is(t.keyErr, keycache.ErrOtherCertificate):
		return failure(t.keyErr)
	case errors.Is(t.keyErr, keycache.ErrWrongAlgorithm):
		return nil
	}
	return t.keyErr
}

func keyAlgorithm(_ context.Context, t *Token) error {
	if t.keyErr != nil {
		return fail("the key %q is not for %s", t.Key.KeyID, t.Algorithm)
	}
	return nil
}

// verifySignature narrows the match to the key that verifies the token.
func verifySignature(ctx context.Context, t *Token) error {
	if t.verified() {
		return nil
	}
	// The key may have been replaced, even under its id, or the one that signed the token may have
	// been published since.
	last := t.Match
	again, err := t.Keys.FindAgain(ctx, last, t.Key, t.Algorithm)
	var unavailable *keycache.UnavailableError
	if errors.As(err, &unavailable) && last.Guessed {
		return err
	}
	if t.Match = again; err == nil && t.verified() {
		return nil
	}
	if last.Guessed {
		return fail("the signature is not by any key of the issuer")
	}
	return fail("the signature is not by the key %q that the token names", t.Key.KeyID)
}

func (t *Token) verified() bool {
	for i, key := range t.Match.Keys {
		if key.Verify(t.Algorithm, t.form.Signed, t.form.Signature) {
			t.Keys.Fruitful(t.Match)
			t.Match.Keys = t.Match.Keys[i : i+1 : i+1]
			return true
		}
	}
	return false
}

package httpsso

import (
	"net/http"

	"github.com/more-retail/moresso-go/core/sso"
)

// MaxLogoutBytes bounds the body of a request for a logout, which is a token and its name. What
// is longer is not read to its end, and refused.
const MaxLogoutBytes = 64 << 10

// BackChannelLogout is the handler that the identity provider calls when somebody has signed out
// (OpenID Connect Back-Channel Logout 1.0, section 2.5): register its address as the client's
// backchannel_logout_uri. It ends the session that the logout token names, by
// [sso.BackChannelLogout.Receive], for logout tokens of these OAuth clients, and answers as
// section 2.8 says: 200; 400 with {"error":"invalid_request"}; 503 where keys or the session
// store cannot be had, so that a provider which tries again does; 405 for any method but POST. The
// body is a form with exactly one logout_token; the query does not count. Whatever it answers is not to
// be kept (Cache-Control: no-store).
//
//	mux.Handle("/logout/backchannel", httpsso.BackChannelLogout(auth, store.Revoker(), "web-shop"))
//
// The provider brings no access token, so leave it outside of what a [Guard] protects: the logout
// token is what proves the request. Other frameworks take it as an [http.Handler] too.
//
// It panics for what [sso.NewBackChannelLogout] refuses, above all where no session policy reads
// `sid` or `sub`: such a handler would answer 200 and end nothing.
func BackChannelLogout(a *sso.Authenticator, revoker sso.SessionRevoker, clientIDs ...string) http.Handler {
	logout, err := sso.NewBackChannelLogout(a, revoker, clientIDs...)
	if err != nil {
		panic("httpsso: BackChannelLogout: " + err.Error())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		if err := logout.Receive(r.Context(), logoutToken(w, r)); err != nil {
			sso.DenialOf(err).Write(w)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
	})
}

// logoutToken reads the one logout_token of a form; nothing, which is none, if there is not exactly one. The query does
// not count.
func logoutToken(w http.ResponseWriter, r *http.Request) string {
	if r.Body == nil { // a request that no server has read
		return ""
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxLogoutBytes)
	err := r.ParseForm()
	tokens := r.PostForm["logout_token"]
	if err != nil || len(tokens) != 1 {
		return ""
	}
	return tokens[0]
}

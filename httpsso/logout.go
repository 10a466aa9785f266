package httpsso

import (
	"io"
	"net/http"

	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/core/sso"
)

// maxLogoutBytes bounds the body of a logout request, which is a token and its name.
const maxLogoutBytes = 64 << 10

// BackChannelLogout returns the handler for back-channel logout (OpenID Connect Back-Channel Logout
// 1.0, section 2.5): register its address as the client's backchannel_logout_uri. It ends what the
// logout token names, for logout tokens of these OAuth clients; see [logout.Receiver.Receive]. It
// responds with 200, or as section 2.8 requires with 400 and {"error":"invalid_request"}. The response
// is 503 if keys or the session store are unavailable, so that the provider tries again, and 405 for
// other methods than POST. The body is a form with exactly one logout_token, of at most 64 KiB; the
// query is ignored.
//
//	mux.Handle("/logout/backchannel", httpsso.BackChannelLogout(auth, sessions.Revoker(), "web-shop"))
//
// The logout token authenticates the request, so do not put a [Guard] around the handler. Other
// frameworks accept it as an [http.Handler].
//
// It panics if [logout.New] returns an error. Without a session store that reads `sid` or `sub`, the
// handler would respond with 200 and end nothing.
func BackChannelLogout(a *sso.Authenticator, revoker logout.Revoker, clientIDs ...string) http.Handler {
	receiver, err := logout.New(a, revoker, clientIDs...)
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
		body := ""
		if r.Body != nil { // from a server
			text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLogoutBytes))
			if err == nil {
				body = string(text)
			}
		}
		if err := receiver.ReceiveForm(r.Context(), r.Header.Get("Content-Type"), body); err != nil {
			sso.DenialOf(err).Write(w)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
	})
}

// Command nethttp is the service that docs/GETTING-STARTED.md builds with net/http.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"time"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/httpsso"
)

func main() {
	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
	if err != nil {
		log.Fatal(err)
	}
	auth, err := sso.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "localhost:8080", Handler: newRouter(auth), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func newRouter(auth *sso.Authenticator) *http.ServeMux {
	guard := httpsso.New(auth)
	clerk := guard.Require(permission.Is("orders.role", "clerk"))
	mux := http.NewServeMux()
	mux.Handle("GET /orders", clerk(http.HandlerFunc(listOrders)))
	return mux
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	principal, _ := httpsso.Principal(r)
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(map[string]string{"orders of": principal.Subject()}); err != nil {
		log.Print(err) // the client has gone away
	}
}

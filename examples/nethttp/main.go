// Command nethttp is a net/http service behind single sign-on. It reads its settings from the environment.
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
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("GET /orders", guard.Authenticate()(http.HandlerFunc(listOrders)))
	mux.Handle("DELETE /orders/{id}", clerk(http.HandlerFunc(deleteOrder)))
	return mux
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	principal, _ := httpsso.Principal(r)
	reply(w, map[string]string{"orders of": principal.Subject()})
}

func deleteOrder(w http.ResponseWriter, r *http.Request) {
	reply(w, map[string]string{"deleted": r.PathValue("id")})
}

func reply(w http.ResponseWriter, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err) // the client has gone away
	}
}

package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

type handler = func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// serveLocally is a small API Gateway, to try the function on this machine.
func serveLocally(handle handler) error {
	mux := http.NewServeMux()
	mux.HandleFunc("DELETE /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		event := events.APIGatewayV2HTTPRequest{
			RouteKey: r.Pattern, Headers: map[string]string{}, PathParameters: map[string]string{"id": r.PathValue("id")},
		}
		event.RequestContext.HTTP.Method = r.Method
		for name, values := range r.Header {
			event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
		answer, err := handle(r.Context(), event)
		if err != nil {
			log.Print(err)
			answer = events.APIGatewayV2HTTPResponse{StatusCode: http.StatusInternalServerError}
		}
		for name, value := range answer.Headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(answer.StatusCode)
		if _, err := io.WriteString(w, answer.Body); err != nil {
			log.Print(err) // the client has gone away
		}
	})
	server := &http.Server{Addr: "localhost:8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

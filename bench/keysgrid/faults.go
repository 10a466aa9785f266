package main

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// A response is sent instead of the provider's; see devissuer.Issuer.Fault.
type response = func(w http.ResponseWriter, r *http.Request, healthy http.Handler)

// status responds with a status and a header.
func status(code int, name, value string) response {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set(name, value)
		w.WriteHeader(code)
	}
}

// page responds with a content.
func page(contentType, body string) response {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// truncate publishes the first half of the key set.
func truncate(issuer *devissuer.Issuer) {
	set := string(issuer.JWKS())
	issuer.SetJWKS(set[:len(set)/2])
}

// hang sends nothing until the request is cancelled.
func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// drip makes the issuer send the key set byte by byte, one a second. A client that only bounds the time
// between bytes never gives up.
func drip(issuer *devissuer.Issuer) {
	set := issuer.JWKS()
	issuer.Fault(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		for _, b := range set {
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
			if _, err := w.Write([]byte{b}); err != nil || http.NewResponseController(w).Flush() != nil {
				panic(http.ErrAbortHandler)
			}
		}
	})
}

// gzipBomb responds with 64 MiB of JSON, compressed. Go's client decompresses it.
func gzipBomb(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	_, _ = io.WriteString(packed, `{"keys":[],"padding":"`)
	zeros := bytes.Repeat([]byte("0"), 32<<10)
	for range 64 << 20 / len(zeros) {
		if _, err := packed.Write(zeros); err != nil {
			return
		}
	}
	_, _ = io.WriteString(packed, `"}`)
	_ = packed.Close()
}

// addKey publishes one more key.
func addKey(issuer *devissuer.Issuer, jwk string) {
	issuer.SetJWKS(strings.TrimSuffix(string(issuer.JWKS()), "]}") + "," + jwk + "]}")
}

// smallKey returns an RSA key of 1,024 bits as PKCS #8.
func smallKey() []byte {
	private, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // services must refuse it
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

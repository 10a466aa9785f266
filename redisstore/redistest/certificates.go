package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certificates are files for a server and a client, signed by an authority of their own.
type Certificates struct {
	// CA, ServerCert, ServerKey, ClientCert and ClientKey are the files, in PEM.
	CA, ServerCert, ServerKey, ClientCert, ClientKey string

	// Client is a configuration that trusts the authority and shows the client's certificate.
	Client *tls.Config
}

// NewCertificates makes certificates for 127.0.0.1, good for an hour, in a folder that goes with the
// test.
func NewCertificates(tb testing.TB) Certificates {
	tb.Helper()
	dir := tb.TempDir()
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		must(tb, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	var authority *x509.Certificate
	var authorityKey *ecdsa.PrivateKey
	issue := func(name string, isCA bool) (cert, key string) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(tb, err)
		serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
		must(tb, err)
		now := time.Now() //nolint:forbidigo // certificates are judged by the real one
		template := &x509.Certificate{
			SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: isCA, BasicConstraintsValid: true,
			KeyUsage:    x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
		parent, signer := authority, authorityKey
		if isCA {
			template.KeyUsage = x509.KeyUsageCertSign
			parent, signer = template, private
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, private.Public(), signer)
		must(tb, err)
		if isCA {
			authorityKey = private
			authority, err = x509.ParseCertificate(der)
			must(tb, err)
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
		must(tb, err)
		return file(name+".crt", "CERTIFICATE", der), file(name+".key", "PRIVATE KEY", pkcs8)
	}
	var c Certificates
	c.CA, _ = issue("authority", true)
	c.ServerCert, c.ServerKey = issue("server", false)
	c.ClientCert, c.ClientKey = issue("client", false)
	pair, err := tls.LoadX509KeyPair(c.ClientCert, c.ClientKey)
	must(tb, err)
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	c.Client = &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	return c
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

package keys

var (
	HTTPClient = httpClient
	Members    = members
	Parts      = parts
	ParseJWKS  = parseJWKS
	ParsePEM   = parsePEM
)

// Certificate returns the thumbprints of a key's certificate.
func Certificate(k Key) string { return k.x5t + k.x5tS256 }

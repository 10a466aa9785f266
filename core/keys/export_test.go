package keys

var (
	HTTPClient = httpClient
	Members    = members
	Parts      = parts
	ParseJWKS  = parseJWKS
	ParsePEM   = parsePEM
)

package keys

var (
	Members   = members
	Parts     = parts
	ParseJWKS = parseJWKS
	ParsePEM  = parsePEM
)

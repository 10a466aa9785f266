module github.com/more-retail/moresso-go/core

go 1.25.0

require (
	github.com/go-json-experiment/json v0.0.0-20251027170946-4849db3c2f7e
	github.com/golang-jwt/jwt/v5 v5.3.1
)

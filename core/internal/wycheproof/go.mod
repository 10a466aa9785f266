module github.com/more-retail/moresso-go/core/internal/wycheproof

go 1.26.4

require github.com/more-retail/moresso-go/core v0.1.0

require (
	github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
)

replace github.com/more-retail/moresso-go/core => ../..

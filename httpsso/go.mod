module github.com/more-retail/moresso-go/httpsso

go 1.26.0

require github.com/more-retail/moresso-go/core v0.1.0

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
)

replace github.com/more-retail/moresso-go/core => ../core

module github.com/more-retail/moresso-go/lambdasso

go 1.26.0

require github.com/more-retail/moresso-go/core v0.1.0

require (
	github.com/aws/aws-lambda-go v1.55.1
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
)

replace github.com/more-retail/moresso-go/core => ../core

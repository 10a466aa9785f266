module github.com/more-retail/moresso-go/redisstore

go 1.26.0

require (
	github.com/more-retail/moresso-go/core v0.1.0
	github.com/redis/rueidis v1.0.80
)

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	golang.org/x/sys v0.50.0 // indirect
)

replace github.com/more-retail/moresso-go/core => ../core

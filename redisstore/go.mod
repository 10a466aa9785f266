module github.com/more-retail/moresso-go/redisstore

go 1.25.0

require (
	github.com/more-retail/moresso-go/core v0.1.0
	github.com/redis/rueidis v1.0.79
)

require (
	github.com/go-json-experiment/json v0.0.0-20251027170946-4849db3c2f7e // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/more-retail/moresso-go/core => ../core

module github.com/more-retail/moresso-go/cmd/sso

go 1.26.0

require (
	github.com/more-retail/moresso-go/core v0.1.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.1.0
	go.yaml.in/yaml/v3 v3.0.6
)

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
)

replace github.com/more-retail/moresso-go/core => ../../core

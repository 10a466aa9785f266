module github.com/more-retail/moresso-go/cmd/sso

go 1.25.0

require (
	github.com/more-retail/moresso-go/core v0.1.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.9
	go.yaml.in/yaml/v3 v3.0.4
)

require (
	github.com/go-json-experiment/json v0.0.0-20251027170946-4849db3c2f7e // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
)

replace github.com/more-retail/moresso-go/core => ../../core

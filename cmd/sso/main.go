package main

import (
	_ "github.com/more-retail/moresso-go/core/sso"
	_ "github.com/spf13/cobra"
	_ "go.yaml.in/yaml/v3"
)

func main() {}

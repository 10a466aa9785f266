// Program notatest tries what works in tests alone, and prints what came of it.
package main

import (
	"context"
	"fmt"

	"github.com/more-retail/moresso-go/core/ssotest"
)

func main() {
	try(func() any { return ssotest.NewPrincipal() })
	try(func() any { return ssotest.Context(context.Background(), nil) })
	try(func() any { return ssotest.Request(nil) })
}

func try(do func() any) {
	defer func() { fmt.Println(recover()) }()
	fmt.Println("it worked:", do())
}

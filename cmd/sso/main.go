// Command sso makes tokens for development, explains why a token is accepted or refused, and
// checks a service's settings before they reach production.
//
// From a checkout "make sso" builds it into bin/. A first session:
//
//	sso serve &                                        # a development issuer on this machine
//	export SSO_ISSUER=http://127.0.0.1:9000 SSO_AUDIENCE=api
//	sso doctor                                         # are these settings good?
//	sso mint --permission pma.role=admin | sso explain --require 'is("pma.role", "admin")'
//
// # Commands
//
//	sso serve         runs a development issuer on this machine, which gives any token to whoever asks
//	sso mint          makes a token with the claims that you say, and prints nothing else
//	sso explain       says why a token is accepted or refused, and what to do about it
//	sso doctor        checks the settings and the provider as a service would find them
//	sso bench-verify  measures how many tokens a second this machine verifies
//	sso completion    writes the completions of a shell
//
// "sso help" and a command or a topic (settings, permissions, personas, tokens, exit-codes) says
// more; docs/CLI.md has all of it with examples.
//
// # Which setting wins
//
// explain, doctor and bench-verify read the environment as a service does by sso.ConfigFromEnv:
// SSO_ISSUER, SSO_AUDIENCE and so on. A flag goes before the variable of the same meaning; --keys or
// --issuer hides the variables of both, so that the keys of one provider are not taken for
// another's. A variable that is empty counts as not set.
//
// mint asks the issuer of --issuer, else of SSO_ISSUER if that is an address of this machine, else
// http://127.0.0.1:9000. The audience is that of --audience, else of the persona, else of
// SSO_AUDIENCE, else the issuer's. What flags say goes before what is said of the persona.
//
// explain takes the token from the variable SSO_TOKEN, or from a pipe if that is not set, and with
// --stdin from a pipe in any case; never from the command line, where every process of the machine
// would see it.
//
// # Exit codes
//
//	0  yes: done, accepted, nothing red
//	1  no: the token or the permission is refused, nobody can tell, something is red, or what was
//	   asked for could not be done
//	2  a mistake on the command line, in the settings or in a file that was named
//
// With --json the output is JSON, for programs, and so are errors, on standard error.
package main

import (
	"context"
	"os"

	"github.com/more-retail/moresso-go/cmd/sso/internal/cli"
)

func main() { os.Exit(run()) }

// run leaves signals as they are: they end the process, also while it waits for a pipe. Only sso
// serve, which has something to end, takes them itself.
func run() int { return cli.Run(context.Background(), cli.System()) }

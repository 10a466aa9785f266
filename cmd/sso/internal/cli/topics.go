package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/settings"
)

// topics are texts to be read by "sso help <topic>". cobra takes a command that does nothing for
// such a text.
func topics() []*cobra.Command {
	list := []*cobra.Command{
		topic("settings", "the settings of a service, and the flags of the same meaning", settingsText()),
		topic("permissions", "how a permission is written as text", permissionsText),
		topic("personas", "the file of people whom sso serve knows", personasText),
		topic("tokens", "where tokens come from, and what is never printed", secrecyText),
		topic("exit-codes", "what the exit codes mean", exitCodesText),
	}
	var all strings.Builder
	all.WriteString("Read more by sso help and one of\n\n")
	for _, c := range list {
		fmt.Fprintf(&all, "  %-12s %s\n", c.Name(), c.Short)
	}
	return append([]*cobra.Command{topic("topics", "what else can be read here", strings.TrimSuffix(all.String(), "\n"))}, list...)
}

func topic(name, short, text string) *cobra.Command {
	return &cobra.Command{Use: name, Short: short, Long: text}
}

func settingsText() string {
	var b strings.Builder
	b.WriteString(`explain, doctor and bench-verify read the environment as a service does by
sso.ConfigFromEnv. A flag goes before the variable beside it; --keys or --issuer hide
the variables of both. A variable that is empty counts as not set.

`)
	for _, s := range settings.All() {
		flag := ""
		if s.Flag != "" {
			flag = "--" + s.Flag
		}
		fmt.Fprintf(&b, "  %-42s %-30s default: %s\n", strings.Join(s.Variables, ", or "), flag, s.Default)
	}
	b.WriteString(`
SSO_TOKEN is a token for explain, NO_COLOR switches colors off.`)
	return b.String()
}

const permissionsText = `A permission is written in the syntax of Go's expressions:

  is("pma.role", "admin") && scope("orders:read")
  ifElse(method("GET"), has("orders.read"), role("clerk") || !claim("suspended", true))

  is(path, values…)      the value there is one of these, or "*"
  has(path)              the value there is true or "*"
  truthy(path)           Python would call it true
  claim(path, values…)   as is, from the token's root
  scope(names…)          every OAuth scope was granted
  role(names…)           the token names one of the roles
  freshLogin("15m")      the person signed in lately
  acr(values…)           the person signed in by such means
  humanUser(), clientCredentials(), authenticated()
  sameAsPath(claim, parameter), method(names…)     see --path-value and --method
  all(…), any(…), not(…), ifElse(condition, then, otherwise), &&, ||, !

A dot in a path goes one object deeper, \. is a dot in a name. Values are texts in
quotes, numbers, true, false, null, and json("…").`

const personasText = `The file of --personas is YAML:

  personas:
    ada:
      audience: [orders-api]
      scope: orders:read orders:write
      roles: [clerk]
      permissions:
        pma: {role: admin}
      claims:
        tenant: {id: t1}
      expires_in: 15m
    bob:
      subject: robert

All fields are optional, and others are refused. A token about somebody is had by
sso mint --persona ada, or from the token endpoint with persona=ada.`

const secrecyText = `A token opens doors until it expires, so it goes neither on the command line, where
every process of the machine sees it, nor into a file by the way: explain takes it
from the variable SSO_TOKEN, and if that is not set, or with --stdin, from a pipe.

explain prints header and claims, and never the signature. What comes out of a token,
a key set or a file is escaped: nothing in it moves the cursor or changes the title.
Addresses that a token names (jku, x5u, iss) are never asked; keys come from the
configured source alone.

mint prints the token and nothing else.`

const exitCodesText = `  0   yes: done, accepted, nothing red
  1   no: the token or the permission is refused, nobody can tell, something is red,
      or what was asked for could not be done
  2   a mistake on the command line, in the settings or in a file that was named

With --json, errors are JSON too, on standard error.`

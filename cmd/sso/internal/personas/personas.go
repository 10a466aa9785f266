// Package personas reads the people that a development issuer knows, from a YAML file.
package personas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// maxBytes bounds the file.
const maxBytes = 1 << 20

// Persona is somebody whom tokens can be about. What is left out is as the issuer has it for
// everybody.
type Persona struct {
	// Subject is `sub`. Default: the persona's name.
	Subject string `yaml:"subject"`
	// Audience is `aud`.
	Audience Texts `yaml:"audience"`
	// Scope are the OAuth scopes, separated by spaces, or a list.
	Scope Texts `yaml:"scope"`
	// Roles is the claim `roles`.
	Roles Texts `yaml:"roles"`
	// Permissions is the claim `permissions`.
	Permissions map[string]any `yaml:"permissions"`
	// Claims are any other claims; they replace those above.
	Claims map[string]any `yaml:"claims"`
	// ExpiresIn is how long the tokens are good for, such as 15m.
	ExpiresIn time.Duration `yaml:"expires_in"`
}

// Texts are one text or a list of them.
type Texts []string

// UnmarshalYAML takes a text for a list of one.
func (t *Texts) UnmarshalYAML(node *yaml.Node) error {
	var (
		one  string
		list []string
	)
	if node.Kind == yaml.ScalarNode {
		if err := node.Decode(&one); err != nil {
			return err
		}
		*t = Texts{one}
		return nil
	}
	if err := node.Decode(&list); err != nil {
		return fmt.Errorf("line %d: here a text must stand, or a list of texts", node.Line)
	}
	*t = list
	return nil
}

// fields of a persona, for the error about one that is none.
const fields = "subject, audience, scope, roles, permissions, claims, expires_in"

// Load reads a file: a map `personas` from names to what is said of each. A field that is not
// known is an error, since a permission that is spelled wrongly would otherwise be missed only
// when a token lacks it.
func Load(path string) (map[string]Persona, error) {
	info, err := os.Stat(path) // before it is opened: a pipe would be waited for
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: name one of YAML", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	text, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBytes {
		return nil, fmt.Errorf("%s has more than %d KiB", path, maxBytes>>10)
	}
	list, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// Parse is [Load] for a text.
func Parse(text []byte) (map[string]Persona, error) {
	var file struct {
		Personas map[string]Persona `yaml:"personas"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, readable(err)
	}
	if err := decoder.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("it holds more than one YAML document: put all personas into the first")
	}
	if len(file.Personas) == 0 {
		return nil, errors.New("it names no persona: write personas:, and below it a name, and below that what is said of them")
	}
	for _, name := range slices.Sorted(maps.Keys(file.Personas)) {
		if err := file.Personas[name].check(name); err != nil {
			return nil, fmt.Errorf("persona %q: %w", name, err)
		}
	}
	return file.Personas, nil
}

func (p Persona) check(name string) error {
	if name == "" {
		return errors.New("has no name")
	}
	if p.ExpiresIn != 0 && p.ExpiresIn%time.Second != 0 {
		return fmt.Errorf("expires_in is %v: write whole seconds", p.ExpiresIn)
	}
	for field, object := range map[string]map[string]any{"permissions": p.Permissions, "claims": p.Claims} {
		if _, err := json.Marshal(object); err != nil {
			return fmt.Errorf("%s holds what JSON cannot: put names that are numbers or true and false into quotes", field)
		}
	}
	return nil
}

// unknown is what the YAML library says of a field that a struct lacks.
var unknown = regexp.MustCompile(`field (\S+) not found in type .*`)

// readable is an error of the YAML library without the names of Go types in it.
func readable(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("it is empty")
	}
	var faults *yaml.TypeError
	if !errors.As(err, &faults) {
		return err
	}
	lines := make([]string, len(faults.Errors))
	for i, line := range faults.Errors {
		lines[i] = unknown.ReplaceAllStringFunc(line, func(s string) string {
			name := unknown.FindStringSubmatch(s)[1]
			return fmt.Sprintf("there is no field %q; the fields of a persona are %s, below its name, below personas", name, fields)
		})
	}
	return errors.New(strings.Join(lines, "; "))
}

// Options are what an issuer is told to mint a token about the persona.
func (p Persona) Options() []devissuer.TokenOption {
	var opts []devissuer.TokenOption
	if p.Subject != "" {
		opts = append(opts, devissuer.Subject(p.Subject))
	}
	if len(p.Audience) > 0 {
		opts = append(opts, devissuer.Audience(p.Audience...))
	}
	if len(p.Scope) > 0 {
		opts = append(opts, devissuer.Scope(strings.Fields(strings.Join(p.Scope, " "))...))
	}
	if len(p.Roles) > 0 {
		opts = append(opts, devissuer.Claim("roles", []string(p.Roles)))
	}
	if p.Permissions != nil {
		opts = append(opts, devissuer.Claim("permissions", p.Permissions))
	}
	if p.ExpiresIn != 0 {
		opts = append(opts, devissuer.ValidFor(p.ExpiresIn))
	}
	for name, value := range p.Claims {
		opts = append(opts, devissuer.Claim(name, value))
	}
	return opts
}

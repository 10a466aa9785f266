package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// Persona describes a user whose tokens the issuer mints. A field that is not set is as in other
// tokens of the issuer.
type Persona struct {
	Subject     string         `yaml:"subject"`     // sub; default: the persona's name
	Audience    Texts          `yaml:"audience"`    // aud
	Scope       Texts          `yaml:"scope"`       // OAuth scopes: a list, or text separated by spaces
	Roles       Texts          `yaml:"roles"`       // the claim roles
	Permissions map[string]any `yaml:"permissions"` // the claim permissions
	Claims      map[string]any `yaml:"claims"`      // other claims; they replace those above
	ExpiresIn   time.Duration  `yaml:"expires_in"`  // how long tokens are valid, such as 15m
}

// Texts is one text or a list of texts.
type Texts []string

// UnmarshalYAML reads one text as a list of one.
func (t *Texts) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*t = make(Texts, 1)
		return node.Decode(&(*t)[0])
	}
	if err := node.Decode((*[]string)(t)); err != nil {
		return fmt.Errorf("line %d: write a text or a list of texts", node.Line)
	}
	return nil
}

// LoadPersonas reads the personas in a YAML file: the object personas, with a member for each name.
// An unknown field is an error: a misspelled permission would otherwise be noticed only when a
// token lacks it. An empty path has no personas.
func LoadPersonas(path string) (map[string]Persona, error) {
	if path == "" {
		return nil, nil
	}
	text, err := readFile(path, func(fs.FileInfo) error { return nil })
	if err != nil {
		return nil, err
	}
	list, err := ParsePersonas(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// ParsePersonas is [LoadPersonas] for a text.
func ParsePersonas(text []byte) (map[string]Persona, error) {
	var file struct {
		Personas map[string]Persona `yaml:"personas"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, yamlError(err)
	}
	if err := decoder.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has more than one YAML document: put all personas into the first")
	}
	if len(file.Personas) == 0 {
		return nil, errors.New("no persona is defined: write personas:, below it a name, and below that the fields")
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
		return errors.New("the name is empty")
	}
	if p.ExpiresIn%time.Second != 0 {
		return fmt.Errorf("expires_in is %v: write whole seconds", p.ExpiresIn)
	}
	for field, object := range map[string]map[string]any{"permissions": p.Permissions, "claims": p.Claims} {
		if _, err := json.Marshal(object); err != nil {
			return fmt.Errorf("%s is not valid as JSON: quote names that are numbers, true or false", field)
		}
	}
	return nil
}

// unknownField matches the YAML library's error about a field that the struct lacks.
var unknownField = regexp.MustCompile(`field (\S+) not found in type .*`)

// yamlError rewords an error of the YAML library, which names Go types.
func yamlError(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	var list *yaml.TypeError
	if !errors.As(err, &list) {
		return err
	}
	return errors.New(unknownField.ReplaceAllString(strings.Join(list.Errors, "\n"),
		`unknown field "$1"; below personas and a name, write subject, audience, scope, roles, permissions, claims or expires_in`))
}

// Options returns the options that mint a token of the persona.
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

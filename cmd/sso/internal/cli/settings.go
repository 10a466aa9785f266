package cli

import (
	"cmp"
	"errors"

	"github.com/spf13/pflag"

	"github.com/more-retail/moresso-go/core/sso"
)

// settings are the library's settings, from flags and the environment.
type settings struct {
	flags  *pflag.FlagSet
	lookup func(name string) string
}

// addSettings adds a flag for each setting. A flag overrides the variable.
func (p *program) addSettings(flags *pflag.FlagSet) *settings {
	for _, s := range sso.Settings() {
		if s.Default == "false" {
			flags.Bool(s.Flag, false, s.Text)
		} else {
			flags.String(s.Flag, "", s.Text+" (default "+s.Default+")")
		}
	}
	return &settings{flags, p.env.Lookup}
}

// value returns the value of a setting and the flag or variable that holds it, both empty if the setting
// is not set. --keys and --issuer hide the variables of both: the keys of one provider do not verify the
// tokens of another.
func (s *settings) value(setting sso.Setting) (value, from string) {
	changed := s.flags.Changed
	switch {
	case changed(setting.Flag):
		return s.flags.Lookup(setting.Flag).Value.String(), "--" + setting.Flag
	case (setting.Flag == "keys" || setting.Flag == "issuer") && (changed("keys") || changed("issuer")):
		return "", ""
	}
	if value = s.lookup(setting.Variable); value == "" {
		return "", ""
	}
	return value, setting.Variable
}

// config returns the configuration, checked as a service checks it. A [sso.ConfigError] names the flag
// or variable that was set, or both if neither was.
func (s *settings) config() (sso.Config, error) {
	values, names := map[string]string{}, map[string]string{}
	for _, setting := range sso.Settings() {
		value, from := s.value(setting)
		values[setting.Variable] = value
		names[setting.Variable] = cmp.Or(from, setting.Variable+" (or --"+setting.Flag+")")
	}
	cfg, err := sso.ConfigFromLookup(func(name string) string { return values[name] })
	if invalid, ok := errors.AsType[*sso.ConfigError](err); ok {
		for i, p := range invalid.Problems {
			invalid.Problems[i].Setting = cmp.Or(names[p.Setting], p.Setting)
		}
	}
	return cfg, err
}

package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// frameworks are what adapters stand on: the example of each in the README's table, and the
// modules that nobody else's go.sum may hold.
var frameworks = []struct{ adapter, example, modules string }{
	{"ginsso", "gin", "github.com/gin-gonic/"},
	{"echosso", "echo", "github.com/labstack/"},
	{"fibersso", "fiber", "github.com/gofiber/ github.com/valyala/fasthttp"},
	{"httpsso", "nethttp", ""},
	{"lambdasso", "lambda", "github.com/aws/aws-lambda-go"},
	{"kmskeys", "", "github.com/aws/aws-sdk-go-v2 github.com/aws/smithy-go"},
	{"redisstore", "", "github.com/redis/"},
}

// visitor plays strangers who require the modules, each in an empty folder with an empty cache.
type visitor struct {
	temp, repository   string
	candidate, proxies string
	issuer             *issuer
}

func (v visitor) all(ctx context.Context, modules []repo.Module) error {
	tool, err := v.tool(ctx)
	if err != nil {
		return err
	}
	v.issuer, err = startIssuer(ctx, tool, v.temp)
	if err != nil {
		return err
	}
	defer v.issuer.stop()
	for _, m := range modules {
		if !m.Workspace || m.Dir == "cmd/sso" || m.Dir == "examples" {
			continue // the tool is running by now; the examples are copied, not required
		}
		if err := v.visit(ctx, m); err != nil {
			return fmt.Errorf("%s, required from outside: %w", m.Dir, err)
		}
	}
	return nil
}

// stranger is an empty module in an empty folder with an empty cache.
func (v visitor) stranger(ctx context.Context, name string) (shell, error) {
	dir := filepath.Join(v.temp, "strangers", strings.ReplaceAll(name, "/", "-"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return shell{}, err
	}
	s := shell{dir: dir, env: []string{
		"GOWORK=off", "GOMODCACHE=" + dir + ".cache", "GOPROXY=" + v.proxies, "GONOSUMDB=" + repo.Prefix + "*", "GOPRIVATE=", "GONOPROXY=",
		// The cache is to be removed afterwards; without paths of folders what one stranger has compiled serves the next.
		"GOFLAGS=-modcacherw -trimpath",
	}}
	_, err := s.run(ctx, "go", "mod", "init", "example.com/stranger")
	return s, err
}

// tool gets the command-line tool as the guide tells it, and builds it.
func (v visitor) tool(ctx context.Context) (string, error) {
	s, err := v.stranger(ctx, "cmd/sso")
	if err != nil {
		return "", err
	}
	if _, err := s.run(ctx, "go", "get", "-tool", repo.Prefix+"cmd/sso@"+v.candidate); err != nil {
		return "", err
	}
	binary := filepath.Join(s.dir, "sso")
	if _, err := s.run(ctx, "go", "build", "-o", binary, repo.Prefix+"cmd/sso"); err != nil {
		return "", err
	}
	told, err := s.run(ctx, binary, "--version")
	if err != nil {
		return "", err
	}
	if !strings.Contains(told, strings.TrimPrefix(v.candidate, "v")) {
		return "", fmt.Errorf("sso --version says %q, not %s", told, v.candidate)
	}
	fmt.Printf("go get -tool cmd/sso: builds and says %s\n", strings.TrimSpace(told))
	return binary, nil
}

func (v visitor) visit(ctx context.Context, m repo.Module) error {
	begun := time.Now()
	s, err := v.stranger(ctx, m.Dir)
	if err != nil {
		return err
	}
	if _, err := s.run(ctx, "go", "get", m.Path()+"/...@"+v.candidate); err != nil {
		return err
	}
	example := ""
	for _, f := range frameworks {
		if f.adapter == m.Dir {
			example = f.example
		}
	}
	saw := "builds"
	if example == "" {
		if _, err := s.run(ctx, "go", "build", m.Path()+"/..."); err != nil {
			return err
		}
	} else if saw, err = v.tryExample(ctx, s, example); err != nil {
		return err
	}
	lines, err := v.foreign(s.dir, m.Dir)
	if err != nil {
		return err
	}
	fmt.Printf("go get %-14s %s; go.sum has %d lines, none of another framework (%.0f s)\n", m.Dir+":", saw, lines, time.Since(begun).Seconds())
	return nil
}

// tryExample takes an example over as its user does: copied, tidied, vetted, tested, built and called.
func (v visitor) tryExample(ctx context.Context, s shell, example string) (string, error) {
	from := filepath.Join(v.repository, "examples", example)
	entries, err := os.ReadDir(from)
	if err != nil {
		return "", err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(from, entry.Name()))
		if err != nil {
			return "", err
		}
		served := strings.ReplaceAll(string(text), `"localhost:8080"`, `"`+address+`"`) // which may be taken here
		if err := write(filepath.Join(s.dir, entry.Name()), strings.NewReader(served)); err != nil {
			return "", err
		}
	}
	for _, command := range [][]string{{"mod", "tidy"}, {"mod", "verify"}, {"vet", "./..."}, {"test", "-count=1", "./..."}, {"build", "-o", "service", "."}} {
		if _, err := s.run(ctx, "go", command...); err != nil {
			return "", err
		}
	}
	call := v.callService
	if example == "lambda" {
		call = v.callFunction
	}
	seen, err := call(ctx, filepath.Join(s.dir, "service"), address)
	return "tidies, vets, tests, builds, answers " + seen, err
}

// foreign looks for other frameworks in a stranger's go.sum and cache, and counts the lines of go.sum.
func (v visitor) foreign(dir, adapter string) (int, error) {
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return 0, err
	}
	names := strings.Split(strings.TrimSpace(string(sums)), "\n")
	lines := len(names)
	downloads := filepath.Join(dir+".cache", "cache", "download")
	err = filepath.WalkDir(downloads, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "@v" {
			name, err := filepath.Rel(downloads, filepath.Dir(file))
			if err != nil {
				return err
			}
			names = append(names, filepath.ToSlash(name))
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, f := range frameworks {
		if f.adapter == adapter {
			continue
		}
		for prefix := range strings.FieldsSeq(f.modules) {
			if i := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) }); i >= 0 {
				return 0, fmt.Errorf("it brought %s along, which belongs to %s alone", names[i], f.adapter)
			}
		}
	}
	return lines, nil
}

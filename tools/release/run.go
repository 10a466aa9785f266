package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// shell runs commands in a folder, with an environment of its own.
type shell struct {
	dir string
	env []string // in front of nothing, behind the process's own: what is here wins
}

// run gives what the command printed on its standard output. An error shows both outputs.
func (s shell) run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), s.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s, in %s: %w\n%s%s", name, strings.Join(args, " "), s.dir, err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// tidy tidies a module by itself, outside the workspace.
func (s shell) tidy(ctx context.Context) error {
	s.env = append(s.env, "GOWORK=off")
	_, err := s.run(ctx, "go", "mod", "tidy")
	return err
}

package main

import (
	"bytes"
	"context"
	"log"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// The test binary is also the Lambda function, as the program is.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args[1:], "-function") {
		if err := lambdaFunction(); err != nil {
			log.Fatal(err)
		}
		return
	}
	m.Run()
}

// What make demo prints must be true of every front door.
func TestAllDoorsAnswerAsTheTableSays(t *testing.T) {
	ssotest.CheckLeaks(t)
	issuer, err := devissuer.Start(devissuer.WithAudience(audience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	doors, stop, err := openDoors(context.Background(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	t.Cleanup(closeIdle)
	var table bytes.Buffer
	if !compare(t.Context(), &table, issuer, doors) {
		t.Errorf("the doors do not agree:\n%s", &table)
	}
	if got := strings.Count(table.String(), "\n"); got != 1+10 || len(doors) != 5 {
		t.Errorf("%d lines for %d doors:\n%s", got, len(doors), &table)
	}
}

// A table that could not say NO would prove nothing.
func TestTheTableShowsADoorThatDisagrees(t *testing.T) {
	ssotest.CheckLeaks(t)
	issuer, err := devissuer.Start(devissuer.WithAudience(audience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	doors, stop, err := openDoors(context.Background(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	t.Cleanup(closeIdle)
	doors[2].url += "/nowhere"
	var table bytes.Buffer
	if compare(t.Context(), &table, issuer, doors) || !strings.Contains(table.String(), "NO") {
		t.Errorf("a door that answers 404 was not noticed:\n%s", &table)
	}
}

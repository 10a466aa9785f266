package main

import (
	"bytes"
	"context"
	"log"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/examples/internal/doors"
)

// The test binary is also the Lambda function, as the program is.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args[1:], "-function") {
		if err := doors.Function(services); err != nil {
			log.Fatal(err)
		}
		return
	}
	m.Run()
}

// What make demo prints must be true of every front door.
func TestAllDoorsAnswerAsTheTableSays(t *testing.T) {
	adaptertest.CheckLeaks(t)
	issuer, err := devissuer.Start(devissuer.WithAudience(audience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	list, stop, err := doors.Open(context.Background(), issuer, audience, services)
	t.Cleanup(stop)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeIdle)
	var table bytes.Buffer
	if !compare(t.Context(), &table, issuer, list) {
		t.Errorf("the doors do not agree:\n%s", &table)
	}
	if got := strings.Count(table.String(), "\n"); got != 1+10 || len(list) != 5 {
		t.Errorf("%d lines for %d doors:\n%s", got, len(list), &table)
	}
}

// A table that could not say NO would prove nothing.
func TestTheTableShowsADoorThatDisagrees(t *testing.T) {
	adaptertest.CheckLeaks(t)
	issuer, err := devissuer.Start(devissuer.WithAudience(audience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	list, stop, err := doors.Open(context.Background(), issuer, audience, services)
	t.Cleanup(stop)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeIdle)
	list[2].URL += "/nowhere"
	var table bytes.Buffer
	if compare(t.Context(), &table, issuer, list) || !strings.Contains(table.String(), "NO") {
		t.Errorf("a door that answers 404 was not noticed:\n%s", &table)
	}
}

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/examples/servers"
)

func TestMain(m *testing.M) {
	servers.RunFunction(newService().Functions(), nil)
	m.Run()
}

func TestCompare(t *testing.T) {
	adaptertest.CheckLeaks(t)
	demo, err := servers.StartDemo(context.Background(), audience, newService())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := demo.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Run("all servers answer as the table says", func(t *testing.T) {
		var table bytes.Buffer
		if !compare(t.Context(), &table, demo) {
			t.Errorf("the servers do not agree:\n%s", &table)
		}
		if got := strings.Count(table.String(), "\n"); got != 1+10 || len(demo.Servers) != 5 {
			t.Errorf("%d lines for %d servers:\n%s", got, len(demo.Servers), &table)
		}
	})
	t.Run("the table shows a server that disagrees", func(t *testing.T) {
		demo.Servers[2].URL += "/nowhere"
		var table bytes.Buffer
		if compare(t.Context(), &table, demo) || !strings.Contains(table.String(), "NO") {
			t.Errorf("a server that answers 404 is not shown:\n%s", &table)
		}
	})
}

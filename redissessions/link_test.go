package redissessions

import (
	"sync"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/redissessions/redistest"
)

func TestAConnectionThatIsBeingMadeDoesNotOutliveTheStore(t *testing.T) {
	for name, cache := range map[string]bool{"with a cache": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			ssotest.CheckLeaks(t)
			g := newGate(t, server.Address)
			s := connected(t, Options{Addresses: []string{g.address}, Audience: "api", Cache: cache})
			g.hold(true)
			server.Do("CLIENT", "KILL", "TYPE", "normal")
			redistest.Wait(t, 5*time.Second, "the client connects anew", func() bool {
				_ = s.Check(t.Context(), someSession("s"))
				return server.Clients() > 0
			})
			var closing sync.WaitGroup
			closing.Go(func() { _ = s.Close() })
			<-time.After(50 * time.Millisecond) // real time: what the server says to the new connection comes when Close is under way
			g.hold(false)
			closing.Wait()
			redistest.Wait(t, 5*time.Second, "no connection is left", func() bool { return server.Clients() == 0 })
		})
	}
}

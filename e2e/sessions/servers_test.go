package sessions

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// masterName is the name under which the Sentinels know the primary.
const masterName = "sessions"

// sentinels is a primary with a replica, and three Sentinels.
type sentinels struct {
	primary, replica *redistest.Server // at the start; see current
	addresses        []string          // of the Sentinels
	servers          []*redistest.Server
}

// startSentinels starts them, with arguments of redistest.Start for primary and replica. The Sentinels give
// up the primary after half a second.
func startSentinels(t *testing.T, args ...string) *sentinels {
	t.Helper()
	s := &sentinels{primary: redistest.Start(t, args...)}
	s.replica = redistest.Start(t, append(args, "--replicaof", "127.0.0.1 "+s.primary.Port)...)
	for i := range 3 {
		config := fmt.Sprintf("sentinel monitor %[1]s 127.0.0.1 %[2]s 2\nsentinel down-after-milliseconds %[1]s 500\nsentinel failover-timeout %[1]s 3000\nsentinel auth-pass %[1]s secret\n", masterName, s.primary.Port)
		file := filepath.Join(t.TempDir(), fmt.Sprint("sentinel", i, ".conf"))
		must(t, os.WriteFile(file, []byte(config), 0o600))
		one := redistest.Start(t, file, "--sentinel")
		s.servers, s.addresses = append(s.servers, one), append(s.addresses, one.Address)
	}
	redistest.Wait(t, settle, "the Sentinels know each other, and the replica follows", func() bool {
		for _, one := range s.servers {
			out := one.Do("SENTINEL", "MASTER", masterName)
			if !strings.Contains(out, "num-other-sentinels\n2\n") || !strings.Contains(out, "num-slaves\n1\n") {
				return false
			}
		}
		return strings.Contains(s.primary.Do("INFO", "replication"), "state=online")
	})
	return s
}

// current returns the address of the primary that the first Sentinel knows, or nothing.
func (s *sentinels) current() string {
	out := strings.Fields(s.servers[0].Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName))
	if len(out) != 2 {
		return ""
	}
	return net.JoinHostPort(out[0], out[1])
}

// owner returns the slot of a key, and the index of the node that has it at the start.
func owner(c *redistest.Cluster, key string) (node int, slot string) {
	slot = c.Nodes[0].Do("CLUSTER", "KEYSLOT", key)
	number, _ := strconv.Atoi(slot)
	return min(2, number*3/16384), slot
}

// moveSlot moves a slot and its keys from one node to another, as redis-cli --cluster reshard does.
func moveSlot(c *redistest.Cluster, slot string, from, to int) {
	source, target := c.Nodes[from], c.Nodes[to]
	sourceID, targetID := source.Do("CLUSTER", "MYID"), target.Do("CLUSTER", "MYID")
	target.Do("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceID)
	source.Do("CLUSTER", "SETSLOT", slot, "MIGRATING", targetID)
	if keys := strings.Fields(source.Do("CLUSTER", "GETKEYSINSLOT", slot, "1000")); len(keys) > 0 {
		source.Do(append([]string{"MIGRATE", "127.0.0.1", target.Port, "", "0", "5000", "KEYS"}, keys...)...)
	}
	target.Do("CLUSTER", "SETSLOT", slot, "NODE", targetID)
	source.Do("CLUSTER", "SETSLOT", slot, "NODE", targetID)
}

func TestMoveSlot(t *testing.T) {
	c := redistest.StartCluster(t)
	const key = "{u1}:s1"
	from, slot := owner(c, key)
	for i, node := range c.Nodes {
		if _, err := node.Try("SET", key, "v"); (err == nil) != (i == from) {
			t.Errorf("node %d: %v, and the key belongs to node %d", i, err, from)
		}
	}
	to := (from + 1) % len(c.Nodes)
	moveSlot(c, slot, from, to)
	if got := c.Nodes[to].Do("GET", key); got != "v" {
		t.Errorf("after the move the key holds %q", got)
	}
	if got, err := c.Nodes[from].Try("GET", key); err == nil || !strings.HasPrefix(got, "MOVED "+slot) {
		t.Errorf("its old node answers %q (%v), want MOVED", got, err)
	}
}

package redisstore

import "testing"

// The numbers are those of CLUSTER KEYSLOT.
func TestSlotGroup(t *testing.T) {
	for key, slot := range map[string]int{"123456789": 12739, "foo": 12182, "{foo}bar": 12182, "a{foo}b{c}": 12182, "{}foo": 9500, "": 0} {
		if got, want := slotGroup(key), slot*slotGroups/clusterSlots; got != want {
			t.Errorf("%q: group %d, want %d", key, got, want)
		}
	}
}

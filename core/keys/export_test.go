package keys

// KMSID says whether AWS names a key so.
func KMSID(id string) bool { return kmsID(id) }

// WhileLocked calls f while somebody else holds the cache's lock.
func (c *Cache) WhileLocked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

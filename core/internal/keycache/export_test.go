package keycache

// WhileLocked calls f while the cache is locked.
func (c *Cache) WhileLocked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

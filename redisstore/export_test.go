package redisstore

import "time"

// SetNow replaces the clock.
func (s *store) SetNow(now func() time.Time) { s.now = now }

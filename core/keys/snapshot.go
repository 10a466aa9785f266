package keys

import (
	"context"
	"time"
)

// WithSnapshot is a source that starts with what snapshot holds, a file or text that the
// service was shipped with, and then asks refresh. So a process serves at once, without a
// fetch, and while the provider cannot be reached; it asks after a minute, or as soon as a
// token names a key that the snapshot lacks. A snapshot tells no issuer, so sso.New wants
// Config.Issuer with it.
func WithSnapshot(snapshot, refresh Source) Source { return snapshotSource{snapshot, refresh} }

type snapshotSource struct{ snapshot, refresh Source }

// RequiresIssuer says that tokens may have to be judged before discovery has told an issuer.
func (s snapshotSource) RequiresIssuer() bool { return true }

func (s snapshotSource) Fetch(ctx context.Context, previous *Set) (*Set, error) {
	if previous != nil {
		return s.refresh.Fetch(ctx, previous)
	}
	set, err := s.snapshot.Fetch(ctx, nil)
	if err != nil || set == nil {
		return s.refresh.Fetch(ctx, nil)
	}
	if _, err = NewSet(set.Keys...); err != nil {
		return s.refresh.Fetch(ctx, nil)
	}
	start := *set
	start.Fixed, start.MaxAge = false, time.Second // the cache makes a minute of it
	return &start, nil
}

func (s snapshotSource) String() string {
	return s.refresh.String() + ", starting with " + s.snapshot.String()
}

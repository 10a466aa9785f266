package keys

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// An Opener makes a source out of what follows a registered scheme's colon. It must do no
// network I/O.
type Opener func(rest string, o Options) (Source, error)

var registry = struct {
	sync.RWMutex
	openers map[string]Opener
}{openers: map[string]Opener{}}

// Register makes [Open] understand a scheme. Modules for other places of keys call it from an
// init function, so that importing them is all it takes. Letter case does not count. It panics for a
// scheme that is empty or taken, http, https and file among them, and for a nil function.
func Register(scheme string, open Opener) {
	scheme = strings.ToLower(scheme)
	registry.Lock()
	defer registry.Unlock()
	if scheme == "" || open == nil {
		panic("keys: Register needs a scheme and a function")
	}
	if builtIn[scheme] || registry.openers[scheme] != nil {
		panic(fmt.Sprintf("keys: the scheme %q is registered already", scheme))
	}
	registry.openers[scheme] = open
}

// builtIn are the schemes that Open reads by itself.
var builtIn = map[string]bool{"http": true, "https": true, "file": true}

// modules names the module that brings a scheme, for the error of those who forgot to import
// it.
var modules = map[string]string{"awskms": "github.com/more-retail/moresso-go/kmskeys"}

// openRegistered opens the sources of other modules; ok is false for what is none.
func openRegistered(uri string, o Options) (source Source, ok bool, err error) {
	scheme, rest, _ := strings.Cut(kmsURI(uri), ":")
	scheme = strings.ToLower(scheme)
	registry.RLock()
	open := registry.openers[scheme]
	registry.RUnlock()
	switch module := modules[scheme]; {
	case open != nil:
		source, err = open(rest, o)
		return source, true, err
	case module != "":
		return nil, true, &SettingError{
			Problem: fmt.Sprintf("keys of %s are read by a module of their own", scheme),
			Remedy:  fmt.Sprintf("add import _ %q to the program", module),
		}
	}
	return nil, false, nil
}

// kmsID are the ways in which AWS names a key: by ARN, alias, multi-region id or UUID. The
// Python edition's PUBLIC_KEY_URI is one of them.
var kmsID = regexp.MustCompile(`^(arn:aws[a-z-]*:kms:[^\s,]+|alias/[^\s,]+|mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// kmsURI puts the scheme before the names of AWS KMS keys, separated by commas.
func kmsURI(uri string) string {
	for id := range strings.SplitSeq(uri, ",") {
		if !kmsID.MatchString(strings.TrimSpace(id)) {
			return uri
		}
	}
	return "awskms:" + uri
}

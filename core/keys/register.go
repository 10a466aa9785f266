package keys

import (
	"fmt"
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

// kmsID says whether this is one of the ways in which AWS names a key: by ARN, alias,
// multi-region id or UUID. The Python edition's PUBLIC_KEY_URI is one of them. It is read by hand
// since nothing else here needs package regexp, which adds 250 kB to every service.
func kmsID(id string) bool {
	if strings.ContainsAny(id, " \t\n\f\r") {
		return false
	}
	if arn, ok := strings.CutPrefix(id, "arn:aws"); ok {
		partition, resource, ok := strings.Cut(arn, ":kms:")
		return ok && strings.Trim(partition, "abcdefghijklmnopqrstuvwxyz-") == "" && resource != ""
	}
	if alias, ok := strings.CutPrefix(id, "alias/"); ok {
		return alias != ""
	}
	if multiRegion, ok := strings.CutPrefix(id, "mrk-"); ok {
		return len(multiRegion) == 32 && lowerHex(multiRegion)
	}
	groups := strings.Split(id, "-")
	return len(groups) == 5 && len(groups[0]) == 8 && len(groups[1]) == 4 && len(groups[2]) == 4 && len(groups[3]) == 4 && len(groups[4]) == 12 &&
		lowerHex(strings.Join(groups, ""))
}

func lowerHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// kmsURI puts the scheme before the names of AWS KMS keys, separated by commas.
func kmsURI(uri string) string {
	for id := range strings.SplitSeq(uri, ",") {
		if !kmsID(strings.TrimSpace(id)) {
			return uri
		}
	}
	return "awskms:" + uri
}

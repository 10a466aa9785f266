// Package kmskeys lets a service trust tokens that are signed by a key in AWS KMS: it is a
// source of public keys that asks KMS for them (the operation GetPublicKey). Importing it is
// all it takes:
//
//	import _ "github.com/more-retail/moresso-go/kmskeys"
//
//	auth, err := sso.New(sso.Config{
//		PublicKeyURI: "alias/sso-signing", // or a key ARN, an alias ARN, mrk-…, the key's UUID
//		Issuer:       "https://login.example.com",
//		Audience:     []string{"orders-api"},
//	})
//
// "awskms:" before the name says the same. After it, up to four names may stand, separated by
// commas, such as the old and the new key during a rotation: name both before the new one is
// first used. Tokens need not name a key, and a key id that they do name is ignored: the keys
// are tried in turn. A program that has a client of KMS already gives it to [New] instead.
//
// The public key does not tell whose tokens it signs: that is what sso.Config.Issuer is for. A key
// that is not for RS256 needs sso.Config.Algorithms.
//
// # What counts
//
// The usual AWS configuration (environment, shared files, the role of the machine or function)
// is loaded when keys are first asked for, so that sso.New needs no network, and is kept once it
// could be loaded. The region is, for a key that is named by an ARN, the ARN's, and else the
// configuration's; where neither says one, keys cannot be had. sso.Config.HTTPClient carries the
// requests, if it is set. An endpoint of KMS that the configuration names must be https, unless it
// is this machine's or sso.Config.InsecureAllowHTTP is set. The role needs the permission
// kms:GetPublicKey, and nothing else.
//
// Each key costs one request in each fetch, which is tried once more where it failed. When keys
// are fetched, how long they serve in an outage, and what a request waits for, is as with all
// sources: see docs/KEYS.md. What KMS refuses, and what to do about it, is told by
// sso.Authenticator.Status.
package kmskeys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/more-retail/moresso-go/core/keys"
)

// maxNames is how many keys without id a cache tries for one token.
const maxNames = 4

// keyName matches the names that KMS knows a key by; of an ARN it finds the region.
var keyName = regexp.MustCompile(`^(?:arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:(?:key/` + keyID + `|` + alias + `)|` + keyID + `|` + alias + `)$`)

const (
	keyID = `(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})`
	alias = `alias/[A-Za-z0-9/_-]{1,250}`
)

func init() { keys.Register("awskms", open) }

// Client is what is needed of a client of KMS. A [*kms.Client] is one. It must be safe for
// concurrent use.
type Client interface {
	// GetPublicKey is the operation of that name: it returns the public half of one key. It must
	// heed its context, and apply the functions to its options, since one of them sets the region.
	GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
}

// New is a source of the public keys in KMS that go by these names: key ids, key ARNs, alias
// names or alias ARNs, one to four of them. It is for programs that have a client already; the
// client's retries and connections are its maker's business. Its region is overridden for a key
// that is named by an ARN.
//
// It fails for a nil client, for no name or more than four, and for what is no such name, and does
// no I/O. The source goes into sso.Config.Keys; it is safe for concurrent use. What its Fetch fails
// with wraps the client's error; its text holds no credentials.
//
// Each fetch asks for every key. One that cannot verify tokens, as far as can be known (KMS has
// no such key, it is disabled or about to be deleted, it is not for signing, or not for an
// algorithm of tokens), is left out and told of in the set's Skipped, while the others serve:
// so a key that a rotation has left behind harms nobody, and a disabled one is not trusted any
// more. If none is left, or if it cannot be known about one of them (access denied, throttled,
// no answer), the fetch fails as a whole: the last valid
// set stays in force for a while, and no valid token is refused.
func New(client Client, keyID ...string) (keys.Source, error) {
	if client == nil {
		return nil, errors.New("kmskeys: New with a nil client: make one by kms.NewFromConfig")
	}
	names, err := parseNames(strings.Join(keyID, ","))
	if err != nil {
		return nil, fmt.Errorf("kmskeys: %w", err)
	}
	return &source{names: names, client: client}, nil
}

// open is New for the text of a configuration.
func open(rest string, o keys.Options) (keys.Source, error) {
	names, err := parseNames(rest)
	if err != nil {
		return nil, err
	}
	return &source{names: names, options: o}, nil
}

func parseNames(list string) ([]string, error) {
	names := strings.Split(list, ",")
	if len(names) > maxNames {
		return nil, fmt.Errorf("%d KMS keys; at most %d are tried for a token", len(names), maxNames)
	}
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
		if !keyName.MatchString(names[i]) {
			return nil, fmt.Errorf("%.100q is no KMS key; write alias/…, an ARN of KMS, mrk-… or the key's UUID, several separated by commas", names[i])
		}
	}
	return names, nil
}

// regionOf is the region that an ARN names; empty for other names.
func regionOf(name string) string { return keyName.FindStringSubmatch(name)[1] }

type source struct {
	names   []string
	options keys.Options

	mu     sync.Mutex
	client Client // nil until the first fetch
}

func (s *source) String() string { return "awskms:" + strings.Join(s.names, ",") }

func (s *source) Fetch(ctx context.Context, _ *keys.Set) (*keys.Set, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends what is left of the connections
	ctx = context.WithValue(ctx, fetchKey{}, ctx)
	client, err := s.connected(ctx)
	if err != nil {
		return nil, err
	}
	var found []keys.Key
	var skipped []keys.Skipped
	var reasons []error
	for _, name := range s.names {
		key, err := s.get(ctx, client, name)
		var known *refusalError
		switch {
		case err == nil:
			found = append(found, key)
		case errors.As(err, &known) && known.certain:
			skipped = append(skipped, keys.Skipped{ID: name, Reason: known.text})
			reasons = append(reasons, fmt.Errorf("%s: %w", name, err))
		default:
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(found) == 0 {
		return nil, errors.Join(reasons...)
	}
	set, err := keys.NewSet(found...)
	if err != nil {
		return nil, err
	}
	set.Skipped = append(set.Skipped, skipped...)
	return set, nil
}

// connected is the client, which is made of the AWS configuration when it is first needed.
func (s *source) connected(ctx context.Context) (Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		client, err := connect(ctx, s.options, slices.ContainsFunc(s.names, func(name string) bool { return regionOf(name) == "" }))
		if err != nil {
			return nil, err
		}
		s.client = client
	}
	return s.client, nil
}

func (s *source) get(ctx context.Context, client Client, name string) (keys.Key, error) {
	out, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &name}, func(o *kms.Options) {
		o.Region = cmp.Or(regionOf(name), o.Region)
	})
	if err != nil {
		return keys.Key{}, explained(err)
	}
	return read(out, s.options.Algorithms)
}

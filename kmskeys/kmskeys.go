// Package kmskeys lets a service accept tokens that are signed by a key in AWS KMS. It is a source
// of public keys, which calls the KMS operation GetPublicKey. Importing it is enough:
//
//	import _ "github.com/more-retail/moresso-go/kmskeys"
//
//	auth, err := sso.New(sso.Config{
//		PublicKeyURI: "alias/sso-signing", // or a key ARN, an alias ARN, mrk-…, the key's UUID
//		Issuer:       "https://login.example.com",
//		Audience:     []string{"orders-api"},
//	})
//
// "awskms:" before the name means the same. Up to four names can be given, separated by commas, such
// as the old and the new key during a rotation: name both before the new one signs. A token's key id
// is ignored; the keys are tried in turn. A program that has a KMS client passes it to [New] instead.
//
// A public key does not identify an issuer, so sso.Config.Issuer is required. A key that is not for
// RS256 needs sso.Config.Algorithms.
//
// # Configuration
//
// The usual AWS configuration (environment, shared files, the role of the machine or function) is
// loaded at the first fetch, and again after a failure, so that sso.New needs no network. An ARN
// names its region; for other names the configuration must name it. sso.Config.HTTPClient carries
// the requests, if it is set. An endpoint of KMS that the configuration names must be https, unless
// it is loopback or sso.Config.InsecureAllowHTTP is set. The role needs only the permission
// kms:GetPublicKey.
//
// Each key costs one request per fetch, with one retry. Fetches follow the same schedule as for
// other sources (docs/KEYS.md). sso.Authenticator.Status reports what KMS refuses, with the remedy.
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

// maxNames is how many keys without id are tried for one token.
const maxNames = 4

// keyName matches the names of a key in KMS. Its group is the region of an ARN.
var keyName = regexp.MustCompile(`^(?:arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:(?:key/` + keyID + `|` + alias + `)|` + keyID + `|` + alias + `)$`)

const (
	keyID = `(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})`
	alias = `alias/[A-Za-z0-9/_-]{1,250}`
)

// bareName matches the beginning of a name without scheme, as more-sso-auth's PUBLIC_KEY_URI has it.
// [parseNames] reports what is wrong with the rest.
var bareName = regexp.MustCompile(`^\s*(?:arn:aws[a-z-]*:kms:|alias/|mrk-|[0-9a-f]{8}-[0-9a-f]{4}-)`)

func init() { keys.Register("awskms", open, bareName.MatchString) }

// Client is the part of a KMS client that this package calls, such as that of [*kms.Client]. It must
// be safe for concurrent use.
type Client interface {
	// GetPublicKey returns the public half of one key. It must end when its context does, and apply
	// the functions to its options, because one of them sets the region.
	GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
}

// New returns a source of the public keys with these names in KMS: key ids, key ARNs, alias names or
// alias ARNs, one to four. Use it in programs that already have a client. The client's region is
// overridden for an ARN.
//
// It fails for a nil client, for no name or more than four, and for an invalid name. It does no I/O.
// The source goes into sso.Config.Keys and is safe for concurrent use. Its errors wrap the client's;
// their text contains no credentials.
//
// Each fetch requests every key. A key is left out and listed in the set's Skipped if KMS does not
// have it, if it is disabled or about to be deleted, or if it cannot sign tokens. An old key of a
// rotation therefore does no harm, and a disabled key is not trusted. The fetch fails if no key is
// left, or if the state of one is unknown (access denied, throttled, no answer). The last valid set
// then stays in use for a while, and no valid token is refused.
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

// open returns the source for a text from a configuration.
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
			return nil, fmt.Errorf("%.100q is not a KMS key; write alias/…, an ARN of KMS, mrk-… or the key's UUID, several separated by commas", names[i])
		}
	}
	return names, nil
}

// regionOf returns the region of an ARN, empty for other names.
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
	defer cancel() // closes the connections
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
		var refusal *refusalError
		switch {
		case err == nil:
			found = append(found, key)
		case errors.As(err, &refusal) && refusal.certain:
			skipped = append(skipped, keys.Skipped{ID: name, Reason: refusal.text})
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

// connected returns the client. The first call makes it from the AWS configuration.
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
		return keys.Key{}, explain(err)
	}
	return read(out, s.options.Algorithms)
}

package kmskeys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/more-retail/moresso-go/core/keys"
)

const (
	attempts = 2                      // within one fetch
	pause    = 250 * time.Millisecond // between them, at most
	maxBytes = 256 << 10              // of an answer
)

// connect makes a client from the usual AWS configuration. needsRegion requires it to name a region.
func connect(ctx context.Context, o keys.Options, needsRegion bool) (Client, error) {
	var transport config.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.DisableKeepAlives, t.DialContext = true, dial
	})
	if o.HTTPClient != nil {
		given := *o.HTTPClient
		given.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		transport = oneShot{&given}
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(transport),
		config.WithLogger(logging.Nop{}), // the errors say enough
		// The credentials of ECS and EKS come over a client that ignores the one above.
		config.WithEndpointCredentialOptions(func(e *endpointcreds.Options) { e.HTTPClient = transport }),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts, r.MaxBackoff = attempts, pause })
		}))
	if err != nil {
		return nil, fmt.Errorf("the AWS configuration cannot be loaded: %w", err)
	}
	if needsRegion && cfg.Region == "" {
		return nil, errors.New("the AWS configuration names no region: set AWS_REGION, or name the keys by their ARNs")
	}
	client := kms.NewFromConfig(cfg, func(k *kms.Options) {
		k.HTTPClient, k.Credentials = oneShot{k.HTTPClient}, credentials{k.Credentials}
	})
	if endpoint := client.Options().BaseEndpoint; endpoint != nil && !o.InsecureAllowHTTP {
		if u, err := url.Parse(*endpoint); err != nil || u.Scheme != "https" && !loopback(u.Hostname()) {
			return nil, errors.New("the AWS configuration names an endpoint of KMS that is not https://, so an attacker on the network can replace the keys")
		}
	}
	return client, nil
}

// loopback reports whether a host is this machine, as written: names are not resolved.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// oneShot closes each connection after one answer, and bounds the answer.
type oneShot struct{ aws.HTTPClient }

func (c oneShot) Do(r *http.Request) (*http.Response, error) {
	r.Close = true
	response, err := c.HTTPClient.Do(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxBytes)
	}
	return response, err
}

// fetchKey is the context key of the context of the whole fetch.
type fetchKey struct{}

// dial makes a connection that closes when its fetch ends. Handshakes, and the SDK's requests for
// credentials, run under contexts that outlive the fetch and would leave goroutines behind.
func dial(ctx context.Context, network, address string) (net.Conn, error) { //nolint:contextcheck // the dial must outlive the request's context
	if fetch, ok := ctx.Value(fetchKey{}).(context.Context); ok {
		ctx = fetch
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		context.AfterFunc(ctx, func() { _ = conn.Close() })
	}
	return conn, err
}

// advice maps error codes of KMS to remedies for the operator. Codes marked certain mean that no token
// of the key should be accepted.
var advice = map[string]refusalError{
	"AccessDeniedException":         {text: "access denied: allow the role of this service kms:GetPublicKey, in its own policy and in the key's"},
	"ThrottlingException":           {text: "throttled: the account calls KMS too often; the call is repeated later"},
	"NotFoundException":             {text: "not found: correct the name, the account or the region, or remove the key from the configuration", certain: true},
	"DisabledException":             {text: "the key is disabled: enable it, or remove it from the configuration", certain: true},
	"KMSInvalidStateException":      {text: "the key's state does not allow its use: cancel its deletion or finish its import, or remove it from the configuration", certain: true},
	"UnsupportedOperationException": {text: "the key has no public half: name an asymmetric key for SIGN_VERIFY", certain: true},
}

// explain converts an error of the SDK. It repeats the message of KMS only with the codes above,
// because messages about a signature quote the request, session token included.
func explain(err error) error {
	var refusal *refusalError
	var answer smithy.APIError
	switch {
	case errors.As(err, &refusal): // no credentials
		return refusal
	case !errors.As(err, &answer): // no answer
		return err
	}
	advised, ok := advice[answer.ErrorCode()]
	if !ok {
		return &refusalError{text: fmt.Sprintf("KMS answered %.100q", answer.ErrorCode()), cause: err}
	}
	advised.text += fmt.Sprintf(" (%s: %.500q)", answer.ErrorCode(), answer.ErrorMessage())
	advised.cause = err
	return &advised
}

// credentials marks the errors of the credential provider, so that they do not count as those of KMS.
type credentials struct{ aws.CredentialsProvider }

func (c credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	retrieved, err := c.CredentialsProvider.Retrieve(ctx)
	if err == nil {
		return retrieved, nil
	}
	reason := err.Error()
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		reason = fmt.Sprintf("the answer was %.100q", cmp.Or(answer.ErrorCode(), "an error"))
	}
	return retrieved, &refusalError{text: "no AWS credentials: " + reason, cause: err}
}

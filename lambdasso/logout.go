package lambdasso

import (
	"context"
	"encoding/base64"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/core/sso"
)

// BackChannelLogout returns the handler of an HTTP API or a function URL (payload format 2.0) for
// back-channel logout (OpenID Connect Back-Channel Logout 1.0, section 2.5). It answers as
// httpsso.BackChannelLogout, and decodes the body itself. Do not put a guard around it.
func BackChannelLogout(receiver *logout.Receiver) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		noStore := map[string]string{"Cache-Control": "no-store"}
		if e.RequestContext.HTTP.Method != http.MethodPost {
			noStore["Allow"] = http.MethodPost
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusMethodNotAllowed, Headers: noStore}, nil
		}
		body := e.Body
		if e.IsBase64Encoded {
			decoded, _ := base64.StdEncoding.DecodeString(body) // a malformed one has no token
			body = string(decoded)
		}
		contentType, _ := httpRequest(e).Header("Content-Type")
		if err := receiver.ReceiveForm(ctx, contentType, body); err != nil {
			d := sso.DenialOf(err)
			return events.APIGatewayV2HTTPResponse{StatusCode: d.Status, Headers: joined(d.Header), Body: string(d.Body)}, nil
		}
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Headers: noStore}, nil
	}
}

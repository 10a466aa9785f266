package lambdasso_test

import (
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/lambdasso"
)

func TestNew_Mistakes(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := lambdasso.New(iss.Authenticator(iss.Config("api")))
	for name, build := range map[string]func(){
		"no authenticator":       func() { lambdasso.New(nil) },
		"no permission":          func() { lambdasso.Require(guard, nil, listOrders) },
		"a nil permission":       func() { lambdasso.Require(guard, permission.All(permission.Has("a"), nil), listOrders) },
		"nothing but a negation": func() { lambdasso.Require(guard, permission.Not(permission.Has("a")), listOrders) },
		"no handler": func() {
			lambdasso.Authenticate[events.ALBTargetGroupRequest, events.ALBTargetGroupResponse](guard, nil)
		},
		"a response of another event": func() {
			lambdasso.Authenticate(guard, func(context.Context, events.ALBTargetGroupRequest) (r events.APIGatewayProxyResponse, err error) {
				return
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			build()
		})
	}
}

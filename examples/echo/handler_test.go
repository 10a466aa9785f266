package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestListOrders(t *testing.T) {
	ada := ssotest.NewPrincipal(devissuer.Subject("ada"))
	w := httptest.NewRecorder()
	c := echo.New().NewContext(ssotest.Request(ada, nil), w)
	if err := listOrders(c); err != nil || !strings.Contains(w.Body.String(), "ada") {
		t.Error(err, w.Body)
	}
}

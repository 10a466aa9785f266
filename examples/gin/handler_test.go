package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestListOrders(t *testing.T) {
	ada := ssotest.NewPrincipal(devissuer.Subject("ada"))
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = ssotest.Request(ada, nil)
	listOrders(c)
	if !strings.Contains(w.Body.String(), "ada") {
		t.Error(w.Body)
	}
}

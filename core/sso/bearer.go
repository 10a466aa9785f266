package sso

import (
	"fmt"
	"strings"
)

// bearerToken finds the token in the credentials of a request (RFC 6750, section 2.1; RFC 9110,
// section 11.6.2). No message repeats any of what it read.
func bearerToken(r Request) (string, error) {
	value, n := viewHeader(r, "Authorization")
	value = strings.Trim(value, " \t") // optional white space around a field value means nothing
	switch {
	case n > 1:
		return "", fmt.Errorf("%w: %d Authorization fields", ErrInvalidRequest, n)
	case n == 0 || value == "":
		return "", ErrNoToken
	}
	scheme, token, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		if n := len("Bearer"); len(scheme) > n && strings.EqualFold(scheme[:n], "Bearer") && !isTokenChar(scheme[n]) {
			return "", fmt.Errorf("%w: no space after the scheme Bearer", ErrInvalidRequest)
		}
		return "", fmt.Errorf("%w: credentials of another scheme, or a token without one", ErrNoToken)
	}
	token = strings.TrimLeft(token, " ") // 1*SP
	if token == "" {
		return "", fmt.Errorf("%w: the scheme Bearer without a token", ErrInvalidRequest)
	}
	return token, nil
}

// checkBearerToken checks the characters of a token that came in a request, of a long one those at
// its beginning: with others behind them it is no token either, and the answer is 401 then, not
// 400. (One that is known has passed stricter checks.)
func checkBearerToken(token string) error {
	const most = 1 << 10
	if !isToken68(token[:min(len(token), most)]) {
		return fmt.Errorf("%w: a character that no bearer token has", ErrInvalidRequest)
	}
	return nil
}

// isTokenChar tells the characters that a scheme can be made of (RFC 9110, section 5.6.2).
func isTokenChar(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) < 0
}

// isToken68 checks the syntax of b64token (RFC 6750, section 2.1).
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		if !inToken68[s[i]] {
			return false
		}
	}
	return s != ""
}

var inToken68 = func() (set [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/") {
		set[c] = true
	}
	return set
}()

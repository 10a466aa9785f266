package ssotest

import "github.com/more-retail/moresso-go/core/devissuer"

// Options of [Issuer.Token]: package devissuer's, so that a test needs one import. The first
// group says what stands in the token, the second what is wrong with it.
var (
	Subject       = devissuer.Subject
	Audience      = devissuer.Audience
	AudienceList  = devissuer.AudienceList
	Permission    = devissuer.Permission
	Scope         = devissuer.Scope
	Claim         = devissuer.Claim
	Claims        = devissuer.Claims
	WithoutClaim  = devissuer.WithoutClaim
	IssuedBy      = devissuer.IssuedBy
	IssuedAt      = devissuer.IssuedAt
	ExpiresAt     = devissuer.ExpiresAt
	NotBefore     = devissuer.NotBefore
	ValidFor      = devissuer.ValidFor
	Type          = devissuer.Type
	Header        = devissuer.Header
	WithoutHeader = devissuer.WithoutHeader
	SignedBy      = devissuer.SignedBy
	Algorithm     = devissuer.Algorithm

	Expired           = devissuer.Expired
	NotYetValid       = devissuer.NotYetValid
	WrongAudience     = devissuer.WrongAudience
	WrongIssuer       = devissuer.WrongIssuer
	WithoutExpiry     = devissuer.WithoutExpiry
	NoKeyID           = devissuer.NoKeyID
	BadSignature      = devissuer.BadSignature
	Tampered          = devissuer.Tampered
	UnknownKey        = devissuer.UnknownKey
	EmbeddedKey       = devissuer.EmbeddedKey
	AlgNone           = devissuer.AlgNone
	AlgNoneSpelled    = devissuer.AlgNoneSpelled
	HMACWithPublicKey = devissuer.HMACWithPublicKey
	RawHeader         = devissuer.RawHeader
	RawPayload        = devissuer.RawPayload
)

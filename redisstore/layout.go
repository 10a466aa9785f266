package redisstore

import (
	"strconv"
	"strings"
)

const (
	// buckets are what a denylist's keys are dealt out to. Each has an epoch key in the same slot
	// of a Cluster, so that a node that has lost its memory is found out by what it lost.
	buckets = 64
	// slotGroups are neighbouring slots of a Cluster that share a circuit breaker.
	slotGroups   = 64
	clusterSlots = 16384
)

// layout writes keys.
type layout struct {
	prefix   string // of all keys but the Python edition's
	audience string
	issuer   string // sized
	python   bool
	buckets  [buckets]string
	epochs   [buckets]string
}

func (o *Options) layout() *layout {
	l := &layout{prefix: o.Prefix, audience: o.Audience, issuer: sized(o.Issuer), python: o.Layout == LayoutPython}
	for i := range buckets {
		l.buckets[i] = l.prefix + ":denied:{" + strconv.Itoa(i) + "}:"
		l.epochs[i] = l.buckets[i] + "epoch"
	}
	return l
}

// sessions is the key of a user's session or sessions.
func (l *layout) sessions(user string) string {
	if l.python {
		return l.audience + ":" + user
	}
	return l.prefix + ":session:" + sized(l.audience) + ":{" + sized(user) + "}"
}

// probe is a key that nothing is written to.
func (l *layout) probe() string { return l.prefix + ":probe" }

// denied is the key of a revocation, and epoch that of the bucket that it falls into, by FNV-1a.
func (l *layout) denied(rule Rule, value string) (key, epoch string) {
	hash := uint32(2166136261)
	for i := range len(value) {
		hash = (hash ^ uint32(value[i])) * 16777619
	}
	bucket := hash % buckets
	return l.buckets[bucket] + string(rule) + ":" + l.issuer + ":" + strconv.Itoa(len(value)) + ":" + value, l.epochs[bucket]
}

// sized is a text that nothing else can run into.
func sized(text string) string { return strconv.Itoa(len(text)) + ":" + text }

// slotGroup is where in a Cluster a key is, by the Cluster specification: CRC16 of the hash tag,
// if it has one.
func slotGroup(key string) int {
	if _, tagged, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(tagged, "}"); ok && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			high := crc & 0x8000
			crc <<= 1
			if high != 0 {
				crc ^= 0x1021
			}
		}
	}
	return int(crc%clusterSlots) * slotGroups / clusterSlots
}

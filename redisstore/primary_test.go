package redisstore

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// saying is a connection on which the server says what is read.
type saying struct {
	net.Conn
	io.Reader
}

func (s saying) Read(b []byte) (int, error) { return s.Reader.Read(b) }

func TestAnAnswerToHELLOIsLookedAtForAsLongAsItMayBeOne(t *testing.T) {
	c := &toPrimary{Conn: saying{Reader: io.MultiReader(strings.NewReader(strings.Repeat("x", helloBytes)), strings.NewReader(string(roleReplica)))}}
	if _, err := io.ReadAll(c); !errors.Is(err, errReplica) {
		t.Error(err)
	}
}

func TestAConnectionIsReadUnlessTheServerSaysThatItIsAReplica(t *testing.T) {
	hello := func(role []byte) string {
		return "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n" + string(role) + "$7\r\nmodules\r\n*0\r\n"
	}
	replica := hello(roleReplica)
	for name, test := range map[string]struct {
		said    []string // each with one write
		refused bool
	}{
		"the primary":                            {[]string{hello(roleMaster)}, false},
		"a replica":                              {[]string{replica}, true},
		"a server that has no role":              {[]string{hello(nil)}, false},
		"the primary, which then holds the text": {[]string{hello(roleMaster), replica}, false},
		"a replica that says so just in time":    {[]string{strings.Repeat("x", helloBytes-len(replica)), replica}, true},
		"what comes too late to be of a HELLO":   {[]string{strings.Repeat("x", helloBytes+1), replica}, false},
	} {
		for way, by := range map[string]func(io.Reader) io.Reader{
			"by the write": func(r io.Reader) io.Reader { return r },
			"by the byte":  iotest.OneByteReader,
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				var said []io.Reader
				for _, s := range test.said {
					said = append(said, by(strings.NewReader(s)))
				}
				c := &toPrimary{Conn: saying{Reader: io.MultiReader(said...)}}
				got, err := io.ReadAll(c)
				if !test.refused {
					if err != nil || string(got) != strings.Join(test.said, "") {
						t.Errorf("%d bytes were read: %v", len(got), err)
					}
					return
				}
				if !errors.Is(err, errReplica) {
					t.Errorf("%d bytes were read: %v", len(got), err)
				}
				more := strings.NewReader("+OK\r\n")
				c.Conn = saying{Reader: more}
				if n, err := c.Read(make([]byte, 8)); n != 0 || !errors.Is(err, errReplica) || more.Len() != 5 {
					t.Errorf("afterwards %d bytes were read, and %d are left: %v", n, more.Len(), err)
				}
			})
		}
	}
}

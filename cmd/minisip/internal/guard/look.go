package guard

import "bytes"

// Look is what a datagram seems to be. It is cheap and may be wrong: what looks well can still
// be refused by the parser, but nothing that the parser takes looks like rubbish.
type Look uint8

const (
	Rubbish  Look = iota // no SIP 2.0
	Response             // begins like one
	Bare                 // a request without credentials
	Proving              // a request with credentials
)

var (
	version  = []byte("SIP/2.0")
	nonceTag = []byte(`nonce="`)
)

// LookAt looks at a datagram.
func LookAt(b []byte) Look {
	b = bytes.TrimLeft(b, "\r\n") // RFC 3261 7.5: CRLFs in front of a message are ignored
	line, _, _ := bytes.Cut(b, []byte{'\n'})
	line = bytes.TrimRight(line, " \t\r")
	switch {
	case len(line) < len(version):
		return Rubbish
	case bytes.EqualFold(line[:len(version)], version):
		return Response
	case !bytes.EqualFold(line[len(line)-len(version):], version):
		return Rubbish
	case Nonce(b) != nil:
		return Proving
	}
	return Bare
}

// Nonce gives the first nonce that stands in a request, nil if there is none.
func Nonce(b []byte) []byte {
	i := bytes.Index(b, nonceTag)
	if i < 0 {
		return nil
	}
	nonce, _, ok := bytes.Cut(b[i+len(nonceTag):], []byte{'"'})
	if !ok || len(nonce) == 0 {
		return nil
	}
	return nonce
}

package sipmsg

import "bytes"

// Via is one Via value (RFC 3261 20.42).
type Via struct {
	Transport []byte
	Host      []byte // sent-by; IPv6 without brackets
	Port      uint16 // 0: none
	Params    []byte // raw, after the first ';'
	Branch    []byte
	Received  []byte // IPv6 without brackets
	RPort     uint16 // the value of rport, 0: none (RFC 3581)
	HasRPort  bool   // ;rport, with or without a value
	Maddr     []byte
}

// ParseVia reads one Via value. Protocol name and version may be any; a parameter that stands
// twice counts where it stands first.
func ParseVia(b []byte) (v Via, err error) {
	start, end := trimLWS(b, 0, len(b))
	if offset, err := v.parse(b[start:end]); err != nil {
		return Via{}, &ParseError{Field: "Via", Offset: start + offset, Err: err}
	}
	return v, nil
}

// parse fills v as far as b, which has no white space at its ends, can be read.
func (v *Via) parse(b []byte) (offset int, err error) {
	i, ok := v.protocol(b)
	if !ok {
		return i, ErrMalformed
	}
	start := i
	if i = skipLWS(b, i); i == start {
		return i, ErrMalformed
	}
	host, i, ok := cutHost(b, i)
	if !ok {
		return i, ErrMalformed
	}
	v.Host = host
	if j := skipLWS(b, i); j < len(b) && b[j] == ':' {
		if v.Port, i, ok = cutPort(b, skipLWS(b, j+1)); !ok {
			return i, ErrMalformed
		}
	}
	if i = skipLWS(b, i); i == len(b) {
		return 0, nil
	}
	if b[i] != ';' {
		return i, ErrMalformed
	}
	v.Params = b[i+1:]
	offset, err = v.readParams()
	return i + 1 + offset, err
}

// protocol reads "SIP/2.0/UDP" and gives the index after it.
func (v *Via) protocol(b []byte) (i int, ok bool) {
	if bytes.HasPrefix(b, []byte("SIP/2.0/UDP ")) {
		i = len("SIP/2.0/UDP")
		v.Transport = b[len("SIP/2.0/"):i]
		return i, true
	}
	if bytes.HasPrefix(b, []byte("SIP/2.0/")) && len(b) > 8 && !isLWS(b[8]) {
		i = run(tokenChar, b, 8)
		v.Transport = b[8:i]
		return i, true // or else there is no white space
	}
	for part := range 3 {
		i = skipLWS(b, i)
		start := i
		if i = run(tokenChar, b, i); i == start {
			return i, false
		}
		if part == 2 {
			v.Transport = b[start:i]
			break
		}
		if i = skipLWS(b, i); i == len(b) || b[i] != '/' {
			return i, false
		}
		i++
	}
	return i, true
}

func (v *Via) readParams() (offset int, err error) {
	b := v.Params
	for i, count := 0, 1; i >= 0; count++ {
		p, next, ok := paramAt(b, i)
		if !ok {
			return next, ErrMalformed
		}
		if count > MaxParams {
			return i, ErrTooMany
		}
		if !v.setParam(b[p.name:p.nameEnd], p.of(b)) {
			return i, ErrMalformed
		}
		i = next
	}
	return 0, nil
}

func (v *Via) setParam(name, value []byte) bool {
	switch {
	case v.Branch == nil && (string(name) == "branch" || equalFold(name, "branch")):
		v.Branch = value
		return value != nil
	case !v.HasRPort && (string(name) == "rport" || equalFold(name, "rport")):
		v.HasRPort = true
		if value == nil {
			return true
		}
		n, ok := number(value, 65535)
		v.RPort = uint16(n)
		return ok
	case v.Received == nil && equalFold(name, "received"):
		if n := len(value); n > 2 && value[0] == '[' && value[n-1] == ']' {
			value = value[1 : n-1]
		}
		v.Received = value
		return value != nil
	case v.Maddr == nil && equalFold(name, "maddr"):
		v.Maddr = value
		return value != nil
	}
	return true
}

// cutHost reads a host at b[i:]: a name, an IPv4 address, or an IPv6 address in brackets,
// which are left out. next is the index after it.
func cutHost(b []byte, i int) (host []byte, next int, ok bool) {
	if i < len(b) && b[i] == '[' {
		end := run(ip6Char, b, i+1)
		if end == len(b) || b[end] != ']' || bytes.IndexByte(b[i:end], ':') < 0 {
			return nil, i, false
		}
		return b[i+1 : end], end + 1, true
	}
	end := run(hostChar, b, i)
	return b[i:end], end, end > i
}

// cutPort reads a port from 1 to 65535 at b[i:].
func cutPort(b []byte, i int) (port uint16, next int, ok bool) {
	n, next, ok := numberAt(b, i, 65535)
	return uint16(n), next, ok && n > 0
}

package proxy

const hexDigits = "0123456789abcdef"

// branchPrefix is the magic cookie of RFC 3261 8.1.1.7 before our two numbers.
const branchPrefix = "z9hG4bK"

// appendBranch appends a branch: the cookie, the transaction's number, and the hash
// by which a loop is told from a spiral (RFC 5393 4.2).
func appendBranch(dst []byte, id uint64, loop uint32) []byte {
	dst = append(dst, branchPrefix...)
	dst = appendHex(dst, id, 16)
	return appendHex(dst, uint64(loop), 8)
}

func appendHex(dst []byte, v uint64, digits int) []byte {
	for i := digits - 1; i >= 0; i-- {
		dst = append(dst, hexDigits[v>>(4*i)&15])
	}
	return dst
}

// branchID reads the transaction's number out of a branch of ours.
func branchID(branch []byte) (uint64, bool) {
	if len(branch) != len(branchPrefix)+24 || string(branch[:len(branchPrefix)]) != branchPrefix {
		return 0, false
	}
	return parseHex(branch[len(branchPrefix):][:16])
}

// branchLoop reads the loop hash out of a branch of ours.
func branchLoop(branch []byte) (uint64, bool) {
	if _, ok := branchID(branch); !ok {
		return 0, false
	}
	return parseHex(branch[len(branchPrefix)+16:])
}

func parseHex(b []byte) (v uint64, ok bool) {
	for _, d := range b {
		switch {
		case d >= '0' && d <= '9':
			v = v<<4 | uint64(d-'0')
		case d >= 'a' && d <= 'f':
			v = v<<4 | uint64(d-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// newID gives an unpredictable number that no client transaction has.
func (c *Core) newID() uint64 {
	for {
		id := c.rnd.Uint64()
		if c.clients[clientKey{id: id}] == nil {
			return id
		}
	}
}

// token gives 64 random bits for a tag or Call-ID of our own.
func (c *Core) token() string {
	return string(appendHex(nil, c.rnd.Uint64(), 16))
}

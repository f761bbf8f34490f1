package proxy

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"unicode"
	"unicode/utf8"

	"minisip/cmd/minisip/internal/trail"
	"minisip/sipmsg"
)

// What the log gets in debug mode: every message as it came and as it went, what
// rewriting changed between the two, and a hex dump of what is not SIP; all of it with
// secrets masked, for a log is read, sent and kept by others than the phones.

// maxDump bounds the hex dump of one datagram.
const maxDump = 1024

func (c *Core) debugReceived(in *inbound, err error) {
	b, size := trail.Mask(in.Bytes()), len(in.Bytes())
	switch {
	case err == nil:
		c.logf("received from %s at %s, %d bytes%s", in.src, in.local, size, shown(b))
	case errors.Is(err, sipmsg.ErrNotSIP):
		c.logf("received from %s at %s, %d bytes that are not SIP (%v)%s", in.src, in.local, size, err, shown([]byte(hex.Dump(b[:min(len(b), maxDump)]))))
	default:
		c.logf("received from %s at %s, %d bytes, refused: %v%s", in.src, in.local, size, err, shown(b))
	}
}

// debugSent logs a datagram that goes out; before is what it was made of, if it was
// forwarded.
func (c *Core) debugSent(again bool, local, to netip.AddrPort, b, before []byte) {
	size, what := len(b), "sent"
	if again {
		what = "sent again"
	}
	b = trail.Mask(b)
	c.logf("%s to %s from %s, %d bytes%s", what, to, local, size, shown(b))
	if before == nil {
		return
	}
	if changes := appendChanges(nil, trail.Mask(before), b); len(changes) > 0 {
		c.logf("changed on the way:%s", shown(changes))
	}
}

// shown is a message as it stands in the log: each line on a line of its own behind a
// margin, so that none passes for a line of the log, and with what a terminal would obey
// instead of show as \x1b.
func shown(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/4)
	for line := range bytes.Lines(b) {
		out = append(out, "\n    "...)
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		for len(line) > 0 {
			r, size := utf8.DecodeRune(line)
			if r == '\t' || unicode.IsPrint(r) && (r != utf8.RuneError || size > 1) {
				out = append(out, line[:size]...)
			} else {
				for _, x := range line[:size] {
					out = fmt.Appendf(out, `\x%02x`, x)
				}
			}
			line = line[size:]
		}
	}
	return out
}

// appendChanges lists the lines that are in one message only: "- " those that went, "+ "
// those that came, in order.
func appendChanges(dst, before, after []byte) []byte {
	for _, l := range trail.Diff(before, after) {
		if l.Op != ' ' {
			dst = fmt.Appendf(dst, "%c %s\n", l.Op, l.Text)
		}
	}
	return dst
}

package proxy

import (
	"bytes"
	"iter"
	"slices"
	"strings"

	"minisip/session"
	"minisip/sipmsg"
)

// mayTakeOver says whether a user may send an INVITE that wants to take the place of a call, or to join it (RFC 3891,
// RFC 3911). A phone cannot tell who asks; we know whose calls are whose. The user has a part in that call,
// or in an answered one with somebody who has: an attended transfer comes from whom a party has referred; or a party has
// referred him. Calls that are not known are for the phone to refuse.
func (c *Core) mayTakeOver(in *inbound, user string) bool {
	if in.Method() != sipmsg.INVITE {
		return true
	}
	tags, values := 0, 0
	for i := range in.NumHeaders() {
		h := in.Header(i)
		if !takesOver(h.Name) {
			continue
		}
		if values += 1 + bytes.Count(h.Value, []byte(",")); values > maxTags {
			return false
		}
		for value := range bytes.SplitSeq(h.Value, []byte(",")) {
			if tags += bytes.Count(value, []byte(";")); tags > maxTags || !c.mayTake(value, user) {
				return false
			}
		}
	}
	return true
}

func takesOver(field []byte) bool {
	return strings.EqualFold(string(field), "Replaces") || strings.EqualFold(string(field), "Join")
}

// maxTags bounds the values, and the parameters of them all, that are looked at in one request: there is one value, with two
// tags and perhaps a word.
const maxTags = 16

// mayTake judges one value.
func (c *Core) mayTake(value []byte, user string) bool {
	for k := range c.meant(value) {
		if k.State != session.Ended && !k.has(user) && !slices.Contains(k.referred, user) && !c.talks(user, k) {
			return false
		}
	}
	return true
}

// meant are the calls that a value of Replaces or Join can mean: a Call-ID, and among its parameters the tags. To know the
// call, the caller's is enough, whatever it is called, so that no phone finds a call there that we do not.
func (c *Core) meant(value []byte) iter.Seq[*call] {
	return func(yield func(*call) bool) {
		callID, params, _ := bytes.Cut(value, []byte(";"))
		for p := range bytes.SplitSeq(params, []byte(";")) {
			_, tag, _ := bytes.Cut(p, []byte("="))
			for k := c.named(bytes.TrimSpace(callID), bytes.TrimSpace(tag)); k != nil; k = k.next {
				if !yield(k) {
					return
				}
			}
		}
	}
}

// refers notes whom a party of a call sends there with a REFER: inside another call, which may be long over when his phone has asked
// him and calls; or outside a dialog, as who parks a call does (RFC 5359 2.15). In Refer-To stands what the INVITE is to have in Replaces.
func (c *Core) refers(in *inbound, user, to string) {
	if in.Method() != sipmsg.REFER {
		return
	}
	_, uri, ok := readURI(in.Get(sipmsg.ReferToHdr))
	if !ok {
		return
	}
	tags := 0
	for field := range bytes.SplitSeq(uri.Headers, []byte("&")) {
		name, escaped, _ := bytes.Cut(field, []byte("="))
		if !takesOver(name) {
			continue
		}
		value := sipmsg.AppendUnescaped(nil, escaped)
		if tags += bytes.Count(value, []byte(";")) + 1; tags > maxTags {
			return
		}
		for k := range c.meant(value) {
			if k.has(user) && len(k.referred) < maxReferred && !slices.Contains(k.referred, to) {
				k.referred = append(k.referred, to)
			}
		}
	}
}

const maxReferred = 8 // to one call

// has says whether a user is a party of the call.
func (k *call) has(user string) bool {
	if k.caller.User == user {
		return true
	}
	for _, d := range k.dialogs {
		if d.callee.User == user {
			return true
		}
	}
	return false
}

// talks says whether a user is in an answered call with a party of k, or was a moment ago.
func (c *Core) talks(user string, k *call) bool {
	u := c.usage[user]
	if u == nil {
		return false
	}
	for p := u.parts; p != nil; p = p.next {
		other := p.call
		if other.Answered.IsZero() {
			continue
		}
		if k.has(other.caller.User) {
			return true
		}
		for _, d := range other.dialogs {
			if k.has(d.callee.User) {
				return true
			}
		}
	}
	return false
}

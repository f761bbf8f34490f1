package rtprelay

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"hash"
	"net/netip"
)

// ICE is what a leg's connectivity checks are proven by: short-term credentials of RFC
// 8489 9.1, whose username RFC 8445 7.2.2 makes of both sides' fragments. The zero ICE
// means that the side does none.
type ICE struct {
	Ufrag, Pwd string // ours
	Peer       string // the phone's ufrag; "": its SDP has not come yet
}

// An agent is a leg's end of ICE: a lite one, which has one candidate, answers checks and
// makes none (RFC 8445 2.5, 7.3.2). Its leg's lock is the stream's.
type agent struct {
	now    secret
	before secret // what the phone goes on with until it has our answer to its restart
	buffer []byte // of answers
	sum    [integritySize]byte
}

// A secret is one pair of credentials.
type secret struct {
	ICE
	mac hash.Hash // keyed with our password; nil: no such pair
}

func newSecret(i ICE) secret {
	return secret{i, hmac.New(sha1.New, []byte(i.Pwd))}
}

// accepts reports whether a username is that of a check to us: ours, a colon, the
// phone's. An answer may come later than the checks that its phone makes.
func (s *secret) accepts(username []byte) bool {
	ours, theirs, ok := bytes.Cut(username, []byte{':'})
	return ok && s.mac != nil && string(ours) == s.Ufrag && (s.Peer == "" || string(theirs) == s.Peer)
}

// SetICE gives the leg that faces side the credentials that both sides' SDP have named.
// Others than before are a restart (RFC 8445 9): who was proven by the old ones is
// listened to until somebody is proven by the new ones.
func (s *Stream) SetICE(side Side, i ICE) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.legs[side]
	s.moves.Add(1)
	switch {
	case s.closed:
		return
	case i == ICE{}:
		l.agent = nil
	case l.agent == nil:
		l.agent = &agent{now: newSecret(i)}
	case l.agent.now.ICE == i:
		return
	case l.agent.now.Ufrag == i.Ufrag && l.agent.now.Pwd == i.Pwd && l.agent.now.Peer == "":
		l.agent.now.Peer = i.Peer
		return
	default:
		l.agent.before, l.agent.now = l.agent.now, newSecret(i)
	}
	l.rtp.latch.unprove(l.agent != nil)
	l.rtcp.latch.unprove(l.agent != nil)
}

// check takes in a STUN message that arrived at a leg with an agent. It is meant for us,
// so nothing of it goes to the other side. Who cannot prove himself gets no answer at all,
// unless it is the phone that is heard already or one at its IP: RFC 8489 9.1.3 wants
// 400 or 401, but a port that answers strangers can be found.
func (e *endpoint) check(p *packet) verdict {
	now, from, b := p.now, p.from, p.data
	a := e.stream.legs[e.side].agent
	m, ok := parseSTUN(b)
	if !ok || m.kind != bindingRequest {
		// RFC 8445 11: a Binding indication keeps the way open. It proves nothing.
		return e.latch.keep(now, from)
	}
	by, code := a.judge(&m, b)
	switch code {
	case errorBadRequest, errorUnauthenticated:
		if from != e.latch.source && !e.latch.trusts(from.Addr()) {
			return drop
		}
		e.reply(p, a.refusal(b, code, m.unknown, nil))
		return e.latch.keep(now, from)
	case errorUnknownAttribute, errorRoleConflict:
		e.reply(p, a.refusal(b, code, m.unknown, by.mac))
		return e.latch.keep(now, from)
	}
	e.reply(p, a.success(b, from, by.mac))
	if by != &a.now {
		return e.latch.keep(now, from)
	}
	return e.latch.prove(now, from, m.priority, m.nominates)
}

// judge finds the credentials that a request was made with, and the error to answer with,
// 0 for none: RFC 8489 9.1.3, 6.3.1, RFC 8445 7.3.1.1.
func (a *agent) judge(m *stunMessage, b []byte) (by *secret, code int) {
	if m.username == nil || m.integrity == 0 {
		return nil, errorBadRequest
	}
	for _, s := range [2]*secret{&a.now, &a.before} {
		if !s.accepts(m.username) || !m.proven(b, s.mac, &a.sum) {
			continue
		}
		switch {
		case m.unknown != 0:
			return s, errorUnknownAttribute
		case m.controlled:
			// A lite agent is the controlled one always: RFC 8445 6.1.1.
			return s, errorRoleConflict
		}
		return s, 0
	}
	return nil, errorUnauthenticated
}

// success answers a check with the address that it came from.
func (a *agent) success(request []byte, from netip.AddrPort, mac hash.Hash) []byte {
	a.buffer = appendMapped(appendHeader(a.buffer[:0], bindingSuccess, request), from)
	a.buffer = seal(a.buffer, mac)
	return a.buffer
}

var stunReasons = map[int]string{
	errorBadRequest: "Bad Request", errorUnauthenticated: "Unauthenticated",
	errorUnknownAttribute: "Unknown Attribute", errorRoleConflict: "Role Conflict",
}

func (a *agent) refusal(request []byte, code int, unknown uint16, mac hash.Hash) []byte {
	b := appendError(appendHeader(a.buffer[:0], bindingError, request), code, stunReasons[code])
	if code == errorUnknownAttribute {
		// Repeated, to fill four bytes: RFC 3489 11.2.10, which RFC 8489 14.9 allows to.
		b = appendAttribute(b, attrUnknown, 4)
		b = append(b, byte(unknown>>8), byte(unknown), byte(unknown>>8), byte(unknown))
	}
	a.buffer = seal(b, mac)
	return a.buffer
}

// reply sends to where a check came from, which need not be where the socket is aimed at.
func (e *endpoint) reply(p *packet, b []byte) {
	e.socket.aim(p.from)
	e.socket.send(b)
	if e.stream.tap != nil {
		e.stream.show(&packet{now: p.now, data: b}, e, p.from)
	}
	e.aim()
}

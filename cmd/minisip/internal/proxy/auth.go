package proxy

import (
	"bytes"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/guard"
	"minisip/digest"
	"minisip/nat"
	"minisip/sipmsg"
)

// credentials gives the values of the two fields in which a request can carry credentials, by the index of the field.
func credentials(m *sipmsg.Message) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		if m.Index(sipmsg.AuthorizationHdr) < 0 && m.Index(sipmsg.ProxyAuthorizationHdr) < 0 {
			return
		}
		for i := range m.NumHeaders() {
			h := m.Header(i)
			if (h.ID == sipmsg.AuthorizationHdr || h.ID == sipmsg.ProxyAuthorizationHdr) && !yield(i, h.Value) {
				return
			}
		}
	}
}

// maxCredentials is how many credentials for our realm are looked at in one request: a
// phone sends one for each algorithm, in one or both fields. From a banned address, where tries are counted, it is one.
const maxCredentials = 4

// proof is what the credentials of a request are worth: a nonce's count can be spent once.
type proof struct {
	judged  bool
	verdict digest.Verdict // the best of all
	tried   int            // credentials for our realm
	wrong   int            // of those, that do not fit
	name    []byte         // the user whose they are
	user    *digest.User   // with digest.OK
	realm   []byte         // another one, in an answer to a challenge of ours
}

// judge verifies the credentials of a request: RFC 3261 22. Credentials in either field are taken, of one user: else who has
// a password could try those of others along with it, and nobody would see that they fail. As much is computed for
// a user who does not exist (digest.Server.Verify).
func (c *Core) judge(in *inbound) *proof {
	p := &in.proof
	if p.judged {
		return p
	}
	p.judged = true
	most := maxCredentials
	if c.bans.Banned(in.now, in.src.Addr()) {
		most = 1
	}
	for _, value := range credentials(in.Message) {
		cred, err := digest.ParseCredentials(value)
		if err != nil {
			continue
		}
		if !c.ourRealm(&cred) {
			if c.nonces.Ours(in.now, in.src.Addr(), cred.Nonce) {
				p.realm = cred.Realm
			}
			continue
		}
		if p.tried == 0 {
			p.name = cred.Username
		} else if !bytes.Equal(cred.Username, p.name) {
			continue
		}
		if p.tried++; p.tried > most {
			break
		}
		user := c.users.Lookup(p.name)
		verdict := c.auth.Verify(in.now, in.src.Addr(), in.MethodName(), in.RequestURI(), in.Body(), &cred, user)
		if verdict == digest.OtherURI && c.sameResource(in, cred.URI) {
			verdict = c.auth.Verify(in.now, in.src.Addr(), in.MethodName(), cred.URI, in.Body(), &cred, user)
		}
		if verdict == digest.Denied {
			p.wrong++
		}
		p.verdict = max(p.verdict, verdict)
		if p.verdict == digest.OK {
			p.user = user
			break
		}
	}
	return p
}

// sameResource says whether the URI of a digest and the Request-URI name the same user at two addresses of ours. RFC 7616 3.4.6
// asks for the same resource, which those are: the SIP ALG of a router in front of us puts our private address in the place
// of the public one that the phone knows.
func (c *Core) sameResource(in *inbound, uri []byte) bool {
	asked, err := sipmsg.ParseURI(in.RequestURI())
	if err != nil || !c.hasHost(in.local, &asked) {
		return false
	}
	named, err := sipmsg.ParseURI(uri)
	return err == nil && c.hasHost(in.local, &named) && bytes.EqualFold(asked.Scheme, named.Scheme) &&
		(len(named.User) == 0 || bytes.Equal(userOf(&asked), userOf(&named)))
}

// hasHost says whether the host of a URI is an IP address of ours, whatever its port.
func (c *Core) hasHost(local netip.AddrPort, uri *sipmsg.URI) bool {
	ip, ok := nat.ParseAddr(uri.Host)
	return ok && c.isOurs(netip.AddrPortFrom(ip.Unmap(), local.Port()))
}

// proving gives the first credentials that judge would look at; ok is false where a request brings none for our realm.
func (c *Core) proving(in *inbound) (cred digest.Credentials, ok bool) {
	for _, value := range credentials(in.Message) {
		if cred, err := digest.ParseCredentials(value); err == nil && c.ourRealm(&cred) {
			return cred, true
		}
	}
	return cred, false
}

// authenticate returns the user whose credentials a request brings, or challenges and returns nil.
func (c *Core) authenticate(in *inbound) *digest.User {
	p := c.judge(in)
	if p.verdict == digest.OK {
		c.bans.Succeed(in.src.Addr(), p.name)
		return p.user
	}
	refused := c.refusedProof(in)
	c.challenge(in, p.verdict == digest.Stale)
	if refused {
		c.refusedCall(in, whyRefused(p.verdict))
	}
	return nil
}

// refusedProof says whether a request brought credentials that are wrong, tells the log, and charges its source.
func (c *Core) refusedProof(in *inbound) bool {
	p := &in.proof
	if p.tried == 0 && p.realm != nil && c.denied.news(in.now, in.src.Addr()) {
		c.logf("%s from %s for %s refused: the phone is set to the realm %q, and -realm is %q",
			printable(in.MethodName()), in.src, printable(c.claimed(in)), printable(p.realm), c.cfg.Realm)
	}
	if p.tried == 0 || p.verdict >= digest.Stale {
		return false
	}
	c.count.Denied++
	if c.denied.news(in.now, in.src.Addr()) {
		c.logf("%s from %s for %s refused: %s", printable(in.MethodName()), in.src, printable(c.claimed(in)), p.verdict)
	}
	if p.verdict == digest.Denied { // else who has sent it knows the password
		for range p.wrong {
			c.charge(in, guard.Failure{User: p.name, As: c.claimed(in), Why: "wrong password for " + printable(p.name)})
		}
	}
	return true
}

// whyRefused is what is wrong with credentials, for who looks at the call.
func whyRefused(v digest.Verdict) diagnosis.Refusal {
	switch v {
	case digest.OtherURI:
		return diagnosis.OtherURI
	case digest.NotOffered:
		return diagnosis.NotOffered
	}
	return diagnosis.WrongPassword
}

// challenge answers 401 to REGISTER, 407 to anything else, and keeps nothing.
func (c *Core) challenge(in *inbound, stale bool) {
	status, field := 407, "Proxy-Authenticate"
	if in.Method() == sipmsg.REGISTER {
		status, field = 401, "WWW-Authenticate"
	}
	b := c.startResponse(in, status, "")
	b = c.auth.AppendChallenges(b, field, in.now, in.src.Addr(), stale)
	c.buf = sipmsg.EndResponse(b)
	c.sendBack(in)
}

func (c *Core) ourRealm(cred *digest.Credentials) bool {
	return string(cred.Realm) == c.cfg.Realm
}

// stripCredentials takes our realm's credentials out before a request goes on; those
// for other realms are not ours to touch (RFC 3261 22.3).
func (c *Core) stripCredentials(m *sipmsg.Message) {
	for i, value := range credentials(m) {
		cred, err := digest.ParseCredentials(value)
		if err == nil && c.ourRealm(&cred) || err != nil && bytes.Contains(value, []byte(`"`+c.cfg.Realm+`"`)) {
			m.RemoveHeader(i) // what cannot be read may still be ours
		}
	}
}

// claimed is the user that a request says it comes from: of From, in a REGISTER of To.
// Escapes are undone; empty where there is none.
func (c *Core) claimed(in *inbound) []byte {
	a := in.From()
	if in.Method() == sipmsg.REGISTER {
		a = in.To()
	}
	return userPart(a.URI)
}

// userPart gives the user of a URI with escapes undone.
func userPart(uri []byte) []byte {
	u, err := sipmsg.ParseURI(uri)
	if err != nil {
		return nil
	}
	return userOf(&u)
}

// userOf gives the user of a URI that was parsed, with escapes undone; of a tel URI the number, which is the same "after
// removing all visual separators" (RFC 3966 4).
func userOf(u *sipmsg.URI) []byte {
	user := bareUser(u)
	if bytes.IndexByte(user, '%') >= 0 {
		user = sipmsg.AppendUnescaped(nil, user)
	}
	const separators = "-.()"
	if !u.IsSIP() && strings.EqualFold(string(u.Scheme), "tel") && bytes.ContainsAny(user, separators) {
		user = slices.DeleteFunc(bytes.Clone(user), func(c byte) bool { return strings.IndexByte(separators, c) >= 0 })
	}
	return user
}

// bareUser is the user part as it was written. Where user=phone says that this is a telephone number, it is without the
// parameters that a number can have (RFC 3261 19.1.6); in a name, a semicolon is a character like others.
func bareUser(u *sipmsg.URI) []byte {
	number, _, more := bytes.Cut(u.User, []byte{';'})
	if !more || len(number) == 0 || !u.IsSIP() {
		return u.User
	}
	if kind, _ := u.Param("user"); !bytes.EqualFold(kind, []byte("phone")) {
		return u.User
	}
	return number
}

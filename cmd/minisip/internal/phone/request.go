package phone

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"minisip/digest"
	"minisip/sipmsg"
)

// The timers of RFC 3261 17.1.1.1.
const (
	t1       = 500 * time.Millisecond
	t2       = 4 * time.Second
	lifetime = 64 * t1
)

// request is what goes into a request.
type request struct {
	method, uri, to, callID string
	cseq                    uint32
	routes                  []string
	contact                 bool
	header                  string // more lines
	body                    string
}

// text writes the request.
func (p *Phone) text(r *request, branch string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=%s\r\nMax-Forwards: 70\r\n", r.method, r.uri, p.local, branch)
	for _, route := range r.routes {
		fmt.Fprintf(&b, "Route: %s\r\n", route)
	}
	from := fmt.Sprintf("<%s>;tag=%s", p.identity(p.cfg.User), p.tag)
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n", from, r.to, r.callID, r.cseq, r.method)
	if r.contact {
		b.WriteString(p.contact())
	}
	if p.cfg.Agent != "" {
		fmt.Fprintf(&b, "User-Agent: %s\r\n", p.cfg.Agent)
	}
	b.WriteString(r.header)
	if r.body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(r.body), r.body)
	return []byte(b.String())
}

// identity is the address of record of a user at the server.
func (p *Phone) identity(user string) string { return uriOf(user, p.cfg.Server) }

// URI is the phone's own, which stands in its Contact.
func (p *Phone) URI() string { return uriOf(p.cfg.User, p.local) }

func uriOf(user string, at netip.AddrPort) string {
	return string(sipmsg.AppendEscapedUser([]byte("sip:"), user)) + "@" + at.String()
}

func (p *Phone) contact() string { return fmt.Sprintf("Contact: <%s>\r\n", p.URI()) }

func newBranch() string { return "z9hG4bK" + token() }

// do sends a request and waits for its final response: RFC 3261 17.1. A challenge is answered once.
func (p *Phone) do(ctx context.Context, r *request) (*sipmsg.Message, error) {
	for tried := false; ; tried = true {
		m, err := p.once(ctx, r, newBranch())
		if err != nil {
			return nil, err
		}
		status := m.Status()
		if status < 300 {
			return m, nil
		}
		refused := &Refused{Method: r.method, Status: status, Reason: string(m.Reason())}
		if tried || status != 401 && status != 407 {
			return m, refused
		}
		credentials, ok := p.answer(m, r)
		if !ok {
			return m, refused
		}
		r.cseq++
		r.header += credentials
	}
}

// once is one transaction.
func (p *Phone) once(ctx context.Context, r *request, branch string) (*sipmsg.Message, error) {
	text := p.text(r, branch)
	responses := make(chan *sipmsg.Message, 8)
	p.mu.Lock()
	p.waiting[branch+r.method] = responses
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.waiting, branch+r.method)
		p.mu.Unlock()
	}()
	invite, rings := r.method == "INVITE", false
	pause := t1
	again, end := time.NewTimer(pause), time.NewTimer(lifetime)
	defer again.Stop()
	defer end.Stop()
	p.send(text, false)
	for {
		select {
		case m := <-responses:
			switch {
			case m.Status() >= 200:
				if invite && m.Status() >= 300 {
					p.ack(r, m, branch)
				}
				return m, nil
			case invite: // only the caller's patience ends that
				rings = true
				again.Stop()
				end.Stop()
			default:
				pause = t2
			}
		case <-again.C:
			if pause *= 2; !invite {
				pause = min(pause, t2)
			}
			again.Reset(pause)
			p.send(text, true)
		case <-end.C:
			return nil, fmt.Errorf("%s: %w", r.method, ErrNoAnswer)
		case <-ctx.Done():
			if invite {
				return p.giveUp(ctx, r, branch, rings, responses)
			}
			return nil, fmt.Errorf("%s: %w", r.method, ErrNoAnswer)
		}
	}
}

// giveUp cancels an INVITE once a provisional response to it has come (RFC 3261 9.1), and waits for the final one: it may
// have been answered meanwhile.
func (p *Phone) giveUp(ctx context.Context, r *request, branch string, rings bool, responses <-chan *sipmsg.Message) (*sipmsg.Message, error) {
	soon, stop := parting(ctx)
	defer stop()
	for cancelled := false; ; {
		if rings && !cancelled {
			cancelled = true
			cancel := *r
			cancel.method, cancel.contact, cancel.header, cancel.body = "CANCEL", false, "", ""
			p.once(soon, &cancel, branch)
		}
		m := next(soon, responses)
		switch {
		case m == nil:
			return nil, fmt.Errorf("%s: %w", r.method, ErrNoAnswer)
		case m.Status() >= 300:
			p.ack(r, m, branch)
			return nil, fmt.Errorf("%s: %w", r.method, ErrNoAnswer)
		case m.Status() >= 200:
			return m, nil
		}
		rings = true
	}
}

// next gives the next response, or nil once ctx is done and none is there: one that came while a CANCEL took all the time counts.
func next(ctx context.Context, responses <-chan *sipmsg.Message) *sipmsg.Message {
	select {
	case m := <-responses:
		return m
	default:
	}
	select {
	case m := <-responses:
		return m
	case <-ctx.Done():
		return nil
	}
}

// ack acknowledges a refusal of an INVITE: RFC 3261 17.1.1.3, with the INVITE's branch.
func (p *Phone) ack(r *request, m *sipmsg.Message, branch string) {
	ack := *r
	ack.method, ack.to, ack.contact, ack.header, ack.body = "ACK", string(m.Get(sipmsg.ToHdr)), false, "", ""
	p.send(p.text(&ack, branch), false)
}

// answer makes the credentials that a challenge asks for: the first that the phone understands (RFC 8760 2.4).
func (p *Phone) answer(m *sipmsg.Message, r *request) (line string, ok bool) {
	for i := range m.NumHeaders() {
		h := m.Header(i)
		name := "Authorization"
		switch h.ID {
		case sipmsg.WWWAuthenticateHdr:
		case sipmsg.ProxyAuthenticateHdr:
			name = "Proxy-Authorization"
		default:
			continue
		}
		c, err := digest.ParseChallenge(h.Value)
		if err != nil || c.Algorithm == digest.UnknownAlgorithm {
			continue
		}
		return name + ": " + c.Answer(p.cfg.User, p.cfg.Password, r.method, r.uri, token(), 1) + "\r\n", true
	}
	return "", false
}

// Ask asks the server itself for its OPTIONS, and says how long the answer took.
func (p *Phone) Ask(ctx context.Context) (time.Duration, error) {
	uri := "sip:" + p.cfg.Server.String()
	begin := time.Now()
	_, err := p.do(ctx, &request{method: "OPTIONS", uri: uri, to: "<" + uri + ">", callID: token(), cseq: 1})
	return time.Since(begin), err
}

// Register registers the phone for a time, 0 to end that, and gives the 200.
func (p *Phone) Register(ctx context.Context, expires time.Duration) (*sipmsg.Message, error) {
	p.mu.Lock()
	// Higher each time (RFC 3261 10.2.4); the answer to a challenge takes the next one.
	p.registered = max(p.registered+2, uint32(time.Now().Unix()))
	cseq := p.registered
	p.mu.Unlock()
	return p.do(ctx, &request{
		method: "REGISTER", uri: "sip:" + p.cfg.Server.String(), to: "<" + p.identity(p.cfg.User) + ">", callID: p.tag + "-registration",
		cseq: cseq, contact: true, header: fmt.Sprintf("Expires: %d\r\n", int(expires.Seconds())),
	})
}

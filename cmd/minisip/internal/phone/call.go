package phone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"minisip/sipmsg"
)

// Call is one call of a phone that is up.
type Call struct {
	phone  *Phone
	callID string
	remote string // To of our requests
	target string
	routes []string
	cseq   uint32
	media  *Media
	tag    string // of who answered our INVITE; the phone's lock guards it, and ack
	ack    []byte // what acknowledged that answer

	invite   *sipmsg.Message // that came in
	response []byte          // last one to it
	final    bool            // it is the last there is to be
	acked    chan struct{}
	onceAck  sync.Once

	ended   chan struct{}
	onceEnd sync.Once
	why     string
}

func (p *Phone) newCall(callID string) (*Call, error) {
	m, err := newMedia(p.cfg.Bind)
	if err != nil {
		return nil, err
	}
	return &Call{phone: p, callID: callID, media: m, acked: make(chan struct{}), ended: make(chan struct{})}, nil
}

func (c *Call) end(why string) {
	c.onceEnd.Do(func() {
		c.why = why
		close(c.ended)
	})
}

// Media is the call's sound.
func (c *Call) Media() *Media { return c.media }

// Call calls a user of the server, or any sip URI, and waits for an answer.
func (p *Phone) Call(ctx context.Context, whom string) (*Call, error) {
	uri := whom
	if len(uri) < 4 || uri[:4] != "sip:" {
		uri = p.identity(whom)
	}
	c, err := p.newCall(token() + "@minisip")
	if err != nil {
		return nil, err
	}
	p.keep(c)
	r := &request{
		method: "INVITE", uri: uri, to: "<" + uri + ">", callID: c.callID, cseq: 1, contact: true, body: c.media.offer(p.cfg.Claim),
	}
	m, err := p.do(ctx, r)
	if err != nil {
		p.forget(c)
		return nil, err
	}
	c.cseq, c.remote, c.target = r.cseq, string(m.Get(sipmsg.ToHdr)), contactOf(m)
	for it := m.Values(sipmsg.RecordRouteHdr); it.Next(); {
		c.routes = append(c.routes, string(it.Value().Bytes))
	}
	slices.Reverse(c.routes) // RFC 3261 12.1.2
	ack := p.text(c.request("ACK"), newBranch())
	p.mu.Lock()
	c.tag, c.ack = string(m.ToTag()), ack
	p.mu.Unlock()
	p.send(ack, false)
	if err = c.media.aim(m); err == nil && ctx.Err() != nil {
		err = ErrGivenUp // as it was answered
	}
	if err != nil {
		soon, cancel := parting(ctx)
		defer cancel()
		c.HangUp(soon)
		return nil, err
	}
	return c, nil
}

// parting is for what takes a call back that its caller has given up.
func parting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), t2)
}

// repeated takes a response that nobody waits for. A 2xx that comes again gets its ACK again: that was lost (RFC 3261 13.2.2.4).
// The 2xx of another phone that the INVITE was forked to is none of this call.
func (p *Phone) repeated(m *sipmsg.Message) {
	p.mu.Lock()
	c := p.calls[string(m.CallID())]
	var ack []byte
	if c != nil && m.Method() == sipmsg.INVITE && m.Status()/100 == 2 && string(m.ToTag()) == c.tag {
		ack = c.ack
	}
	p.mu.Unlock()
	if ack != nil {
		p.send(ack, true)
	}
}

// contactOf is the URI of a message's Contact.
func contactOf(m *sipmsg.Message) string {
	for it := m.Values(sipmsg.ContactHdr); it.Next(); {
		if a, err := sipmsg.ParseNameAddr(it.Value().Bytes); err == nil {
			return string(a.URI)
		}
	}
	return ""
}

// request begins a request inside the dialog.
func (c *Call) request(method string) *request {
	return &request{method: method, uri: c.target, to: c.remote, callID: c.callID, cseq: c.cseq, routes: c.routes}
}

// HangUp ends the call.
func (c *Call) HangUp(ctx context.Context) error {
	defer c.phone.forget(c)
	c.end("hung up here")
	c.cseq++
	_, err := c.phone.do(ctx, c.request("BYE"))
	return err
}

// Ended waits until the other side ends the call, and says how it ended.
func (c *Call) Ended(ctx context.Context) (why string, err error) {
	if err := wait(ctx, c.ended); err != nil {
		return "", err
	}
	c.phone.forget(c)
	return c.why, nil
}

// keep and forget enter a call into the phone's table and take it out.
func (p *Phone) keep(c *Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[c.callID] = c
}

func (p *Phone) forget(c *Call) {
	p.mu.Lock()
	delete(p.calls, c.callID)
	p.mu.Unlock()
	c.media.close()
}

// ErrGivenUp says that the caller gave up before there was an answer.
var ErrGivenUp = errors.New("the caller gave up")

// Answer waits for a call and answers it after it has rung for a time. A call that is not up then is forgotten.
func (p *Phone) Answer(ctx context.Context, rings time.Duration) (*Call, error) {
	var c *Call
	select {
	case c = <-p.ring:
	case <-ctx.Done():
		return nil, fmt.Errorf("no call came: %w", ctx.Err())
	}
	if err := c.pickUp(ctx, rings); err != nil {
		p.forget(c)
		return nil, err
	}
	return c, nil
}

// pickUp lets a call that came in ring for a time, and answers it.
func (c *Call) pickUp(ctx context.Context, rings time.Duration) error {
	c.respond(180, "")
	bell := time.NewTimer(rings)
	defer bell.Stop()
	select {
	case <-bell.C:
	case <-c.ended:
		return ErrGivenUp
	case <-ctx.Done():
		c.respond(480, "")
		return ctx.Err()
	}
	if err := c.media.aim(c.invite); err != nil {
		c.respond(488, "")
		return err
	}
	return c.accept(ctx)
}

// accept sends 200 until the ACK comes: RFC 3261 13.3.1.4.
func (c *Call) accept(ctx context.Context) error {
	pause := t1
	again, end := time.NewTimer(pause), time.NewTimer(lifetime)
	defer again.Stop()
	defer end.Stop()
	if !c.respond(200, c.media.offer(c.phone.cfg.Claim)) {
		return ErrGivenUp
	}
	for {
		select {
		case <-c.acked:
			return nil
		case <-again.C:
			pause = min(2*pause, t2)
			again.Reset(pause)
			c.phone.send(c.last(), true)
		case <-end.C:
			return fmt.Errorf("the call was answered, but its ACK: %w", ErrNoAnswer)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *Call) last() []byte {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	return c.response
}

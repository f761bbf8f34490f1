package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"minisip/cmd/minisip/internal/phone"
	"minisip/sipmsg"
)

// ProbeOptions say which server is checked, and as whom.
type ProbeOptions struct {
	Server  netip.AddrPort
	Account Account
	Talk    time.Duration
	Out     io.Writer
}

// patience is how long one step of a probe may take.
const patience = 8 * time.Second

// echoWait is how long the last packets may take to come back.
const echoWait = time.Second

// Failed is a step of a probe that failed: what was seen, and what to do.
type Failed struct{ Step, What, Next string }

func (e *Failed) Error() string { return e.Step + ": " + e.What + ". " + e.Next }

// Probe checks a live server from here as a phone would: whether it can be reached, registration, and a call of the
// user to himself through the server's relay that sends back what it hears. The error is a *Failed, or of this machine.
func Probe(ctx context.Context, o *ProbeOptions) error {
	pr := &probe{ProbeOptions: o}
	var phones [2]*phone.Phone
	for i := range phones {
		p, err := phone.New(phone.Config{
			Server: o.Server, User: o.Account.Name, Password: o.Account.Password, Agent: "minisip probe", Caller: phones[0],
		})
		if err != nil {
			return fmt.Errorf("cannot open a phone here: %w", err)
		}
		defer p.Close()
		phones[i] = p
	}
	caller, callee := phones[0], phones[1]
	reached := pr.reach(ctx, callee)
	if err := pr.register(ctx, callee, reached); err != nil {
		return err
	}
	err := pr.echo(ctx, callee, caller)
	soon, cancel := farewell(ctx)
	defer cancel()
	_, bye := callee.Register(soon, 0)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case err == nil && bye != nil:
		err = &Failed{"unregister", bye.Error(), "The registration runs out by itself in a minute."}
	}
	return err
}

// farewell is for what takes back what a probe has done: who interrupts it leaves neither a call nor a registration behind.
func farewell(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}

type probe struct{ *ProbeOptions }

func (p *probe) say(step, format string, args ...any) {
	fmt.Fprintf(p.Out, "%-14s%s\n", step, fmt.Sprintf(format, args...))
}

// reach asks for OPTIONS. Silence is no failure yet: a server may give strangers no answer.
func (p *probe) reach(ctx context.Context, a *phone.Phone) bool {
	soon, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	took, err := a.Ask(soon)
	var refused *phone.Refused
	switch {
	case err == nil || errors.As(err, &refused):
		p.say("reachable", "%s answers, round trip %s", p.Server, ms(took))
		return true
	}
	p.say("reachable", "%s does not answer OPTIONS", p.Server)
	return false
}

func (p *probe) register(ctx context.Context, a *phone.Phone, reached bool) error {
	soon, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begin := time.Now()
	m, err := a.Register(soon, time.Minute)
	var refused *phone.Refused
	switch {
	case errors.As(err, &refused) && (refused.Status == 401 || refused.Status == 407):
		return &Failed{"registration", "the password of " + p.Account.Name + " is wrong",
			"Set it with: minisip user passwd " + p.Account.Name + " on the server, then kill -HUP."}
	case errors.As(err, &refused):
		return &Failed{"registration", err.Error(), "The server's log says why."}
	case err != nil && reached:
		return &Failed{"registration", "no answer, though the server is there",
			"In silent mode a server answers only users that it knows: see minisip user list, or minisip bans, there."}
	case err != nil:
		return &Failed{"registration", "no answer", fmt.Sprintf(
			"Is minisip running there, does a firewall let UDP port %d in, is %s a user, is this address banned (minisip bans)?", p.Server.Port(), p.Account.Name)}
	}
	p.say("registered", "as %s in %s, with digest authentication", p.Account.Name, ms(time.Since(begin)))
	seen := seenAs(m)
	switch {
	case !seen.IsValid():
	case seen == a.Local():
		p.say("", "the server sees %s: no NAT in between", seen)
	default:
		p.say("", "the server sees %s where this phone says %s: a NAT in between", seen, a.Local())
	}
	return nil
}

// seenAs is where the server saw the request come from: received and rport of its Via (RFC 3581).
func seenAs(m *sipmsg.Message) netip.AddrPort {
	v := m.Via()
	host := v.Received
	if len(host) == 0 {
		host = v.Host
	}
	ip, err := netip.ParseAddr(string(host))
	port := v.RPort
	if port == 0 {
		port = v.Port
	}
	if err != nil || port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip.Unmap().WithZone(""), port) // a zone could be any text
}

// echo calls the phone that has just registered, by its Contact, so that no other phone of the user rings.
func (p *probe) echo(ctx context.Context, callee, caller *phone.Phone) error {
	soon, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		c, err := callee.Answer(soon, 0)
		if err == nil {
			c.Media().Echo()
		}
		answered <- err
	}()
	begin := time.Now()
	call, err := caller.Call(soon, callee.URI())
	if err != nil {
		return &Failed{"call", err.Error(), "The server's log says why; minisip calls there shows it."}
	}
	hangUp := func() error {
		soon, cancel := farewell(ctx)
		defer cancel()
		return call.HangUp(soon)
	}
	if err := <-answered; err != nil {
		hangUp()
		return &Failed{"call", err.Error(), "What the server sends here is lost on the way: is a SIP ALG at work in a router?"}
	}
	p.say("call", "to itself, answered after %s", ms(time.Since(begin)))
	phone.Talk(ctx, p.Talk, call.Media())
	late, cancel := context.WithTimeout(ctx, echoWait)
	defer cancel()
	call.Media().Await(late)
	h := call.Media().Heard(true)
	target := call.Media().Target()
	if err := hangUp(); err != nil {
		return &Failed{"hang-up", err.Error(), "The call ends by itself after 30 s without sound."}
	}
	return p.sound(h, target)
}

// sound judges what came back.
func (p *probe) sound(h phone.Heard, target netip.AddrPort) error {
	switch {
	case h.Packets == 0 && target.Addr().IsPrivate() && !p.Server.Addr().IsPrivate():
		return &Failed{"sound", fmt.Sprintf("nothing came back of %d packets; the server says that its media are at %s, a private address", h.Sent, target),
			"Start it with -public and its public address."}
	case h.Packets == 0:
		return &Failed{"sound", fmt.Sprintf("nothing came back of %d packets sent to %s", h.Sent, target),
			"Does a firewall there let the UDP ports of -rtp (10000-20000) in?"}
	}
	p.say("sound", "%d packets to %s, %d came back, %.1f %% lost, round trip %s, jitter %s, MOS %.1f",
		h.Sent, target, h.Packets, h.LossPercent, ms(h.RoundTrip), ms(h.Jitter), h.MOS)
	if h.LossPercent >= 3 {
		return &Failed{"sound", fmt.Sprintf("%.1f %% of the packets were lost", h.LossPercent), "Speech suffers from 3 % on: look at the network in between."}
	}
	if h.Tone != phone.Tones[0] {
		return &Failed{"sound", "what came back is not the tone that was sent", "Something in between changes the sound."}
	}
	return nil
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

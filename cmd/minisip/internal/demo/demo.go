package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/phone"
	"minisip/sipmsg"
)

// Account is a user of the server.
type Account struct{ Name, Password string }

// Options say what is played, and where.
type Options struct {
	Server  netip.AddrPort
	Callers [2]Account    // who calls, and who answers
	Talk    time.Duration // how long they talk
	Out     io.Writer
}

// private is the address that both phones believe to have, as phones behind two home routers do.
var private = netip.MustParseAddr("192.168.1.2")

// rings is how long the phone rings before it is picked up.
const rings = 400 * time.Millisecond

// Run plays a call between two phones that believe to be at 192.168.1.2, as behind two NATs. An error says what was
// not as it should be.
func Run(ctx context.Context, o *Options) error {
	l := newLadder(o.Out)
	var phones [2]*phone.Phone
	for i, a := range o.Callers {
		p, err := phone.New(phone.Config{
			Server: o.Server, User: a.Name, Password: a.Password, Bind: loopback(i), Claim: private, Agent: "minisip demo", Watch: l.watch(i == 1),
		})
		if err != nil {
			return fmt.Errorf("cannot open a phone: %w", err)
		}
		defer p.Close()
		phones[i] = p
	}
	fmt.Fprintf(o.Out, "Two phones, and a NAT in front of each: both believe that their address is %s.\n\n", private)
	l.head(o.Callers[0].Name, o.Callers[1].Name)
	for i, p := range phones {
		if _, err := p.Register(ctx, time.Minute); err != nil {
			return fmt.Errorf("user %s could not register: %w", o.Callers[i].Name, err)
		}
	}
	heard, err := talk(ctx, o, l, phones)
	if err != nil {
		return err
	}
	for i, p := range phones {
		if _, err := p.Register(ctx, 0); err != nil {
			return fmt.Errorf("user %s could not unregister: %w", o.Callers[i].Name, err)
		}
	}
	repairs(o.Out, l)
	return report(o, heard)
}

// loopback is an address of its own for each phone, so that the server tells them apart as it does from afar.
func loopback(i int) netip.Addr {
	a := netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 2)})
	if p, err := phone.New(phone.Config{Server: netip.AddrPortFrom(a, 9), Bind: a}); err == nil {
		p.Close()
		return a
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1}) // where 127.0.0.2 is no address of the machine
}

// talk sets the call up, plays a tone each way, and hangs up.
func talk(ctx context.Context, o *Options, l *ladder, phones [2]*phone.Phone) (heard [2]phone.Heard, err error) {
	var calls [2]*phone.Call
	answered := make(chan error, 1)
	go func() {
		var err error
		calls[1], err = phones[1].Answer(ctx, rings)
		answered <- err
	}()
	if calls[0], err = phones[0].Call(ctx, o.Callers[1].Name); err != nil {
		return heard, fmt.Errorf("%s could not call %s: %w", o.Callers[0].Name, o.Callers[1].Name, err)
	}
	if err := <-answered; err != nil {
		return heard, fmt.Errorf("%s could not answer: %w", o.Callers[1].Name, err)
	}
	l.band("RTP 440 Hz, through the relay, RTP 880 Hz")
	phone.Talk(ctx, o.Talk, calls[0].Media(), calls[1].Media())
	for i, c := range calls {
		heard[i] = c.Media().Heard(false)
	}
	if err := calls[1].HangUp(ctx); err != nil {
		return heard, fmt.Errorf("%s could not hang up: %w", o.Callers[1].Name, err)
	}
	_, err = calls[0].Ended(ctx)
	return heard, err
}

// report says how the call sounded at both ends.
func report(o *Options, heard [2]phone.Heard) error {
	fmt.Fprintf(o.Out, "\nWhat they heard, through minisip's relay:\n")
	for i, h := range heard {
		tone := "no tone"
		if h.Tone > 0 {
			tone = fmt.Sprintf("%.0f Hz", h.Tone)
		}
		fmt.Fprintf(o.Out, "    %s hears %s: %s, %d packets, %.1f %% lost, jitter %.1f ms, MOS %.1f\n",
			o.Callers[i].Name, o.Callers[1-i].Name, tone, h.Packets, h.LossPercent, float64(h.Jitter)/float64(time.Millisecond), h.MOS)
	}
	if heard[0].Tone != phone.Tones[1] || heard[1].Tone != phone.Tones[0] {
		return errors.New("the call was set up, but a tone did not arrive: does a firewall on this machine drop UDP on the loopback interface?")
	}
	return nil
}

// repairs shows what the server changed on the way, in the caller's INVITE and its SDP: all that a NAT breaks.
func repairs(out io.Writer, l *ladder) {
	invite := func(sent bool) func(*phone.Message) bool {
		return func(m *phone.Message) bool {
			return m.Sent == sent && m.Method() == sipmsg.INVITE && m.IsRequest()
		}
	}
	before, after := l.last(false, invite(true)), l.last(true, invite(false))
	if before == nil || after == nil {
		return
	}
	fmt.Fprint(out, "\nWhat the NATs broke in the INVITE, and minisip repaired:\n")
	show := func(what, was, is string) {
		fmt.Fprintf(out, "    %-8s %s\n          -> %s\n", what, was, is)
	}
	show("Via", string(before.ViaValue().Bytes), string(lastVia(after)))
	show("Contact", string(before.Get(sipmsg.ContactHdr)), string(after.Get(sipmsg.ContactHdr)))
	for _, prefix := range []string{"c=", "m="} {
		show("SDP", sdpLine(before, prefix), sdpLine(after, prefix))
	}
}

func lastVia(m *sipmsg.Message) (via []byte) {
	for it := m.Values(sipmsg.ViaHdr); it.Next(); {
		via = it.Value().Bytes
	}
	return via
}

func sdpLine(m *sipmsg.Message, prefix string) string {
	for line := range strings.Lines(string(m.Body())) {
		if strings.HasPrefix(line, prefix) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

package proxy

import (
	"net/netip"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/sipmsg"
)

// SDP that cannot be read never passes: the phones would send past us, to addresses that they do not reach, and
// nobody would know why there is no sound. An offer in a request is refused with 488. A phone that answers a new call
// with such SDP is hung up, and to the caller that is a 502 (RFC 3261 21.5.3), unless another phone takes the call.
// From what cannot be refused (a 1xx, a 2xx inside a dialog, an ACK) the SDP is taken out: a phone that waits for it
// ends the call by itself (RFC 3261 13.2.2.4).

// refuseSDP notes that the request's SDP cannot be read, and gives the status that says so.
func (ctx *context) refuseSDP(why error) int {
	if ctx.warning == "" { // else another branch has met the same
		ctx.warning = warningOf(why)
		ctx.core.logf("call %s: SDP from %s is refused with 488: %v", ctx.call.number, ctx.tx.src, why)
		if ctx.initial {
			ctx.call.refusal = diagnosis.BadOffer
		}
	}
	return 488
}

// unreadable says why a 2xx that would begin a call has SDP that cannot pass.
func (b *branch) unreadable(in *inbound) error {
	if !b.ctx.initial {
		return nil
	}
	_, _, err := b.media.parse(in.Message)
	return err
}

// badGateway has a branch fail whose 2xx cannot pass.
func (b *branch) badGateway(in *inbound, why error) {
	ctx := b.ctx
	const status = 502
	b.status = status
	ctx.core.logf("call %s: %s answers with SDP that cannot pass, and is hung up: %v", ctx.call.number, in.src, why)
	if preference(status) < preference(ctx.bestStatus) {
		ctx.best, ctx.bestStatus, ctx.bestFrom = ctx.best[:0], status, nil
		ctx.warning = warningOf(why)
	}
	b.considerNothing(in.now)
}

// warningOf is the field that says to a phone what was wrong: RFC 3261 20.43, with the code for anything.
func warningOf(why error) string {
	return "Warning: 399 minisip \"" + why.Error() + "\"\r\n"
}

// takeOut takes the body out of a message of the call that came from src, for SDP in it that cannot pass.
func (k *call) takeOut(m *sipmsg.Message, src netip.AddrPort, why error) {
	k.core.logf("call %s: SDP from %s is taken out: %v", k.number, src, why)
	m.SetBody(nil)
	// RFC 3261 20.15: with an empty body, Content-Type would speak of one of that type.
	if i := m.Index(sipmsg.ContentTypeHdr); i >= 0 {
		m.RemoveHeader(i)
	}
}

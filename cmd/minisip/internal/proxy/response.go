package proxy

import (
	"bytes"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// responded implements clientUser: RFC 3261 16.7.
func (b *branch) responded(_ *clientTx, in *inbound) {
	status := in.Status()
	b.quiet = false
	switch {
	case status == 100:
		b.stopNow(in.now)
	case status < 200:
		b.stopNow(in.now)
		b.provisional(in)
	case status < 300:
		b.success(in)
	case b.flowFailed(status) && b.nextFlow(in.now, status):
	case status == 408 && !b.ctx.invite:
		b.status = status
		b.considerNothing(in.now) // RFC 4320 4.2: never sent on
	default:
		b.status = status
		b.failure(in)
	}
}

// failed implements clientUser: no response came.
func (b *branch) failed(_ *clientTx, now time.Time, act session.Action) {
	if act.Has(session.Expired) && !act.Has(session.Done) {
		b.stop(now) // timer C: RFC 3261 16.8
		return
	}
	if b.status != 0 {
		return
	}
	b.notAnswered()
	b.status = 408 // another flow of the phone has been tried long ago: see silent
	b.considerNothing(now)
}

func (b *branch) provisional(in *inbound) {
	ctx := b.ctx
	if ctx.done || !ctx.invite || b.status != 0 {
		return // RFC 4320 4.1: nothing but 100 goes up for anything else
	}
	b.progress(in)
	ctx.tx.respond(in.now, in.Status(), b.responseUp(in))
}

// success forwards a 2xx at once: RFC 3261 16.7 step 5, for INVITE every one of them.
func (b *branch) success(in *inbound) {
	ctx := b.ctx
	first, failed := b.status == 0, ctx.invite && b.status >= 300 // given up, or by badGateway
	if !failed {
		b.status = in.Status()
	}
	if failed || ctx.done && (!ctx.invite || ctx.tx.State() != session.Accepted) {
		if ctx.invite {
			b.dropMedia()
			b.hangUpOrphan(in)
		}
		return
	}
	if !ctx.invite {
		ctx.accepted(in)
	} else if b.copied(in) {
		ctx.core.drop(Copy)
		return
	} else if why := b.unreadable(in); why != nil {
		b.hangUpOrphan(in)
		if first {
			b.badGateway(in, why)
		}
		return
	} else if !b.established(in) {
		b.hangUpOrphan(in)
		if first {
			b.considerNothing(in.now)
		}
		return
	}
	out := b.responseUp(in)
	if ctx.call != nil {
		ctx.call.watch(in.now) // by now it is known whether the call is held
	}
	ctx.finish(in.now, in.Status(), out)
}

// copied says whether the 2xx in, which is to pass now, has just passed: one that comes sooner than a
// retransmission timer allows was made by the network.
func (b *branch) copied(in *inbound) bool {
	b.again = !b.passed2xx.IsZero() && string(in.ToTag()) == b.passedTag
	if b.ctx.core.cfg.Duplicate && b.again && in.now.Sub(b.passed2xx) < soonest {
		return true
	}
	b.passed2xx = in.now
	learn(&b.passedTag, in.ToTag())
	return false
}

// soonest is the shortest time after which a phone repeats a message on purpose.
const soonest = 400 * time.Millisecond

// failure takes a response of 300 and above.
func (b *branch) failure(in *inbound) {
	ctx := b.ctx
	b.dropMedia()
	if ctx.done {
		if !ctx.open() {
			ctx.release()
		}
		return
	}
	if in.Status() >= 600 {
		// RFC 3261 16.7 step 5: the others "SHOULD" be cancelled and no new branch made.
		ctx.later = nil
		ctx.settledBy(in.Status())
		ctx.cancelBranches(in.now)
	}
	ctx.gather(in)
	last := !ctx.open() && len(ctx.later) == 0
	better := ctx.preference(in.Status()) < ctx.preference(ctx.bestStatus)
	switch {
	case last && better:
		b.forwardFinal(in)
	case last:
		ctx.forwardBest(in.now)
	default:
		if better {
			ctx.best = append(ctx.best[:0], in.Bytes()...)
			ctx.bestStatus, ctx.bestFrom, ctx.bestMark = in.Status(), b, in.mark
		}
		ctx.tryNext(in.now)
	}
}

// considerNothing takes a branch that brought no final response.
func (b *branch) considerNothing(now time.Time) {
	ctx := b.ctx
	b.dropMedia()
	switch {
	case ctx.done:
		if !ctx.open() {
			ctx.release()
		}
	case ctx.tryNext(now), ctx.open():
	default:
		ctx.forwardBest(now)
	}
}

// preference orders final responses as RFC 3261 16.7 step 6 wants: lowest wins. 6xx
// first, then the lowest class, and in 4xx those that tell the phone what to change.
func preference(status int) int {
	switch {
	case status == 0:
		return 1 << 20
	case status >= 600:
		return status - 600
	case status >= 400 && retries(status):
		return 3999
	case status == 408, status == 430:
		return 4999 // somebody who answered knows more than nobody
	case status == 503:
		return 5999
	default:
		return status * 10
	}
}

// preference is that for this request: a caller who has cancelled it is not to be told to try again.
func (ctx *context) preference(status int) int {
	if ctx.cancelled && retries(status) {
		return 4998
	}
	return preference(status)
}

// retries says whether a phone that gets a status may try again by itself, in another way or elsewhere.
func retries(status int) bool {
	switch status {
	case 401, 407, 415, 420, 421, 422, 484:
		return true
	}
	return 300 <= status && status < 400
}

// forwardFinal forwards the response that just came.
func (b *branch) forwardFinal(in *inbound) {
	ctx, status := b.ctx, in.Status()
	if status == 503 || status == 430 || status == 408 && ctx.cancelled {
		ctx.bestStatus = status
		ctx.forwardBest(in.now)
		return
	}
	ctx.finish(in.now, status, b.responseUp(in))
}

// forwardBest forwards the best response kept, or one of our own where there is none.
func (ctx *context) forwardBest(now time.Time) {
	c := ctx.core
	switch {
	case ctx.cancelled && (ctx.bestStatus == 0 || ctx.bestStatus == 408 || retries(ctx.bestStatus)):
		ctx.answer(now, 487, "")
	case ctx.bestStatus == 503:
		// RFC 3261 16.7 step 6: a 503 is about that phone's server, not about us.
		ctx.answer(now, 500, "")
	case ctx.bestStatus == 502 && ctx.bestFrom == nil:
		ctx.call.refusal = diagnosis.BadAnswer
		ctx.answer(now, 502, ctx.warning)
	case ctx.bestStatus == 430:
		// RFC 5626 11.5: a 430 is for proxies alone; a phone never gets one.
		ctx.answer(now, 480, "")
	case ctx.bestStatus == 0 && ctx.invite:
		ctx.answer(now, 408, "")
	case ctx.bestStatus == 0:
		// RFC 4320 4.2: no 408 for anything but INVITE: it would come too late.
		ctx.done = true
		ctx.tx.giveUp(now)
		ctx.settled(now, 408)
		ctx.release()
	default:
		c.stored.Parse(ctx.best) // which was sound when it came
		in := &inbound{Message: &c.stored, mark: ctx.bestMark, now: now, src: ctx.bestFrom.to, local: ctx.bestFrom.local}
		ctx.finish(now, ctx.bestStatus, ctx.bestFrom.responseUp(in))
	}
}

// gather keeps the challenges of 401 and 407: RFC 3261 16.7 step 7.
func (ctx *context) gather(in *inbound) {
	if in.Status() != 401 && in.Status() != 407 {
		return
	}
	for i := range in.NumHeaders() {
		h := in.Header(i)
		if (h.ID == sipmsg.WWWAuthenticateHdr || h.ID == sipmsg.ProxyAuthenticateHdr) && len(ctx.challenges) < maxChallenges {
			ctx.challenges = append(ctx.challenges, in.AppendHeader(nil, i))
		}
	}
}

const maxChallenges = 20

// responseUp rewrites a response for its way upstream: RFC 3261 16.7 steps 3, 7 and 8,
// and what NAT needs. The result is scratch space.
func (b *branch) responseUp(in *inbound) []byte {
	ctx := b.ctx
	c := ctx.core
	in.ResetEdits()
	in.SetVersion()
	in.Remove(in.ViaValue())
	dropIdentities(in.Message, b.target.user)
	if in.Status() < 300 {
		if in.Status() >= 200 {
			ctx.addInterval(in.Message)
		}
		if c.cfg.Contact && in.Index(sipmsg.ContactHdr) >= 0 && !b.throughProxy(in) {
			nat.FixContact(in.Message, in.src)
		}
		b.relayResponse(in)
	} else if in.Status() == 401 || in.Status() == 407 {
		ctx.addChallenges(in)
	}
	c.buf = in.AppendTo(c.buf[:0])
	c.madeOf(in.Bytes(), in.mark.id)
	return c.buf
}

// throughProxy says whether a proxy stands between us and who sent a response: the request went along Routes,
// or somebody has put his Record-Route on top of ours.
func (b *branch) throughProxy(in *inbound) bool {
	return b.routed || b.behind(in) > 0
}

// addChallenges puts the challenges of all branches in place of this one's own.
func (ctx *context) addChallenges(in *inbound) {
	if len(ctx.branches) == 1 {
		return
	}
	for i := range in.NumHeaders() {
		if id := in.Header(i).ID; id == sipmsg.WWWAuthenticateHdr || id == sipmsg.ProxyAuthenticateHdr {
			in.RemoveHeader(i)
		}
	}
	for _, line := range ctx.challenges {
		name, value := cutHeader(line)
		in.Append(name, value)
	}
}

// cutHeader splits one header line.
func cutHeader(line []byte) (name string, value []byte) {
	n, v, _ := bytes.Cut(line, []byte(":"))
	return string(bytes.TrimSpace(n)), bytes.TrimSpace(v)
}

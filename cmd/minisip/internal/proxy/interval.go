package proxy

import (
	"strconv"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// minInterval is the shortest session interval that passes, in seconds. RFC 4028 4: "The
// absolute minimum for the Session-Expires header field is 90 seconds."
const minInterval = 90

// deltaSeconds reads the number at the start of a Session-Expires or Min-SE, and gives what
// follows it.
func deltaSeconds(m *sipmsg.Message, id sipmsg.ID) (n uint64, params []byte, ok bool) {
	if m.Index(id) < 0 {
		return 0, nil, false
	}
	v := m.Get(id)
	end := 0
	for end < len(v) && v[end] >= '0' && v[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(string(v[:end]), 10, 31)
	return n, v[end:], err == nil
}

// briefInterval says whether a request asks for a session interval below ours.
func briefInterval(m *sipmsg.Message) bool {
	if !refreshes(m.Method()) {
		return false
	}
	n, _, ok := deltaSeconds(m, sipmsg.SessionExpiresHdr)
	return ok && n < minInterval
}

// refreshes lists the requests that can refresh a session: RFC 4028 3.
func refreshes(m sipmsg.Method) bool { return m == sipmsg.INVITE || m == sipmsg.UPDATE }

// hasTimer says whether the sender of m can ask again with a longer interval.
func hasTimer(m *sipmsg.Message) bool { return lists(m, sipmsg.SupportedHdr, "timer") }

// refuseInterval answers 422 to a session interval that is too small, with Min-SE, where the
// sender supports session timers: RFC 4028 8.1.
func (c *Core) refuseInterval(in *inbound) bool {
	if !briefInterval(in.Message) || !hasTimer(in.Message) {
		return false
	}
	c.reply(in, 422, "", "Min-SE: "+strconv.Itoa(minInterval)+"\r\n")
	return true
}

// raiseInterval helps where the sender does not, RFC 4028 8.1: the proxy inserts Min-SE or
// increases it, "but MUST NOT decrease" it, and then makes Session-Expires equal to it.
func raiseInterval(m *sipmsg.Message) {
	if !briefInterval(m) || hasTimer(m) {
		return
	}
	n, _, ok := deltaSeconds(m, sipmsg.MinSEHdr)
	if !ok || n < minInterval {
		n = minInterval
		value := []byte(strconv.Itoa(minInterval))
		if i := m.Index(sipmsg.MinSEHdr); i >= 0 {
			m.SetHeader(i, value)
		} else {
			m.Append("Min-SE", value)
		}
	}
	_, params, _ := deltaSeconds(m, sipmsg.SessionExpiresHdr)
	m.SetHeader(m.Index(sipmsg.SessionExpiresHdr), append(strconv.AppendUint(nil, n, 10), params...))
}

// asksInterval is the session interval that a request asks for, if its sender can refresh the session himself; else 0.
func asksInterval(m *sipmsg.Message) uint64 {
	if !refreshes(m.Method()) || !hasTimer(m) {
		return 0
	}
	n, _, _ := deltaSeconds(m, sipmsg.SessionExpiresHdr)
	return n
}

// agreed notes the session interval in a 2xx to INVITE or UPDATE: RFC 4028 8.2. One without it is from a phone that
// knows no session timers; then it is for the one who asked to refresh the session, if he can. If not,
// the session does not expire.
func (d *dialog) agreed(ctx *context, in *inbound) {
	if !refreshes(in.Method()) {
		return
	}
	n, _, ok := deltaSeconds(in.Message, sipmsg.SessionExpiresHdr)
	if !ok {
		n = ctx.interval
	}
	d.interval = time.Duration(n) * time.Second
}

// addInterval tells who asked for a session interval that he is to refresh the session, where a 2xx has come without
// one. RFC 4028 8.2: the first proxy that it comes to "MUST insert a Session-Expires header field into the response with
// the value it remembered", refresher "uac", and Require: timer.
func (ctx *context) addInterval(m *sipmsg.Message) {
	if ctx.interval == 0 || m.Index(sipmsg.SessionExpiresHdr) >= 0 {
		return
	}
	m.Append("Require", []byte("timer"))
	m.Append("Session-Expires", append(strconv.AppendUint(nil, ctx.interval, 10), ";refresher=uac"...))
}

// expires is after how long without a refresh all sessions of the call have expired, with
// some time for what is under way; most, and false, where that is sooner or one of them has no interval.
func (k *call) expires(most time.Duration) (limit time.Duration, expired bool) {
	var longest time.Duration
	for _, d := range k.dialogs {
		switch {
		case !d.live():
		case d.interval == 0:
			return most, false
		default:
			longest = max(longest, d.interval)
		}
	}
	if limit = longest + session.Lifetime; longest == 0 || most <= limit {
		return most, false
	}
	return limit, true
}

package proxy

import (
	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// rewrite puts our legs into the SDP that side from sends in m, opening what is missing;
// in an answer, what it refuses is closed (RFC 3264 6). An error leaves m as it is.
func (md *media) rewrite(m *sipmsg.Message, from session.Role, answer bool) (hasSDP bool, err error) {
	if md != nil && md.closed {
		return false, md.repeat(m, from)
	}
	part, ok, err := md.parse(m)
	if !ok || err != nil {
		return false, err
	}
	c, to := md.call.core, from.Other()
	if answer {
		md.cut(from, md.offered[to])
	} else {
		md.settle(from)
		md.offered[from] = len(c.sdp.Streams)
	}
	c.legs = c.legs[:0]
	for i := range c.sdp.Streams {
		leg, err := md.stream(i, &c.sdp.Streams[i], from, answer)
		switch {
		case err == nil:
		case m.IsRequest():
			return true, err
		default: // an offer that nobody can refuse any more goes on without what there are no ports for
			c.logf("call %s: %s: a stream of %s is switched off", md.call.number, whyNoStream(err), md.ends[from].signal)
			leg = nat.Leg{Refused: true}
		}
		c.legs = append(c.legs, leg)
	}
	md.learnICE(from)
	if answer && !md.preview {
		for i := len(c.sdp.Streams); i < len(md.streams); i++ {
			md.leave(i, from) // not answered, so refused
		}
		md.settle(to)
		md.settle(from) // what it has agreed to outlives the refusal of an offer that it had made before
		md.asked[from] = false
	}
	md.put(m, part, to)
	return true, nil
}

// cut leaves n streams in the SDP that side from has sent. RFC 3264 6: an answer has as many m= lines as its offer. The
// surplus goes: with port 0 it would be no answer either, and as it came it would lead media past us.
func (md *media) cut(from session.Role, n int) {
	c := md.call.core
	if has := len(c.sdp.Streams); has > n {
		c.logf("call %s: SDP from %s has %d streams where %d were offered: the others are taken out", md.call.number, md.ends[from].signal, has, n)
		c.sdp.Cut(n)
		c.sdpText = nil
	}
}

// repeat puts the legs that there are into SDP that side from has sent before, or that comes when the call is over: then
// there are none, and as it came it would lead media past us.
func (md *media) repeat(m *sipmsg.Message, from session.Role) error {
	part, ok, err := md.parse(m)
	if !ok || err != nil {
		return err
	}
	c, to := md.call.core, from.Other()
	if !md.closed {
		md.cut(from, max(md.offered[from], md.offered[to]))
	}
	c.legs = c.legs[:0]
	for i := range c.sdp.Streams {
		var leg nat.Leg
		switch st := &c.sdp.Streams[i]; {
		case !st.Relayable:
		case i < len(md.streams) && md.streams[i].Stream != nil:
			// An offer that waits for its answer is still one to do ICE.
			ice := &md.streams[i].ice[to]
			leg = md.streams[i].towards(to, st, c.cfg.ICE && (ice.pwd != "" || md.asked[to] && ice.Ufrag != ""))
		default:
			leg.Refused = true
		}
		c.legs = append(c.legs, leg)
	}
	md.put(m, part, to)
	return nil
}

// parse reads the SDP in m into the core's, if there is any to be rewritten.
func (md *media) parse(m *sipmsg.Message) (part nat.Part, ok bool, err error) {
	if md == nil || !negotiates(m.Method()) {
		return part, false, nil
	}
	if part, ok = nat.FindSDP(m); ok {
		err = md.call.core.parseSDP(part.SDP())
	}
	return part, ok, err
}

// parseSDP reads a session description, if it is not the one that was read last.
func (c *Core) parseSDP(text []byte) error {
	if len(text) > 0 && len(text) == len(c.sdpText) && &text[0] == &c.sdpText[0] {
		return nil
	}
	c.sdpText = nil
	if err := c.sdp.Parse(text); err != nil {
		return err
	}
	c.sdpText = text
	return nil
}

// put writes the SDP just parsed into m again, with the core's legs at our address towards side to.
func (md *media) put(m *sipmsg.Message, part nat.Part, to session.Role) {
	c := md.call.core
	for i := range c.legs {
		if l := &c.legs[i]; l.Port != 0 || l.Refused {
			l.Addr = md.address(i, to)
		}
	}
	c.sdpOut = c.sdp.AppendRewritten(c.sdpOut[:0], c.legs)
	c.bodyOut = nat.ReplaceSDP(m, part, c.sdpOut, c.bodyOut)
}

// negotiates lists the methods whose bodies are offers and answers: RFC 3261 13.2.1, 3262 5, 3311.
func negotiates(m sipmsg.Method) bool {
	return m == sipmsg.INVITE || m == sipmsg.ACK || m == sipmsg.PRACK || m == sipmsg.UPDATE
}

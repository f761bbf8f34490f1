package proxy

import (
	"encoding/base64"

	"minisip/nat"
	"minisip/session"
)

// ICE is what one leg answers connectivity checks by: RFC 8445 7.3. The zero ICE: by nothing.
type ICE struct {
	Ufrag, Pwd string // ours
	Peer       string // the phone's ufrag; "": not known yet
}

// iceLeg is ICE between one leg of a stream and its phone. The two legs know nothing of
// each other's: RFC 8445 2.5 gives each phone an ICE-lite agent to talk to.
type iceLeg struct {
	ICE
	pwd string // the phone's; "": it has not said that it does ICE
}

// ability is what a side's latest SDP says of ICE, or before that its registration.
type ability uint8

const (
	unknown ability = iota
	unable
	able
)

// hearICE takes in what side from says of ICE for a stream, and tells its leg. Our
// credentials live as long as the leg, unless an offer restarts ICE by new ones (RFC 8445
// 9): then the answer has new ones too. An answer can only take ICE that was offered.
func (md *media) hearICE(s *relayedStream, st *nat.Stream, from session.Role, answer bool) {
	c, l := md.call.core, s.ice[from]
	switch {
	case !c.cfg.ICE, !st.ICE(), answer && l.Ufrag == "":
		l = iceLeg{}
	case l.Ufrag == "", !answer && l.pwd != "" && (l.pwd != string(st.Pwd) || l.Peer != string(st.Ufrag)):
		l = c.newICE()
		fallthrough
	default:
		l.Peer, l.pwd = string(st.Ufrag), string(st.Pwd)
	}
	s.setICE(from, l)
}

// offersICE says whether the SDP for side to shall make its leg an ICE-lite agent: in an
// answer, where the offer was ICE; in an offer, where the phone is known to do ICE, or the
// other one offers it and this one has not shown yet that it does none.
func (md *media) offersICE(s *relayedStream, st *nat.Stream, to session.Role, answer bool) bool {
	l := s.ice[to]
	switch {
	case l.pwd != "" && md.call.core.cfg.ICE:
		return true
	case !md.call.core.cfg.ICE || answer || md.ability[to] == unable || md.ability[to] == unknown && !st.ICE():
		s.setICE(to, iceLeg{})
		return false
	case l.Ufrag == "":
		s.setICE(to, md.call.core.newICE())
	}
	return true
}

// learnICE notes whether the phone of side from does ICE.
func (md *media) learnICE(from session.Role) {
	c := md.call.core
	for i := range c.sdp.Streams {
		if st := &c.sdp.Streams[i]; st.ICE() {
			md.ability[from] = able
			return
		} else if st.Relayable {
			md.ability[from] = unable
		}
	}
}

// setICE tells the leg of a side, if it is news.
func (s *relayedStream) setICE(side session.Role, l iceLeg) {
	if s.ice[side].ICE != l.ICE {
		s.SetICE(side, l.ICE)
	}
	s.ice[side] = l
}

// newICE draws credentials. RFC 8445 5.3 wants 24 random bits in a ufrag, 128 in a password;
// the letters of base64 are just those that RFC 8839 5.4 allows.
func (c *Core) newICE() (l iceLeg) {
	var b [24]byte
	c.rnd.Read(b[:])
	text := base64.StdEncoding.EncodeToString(b[:])
	l.Ufrag, l.Pwd = text[:8], text[8:]
	return l
}

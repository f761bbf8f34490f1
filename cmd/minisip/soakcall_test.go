package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// newLeg opens a phone's side of a call with a socket for its media.
func (p *soakPhone) newLeg(callID string) (*soakLeg, error) {
	rtp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	l := &soakLeg{p: p, callID: callID, rtp: rtp,
		acked: make(chan struct{}), over: make(chan struct{}), taken: make(chan struct{})}
	p.mu.Lock()
	p.legs[callID] = l
	p.mu.Unlock()
	go func() {
		b := make([]byte, 2048)
		for {
			if _, err := rtp.Read(b); err != nil {
				return
			}
			l.heard.Add(1)
		}
	}()
	return l, nil
}

// end closes the leg.
func (l *soakLeg) end() {
	l.once[0].Do(func() { close(l.over) })
	l.rtp.Close()
	l.p.mu.Lock()
	delete(l.p.legs, l.callID)
	l.p.mu.Unlock()
}

func (l *soakLeg) sdp() string {
	at := l.rtp.LocalAddr().(*net.UDPAddr)
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\n", at.Port)
}

// mediaOf is where the SDP in a message wants audio.
func mediaOf(m string) (at netip.AddrPort) {
	ip, _ := netip.ParseAddr(wordAfter(m, "c=IN IP4 "))
	port, _ := strconv.ParseUint(wordAfter(m, "m=audio "), 10, 16)
	return netip.AddrPortFrom(ip, uint16(port))
}

func wordAfter(m, name string) string {
	_, rest, _ := strings.Cut(m, name)
	if f := strings.Fields(rest); len(f) > 0 {
		return f[0]
	}
	return ""
}

// talk sends a packet of audio every 20 ms until the call is over.
func (l *soakLeg) talk() {
	b := make([]byte, 172)
	b[0] = 0x80
	binary.BigEndian.PutUint32(b[8:], uint32(l.rtp.LocalAddr().(*net.UDPAddr).Port))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for seq := uint16(1); ; seq++ {
		select {
		case <-l.over:
			return
		case <-tick.C:
		}
		binary.BigEndian.PutUint16(b[2:], seq)
		binary.BigEndian.PutUint32(b[4:], uint32(seq)*160)
		if _, err := l.rtp.WriteToUDPAddrPort(b, l.peer); err != nil {
			return
		}
		l.sent.Add(1)
	}
}

// hangUp sends BYE, and says whether it was answered.
func (l *soakLeg) hangUp() bool {
	l.cseq++
	m := withBody(l.p.head("BYE", l.target, l.from, l.to, l.callID, l.cseq, l.routes), "")
	ok := strings.HasPrefix(l.p.ask(m, 0), "SIP/2.0 200 ")
	l.end()
	return ok
}

// asked answers what others ask, a copy as what it is a copy of.
func (p *soakPhone) asked(m string) {
	key := transactionOf(m)
	method, _, _ := strings.Cut(m, " ")
	p.mu.Lock()
	reply, leg := p.replies[key], p.legs[soakField(m, "Call-ID")]
	if len(p.replies) > 1000 {
		clear(p.replies)
	}
	p.mu.Unlock()
	switch {
	case method == "ACK":
		if leg != nil {
			leg.once[1].Do(func() { close(leg.acked) })
		}
	case reply != "":
		p.send(reply)
	case method == "INVITE":
		p.ring(m, key)
	case method == "CANCEL":
		p.reply(m, key, "200 OK", "")
		if leg != nil {
			leg.once[2].Do(func() { close(leg.taken) })
		}
	case method == "BYE" && leg == nil:
		p.reply(m, key, "481 Call/Transaction Does Not Exist", "")
	case method == "BYE":
		p.reply(m, key, "200 OK", "")
		leg.end()
	default:
		p.reply(m, key, "200 OK", "")
	}
}

// reply answers a request, and the same to its copies.
func (p *soakPhone) reply(m, key, status, body string) string {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for line := range strings.Lines(m[:strings.Index(m, "\r\n\r\n")+2]) {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Via", "Record-Route", "From", "Call-ID", "CSeq":
			b.WriteString(line)
		case "To":
			if !strings.Contains(value, ";tag=") && !strings.HasPrefix(status, "100") {
				line = "To: " + strings.TrimSpace(value) + ";tag=" + p.user + "\r\n"
			}
			b.WriteString(line)
		}
	}
	fmt.Fprintf(&b, "Contact: <sip:%s@%s>\r\n", p.user, p.conn.LocalAddr())
	r := withBody(b.String(), body)
	p.mu.Lock()
	p.replies[key] = r
	p.mu.Unlock()
	p.send(r)
	return r
}

// ring does with a call what its Subject asks for: answers it, hangs it up in the end, is busy, or rings on.
func (p *soakPhone) ring(m, key string) {
	what := soakField(m, "Subject")
	if what == "busy" {
		p.reply(m, key, "486 Busy Here", "")
		return
	}
	l, err := p.newLeg(soakField(m, "Call-ID"))
	if err != nil {
		p.reply(m, key, "500 Server Internal Error", "")
		return
	}
	p.reply(m, key, "180 Ringing", "")
	if what == "ring" {
		go func() {
			select {
			case <-l.taken:
			case <-time.After(time.Minute):
			}
			p.reply(m, key, "487 Request Terminated", "")
			l.end()
		}()
		return
	}
	ok := p.reply(m, key, "200 OK", l.sdp())
	l.from, l.to = soakField(ok, "To"), soakField(ok, "From")
	l.target, l.routes = uriIn(soakField(m, "Contact")), routesOf(m, false)
	l.peer = mediaOf(m)
	go l.talk()
	go l.answer(ok, strings.HasPrefix(what, "hangup"))
}

// answer repeats the 200 until its ACK comes, and hangs up after a while where the callee shall.
func (l *soakLeg) answer(ok string, hangUp bool) {
	for gap, waited := soakT1, time.Duration(0); waited < soakGiveUp; gap = min(2*gap, soakT2) {
		select {
		case <-l.acked:
			if hangUp {
				select {
				case <-time.After(soakTalk):
					l.hangUp()
				case <-l.over:
				}
			}
			return
		case <-l.over:
			return
		case <-time.After(gap):
			waited += gap
			l.p.send(ok)
		}
	}
	l.end()
}

// routesOf are the Record-Routes of a message as Route fields, in reverse for the caller.
func routesOf(m string, reverse bool) (routes string) {
	for line := range strings.Lines(m) {
		if value, ok := strings.CutPrefix(line, "Record-Route: "); ok && reverse {
			routes = "Route: " + value + routes
		} else if ok {
			routes += "Route: " + value
		}
	}
	return routes
}

// uriIn gives what stands between < and >.
func uriIn(s string) string {
	_, rest, _ := strings.Cut(s, "<")
	uri, _, _ := strings.Cut(rest, ">")
	return uri
}

// soakTalk is how long a call is talked in.
const soakTalk = 3 * time.Second

// call calls a user. It gives the leg of an answered call, or how it ended.
func (p *soakPhone) call(to, what string, ring time.Duration) (*soakLeg, string) {
	callID := "call-" + p.next()
	l, err := p.newLeg(callID)
	if err != nil {
		return nil, err.Error()
	}
	uri := fmt.Sprintf("sip:%s@minisip", to)
	l.from = fmt.Sprintf("<sip:%s@minisip>;tag=c", p.user)
	m, r := p.prove("INVITE", uri, l.from, "<"+uri+">", callID, "Subject: "+what+"\r\n", l.sdp(), ring)
	if !strings.HasPrefix(r, "SIP/2.0 2") {
		l.end()
		status, _, _ := strings.Cut(r, "\r\n")
		return nil, strings.TrimPrefix(status, "SIP/2.0 ")
	}
	l.to, l.target, l.routes = soakField(r, "To"), uriIn(soakField(r, "Contact")), routesOf(r, true)
	l.cseq, _ = strconv.Atoi(wordAfter(m, "CSeq: "))
	ack := withBody(p.head("ACK", l.target, l.from, l.to, l.callID, l.cseq, l.routes), "")
	p.send(ack)
	p.keepAcking(transactionOf(m), ack)
	l.peer = mediaOf(r)
	go l.talk()
	return l, ""
}

// keepAcking answers copies of a 2xx with the ACK: RFC 3261 13.2.2.4.
func (p *soakPhone) keepAcking(key, ack string) {
	wait := make(chan string, 16)
	p.mu.Lock()
	p.waits[key] = wait
	p.mu.Unlock()
	go func() {
		late := time.After(soakGiveUp)
		for {
			select {
			case <-wait:
				p.send(ack)
			case <-late:
				p.mu.Lock()
				delete(p.waits, key)
				p.mu.Unlock()
				return
			}
		}
	}()
}

package diagnosis

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

var begun = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// usual is a call of two minutes between two phones behind NATs in which nothing goes wrong.
func usual() *Call {
	return &Call{
		Caller: Party{User: "001", Addr: netip.MustParseAddrPort("198.51.100.7:31022"), Contact: "192.168.1.2", Via: "192.168.1.2", Signalled: netip.MustParseAddrPort("192.168.1.2:4000"), SDP: true},
		Callee: Party{User: "002", Addr: netip.MustParseAddrPort("192.0.2.9:5060"), Contact: "192.168.1.5", Signalled: netip.MustParseAddrPort("192.168.1.5:4002"), SDP: true},
		Begun:  begun, Rang: at(1), Answered: at(4), Now: at(124), Ended: true,
		Repairs: Repairs{Contact: true, SDP: true, Via: true}, Ports: "10000-20000",
		Steps: script(`
			0 caller > INVITE
			0 caller < INVITE 407
			0 caller > ACK
			0 caller > INVITE
			0 callee < INVITE
			1 callee > INVITE 180
			1 caller < INVITE 180
			4 callee > INVITE 200
			4 caller < INVITE 200
			4 caller > ACK
			4 callee < ACK
			124 caller > BYE
			124 callee < BYE
			124 callee > BYE 200
			124 caller < BYE 200`),
		Media: []Direction{
			{Side: Caller, Kind: "audio", Packets: 6000, MOS: 4.4, First: at(4), Last: at(124)},
			{Side: Callee, Kind: "audio", Packets: 6000, MOS: 4.4, First: at(4), Last: at(124)},
		},
	}
}

func at(seconds int) time.Time { return begun.Add(time.Duration(seconds) * time.Second) }

// script reads steps, one a line: when, whose, > received or < sent, method, status of a
// response; "again" marks repetitions, "xN" says how many, "size=N" how many bytes.
func script(text string) (steps []Step) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 4 {
			continue
		}
		var s Step
		var seconds int
		fmt.Sscan(words[0], &seconds)
		s.At, s.Received, s.Method, s.Size = at(seconds), words[2] == ">", words[3], 700
		s.Side = map[string]Side{"caller": Caller, "callee": Callee, "stranger": Elsewhere}[words[1]]
		times := 1
		for _, w := range words[4:] {
			switch {
			case w == "again":
				s.Again = true
			case w[0] == 'x':
				fmt.Sscan(w[1:], &times)
			case strings.HasPrefix(w, "size="):
				fmt.Sscan(w[len("size="):], &s.Size)
			default:
				fmt.Sscan(w, &s.Status)
			}
		}
		for range times {
			steps = append(steps, s)
			s.At = s.At.Add(4 * time.Second)
		}
	}
	return steps
}

// unansweredCall is one that rings and gets no further, with more steps.
func unansweredCall(c *Call, more string) {
	c.Answered, c.Media = time.Time{}, nil
	c.Steps = script("0 caller > INVITE\n0 callee < INVITE\n1 callee > INVITE 180\n1 caller < INVITE 180\n" + more)
}

// refusedCall is one that the called phone refuses.
func refusedCall(c *Call, status int) {
	c.Rang, c.Status = time.Time{}, status
	unansweredCall(c, fmt.Sprintf("2 callee > INVITE %d\n2 caller < INVITE %[1]d", status))
}

// ours is one that we refuse.
func ours(c *Call, why Refusal, status int) {
	c.Rang, c.Answered, c.Media, c.Refused, c.Status = time.Time{}, time.Time{}, nil, why, status
	c.Steps = script(fmt.Sprintf("0 caller > INVITE\n0 caller < INVITE 407\n0 caller > ACK\n0 caller > INVITE\n0 caller < INVITE %d", status))
}

var troubles = []struct {
	name  string
	make  func(c *Call)
	codes string // of all findings, the gravest first
	text  string // of the first
}{
	{"nothing wrong", func(c *Call) {}, "", ""},
	{"a call still up", func(c *Call) { c.Ended, c.Steps = false, c.Steps[:11] }, "", ""},
	{"too short to tell", func(c *Call) {
		c.Now = at(5)
		c.Media[0].Packets, c.Media[1].Packets = 0, 0
	}, "", ""},

	{"ACK to a private Contact", func(c *Call) {
		c.Repairs.Contact = false
		c.Steps = script("0 caller > INVITE\n0 callee < INVITE\n4 callee > INVITE 200\n4 caller < INVITE 200\n5 callee > INVITE 200 again x6\n36 callee > BYE")
	}, "contact-private", "The ACK of 001 never came: it went to the Contact 192.168.1.5 of 002, which cannot be reached from outside, and re_contact is off."},
	{"200 to a port that the NAT does not know", func(c *Call) {
		c.Repairs.Via = false
		c.Steps = script("0 caller > INVITE\n0 callee < INVITE\n4 callee > INVITE 200 \n5 callee > INVITE 200 again x3\n5 caller < INVITE 200 again x3")
	}, "via-private", "The ACK of 001 never came: our 200 went to port 31022 as its Via says, which its NAT does not know, and re_via is off."},
	{"no ACK, and no reason known", func(c *Call) {
		c.End = Silence
		c.Steps = script("0 caller > INVITE\n0 callee < INVITE\n4 callee > INVITE 200\n5 callee > INVITE 200 again x6\n5 caller < INVITE 200 again x6")
	}, "ack-missing", "002 answered, and the ACK of 001 never came, though the 200 was sent 7 times: our answers do not reach it, or its ACK does not reach us."},
	{"the ACK does not reach the called phone", func(c *Call) {
		c.Steps = append(c.Steps, script("6 callee > INVITE 200 again x4\n6 caller > ACK again x4\n6 callee < ACK again x4")...)
	}, "ack-lost", "The phone of 002 repeats its answer though the ACK went to 192.0.2.9:5060 5 times: it does not get there."},

	{"the ACK does not reach the called phone, and is not given again", func(c *Call) {
		c.Steps = append(c.Steps, script("6 callee > INVITE 200 again x7")...)
	}, "ack-lost", "The phone of 002 repeats its answer though the ACK went to 192.0.2.9:5060 once: it does not get there."},
	{"the ACK does not reach the called phone yet", func(c *Call) {
		c.Now, c.Ended = at(13), false
		c.Steps = append(c.Steps[:11], script("6 callee > INVITE 200 again x2\n6 caller > ACK again x2\n6 callee < ACK again x2")...)
	}, "ack-lost", "The phone of 002 repeats its answer though the ACK went to 192.0.2.9:5060 3 times: it does not get there."},
	{"an ACK is lost, and another one after a re-INVITE", func(c *Call) {
		c.Now, c.Ended = at(12), false
		c.Steps = append(c.Steps[:11], script(`
			6 callee > INVITE 200 again
			6 callee < ACK again
			9 callee < INVITE
			9 callee > INVITE 200
			10 callee > INVITE 200 again x2
			11 callee < ACK`)...)
	}, "", ""},
	{"the ACK reaches the called phone at the third try", func(c *Call) {
		c.Steps = append(c.Steps, script("6 callee > INVITE 200 again x2\n6 caller > ACK again x2\n6 callee < ACK again x2")...)
	}, "", ""},

	{"wrong password", func(c *Call) {
		ours(c, WrongPassword, 407)
	}, "wrong-password", "Challenged twice, and the answer of 001 did not fit: the phone has a wrong password, or a wrong authentication name."},
	{"credentials of an algorithm that is not offered", func(c *Call) { ours(c, NotOffered, 407) },
		"algorithm-not-offered", "The phone of 001 has the right password, but answered with an algorithm that -digest does not offer."},
	{"credentials for another URI", func(c *Call) { ours(c, OtherURI, 407) },
		"other-uri", "The phone of 001 has the right password, but answered the challenge for another address than the one that it calls."},
	{"challenges that do not arrive at first", func(c *Call) {
		c.Steps = append(script("0 caller > INVITE again x4\n0 caller < INVITE 407 x4"), c.Steps...)
	}, "signalling-loss", "4 messages to or from 001 had to be repeated, and 0 on the other side: packets are lost between this server and 198.51.100.7:31022."},
	{"stale nonces for ever", func(c *Call) {
		ours(c, NotRefused, 407)
		c.Steps = script("0 caller > INVITE x5\n0 caller < INVITE 407 x5")
	}, "auth-loop", "001 was challenged 5 times in one call: each nonce was too old, or made for another address, when it came back."},
	{"unknown number", func(c *Call) { ours(c, NoSuchUser, 404) },
		"no-such-user", "001 called 002, and the user file has no such user."},
	{"called phone not registered", func(c *Call) { ours(c, NotRegistered, 480) },
		"not-registered", "No phone of 002 is registered."},
	{"called phone suspended", func(c *Call) { ours(c, NotAnswering, 480) },
		"phone-gone", "The phone of 002 is registered, but has not answered three pings in a row: it is off, or its NAT forgot it."},
	{"From of another user", func(c *Call) { ours(c, NotHimself, 403) },
		"not-himself", "The phone at 198.51.100.7:31022 has the password of one user and calls as another: 001."},
	{"outbound proxy elsewhere", func(c *Call) { ours(c, ForeignRoute, 403) },
		"foreign-route", "001 wants the call to go on over another server, which minisip does not do."},
	{"somebody else's call", func(c *Call) { ours(c, ForeignCall, 403) },
		"foreign-call", "001 wanted to take over or join a call of others."},
	{"host not served", func(c *Call) { ours(c, WrongDomain, 404) },
		"wrong-domain", "001 called 002 at a host that -domain does not list."},
	{"too many calls", func(c *Call) { ours(c, TooMany, 503) },
		"too-many-calls", "001 has too many calls under way."},
	{"too many open files", func(c *Call) { ours(c, NoSockets, 503) },
		"no-sockets", "The system gave the relay no sockets for the call's media."},
	{"RTP ports used up", func(c *Call) { ours(c, NoPorts, 503) },
		"no-ports", "All ports of the relay (10000-20000) were in use."},
	{"an offer that cannot be read", func(c *Call) { ours(c, BadOffer, 488) },
		"bad-sdp", "The phone of 001 offers media by SDP that cannot be read."},
	{"an answer that cannot be read", func(c *Call) { ours(c, BadAnswer, 502) },
		"bad-sdp", "The phone of 002 answers by SDP that cannot be read."},

	{"busy", func(c *Call) { refusedCall(c, 486) }, "busy", "002 was busy (486)."},
	{"do not disturb", func(c *Call) { refusedCall(c, 603) }, "declined", "The phone of 002 declined the call (603)."},
	{"logged out at the phone", func(c *Call) { refusedCall(c, 480) }, "unavailable", "The phone of 002 is there, and not available (480)."},
	{"no codec in common", func(c *Call) { refusedCall(c, 488) },
		"no-common-codec", "The phone of 002 takes nothing of what 001 offers (488): no codec or no encryption in common."},
	{"account of another name in the phone", func(c *Call) { refusedCall(c, 404) },
		"phone-knows-no-user", "The phone at 192.0.2.9:5060 says that it has no user 002 (404)."},
	{"diversion", func(c *Call) { refusedCall(c, 302) }, "redirected", "The phone of 002 diverts calls (302), which the caller's phone has to follow by itself."},
	{"phone asks for a password", func(c *Call) { refusedCall(c, 401) }, "phone-asks-password", "The phone of 002 wants a password from who calls it (401)."},
	{"100rel insisted on", func(c *Call) { refusedCall(c, 420) }, "extension-required", "One phone insists on a SIP extension that the other does not have (420)."},
	{"session timer too short", func(c *Call) { refusedCall(c, 422) }, "session-timer", "The session timer of 001 is shorter than 002 allows (422)."},
	{"diversions in a circle", func(c *Call) { refusedCall(c, 483) }, "loop", "The call went in a circle (483)."},
	{"phone broken", func(c *Call) { refusedCall(c, 500) }, "phone-failed", "The phone of 002 could not handle the call (500)."},
	{"refused for no known reason", func(c *Call) { refusedCall(c, 499) }, "refused", "The phone of 002 refused the call (499)."},

	{"called phone off", func(c *Call) {
		unansweredCall(c, "")
		c.Rang, c.Status = time.Time{}, 408
		c.Steps = script("0 caller > INVITE\n0 callee < INVITE\n1 callee < INVITE again x6\n32 caller < INVITE 408")
	}, "phone-unreachable", "The phone of 002 at 192.0.2.9:5060 answered none of 7 INVITEs: it is off, or its NAT forgot it."},
	{"INVITE larger than a packet", func(c *Call) {
		unansweredCall(c, "")
		c.Rang, c.Status = time.Time{}, 408
		c.Steps = script("0 caller > INVITE size=1465\n0 callee < INVITE size=1652\n1 callee < INVITE again x6 size=1652\n32 caller < INVITE 408")
	}, "request-too-large", "The INVITE to 002 grew to 1652 bytes, more than one packet carries, and its fragments do not arrive: no answer after 7 tries."},
	{"timer C", func(c *Call) {
		unansweredCall(c, "185 caller < INVITE 487")
		c.Status, c.Now = 487, at(185)
	}, "no-answer", "Nobody took the call at 002."},
	{"caller gives up", func(c *Call) {
		unansweredCall(c, "13 caller > CANCEL\n13 caller < INVITE 487")
		c.Status, c.End, c.Now = 487, Cancelled, at(13)
	}, "given-up", "001 hung up after 12 seconds of ringing."},

	{"firewall on the RTP ports", func(c *Call) {
		c.Media[0].Packets, c.Media[1].Packets = 0, 0
	}, "no-media", "No packet came from 001 or 002 in 120 s: something keeps media from this server."},
	{"both phones mute", func(c *Call) {
		c.Media[0] = Direction{Side: Caller, Kind: "audio", RTCP: 20}
		c.Media[1] = Direction{Side: Callee, Kind: "audio"}
	}, "no-sound", "No sound came from 001 or 002 in 120 s, though reports on it (RTCP) did, so the way here is open."},
	{"one-way: 002 is mute", func(c *Call) { c.Media[1] = Direction{Side: Callee, Kind: "audio", RTCP: 20} },
		"one-way", "No sound ever came from 002, only reports on it (RTCP), while 001 was heard: the way is open, and the phone sends none."},
	{"one-way: nothing from 002", func(c *Call) { c.Media[1].Packets = 0 },
		"one-way", "No packet ever came from 002, wanted at 192.168.1.5:4002, while 001 was heard: its firewall or NAT keeps them, or the phone sends none."},
	{"media from another address (symmetric NAT with two, VPN)", func(c *Call) {
		c.Media[1].Packets, c.Media[1].Strangers, c.Media[1].Stranger = 0, 5400, "192.0.2.88:4002"
	}, "media-elsewhere", "5400 packets for 002 came from 192.0.2.88:4002 and were refused: it signals from 192.0.2.9, so they may be anybody's."},
	{"nothing from 002 since", func(c *Call) { c.Media[1].Last = at(42) },
		"media-stopped", "No packet from 002 since 12:00:42, while the other side went on."},
	{"002 is muted, and its phone suppresses silence", func(c *Call) { c.Media[1].Last, c.Media[1].Heard = at(42), c.Now.Add(-5*time.Second) },
		"media-stopped", "No sound from 002 since 12:00:42, though other packets of its phone come (reports, keepalives): the way here is open."},
	{"its reports have stopped since", func(c *Call) { c.Media[1].Last, c.Media[1].Heard = at(42), at(47) },
		"media-stopped", "No packet from 002 since 12:00:42, while the other side went on."},
	{"a packet that opens the NAT and no more, in a call of six seconds", func(c *Call) {
		c.Now, c.Media[0].Last = at(10), at(10)
		c.Media[1].Packets, c.Media[1].Last = 1, at(4)
	}, "media-stopped", "No packet from 002 since 12:00:04, while the other side went on."},
	{"a word, and listening since", func(c *Call) {
		c.Now, c.Media[0].Last = at(10), at(10)
		c.Media[1].Packets, c.Media[1].Last = 10, at(4)
	}, "", ""},
	{"both stopped", func(c *Call) { c.Media[0].Last, c.Media[1].Last = at(42), at(43) },
		"media-stopped", "No packet from either side since 12:00:42."},
	{"re_sdp off and a private address", func(c *Call) { c.Repairs.SDP, c.Media = false, nil },
		"media-private", "001 wants its sound at 192.168.1.2:4000, which cannot be reached from outside, and re_sdp is off, so it does not pass through here."},
	{"SRTP on one side only", func(c *Call) { c.Caller.Secure, c.Media[1].Packets = true, 0 },
		"srtp-one-side", "001 encrypts its sound (SRTP) and 002 does not: each hears noise, or nothing."},
	{"DTLS that never ends", func(c *Call) {
		c.Media[0] = Direction{Side: Caller, Kind: "audio", Other: 60}
		c.Media[1] = Direction{Side: Callee, Kind: "audio", Other: 12}
	}, "no-keys", "The phones spoke DTLS or STUN and never sent sound: they did not agree on keys."},
	{"002 only listens", func(c *Call) {
		c.Media[1], c.Callee.Mute = Direction{Side: Callee, Kind: "audio"}, true
	}, "only-listens", "No sound came from 002, and its phone had said that it would send none (a=recvonly or inactive)."},
	{"001 announces", func(c *Call) {
		c.Media[1], c.Callee.Mute = Direction{Side: Callee, Kind: "audio"}, true
		c.Caller.Deaf, c.Caller.Held = true, true
	}, "no-sound-wanted", "No sound came from 002, and the phone of 001 wanted none (a=sendonly or inactive): it announces, or holds the call."},
	{"begun on hold and resumed, and 002 is not heard", func(c *Call) {
		c.Media[1], c.Caller.Deaf = Direction{Side: Callee, Kind: "audio"}, true
	}, "one-way", "No packet ever came from 002, wanted at 192.168.1.5:4002, while 001 was heard: its firewall or NAT keeps them, or the phone sends none."},
	{"both only listen", func(c *Call) {
		c.Media[0], c.Caller.Mute = Direction{Side: Caller, Kind: "audio"}, true
		c.Media[1], c.Callee.Mute = Direction{Side: Callee, Kind: "audio"}, true
	}, "only-listens only-listens", "No sound came from 001, and its phone had said that it would send none (a=recvonly or inactive)."},
	{"002 takes the call and no sound", func(c *Call) {
		c.Media, c.Callee.Signalled = nil, netip.MustParseAddrPort("192.168.1.5:0")
	}, "sound-refused", "The phone of 002 took the call and refused its sound (port 0 in its SDP)."},
	{"a codec that nobody offered", func(c *Call) {
		c.Media[1].Types, c.Media[1].Foreign, c.Media[1].MOS = []string{"18 G729/8000"}, true, 3
	}, "foreign-codec", "002 sends a codec that the phone of 001 has not listed (payload type 18 G729/8000), so that it can hardly be heard there."},
	{"002's microphone is off", func(c *Call) { c.Media[1].Types = []string{"13 CN/8000", "101 telephone-event/8000"} },
		"no-voice", "What came from 002 was no sound, only 13 CN/8000, 101 telephone-event/8000: comfort noise is sent for silence, telephone-event for keys."},
	{"this server's firewall keeps what it sends", func(c *Call) { c.Media[0].Undelivered, c.Media[0].SendError = 5990, syscall.EPERM },
		"undelivered", "5990 of 6000 packets of 001 could not be sent on to 002: this server's own firewall refuses them."},
	{"this server's link takes no more", func(c *Call) { c.Media[0].Undelivered, c.Media[0].SendError = 5990, syscall.EAGAIN },
		"undelivered", "5990 of 6000 packets of 001 could not be sent on to 002: this server's transmit queue is full."},
	{"so says another system", func(c *Call) {
		c.Media[0].Undelivered, c.Media[0].SendError = 5990, os.NewSyscallError("sendto", syscall.ENOBUFS)
	}, "undelivered", "5990 of 6000 packets of 001 could not be sent on to 002: this server's transmit queue is full."},
	{"this server's network has gone", func(c *Call) { c.Media[0].Undelivered, c.Media[0].SendError = 5990, syscall.ENETUNREACH },
		"undelivered", "5990 of 6000 packets of 001 could not be sent on to 002: this server has no route there."},
	{"002 waits 11 s before it speaks", func(c *Call) { c.Media[0].Unaddressed, c.Media[1].First = 550, at(15) },
		"deaf-at-first", "002 heard nothing for 11 s, since it said nothing: its SDP names 192.168.1.5:4002, and where it really is only its first packet tells."},
	{"002 waits, and could be sent to", func(c *Call) { c.Media[1].First = at(15) }, "", ""},
	{"002's reports have nowhere to go", func(c *Call) { c.Media[1].Unaddressed = 24 }, "", ""},
	{"002's packets are too large", func(c *Call) { c.Media[1].Packets, c.Media[1].Oversize = 0, 6000 },
		"media-too-large", "6000 packets of 002 were too large to be passed on."},
	{"both phones' are", func(c *Call) {
		c.Media[0].Packets, c.Media[0].Oversize, c.Media[1].Packets, c.Media[1].Oversize = 0, 6000, 0, 6000
	}, "media-too-large media-too-large", "6000 packets of 001 were too large to be passed on."},
	{"one in ten of 002's is too large", func(c *Call) { c.Media[1].LossPercent, c.Media[1].Oversize = 10, 600 },
		"media-too-large", "600 packets of 002 were too large to be passed on."},
	{"DTLS with a phone behind NAT that waits to be spoken to", func(c *Call) {
		c.Media[0] = Direction{Side: Caller, Kind: "audio"}
		c.Media[1] = Direction{Side: Callee, Kind: "audio", Other: 60}
	}, "no-keys", "002 spoke DTLS or STUN and no packet ever came from 001, wanted at 192.168.1.2:4000: it waits to be spoken to first, which its NAT does not let happen."},
	{"002 goes on from another network", func(c *Call) {
		c.Media[1].Source, c.Media[1].Stranger, c.Media[1].Strangers, c.Media[1].LossPercent = "100.64.3.2:9", "100.64.3.2:9", 100, 11.75
	}, "phone-moved", "11.8 % of what 002 said is missing: it changed its address in the middle of the call, to 100.64.3.2:9, where its sound has come from since."},
	{"somebody sprays packets, and 002's uplink is bad", func(c *Call) {
		c.Media[1].Source, c.Media[1].Stranger, c.Media[1].Strangers, c.Media[1].LossPercent = "192.0.2.9:4002", "203.0.113.66:7000", 100, 11.75
	}, "strangers loss", "100 packets for the call came from 203.0.113.66:7000, which is not 002, and were refused."},
	{"somebody sprays packets", func(c *Call) { c.Media[0].Strangers, c.Media[0].Stranger = 900, "203.0.113.66:7000" },
		"strangers", "900 packets for the call came from 203.0.113.66:7000, which is not 001, and were refused."},
	{"packets lost", func(c *Call) { c.Media[1].LossPercent, c.Media[1].MOS = 7.25, 2.9 },
		"loss", "7.2 % of what 002 said was lost on its way here (MOS 2.9)."},
	{"a NAT that gives a new port, and packets lost on the other side", func(c *Call) {
		c.Media[0].LossPercent, c.Media[0].MOS, c.Media[0].Strangers, c.Media[0].Stranger = 12.25, 3.2, 100, "198.51.100.7:40016"
		c.Media[1].LossPercent, c.Media[1].MOS = 7.25, 2.9
	}, "nat-rebound loss", "12.2 % of what 001 said is missing: its NAT gave it another port in the middle of the call, 198.51.100.7:40016."},
	{"a NAT that gives a new port twice, and somebody sprays packets", func(c *Call) {
		c.Media[0].LossPercent, c.Media[0].Rebinds, c.Media[0].Source = 3.4, 2, "198.51.100.7:40016"
		c.Media[0].Strangers, c.Media[0].Stranger = 900, "203.0.113.66:7000"
	}, "nat-rebound", "3.4 % of what 001 said is missing: its NAT gave it another port in the middle of the call, 198.51.100.7:40016."},
	{"002 goes on from another network, and somebody sprays packets", func(c *Call) {
		c.Media[1].LossPercent, c.Media[1].Rebinds, c.Media[1].Source = 3.2, 1, "100.64.3.2:9"
		c.Media[1].Strangers, c.Media[1].Stranger = 900, "203.0.113.66:7000"
	}, "phone-moved", "3.2 % of what 002 said is missing: it changed its address in the middle of the call, to 100.64.3.2:9, where its sound has come from since."},
	{"a NAT that gives a new port, and far more is lost than that costs", func(c *Call) {
		c.Media[0].LossPercent, c.Media[0].Rebinds, c.Media[0].Source, c.Media[0].MOS = 4, 1, "198.51.100.7:40016", 3.7
	}, "loss", "4.0 % of what 001 said was lost on its way here (MOS 3.7)."},
	{"packets from another port of the same address, and none missing", func(c *Call) { c.Media[0].Strangers, c.Media[0].Stranger = 900, "198.51.100.7:7000" },
		"strangers", "900 packets for the call came from 198.51.100.7:7000, which is not 001, and were refused."},
	{"bursts", func(c *Call) { c.Media[0].Jitter = 84 * time.Millisecond },
		"jitter", "Packets of 001 came in bursts, 84 ms apart (MOS 4.4)."},
	{"satellite", func(c *Call) { c.Media[0].RTT = 780 * time.Millisecond },
		"delay", "Packets to 001 and back take 780 ms: the two will talk into each other's words."},
	{"poor codec", func(c *Call) { c.Media[0].MOS = 2.8 }, "poor", "001 sounded poor (MOS 2.8)."},

	{"a phone that found out its address by rport, or a SIP ALG: nothing wrong", func(c *Call) {
		c.Caller.Contact, c.Caller.Via = "198.51.100.7", "198.51.100.7"
	}, "", ""},
	{"the same where sound is lost on the way: that is no ALG's work", func(c *Call) {
		c.Caller.Contact, c.Caller.Via = "198.51.100.7", "198.51.100.7"
		c.Media[1].LossPercent, c.Media[1].MOS = 7.25, 2.9
	}, "loss", "7.2 % of what 002 said was lost on its way here (MOS 2.9)."},
	{"the same where a phone is not heard", func(c *Call) {
		c.Caller.Contact, c.Caller.Via, c.Media[0].Packets = "198.51.100.7", "198.51.100.7", 0
	}, "one-way sip-alg", "No packet ever came from 001, wanted at 192.168.1.2:4000, while 002 was heard: its firewall or NAT keeps them, or the phone sends none."},
	{"STUN, or a SIP ALG that leaves Via: nothing wrong", func(c *Call) {
		c.Caller.Contact, c.Caller.Signalled = "198.51.100.7", netip.MustParseAddrPort("198.51.100.7:4000")
	}, "", ""},
	{"hold never resumed", func(c *Call) {
		c.Callee.Held, c.End, c.Now = true, Silence, at(7400)
	}, "hold-forgotten", "002 put the call on hold and never resumed it."},
	{"both phones gone", func(c *Call) { c.End, c.Now = Silence, at(154) },
		"vanished", "Neither SIP nor media came from 001 or 002 any more, so the call was ended."},
	{"no answer to the BYE", func(c *Call) {
		c.Steps = append(c.Steps[:13:13], script("125 callee < BYE again x9")...)
	}, "bye-lost", "002 was told 10 times that the call is over and never answered: the phone at 192.0.2.9:5060 is gone."},
	{"packets of SIP lost on one side", func(c *Call) {
		c.Steps = append(c.Steps, script("0 caller > INVITE again x2\n1 caller < INVITE 180 again x2\n124 caller > BYE again x2")...)
	}, "signalling-loss", "6 messages to or from 001 had to be repeated, and 0 on the other side: packets are lost between this server and 198.51.100.7:31022."},
}

// TestTroubles: each trouble is found, with its cause, and nothing else is.
func TestTroubles(t *testing.T) {
	for _, tt := range troubles {
		c := usual()
		tt.make(c)
		var codes []string
		found := Diagnose(c)
		for _, f := range found {
			codes = append(codes, f.Code)
			if f.Next == "" && f.Severity != Info {
				t.Errorf("%s: %s says nothing to do", tt.name, f.Code)
			}
			for _, text := range [...]string{f.Text, f.Next} {
				if text != "" && !strings.HasSuffix(text, ".") || strings.Contains(text, "%!") {
					t.Errorf("%s: no sentence: %q", tt.name, text)
				}
			}
		}
		if got := strings.Join(codes, " "); got != tt.codes {
			t.Errorf("%s: found %q, want %q", tt.name, got, tt.codes)
		} else if tt.text != "" && found[0].Text != tt.text {
			t.Errorf("%s:\n  %s\nwant\n  %s", tt.name, found[0].Text, tt.text)
		}
	}
}

// TestNothingInCommon: a phone that insists on SRTP refuses an offer without it by the same 488 as one without a common codec.
func TestNothingInCommon(t *testing.T) {
	for _, offered := range []bool{false, true} {
		c := usual()
		refusedCall(c, 488)
		c.Caller.Secure = offered
		if f := Diagnose(c); len(f) != 1 || !strings.Contains(f[0].Next, "SRTP on in both") || !strings.Contains(f[0].Next, "codec") {
			t.Errorf("SRTP offered: %v: %+v", offered, f)
		}
	}
}

// TestEveryCodeIsShown: no finding that the table of troubles does not show.
func TestEveryCodeIsShown(t *testing.T) {
	shown := map[string]bool{}
	for _, tt := range troubles {
		for code := range strings.FieldsSeq(tt.codes) {
			shown[code] = true
		}
	}
	for code := range explains {
		if !shown[code] {
			t.Errorf("%s explains others and is never found", code)
		}
	}
	if len(shown) < 25 {
		t.Errorf("%d kinds of trouble", len(shown))
	}
}

// TestEmptyFacts: whatever is missing, nothing panics.
func TestEmptyFacts(t *testing.T) {
	for _, c := range []*Call{{}, {Ended: true}, {Answered: at(0), Now: at(100), Media: []Direction{{Kind: "audio"}}},
		{Steps: []Step{{}}, Ended: true, End: Cancelled}, {Ended: true, Status: 600, End: Operator}} {
		for _, f := range Diagnose(c) {
			if f.Severity == Error && c.Answered.IsZero() {
				t.Errorf("%+v: %s", c, f.Text)
			}
		}
	}
}

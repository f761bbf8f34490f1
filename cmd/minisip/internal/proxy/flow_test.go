package proxy

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"minisip/nat"
	"minisip/session"
)

// Names of payload types: the receiver's SDP, then the sender's, then RFC 3551; and which of
// them is the codec.
func TestPayloads(t *testing.T) {
	stream := func(body string) *nat.Stream {
		var sdp nat.SDP
		if err := sdp.Parse([]byte(body)); err != nil {
			t.Fatal(err)
		}
		return &sdp.Streams[0]
	}
	const head = "v=0\r\nc=IN IP4 192.0.2.1\r\n"
	var s relayedStream
	s.codec = "opus/48000/2"
	_, s.names[session.Caller] = dynamic(stream(head + "m=audio 4000 RTP/AVP 96 8 101 98\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\na=rtpmap:98 iLBC/8000\r\n"))
	_, s.names[session.Callee] = dynamic(stream(head + "m=audio 4000 RTP/AVP 107 101\r\na=rtpmap:107 opus/48000/2\r\na=rtpmap:101 telephone-event/48000\r\n"))
	for _, tt := range []struct {
		from  session.Role
		types []uint8
		want  []string
		codec string
	}{
		{session.Caller, []uint8{101, 107}, []string{"101 telephone-event/48000", "107 opus/48000/2"}, "opus/48000/2"},
		{session.Callee, []uint8{96, 101}, []string{"96 opus/48000/2", "101 telephone-event/8000"}, "opus/48000/2"},
		{session.Callee, []uint8{8, 13, 101}, []string{"8 PCMA/8000", "13 CN/8000", "101 telephone-event/8000"}, "PCMA/8000"},
		{session.Callee, []uint8{8, 96}, []string{"8 PCMA/8000", "96 opus/48000/2"}, "opus/48000/2"},
		{session.Caller, []uint8{98}, []string{"98 iLBC/8000"}, "iLBC/8000"}, // in the caller's own SDP alone
		{session.Caller, []uint8{13, 77}, []string{"13 CN/8000", "77"}, "opus/48000/2"},
		{session.Caller, nil, nil, "opus/48000/2"},
	} {
		if got, codec := s.payloads(tt.from, tt.types); !slices.Equal(got, tt.want) || codec != tt.codec {
			t.Errorf("%v from the %s: %q, codec %q, want %q, %q", tt.types, tt.from, got, codec, tt.want, tt.codec)
		}
	}
}

// What is kept of a stream's payload types is bounded, whatever a phone lists, and how often.
func TestPayloadsBounded(t *testing.T) {
	long := strings.Repeat("x", longestEncoding)
	var sdp nat.SDP
	if err := sdp.Parse([]byte("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP" + strings.Repeat(" 96 0097 98", 1000) +
		"\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:97 " + long + "/8000\r\na=rtpmap:98 iLBC/8000\r\n")); err != nil {
		t.Fatal(err)
	}
	rates, names := dynamic(&sdp.Streams[0])
	if names != "96 opus/48000/2 98 iLBC/8000 " || len(rates) != 2 || rates[96] != 48000 || rates[98] != 8000 {
		t.Errorf("%d bytes of names, rates %v", len(names), rates)
	}
}

// "Now" reaches back one span at least, two at most, however many look however often.
func TestTrend(t *testing.T) {
	var tr trend
	flow := func(second float64) *Flow { // 50 packets of 172 bytes a second, from second 20 on every tenth is lost
		sent := uint64(second * 50)
		lost := uint64(max(0, second-20) * 5)
		return &Flow{Packets: sent - lost, Lost: lost, Bytes: (sent - lost) * 172, First: epoch}
	}
	for _, tt := range []struct{ second, reach, packets, loss float64 }{
		{3, 3, 50, 0},
		{4, 4, 50, 0},
		{8, 5, 50, 0},
		{9, 6, 50, 0},
		{13, 5, 50, 0},
		{20, 7, 50, 0},
		{30, 10, 45, 10},
		{31, 11, 45, 10},
		{36, 6, 45, 10},
	} {
		got := tr.now(epoch.Add(time.Duration(tt.second*float64(time.Second))), flow(tt.second))
		if got.Seconds != tt.reach || math.Abs(got.PacketsPerSecond-tt.packets) > 0.5 || math.Abs(got.LossPercent-tt.loss) > 0.1 ||
			math.Abs(got.KbitPerSecond-tt.packets*172*8/1000) > 1 {
			t.Errorf("at %v s: %+v, want %v packets a second and %v %% lost over %v s", tt.second, got, tt.packets, tt.loss, tt.reach)
		}
	}
	if got := new(trend).now(epoch, &Flow{}); got != (Recent{}) {
		t.Errorf("of a flow without packets: %+v", got)
	}
}

// A call that is up is judged as it is now, and again once it has changed.
func TestDirectionsOfACallThatIsUp(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002 auth", "002a: 200 OK", "001: ACK", "wait 1s")
	k := s.core.callsOf("001")[0]
	look := func(verdict string, packetsNow, mosNow float64) {
		t.Helper()
		all := k.directions(s.now)
		if got := overall(all); len(all) != 2 || got != verdict {
			t.Fatalf("%d directions, %q, want 2, %q", len(all), got, verdict)
		}
		if now := all[0].Now; now == nil || math.Abs(now.PacketsPerSecond-packetsNow) > 0.5 || math.Abs(now.MOS-mosNow) > 0.01 {
			t.Errorf("now %+v, want %v packets a second, MOS %v", all[0].Now, packetsNow, mosNow)
		}
	}
	look("too short to tell", 0, 0)
	s.do("wait 1s")
	look("silent from the start", 0, 0)
	s.do("media", "wait 10s", "media")
	look("fine", 45.5, 4.4) // since the first look, a second before the first packet
	s.do("wait 11s")
	look("001: stopped at 00:12; 002: stopped at 00:12", 0, 0)
	s.do("media")
	s.relay.streams[0].mute = true
	s.do("wait 11s", "media") // datagrams that keep a NAT open are no sound
	if got, want := overall(k.directions(s.now)), "001: stopped at 00:23; 002: stopped at 00:23"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.finish()
}

// A fax by T.38 is heard, though none of its packets is RTP.
func TestFax(t *testing.T) {
	s := stage(t, 1, nil)
	fax := []string{"Content-Type: application/sdp", "--", "v=0", "c=IN IP4 192.0.2.1", "m=image 4000 udptl t38"}
	for _, step := range []struct {
		line string
		args []string
	}{{"001: INVITE 002 auth", fax}, {"002a: 200 OK", fax}, {"001: ACK", nil}} {
		if err := s.run(step.line, step.args); err != nil {
			t.Fatal(err)
		}
	}
	s.relay.streams[0].fax = true
	s.do("media from the caller", "wait 10s", "media from the caller")
	k := s.core.callsOf("001")[0]
	all := k.directions(s.now)
	if got, want := overall(all), "one-way: nothing came from 002"; got != want || all[0].Packets != 501 || all[0].Verdict != "fine" {
		t.Errorf("%q, %d packets: %s, want %q, 501, fine", got, all[0].Packets, all[0].Verdict, want)
	}
	s.do("media")
	if got := overall(k.directions(s.now)); got != "fine" {
		t.Errorf("%q, want fine", got)
	}
	s.do("wait 11s", "media from the caller")
	if got := overall(k.directions(s.now)); got != "fine" {
		t.Errorf("%q while a page passes, want fine", got)
	}
	s.finish()
}

// Sound has turned into a fax, of which one side sends nothing: who only pauses has sent something. After a hold it is
// judged anew too, unless it had stopped before.
func TestSilentAfterPause(t *testing.T) {
	body := func(lines ...string) []string {
		return append([]string{"Content-Type: application/sdp", "--", "v=0", "c=IN IP4 192.0.2.1"}, lines...)
	}
	sound, fax, hold := body("m=audio 4000 RTP/AVP 0"), body("m=image 4000 udptl t38"), body("m=audio 4000 RTP/AVP 0", "a=sendonly")
	for _, tt := range []struct {
		name string
		do   []string // beside the offers
		want string
	}{
		{"fax", []string{"media", "wait 20s", "media", "wait 1s", "FAX", "media from the caller", "wait 11s", "media from the caller"}, "002: stopped at 00:21"},
		{"fax, at once", []string{"media", "wait 20s", "media", "wait 1s", "FAX", "media from the caller", "wait 9s", "media from the caller"}, "fine"},
		{"fax, of both", []string{"media", "wait 20s", "media", "wait 1s", "FAX", "media", "wait 15s", "media from the caller"}, "fine"},
		{"hold", []string{"media", "wait 20s", "media", "HOLD", "wait 20s", "SOUND", "media from the caller", "wait 11s", "media from the caller"}, "002: stopped at 00:40"},
		{"hold, just over", []string{"media", "wait 20s", "media", "HOLD", "wait 20s", "SOUND", "wait 1s"}, "fine"},
		{"two holds", []string{"media", "wait 20s", "media", "HOLD", "wait 20s", "SOUND", "wait 1s", "HOLD", "wait 20s", "SOUND", "wait 11s", "media from the caller"}, "002: stopped at 01:01"},
		{"hold of one that had stopped", []string{"media", "wait 20s", "media from the caller", "HOLD", "wait 20s", "SOUND", "media from the caller", "wait 5s"}, "002: stopped at 00:00"},
	} {
		s := stage(t, 1, nil)
		agree(t, s, "001: INVITE 002 auth", sound)
		for _, line := range tt.do {
			switch line {
			case "FAX":
				agree(t, s, "001: INVITE none", fax)
			case "HOLD":
				agree(t, s, "001: INVITE none", hold)
			case "SOUND":
				agree(t, s, "001: INVITE none", sound)
			default:
				s.do(line)
			}
		}
		k := s.core.callsOf("001")[0]
		if got := k.recordAt(s.now).Verdict; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		s.core.HangUp(s.now, "1", "the operator")
		s.finish()
	}
}

// A fax over (RFC 3264 8.3.3 back to sound), what came of it has still come: no count runs back.
func TestSoundAfterFax(t *testing.T) {
	s := stage(t, 1, nil)
	sdp := func(media string) []string {
		return []string{"Content-Type: application/sdp", "--", "v=0", "c=IN IP4 192.0.2.1", media}
	}
	sound, fax := sdp("m=audio 4000 RTP/AVP 0"), sdp("m=image 4000 udptl t38")
	agree(t, s, "001: INVITE 002 auth", fax)
	s.relay.streams[0].fax = true
	s.do("media", "wait 10s", "media", "wait 5s")
	k := s.core.callsOf("001")[0]
	before, counted := k.directions(s.now), s.core.Overview().Counters.Packets
	agree(t, s, "001: INVITE none", sound)
	after := k.directions(s.now)
	for i := range after {
		if after[i].Packets != before[i].Packets || after[i].Now.PacketsPerSecond > 60 {
			t.Errorf("from %s: %d packets, now %v a second; before: %d", after[i].From, after[i].Packets, after[i].Now.PacketsPerSecond, before[i].Packets)
		}
	}
	s.do("wait 5s")
	if o := s.core.Overview(); o.Counters.Packets != counted || o.PacketsPerSecond != 0 {
		t.Errorf("in all %d packets, %v a second; before: %d packets", o.Counters.Packets, o.PacketsPerSecond, counted)
	}
	s.core.HangUp(s.now, "1", "the operator")
	s.finish()
}

// What comes between the last sample and the end counts in the totals as well.
func TestTotalsReachTheEnd(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002 auth", "002a: 200 OK to INVITE", "001: ACK", "media from the caller", "wait 2s", "media from the caller", "001: BYE", "002a: 200 OK to BYE")
	if got := s.core.Counters().Packets; got != 101 {
		t.Errorf("%d packets in all, want 101", got)
	}
	s.finish()
}

// Another -hold-timeout holds for a call that is on hold already.
func TestHoldTimeoutChanges(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002 auth", "002a: 200 OK to INVITE", "001: ACK", "001: INVITE hold", "002a: 200 OK to INVITE", "001: ACK", "wait 10m")
	now := s.cfg
	now.HoldTimeout = 15 * time.Minute
	s.core.Reconfigure(s.now, s.cfg, now)
	s.do("wait 299s")
	if n := len(s.core.allCalls()); n != 1 {
		t.Fatalf("%d calls before the time", n)
	}
	s.do("wait 2s")
	if n := len(s.core.allCalls()); n != 0 {
		t.Errorf("%d calls after it", n)
	}
	s.finish()
}

// A call is on hold when all its streams are; what was switched off is none of them, and streams that are all switched off
// hold nothing.
func TestHeld(t *testing.T) {
	c := stage(t, 0, nil).core
	for body, want := range map[string]bool{
		"m=audio 4000 RTP/AVP 0":                                                              false,
		"m=audio 4000 RTP/AVP 0\r\na=sendonly":                                                true,
		"m=audio 4000 RTP/AVP 0\r\na=recvonly":                                                false,
		"m=audio 4000 RTP/AVP 0\r\na=inactive\r\nm=video 4002 RTP/AVP 96":                     false,
		"m=audio 4000 RTP/AVP 0\r\na=inactive\r\nm=video 4002 RTP/AVP 96\r\na=inactive":       true,
		"m=audio 4000 RTP/AVP 0\r\na=inactive\r\nm=video 0 RTP/AVP 96":                        true,
		"m=audio 0 RTP/AVP 0\r\na=inactive":                                                   false,
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\nm=video 4002 RTP/AVP 96\r\na=inactive": true,
	} {
		if err := c.parseSDP([]byte("v=0\r\nc=IN IP4 192.0.2.1\r\n" + body + "\r\n")); err != nil || c.held() != want {
			t.Errorf("%q: held %v, %v", body, c.held(), err)
		}
	}
}

// What a stream calls itself is a stranger's word: of it nothing that a terminal would obey is kept, nor more than a name has.
func TestKindOfStream(t *testing.T) {
	s := stage(t, 1, nil)
	odd := []string{"Content-Type: application/sdp", "--", "v=0", "c=IN IP4 192.0.2.1", "m=\x1b[2J" + strings.Repeat("x", 1000) + " 4000 RTP/AVP 0"}
	for _, step := range []struct {
		line string
		args []string
	}{{"001: INVITE 002 auth", odd}, {"002a: 200 OK", odd}, {"001: ACK", nil}} {
		if err := s.run(step.line, step.args); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := s.core.callsOf("001")[0].directions(s.now)[0].Kind, "_[2J"+strings.Repeat("x", maxPrintable-4); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.core.HangUp(s.now, "1", "the operator")
	s.finish()
}

// A stream is what it was last agreed to be: sound turns into a fax on the same ports (RFC 3264 8.3.3), and one
// codec into another; what is refused, or only shown in a 183, changes nothing.
func TestKindChanges(t *testing.T) {
	s := stage(t, 1, nil)
	sdp := func(media string) []string {
		return []string{"Content-Type: application/sdp", "--", "v=0", "c=IN IP4 192.0.2.1", media}
	}
	pcmu, g722, fax := sdp("m=audio 4000 RTP/AVP 0"), sdp("m=audio 4000 RTP/AVP 9"), sdp("m=image 4000 udptl t38")
	for _, step := range []struct {
		line        string
		sdp         []string
		kind, codec string
	}{
		{"001: INVITE 002 auth", pcmu, "", ""},
		{"002a: 200 OK", pcmu, "audio", "PCMU/8000"},
		{"001: ACK", nil, "audio", "PCMU/8000"},
		{"001: INVITE none", g722, "audio", "PCMU/8000"},
		{"002a: 200 OK", g722, "audio", "G722/8000"},
		{"001: ACK", nil, "audio", "G722/8000"},
		{"001: INVITE none", fax, "audio", "G722/8000"},
		{"002a: 183 Session Progress", fax, "audio", "G722/8000"},
		{"002a: 488 Not Acceptable Here", nil, "audio", "G722/8000"},
		{"001: ACK", nil, "audio", "G722/8000"},
		{"001: INVITE none", fax, "audio", "G722/8000"},
		{"002a: 200 OK", fax, "image", ""},
		{"001: ACK", nil, "image", ""},
		{"001: INVITE none", pcmu, "image", ""},
		{"002a: 183 Session Progress", pcmu, "image", ""},
		{"002a: 488 Not Acceptable Here", nil, "image", ""},
		{"001: ACK", nil, "image", ""},
	} {
		if err := s.run(step.line, step.sdp); err != nil {
			t.Fatal(err)
		}
		for _, d := range s.core.callsOf("001")[0].directions(s.now) {
			if d.Kind != step.kind || d.Codec != step.codec {
				t.Errorf("after %s %q: %s, %q, want %s, %q", step.line, step.sdp, d.Kind, d.Codec, step.kind, step.codec)
			}
		}
	}
	s.finish()
}

// A stream that is taken out of a call stays in its account as it was then, behind those that go on, which alone
// decide on the verdict; of those that answer or refuse for the first time nothing is kept.
func TestStreamsThatLeave(t *testing.T) {
	s := stage(t, 1, nil)
	sdp := func(media ...string) []string {
		return append([]string{"Content-Type: application/sdp", "--", "v=0", "c=IN IP4 192.0.2.1"}, media...)
	}
	audio, video, noVideo, noAudio := "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 34", "m=video 0 RTP/AVP 34", "m=audio 0 RTP/AVP 0"
	do := func(line string, sdp []string) {
		t.Helper()
		if err := s.run(line, sdp); err != nil {
			t.Fatal(err)
		}
	}
	change := func(offer, answer []string) {
		t.Helper()
		do("001: INVITE none", offer)
		do("002a: 200 OK", answer)
		do("001: ACK", nil)
	}
	look := func(verdict string, want ...string) {
		t.Helper()
		all := s.core.callsOf("001")[0].directions(s.now)
		var got []string
		for _, d := range all {
			got = append(got, fmt.Sprintf("%d %s from %s: %d, %s, now %t", d.Stream, d.Kind, d.From, d.Packets, d.Verdict, d.Now != nil))
		}
		if !slices.Equal(got, want) || overall(all) != verdict {
			t.Errorf("%q, %q, want %q, %q", got, overall(all), want, verdict)
		}
	}
	do("001: INVITE 002 auth", sdp(audio, video, video))
	do("002a: 183 Session Progress", sdp(audio, video, video))
	do("002a: 200 OK", sdp(audio, video, noVideo))
	do("001: ACK", nil)
	s.do("media", "wait 10s", "media")
	change(sdp(audio, noVideo, noVideo), sdp(audio, noVideo, noVideo))
	s.do("wait 20s", "media")
	look("fine",
		"1 audio from 001: 1501, fine, now true", "1 audio from 002: 1501, fine, now true",
		"2 video from 001: 501, fine, now false", "2 video from 002: 501, fine, now false")
	change(sdp(audio, video, noVideo), sdp(audio, noVideo, noVideo))
	change(sdp(noAudio, noVideo, noVideo), sdp(noAudio, noVideo, noVideo))
	look("fine",
		"2 video from 001: 501, fine, now false", "2 video from 002: 501, fine, now false",
		"1 audio from 001: 1501, fine, now false", "1 audio from 002: 1501, fine, now false")
	for range maxLeft {
		change(sdp(audio, noVideo, noVideo), sdp(audio, noVideo, noVideo))
		do("wait 1s", nil)
		change(sdp(noAudio, noVideo, noVideo), sdp(noAudio, noVideo, noVideo))
	}
	if n := len(s.core.callsOf("001")[0].directions(s.now)); n != maxLeft {
		t.Errorf("%d directions are kept, want %d", n, maxLeft)
	}
	if got := s.core.count.Packets; got != 2*501+2*1501 {
		t.Errorf("%d packets are counted, want %d", got, 2*501+2*1501)
	}
	s.finish()
}

func TestOverall(t *testing.T) {
	audio := func(from string, g grade, verdict string, packets uint64) Direction {
		return Direction{Kind: "audio", From: from, grade: g, Verdict: verdict, Packets: packets}
	}
	video := Direction{Kind: "video", From: "002", grade: silent, Verdict: "no packet ever came"}
	image := Direction{Kind: "image", From: "002", grade: good, Verdict: "fine", Packets: 9}
	left := audio("001", lossy, "lossy: 9.0 % lost", 9)
	left.left = true
	for _, tt := range []struct {
		media []Direction
		want  string
	}{
		{nil, ""},
		{[]Direction{audio("001", good, "fine", 9), audio("002", good, "fine", 9)}, "fine"},
		{[]Direction{image, left}, "fine"},
		{[]Direction{left, image}, "fine"},
		{[]Direction{left}, "001: lossy: 9.0 % lost"},
		{[]Direction{audio("001", good, "fine", 9), audio("002", good, "fine", 9), video}, "fine"},
		{[]Direction{audio("001", untold, "too short to tell", 0), audio("002", untold, "too short to tell", 0)}, "too short to tell"},
		{[]Direction{audio("001", silent, "no packet", 0), audio("002", silent, "no packet", 0)}, "silent from the start"},
		{[]Direction{audio("001", good, "fine", 9), audio("002", silent, "no packet", 0)}, "one-way: nothing came from 002"},
		{[]Direction{audio("001", good, "fine", 9), audio("002", stopped, "stopped at 00:42", 9)}, "002: stopped at 00:42"},
		{[]Direction{audio("001", choppy, "choppy: jitter 90 ms", 9), audio("002", lossy, "lossy: 4.0 % lost", 9)}, "002: lossy: 4.0 % lost"},
		{[]Direction{{Kind: "image", From: "001", grade: good, Verdict: "fine"}}, "fine"},
	} {
		if got := overall(tt.media); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.media, got, tt.want)
		}
	}
}

// agree has the caller offer media, in an INVITE, and the callee answer with the same.
func agree(t *testing.T, s *script, request string, sdp []string) {
	t.Helper()
	for _, step := range []struct {
		line string
		args []string
	}{{request, sdp}, {"002a: 200 OK", sdp}, {"001: ACK", nil}} {
		if err := s.run(step.line, step.args); err != nil {
			t.Fatal(err)
		}
	}
}

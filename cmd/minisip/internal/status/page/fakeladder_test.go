//go:build interop

package page

import (
	"fmt"
	"strings"
	"time"
)

// steps of a call with a challenge, a retransmission, media and a hang-up.
var steps = []struct {
	ms       int
	from, to int
	kind     string
	label    string
	again    bool
}{
	{0, 0, 1, "request", "INVITE sdp", false},
	{1, 1, 0, "failure", "407 Proxy Authentication Required", false},
	{24, 0, 1, "ack", "ACK", false},
	{26, 0, 1, "request", "INVITE sdp", false},
	{27, 1, 0, "provisional", "100 Trying", false},
	{27, 1, 2, "request", "INVITE sdp", false},
	{528, 1, 2, "request", "INVITE sdp", true},
	{561, 2, 1, "provisional", "180 Ringing", false},
	{561, 1, 0, "provisional", "180 Ringing", false},
	{4012, 2, 1, "success", "200 OK sdp", false},
	{4012, 1, 0, "success", "200 OK sdp", false},
	{4020, 2, 1, "media-start", "PCMU/8000 from 002", false},
	{4031, 0, 1, "media-start", "PCMU/8000 from 001", false},
	{4038, 0, 1, "ack", "ACK", false},
	{4038, 1, 2, "ack", "ACK", false},
	{123738, 2, 1, "request", "BYE", false},
	{123738, 1, 0, "request", "BYE", false},
	{123764, 0, 1, "success", "200 OK", false},
	{123764, 1, 2, "success", "200 OK", false},
	{123764, 0, 1, "media-stop", "PCMU/8000 from 001", false},
	{123768, 2, 1, "media-stop", "PCMU/8000 from 002", false},
	{123768, 1, 1, "note", "hung up by 002", false},
}

// withSteps adds the ladder to a call, as far as it has come.
func withSteps(c object) object {
	n := len(steps)
	switch c["state"] {
	case "ringing":
		n = 9
	case "up":
		n = 15
	}
	full := object{"columns": []object{
		{"name": c["from"], "addr": c["from_addr"]}, {"name": "minisip"}, {"name": c["to"], "addr": c["to_addr"]}}}
	if c["id"] == "11" { // forked
		full["columns"] = append(full["columns"].([]object), object{"name": "022", "addr": "[2001:db8:1:2:3:4:5:6]:5060"}, object{"name": "022", "addr": "192.0.2.77:5062"})
		full["steps_skipped"] = 120
	}
	for k, v := range c {
		full[k] = v
	}
	var list []object
	for i, s := range steps[:n] {
		step := object{"n": i + 1, "time": c["begin"].(time.Time).Add(time.Duration(s.ms) * time.Millisecond), "t_ms": s.ms, "from": s.from, "to": s.to,
			"kind": s.kind, "label": s.label, "again": s.again, "size": 740, "message": fmt.Sprint(i + 1)}
		if strings.HasPrefix(s.kind, "media") {
			step["message"], step["size"] = "", 0
		}
		list = append(list, step)
	}
	full["steps"] = list
	return full
}

var came = "INVITE sip:002@198.51.100.10 SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 192.168.1.2:5060;branch=z9hG4bK8f2c1d;rport\r\n" +
	"Max-Forwards: 70\r\nFrom: \"Anna\" <sip:001@198.51.100.10>;tag=1c0b7e\r\nTo: <sip:002@198.51.100.10>\r\n" +
	"Call-ID: 3c260001-phone\r\nCSeq: 2 INVITE\r\nContact: <sip:001@192.168.1.2:5060>\r\n" +
	"Proxy-Authorization: Digest username=\"001\", realm=\"mini_sip_proxy\", nonce=\"Zk3mQ\", uri=\"sip:002@198.51.100.10\", response=\"********\"\r\n" +
	"User-Agent: baresip v1.0.0 (x86_64/linux)\r\nContent-Type: application/sdp\r\nContent-Length: 160\r\n\r\n" +
	"v=0\r\no=- 3926 1 IN IP4 192.168.1.2\r\ns=-\r\nc=IN IP4 192.168.1.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtcp:4001\r\na=sendrecv\r\n"

// changes is what minisip makes of it.
var changes = func() (list []object) {
	change := map[string][]string{
		"INVITE": {"INVITE sip:002@192.168.1.2:5060 SIP/2.0", "Via: SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bKms17a", "Record-Route: <sip:198.51.100.10:5060;lr>"},
		"Via: S": {"Via: SIP/2.0/UDP 192.168.1.2:5060;branch=z9hG4bK8f2c1d;rport=31022;received=203.0.113.2"},
		"Max-Fo": {"Max-Forwards: 69"}, "Contac": {"Contact: <sip:001@203.0.113.2:31022>"}, "Proxy-": {},
		"c=IN I": {"c=IN IP4 198.51.100.10"}, "m=audi": {"m=audio 10004 RTP/AVP 0 8 101"}, "a=rtcp": {"a=rtcp:10005"},
	}
	for line := range strings.Lines(came) {
		line = strings.TrimSuffix(line, "\r\n")
		now, is := change[line[:min(6, len(line))]]
		if !is {
			list = append(list, object{"op": " ", "line": line})
			continue
		}
		list = append(list, object{"op": "-", "line": line})
		for _, l := range now {
			list = append(list, object{"op": "+", "line": l})
		}
	}
	return list
}()

// aMessage is 6 and 7 as they went out, and everything else as it came.
func aMessage(id string) object {
	if id != "6" && id != "7" {
		return object{"id": id, "time": time.Now(), "received": true, "from": "203.0.113.2:31022", "to": "198.51.100.10:5060", "text": came, "before": nil}
	}
	var went strings.Builder
	for _, c := range changes {
		if c["op"] != "-" {
			fmt.Fprintf(&went, "%s\r\n", c["line"])
		}
	}
	return object{"id": id, "time": time.Now(), "received": false, "from": "198.51.100.10:5060", "to": "192.0.2.2:40118",
		"text": went.String(), "before": came, "changes": changes}
}

func summaries() (list []object) {
	for i, s := range []struct {
		label    string
		received bool
		call     string
	}{{"REGISTER", true, ""}, {"401 Unauthorized", false, ""}, {"REGISTER", true, ""}, {"200 OK", false, ""}, {"INVITE sdp", true, "1"},
		{"407 Proxy Authentication Required", false, "1"}, {"ACK", true, "1"}, {"INVITE sdp", true, "1"}, {"100 Trying", false, "1"}, {"180 Ringing", false, "1"}} {
		list = append(list, object{"id": fmt.Sprint(i + 1), "time": time.Now().Add(time.Duration(i*31-400) * time.Millisecond), "from": "198.51.100.7:31022", "to": "198.51.100.7:31022",
			"received": s.received, "label": s.label, "size": 400 + 37*i, "call": s.call, "again": false})
	}
	return list
}

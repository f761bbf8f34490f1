package sipmsg

import "strings"

// phoneInvite is an INVITE as a desk phone behind NAT writes it, after one other proxy.
var phoneInvite = []byte(strings.ReplaceAll(`INVITE sip:002@203.0.113.5 SIP/2.0
Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK-4c1f9a27;rport
From: "Alice" <sip:001@203.0.113.5>;tag=7d3ab1c0
To: <sip:002@203.0.113.5>
Call-ID: 8d21c6e4f7b0@192.168.1.20
CSeq: 102 INVITE
Contact: "Alice" <sip:001@192.168.1.20:5060>
Max-Forwards: 70
Route: <sip:203.0.113.5;lr>
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, REFER, NOTIFY
Supported: replaces, timer, 100rel
Session-Expires: 1800
Min-SE: 90
User-Agent: Desk 46 66.85.0.5 805ec0123456 (en; Asia/Tokyo)
Accept: application/sdp
Allow-Events: talk,hold
Date: Sat, 31 Jan 2026 12:00:00 GMT
Expires: 180
X-Line: 1
Content-Type: application/sdp
Content-Length: 211

v=0
o=- 20026 20026 IN IP4 192.168.1.20
s=-
c=IN IP4 192.168.1.20
t=0 0
m=audio 11780 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20
a=sendrecv
`, "\n", "\r\n"))

package proxy

import (
	"strings"
	"testing"
)

// The SIP-Version is read in any case and sent in capitals: RFC 3261 7.1.
func TestVersionInCapitals(t *testing.T) {
	s := stage(t, 1, nil)
	caller, callee := s.phone("001"), s.phone("002a")
	request := caller.request("MESSAGE", &wish{auth: caller, target: "002"})
	request.first = strings.Replace(request.first, "SIP/2.0", "sip/2.0", 1)
	s.transmit(caller, request)
	got := callee.got["MESSAGE"]
	if got == nil || !strings.HasSuffix(got.first, " SIP/2.0") {
		t.Fatalf("to the callee: %v", got)
	}
	answer := callee.response("200", "sip/2.0", &wish{})
	answer.first = "sip/2.0 200 sip/2.0"
	s.send(callee, answer.bytes())
	if got := caller.answer["MESSAGE"]; got == nil || got.first != "SIP/2.0 200 sip/2.0" {
		t.Fatalf("to the caller: %v", got)
	}
	s.finish()
}

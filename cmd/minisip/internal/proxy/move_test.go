package proxy

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/session"
	"minisip/sipmsg"
)

// Few calls follow their phone wherever it registers, thousands once a second.
func TestManyCallsFollowSeldom(t *testing.T) {
	for calls, want := range map[int]string{1: "198.51.100.7:7003", manyCalls + 1: "198.51.100.7:7001"} {
		s := stage(t, 1, nil)
		for range calls {
			s.do("001: INVITE 002 auth", "002a: 200 OK to INVITE", "001: ACK")
		}
		follows := func(want string) {
			t.Helper()
			for _, k := range s.core.callsOf("001") {
				if got := k.caller.Addr.String(); got != want {
					t.Errorf("of %d calls one is at %s, want %s", calls, got, want)
					return
				}
			}
		}
		s.do("001 moves to 198.51.100.7:7001", "001: REGISTER auth")
		follows("198.51.100.7:7001")
		s.do("001 moves to 198.51.100.7:7002", "001: REGISTER auth", "001 moves to 198.51.100.7:7003", "001: REGISTER auth")
		follows(want)
		s.do("wait 1s", "001 moves to 198.51.100.7:7004", "001: REGISTER auth")
		if calls == 1 {
			follows("198.51.100.7:7004")
		}
		s.do("wait 1s", "001: INFO auth", "002a: 200 OK to INFO")
		if got := s.phone("001").answer["INFO"]; got == nil || got.status() != "200" {
			t.Errorf("of %d calls one cannot be used from the new address", calls)
		}
		s.finish()
	}
}

// A phone that registers from elsewhere takes its own calls along, those that it made and those that it got, and not those
// of its user's other phones.
func TestCallsFollowTheirPhone(t *testing.T) {
	s := &script{newWorld(t)}
	s.do("phone 001 at 198.51.100.7:5060", "phone 001b at 198.51.100.8:5060 user 001", "phone 002 at 192.0.2.2:5060", "registered 001 001b 002",
		"001: INVITE 002 auth", "002: 200 OK to INVITE", "001: ACK",
		"001b: INVITE 002 auth", "002: 200 OK to INVITE", "001b: ACK",
		"002: INVITE 001 auth", "001b: 180 Ringing", "001: 200 OK to INVITE", "001b: 487 Request Terminated to INVITE", "002: ACK",
		"001b moves to 198.51.100.8:7001", "001b: REGISTER auth")
	var at []string
	for _, k := range s.core.callsOf("001") {
		if k.caller.User == "001" {
			at = append(at, k.caller.Addr.String())
		}
		for _, d := range k.dialogs {
			if d.callee.User == "001" {
				at = append(at, d.callee.Addr.String())
			}
		}
	}
	want := []string{"198.51.100.7:5060", "198.51.100.8:7001", "198.51.100.8:7001", "198.51.100.7:5060"} // the third has rung
	if !slices.Equal(at, want) {
		t.Errorf("the calls of 001 are at %v, want %v", at, want)
	}
}

// Of two phones that have answered one moves: the media of the other one stay where they are.
func TestOneCalleeMoves(t *testing.T) {
	s := stage(t, 2, nil)
	s.do("001: INVITE 002 auth", "002b: 100 Trying", "002a: 200 OK to INVITE", "001: ACK", "002b: 200 OK to INVITE", "001: ACK",
		"002b moves to 192.0.2.99:5060", "002b: INFO", "002b: INFO auth")
	for i, want := range []string{"192.0.2.1", "192.0.2.99"} {
		d := s.core.callsOf("001")[0].dialogs[i]
		if got := d.media.ends[session.Callee].signal.String(); got != want {
			t.Errorf("the media of %s expect it to signal from %s, want %s", d.callee.Tag, got, want)
		}
	}
	s.finish()
}

// A phone that sends to another of our addresses, be it from the same one, is talked to from there.
func TestPhoneTurnsToAnotherAddressOfOurs(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002 auth", "002a: 200 OK to INVITE", "001: ACK")
	p, other := s.phone("001"), netip.MustParseAddrPort("203.0.113.2:5060")
	var m sipmsg.Message
	err := m.Parse(p.request("INFO", &wish{}).bytes())
	s.core.Receive(s.now, other, p.addr, &m, err)
	k := s.core.callsOf("001")[0]
	if k.caller.Local != other || k.dialogs[0].media.ends[session.Caller].local != other {
		t.Errorf("the caller is talked to from %s, with media at %s, want %s", k.caller.Local, k.dialogs[0].media.ends[session.Caller].local, other)
	}
	s.do("002a: 200 OK to INFO")
	s.finish()
}

// long as the call lasts. Its answers are no stray responses, others at its branch are.
func TestMovedSideIsPinged(t *testing.T) {
	for _, tt := range []struct {
		name     string
		nat      bool
		interval time.Duration
		want     int
	}{
		{"behind NAT", true, 25 * time.Second, 4},
		{"behind none", false, 25 * time.Second, 0},
		{"switched off", true, 0, 0},
	} {
		s := stage(t, 1, func(c *Config) { c.Keepalive, c.Timeout = tt.interval, time.Hour })
		s.do("phone 666 at 198.51.100.66:666", "001: INVITE 002 auth", "002a: 200 OK to INVITE", "001: ACK")
		p := s.phone("002a")
		for _, at := range []string{"192.0.2.98:5060", "192.0.2.99:5060"} {
			if p.claims = netip.MustParseAddrPort(at); tt.nat {
				p.claims = netip.MustParseAddrPort("10.0.0.4:5060")
			}
			s.do("002a moves to "+at, "002a: INFO", "002a: INFO auth", "001: 200 OK to INFO")
		}
		s.events = nil
		s.do("wait 110s")
		if got := s.pings()["002a"]; got != tt.want {
			t.Errorf("%s: %d pings, want %d", tt.name, got, tt.want)
		}
		if tt.want > 0 {
			stray := s.core.count.Dropped[Stray]
			s.do("002a: 200 OK to OPTIONS")
			if got := s.core.count.Dropped[Stray] - stray; got != 0 {
				t.Errorf("%s: the answer is stray", tt.name)
			}
			s.send(s.phone("666"), p.response("200", "OK", &wish{to: "OPTIONS"}).bytes())
			if got := s.core.count.Dropped[Stray] - stray; got != 1 {
				t.Errorf("%s: a stranger's is not", tt.name)
			}
		}
		s.do("001: BYE", "002a: 200 OK to BYE")
		s.events = nil
		s.do("wait 60s")
		if got := s.pings()["002a"]; got != 0 {
			t.Errorf("%s: %d pings after the call", tt.name, got)
		}
		s.finish()
	}
}

// TestMovedSideOfEndedDialogIsLeft: two phones have answered, one of them moves, and the caller hangs up with that one: the call goes
// on, and its pings there do not.
func TestMovedSideOfEndedDialogIsLeft(t *testing.T) {
	s := stage(t, 2, func(c *Config) { c.Keepalive, c.Timeout = 25*time.Second, time.Hour })
	s.do("001: INVITE 002 auth", "002b: 100 Trying", "002a: 200 OK to INVITE", "001: ACK", "002b: 200 OK to INVITE", "001: ACK")
	s.phone("002b").claims = netip.MustParseAddrPort("10.0.0.4:5060")
	s.do("002b moves to 192.0.2.99:5060", "002b: INFO", "002b: INFO auth", "001: 200 OK to INFO", "wait 30s")
	if got := s.pings()["002b"]; got != 1 {
		t.Fatalf("%d pings while both are up, want 1", got)
	}
	s.do("001: BYE with 002b", "002b: 200 OK to BYE")
	s.events = nil
	s.do("wait 60s")
	if got := s.pings()["002b"]; got != 0 {
		t.Errorf("%d pings after the dialog", got)
	}
	s.finish()
}

// Two phones of a user are behind one proxy, and one of them goes on behind another: that the other's calls have moved,
// nobody has said.
func TestCallsStayBehindTheirProxy(t *testing.T) {
	for _, both := range []bool{true, false} {
		s := &script{newWorld(t)}
		s.do("phone 001 at 198.51.100.7:5060", "phone desk at 192.0.2.50:5060 user 002", "phone mobile at 192.0.2.60:5060 user 002", "registered 001", "desk: REGISTER")
		register := func(name, contact, path string) {
			if err := s.run(name+": REGISTER auth", []string{"Contact: <sip:002@" + contact + ">", "Path: <sip:" + path + ";lr>"}); err != nil {
				t.Fatal(err)
			}
		}
		register("desk", "10.0.0.4", "192.0.2.50")
		s.do("001: INVITE 002 auth", "desk: 200 OK to INVITE", "001: ACK")
		if both {
			u := location.Update{AOR: "002", CallID: "registration@mobile", NAT: true, Local: ours4, Source: s.phone("desk").addr, Path: []string{"<sip:192.0.2.50;lr>"},
				Contacts: []location.Contact{{URI: "sip:002@10.0.0.5", Expires: time.Hour, Q: 1000}}}
			if _, err := s.core.where.Register(s.now, &u); err != nil {
				t.Fatal(err)
			}
			s.do("mobile: REGISTER")
			register("mobile", "10.0.0.5", "192.0.2.60")
		} else {
			s.do("desk moves to 192.0.2.60:5060", "desk: REGISTER")
			register("desk", "10.0.0.4", "192.0.2.60")
		}
		if !s.said("002 moved from 192.0.2.50:5060 to 192.0.2.60:5060") {
			t.Fatal("no phone has moved")
		}
		for _, k := range s.core.callsOf("002") {
			if moved := k.dialogs[0].callee.Addr != netip.MustParseAddrPort("192.0.2.50:5060"); moved == both {
				t.Errorf("both behind one proxy: %v; the call has moved: %v", both, moved)
			}
		}
	}
}

package proxy

import "testing"

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

package proxy

import (
	"fmt"
	"testing"
)

// One request tries few passwords: of many credentials for our realm only the first are
// looked at.
func TestCredentialsTriedAtATime(t *testing.T) {
	for _, tt := range []struct {
		wrong int // in front of the right ones
		want  string
	}{{0, "100"}, {1, "100"}, {3, "100"}, {4, "407"}, {20, "407"}} {
		s := stage(t, 1, nil)
		p := s.phone("001")
		s.do("001: INVITE 002")
		m := p.request("INVITE", &wish{target: "002", auth: p})
		right := m.get("Proxy-Authorization")
		m.set("Proxy-Authorization", "")
		for i := range tt.wrong {
			m.add("Proxy-Authorization", fmt.Sprintf(`Digest username="001", realm="%s", nonce="%s", uri="%s", response="%032x"`, testRealm, p.nonce, m.uri(), i))
		}
		m.add("Proxy-Authorization", right)
		s.transmit(p, m)
		if got := word(s.answerTo001(), 1); got != tt.want {
			t.Errorf("after %d wrong ones: got %s, want %s", tt.wrong, got, tt.want)
		}
		s.finish()
	}
}

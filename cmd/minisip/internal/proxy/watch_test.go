package proxy

import (
	"fmt"
	"strings"
	"testing"

	"minisip/digest"
)

// notified gives the state that the latest NOTIFY to a phone had, "" for none since the last call.
func (s *script) notified(name string) string {
	m := s.phone(name).got["NOTIFY"]
	delete(s.phone(name).got, "NOTIFY")
	if m == nil {
		return ""
	}
	return m.get("Subscription-State")
}

// subscribe lets a phone watch its own user.
func (s *script) subscribe(name string) string {
	s.t.Helper()
	if err := s.run(name+": SUBSCRIBE "+s.phone(name).user+" auth", []string{"Event: reg"}); err != nil {
		s.t.Fatal(err)
	}
	return s.phone(name).answer["SUBSCRIBE"].status()
}

// A user has so many subscriptions and no more, until one of them ends.
func TestSubscribersAreBounded(t *testing.T) {
	s := stage(t, 1, nil)
	for i := range maxWatching {
		if got := s.subscribe("001"); got != "200" {
			t.Fatalf("subscription %d: %s", i, got)
		}
		s.do("001: 200 OK to NOTIFY")
	}
	if got := s.subscribe("001"); got != "503" {
		t.Errorf("one too many: %s", got)
	}
	if got := s.subscribe("002a"); got != "200" {
		t.Errorf("another user's first: %s", got)
	}
	s.do("002a: 481 No to NOTIFY", "wait 2h")
	s.subscribe("001") // its nonce has become old
	if got := s.subscribe("001"); got != "200" {
		t.Errorf("after the others ran out: %s", got)
	}
	s.finish()
}

// A subscription ends with its user, and with the one that it watches.
func TestSubscriptionsEndWithUsers(t *testing.T) {
	for _, tt := range []struct{ stays, want string }{
		{"001", "terminated;reason=noresource"}, {"002", "terminated;reason=rejected"}, {"", "terminated;reason=rejected"},
	} {
		s := stage(t, 1, func(c *Config) { c.DialAdmins = []string{"001"} })
		if err := s.run("001: SUBSCRIBE 002 auth", []string{"Event: reg"}); err != nil {
			t.Fatal(err)
		}
		s.do("001: 200 OK to NOTIFY", "wait 10s")
		s.notified("001")
		users, err := digest.ParseUsers("users.conf", nil, testRealm)
		if err == nil && tt.stays != "" {
			err = users.AddJSON(fmt.Appendf(nil, "{%q: %q}", tt.stays, "secret-"+tt.stays))
		}
		if err != nil {
			t.Fatal(err)
		}
		s.core.SetUsers(users)
		s.do("wait 1ms")
		if got := s.notified("001"); got != tt.want {
			t.Errorf("only %s stays: %q, want %q", tt.stays, got, tt.want)
		}
		s.finish()
	}
}

// A subscription follows the phone: the NOTIFY about its move goes where it is now.
func TestSubscriptionsMove(t *testing.T) {
	s := stage(t, 1, nil)
	s.subscribe("001")
	s.do("001: 200 OK to NOTIFY", "wait 10s", "001 moves to 198.51.100.7:5070", "001: REGISTER auth", "001: REGISTER auth")
	s.notified("001")
	s.do("wait 1ms")
	if got := s.notified("001"); !strings.HasPrefix(got, "active") {
		t.Errorf("at its new address the phone got %q", got)
	}
	if body := s.events[len(s.events)-1].text; !strings.Contains(body, `event="refreshed"`) {
		t.Errorf("the NOTIFY says\n%s", body)
	}
	s.finish()
}

// A subscription follows the phone that has it, not another one of its user.
func TestOtherSubscriptionsStay(t *testing.T) {
	s := stage(t, 2, nil)
	s.subscribe("002a")
	s.do("002a: 200 OK to NOTIFY", "002b moves to 192.0.2.2:5070", "002b: REGISTER auth")
	if at := s.core.subscribers.by["002"][0].side.Addr.String(); at != "192.0.2.1:5060" {
		t.Errorf("the subscription of 002a is at %s", at)
	}
	s.do("wait 10s", "002a: 200 OK to NOTIFY", "wait 3h")
	s.finish()
}

// With the refusal of one NOTIFY a subscription is over, whatever becomes of another that was under way.
func TestRefusedNotifyIsTheLast(t *testing.T) {
	s := stage(t, 1, nil)
	s.subscribe("001")
	first := s.phone("001").response("200", "OK", &wish{to: "NOTIFY"})
	if err := s.run("001: SUBSCRIBE", []string{"Event: reg"}); err != nil {
		t.Fatal(err)
	}
	s.do("001: 481 No to NOTIFY")
	s.send(s.phone("001"), first.bytes())
	s.notified("001")
	s.do("wait 3h")
	if got := s.notified("001"); got != "" {
		t.Errorf("another NOTIFY came: %s", got)
	}
	s.finish()
}

// Of the contacts that have gone since the last NOTIFY the next one has so many and no more.
func TestGoneContactsAreBounded(t *testing.T) {
	s := stage(t, 1, nil)
	s.subscribe("001")
	s.do("001: 200 OK to NOTIFY")
	for i := range 2 * maxGone {
		for _, expires := range []string{"600", "0"} {
			if err := s.run("001: REGISTER auth", []string{fmt.Sprintf("Contact: <sip:%d@198.51.100.7>;expires=%s", i, expires)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.do("wait 6s")
	if n := strings.Count(s.phone("001").got["NOTIFY"].body, `state="terminated"`); n != maxGone {
		t.Errorf("%d contacts are gone, want %d", n, maxGone)
	}
	s.do("001: 200 OK to NOTIFY", "wait 3h")
	s.finish()
}

// Bytes that a phone may write into its Contact do no harm in the document.
func TestReginfoEscapes(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: REGISTER auth")
	if err := s.run("001: REGISTER auth", []string{"Contact: <sip:001@10.0.0.1;x='&y>;+sip.instance=\"<\\\"/>\xff]]>\""}); err != nil {
		t.Fatal(err)
	}
	if got := s.subscribe("001"); got != "200" { // what goes out is parsed by the world
		t.Errorf("SUBSCRIBE got %s", got)
	}
	if body := s.phone("001").got["NOTIFY"].body; !strings.Contains(body, "x=&#39;&amp;y") {
		t.Errorf("the NOTIFY says\n%s", body)
	}
	s.finish()
}

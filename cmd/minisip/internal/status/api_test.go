package status

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/digest"
	"minisip/sipmsg"
)

// rig is an API in front of a core whose event loop is a lock.
type rig struct {
	t    testing.TB
	api  *API
	core *proxy.Core
	mu   sync.Mutex
	asks atomic.Int64 // of the event loop
	sent []byte       // last
}

// ours is the server's address; phones are at ports of one other.
var (
	ours  = netip.MustParseAddrPort("203.0.113.10:5060")
	phone = netip.MustParseAddrPort("198.51.100.7:31022")
)

func newRig(t testing.TB) *rig {
	r := &rig{t: t}
	users, err := digest.ParseUsers("", nil, "r")
	if err == nil {
		err = users.AddJSON([]byte(`{"001": "secret", "002": "secret"}`))
	}
	if err != nil {
		t.Fatal(err)
	}
	auth := digest.NewServer(digest.Config{Realm: "r", Key: make([]byte, 32)})
	tail := new(Tail)
	r.core = proxy.New(proxy.Config{Realm: "r", History: make([]byte, 64<<10)}, &output{r, tail}, ports{}, users, auth, [32]byte{1})
	banned := []Ban{{IP: phone.Addr(), Failures: 10, Why: "wrong password for 001"}}
	r.api = New(Config{
		Version: "v1", Started: time.Now(), Do: r.do, Log: tail,
		Health: func() Health { return Health{PortsFree: 4, PortsAll: 5, State: State{Kept: true, Lost: 7}} },
		Bans:   func() []Ban { return banned },
		Unban: func(ip netip.Addr) bool {
			was := len(banned) > 0 && banned[0].IP == ip
			if was {
				banned = nil
			}
			return was
		},
	})
	return r
}

func (r *rig) do(_ context.Context, f func(*proxy.Core)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asks.Add(1)
	f(r.core)
	return true
}

// ports are those of a relay of which calls without media need nothing more.
type ports struct{ proxy.Relay }

func (ports) Free() int { return 100 }

// output takes what the core says.
type output struct {
	r    *rig
	tail *Tail
}

func (o *output) Send(_, _ netip.AddrPort, datagram []byte) bool {
	o.r.sent = bytes.Clone(datagram)
	return true
}

func (o *output) Log(line string)       { o.tail.Add(line) }
func (o *output) Record(*proxy.Record)  {}
func (o *output) Reuse(*sipmsg.Message) {}

// phone sends a request as a phone does, answers a challenge, and gives the response.
func (r *rig) phone(method, user, to string) string {
	r.t.Helper()
	send := func(cseq int, header string) {
		text := fmt.Sprintf("%[1]s sip:%[2]s@x SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.2;rport;branch=z9hG4bK%[1]s%[3]s%[4]d\r\nMax-Forwards: 70\r\n"+
			"From: <sip:%[3]s@x>;tag=t\r\nTo: <sip:%[2]s@x>\r\nCall-ID: %[1]s-%[3]s\r\nCSeq: %[4]d %[1]s\r\nContact: <sip:%[3]s@192.168.1.2>\r\n"+
			"User-Agent: Test/1\r\n%[5]sContent-Length: 0\r\n\r\n", method, to, user, cseq, header)
		r.do(nil, func(c *proxy.Core) {
			m := new(sipmsg.Message)
			err := m.Parse([]byte(text))
			c.Receive(time.Now(), ours, phone, m, err)
		})
	}
	send(1, "")
	nonce := regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(string(r.sent))
	if nonce == nil {
		r.t.Fatalf("no challenge:\n%s", r.sent)
	}
	hash := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	uri := "sip:" + to + "@x"
	response := hash(hash(user+":r:secret") + ":" + nonce[1] + ":00000001:c:auth:" + hash(method+":"+uri))
	send(2, fmt.Sprintf("Authorization: Digest username=%q, realm=\"r\", nonce=%q, uri=%q, response=%q, qop=auth, nc=00000001, cnonce=\"c\"\r\n",
		user, nonce[1], uri, response))
	line, _, _ := strings.Cut(string(r.sent), "\r\n")
	return line
}

// ask gives the status and the body of an answer.
func (r *rig) ask(method, path, body string) (int, string) {
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, strings.TrimSpace(w.Body.String())
}

// TestAPI: what is answered to what, and how errors are worded.
func TestAPI(t *testing.T) {
	r := newRig(t)
	for _, user := range []string{"001", "002"} {
		if got := r.phone("REGISTER", user, user); got != "SIP/2.0 200 OK" {
			t.Fatal(got)
		}
	}
	r.phone("INVITE", "001", "009")
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string // expression
	}{
		{"GET", "/api/overview", "", 200, `^\{"version":"v1",.*"users":2,"bindings":2,"calls":0,.*"features":\{"debug":false,.*"ports_free":4,"ports_total":5,"state":\{"kept":true,"failing":false,"lost":7\},"warnings":\[`},
		{"GET", "/api/users", "", 200, `^\{"total":2,"matched":2,"offset":0,"users":\[\{"user":"001","contact":"sip:001@192.168.1.2","source":"198.51.100.7:31022","nat":true,"agent":"Test/1","expires_s":\d+,.*"ping_ms":null,"suspended":false\},\{"user":"002"`},
		{"GET", "/api/users?q=TEST&offset=1&limit=1", "", 200, `^\{"total":2,"matched":2,"offset":1,"users":\[\{"user":"002"[^{]*\}\]\}$`},
		{"GET", "/api/users?q=nobody", "", 200, `^\{"total":2,"matched":0,"offset":0,"users":\[\]\}$`},
		{"GET", "/api/users?offset=77&limit=-1", "", 200, `"offset":77,"users":\[\]\}$`},
		{"GET", "/api/calls", "", 200, `^\{"total":1,"matched":1,"offset":0,"calls":\[\{"id":"r1","state":"ended",.*"why":"refused: 404 Not Found".*"findings":\[\{"severity":"error","code":"no-such-user"`},
		{"GET", "/api/calls?state=live", "", 200, `^\{"total":0,"matched":0,"offset":0,"calls":\[\]\}$`},
		{"GET", "/api/calls?state=odd", "", 400, `^\{"error":"There is no state \\"odd\\": expected live, ended or all\."\}$`},
		{"GET", "/api/calls/r1", "", 200, `"columns":\[\{"name":"001","addr":"198.51.100.7:31022"\},\{"name":"minisip"\}\],"steps":\[\{"n":1,.*"kind":"request","label":"INVITE"`},
		{"GET", "/api/calls/7", "", 404, `^\{"error":"There is no call 7: it may be too long ago\."\}$`},
		{"POST", "/api/calls/7/hangup", "", 404, `^\{"error":"There is no call 7 that could be ended\."\}$`},
		{"GET", "/api/messages/x", "", 400, `is no number of a message`},
		{"GET", "/api/messages/4711", "", 404, `no longer kept`},
		{"GET", "/api/bans", "", 200, `^\{"bans":\[\{"ip":"198.51.100.7","until":"[^"]+","failures":10,"why":"wrong password for 001"\}\]\}$`},
		{"DELETE", "/api/bans/nowhere", "", 400, `is no IP address`},
		{"DELETE", "/api/bans/198.51.100.7", "", 204, `^$`},
		{"DELETE", "/api/bans/198.51.100.7", "", 404, `198\.51\.100\.7 is not banned`},
		{"GET", "/api/bans", "", 200, `^\{"bans":\[\]\}$`},
		{"POST", "/api/set", `{"word":"silent","on":true}`, 200, `"silent":true`},
		{"POST", "/api/set", `{"word":"loud","on":true}`, 400, `There is no word \\"loud\\"`},
		{"POST", "/api/set", `word=silent`, 400, `Expected JSON such as`},
		{"POST", "/api/set", `{"word":"` + strings.Repeat("x", 10_000) + `"}`, 400, `Expected JSON such as`},
		{"GET", "/api/log?q=REGISTERED&limit=1", "", 200, `^\{"lines":\["002 registered from 198\.51\.100\.7:31022 behind NAT"\]\}$`},
		{"GET", "/api/nothing", "", 404, `^\{"error":"There is no GET /api/nothing\."\}$`},
		{"GET", "/metrics", "", 200, `(?m)^minisip_registered_users 2$`},
	} {
		status, body := r.ask(tt.method, tt.path, tt.body)
		if status != tt.status || !regexp.MustCompile(tt.want).MatchString(body) {
			t.Errorf("%s %s: %d %s\nwant %d %s", tt.method, tt.path, status, body, tt.status, tt.want)
		}
	}
}

// TestDropped: what the event loop never saw is among what was dropped; what did not happen is not.
func TestDropped(t *testing.T) {
	r := newRig(t)
	dropped := func() map[string]uint64 {
		var o Overview
		if _, body := r.ask("GET", "/api/overview", ""); json.Unmarshal([]byte(body), &o) != nil {
			t.Fatal(body)
		}
		return o.Dropped
	}
	if got := dropped(); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
	r.api.cfg.Health = func() Health { return Health{Banned: 1204, Lost: 17} }
	if got := dropped(); len(got) != 2 || got["banned"] != 1204 || got["lost by the system"] != 17 {
		t.Errorf("got %v", got)
	}
}

// TestMessages: what a user sent and got, newest last, secrets masked.
func TestMessages(t *testing.T) {
	r := newRig(t)
	r.phone("REGISTER", "001", "001")
	_, body := r.ask("GET", "/api/users/001/messages", "")
	var list struct{ Messages []Summary }
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Messages) != 4 {
		t.Fatalf("%v in %s", err, body)
	}
	for i, want := range []string{"REGISTER", "401 Unauthorized (REGISTER)", "REGISTER", "200 OK (REGISTER)"} {
		if m := list.Messages[i]; m.Label != want || m.Received != (i%2 == 0) || m.Call != "" {
			t.Errorf("message %d: %+v", i, m)
		}
	}
	_, body = r.ask("GET", "/api/messages/"+list.Messages[2].ID, "")
	var m Message
	if err := json.Unmarshal([]byte(body), &m); err != nil || !strings.Contains(m.Text, `response="********"`) || m.Before != nil {
		t.Errorf("%v in %s", err, body)
	}
	if _, body := r.ask("GET", "/api/users/001/messages?limit=1", ""); !strings.Contains(body, "200 OK") || strings.Contains(body, "401 ") {
		t.Errorf("the newest is %s", body)
	}
}

// TestEvents: one look serves all who listen, changes are told once, and when nobody listens
// any more the event loop is left alone.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.phone("REGISTER", "001", "001")
		var clients []*client
		for range 3 {
			c := &client{topics: []string{"overview", "calls", "log"}, out: make(chan event, 16), sent: map[string]string{}}
			_, c.logged = r.api.cfg.Log.Lines("", 0)
			if !r.api.hub.join(c) {
				t.Fatal("no room")
			}
			clients = append(clients, c)
		}
		synctest.Wait()
		drain(clients)
		r.phone("INVITE", "001", "009")
		before := r.asks.Load()
		time.Sleep(hubEvery)
		synctest.Wait()
		if n := r.asks.Load() - before; n == 0 || n > 4 {
			t.Errorf("one look for three clients asked the loop %d times", n)
		}
		for i, c := range clients {
			var names []string
			for len(c.out) > 0 {
				e := <-c.out
				names = append(names, e.name)
				if e.name == "calls" && !strings.Contains(string(e.data), `"id":"r1"`) {
					t.Errorf("changed: %s", e.data)
				}
			}
			if got := strings.Join(names, " "); got != "overview calls log" {
				t.Errorf("client %d got %q", i, got)
			}
		}
		time.Sleep(hubEvery)
		synctest.Wait()
		for _, c := range clients {
			for len(c.out) > 0 {
				if e := <-c.out; e.name != "overview" {
					t.Errorf("nothing happened, and %s was told: %s", e.name, e.data)
				}
			}
			r.api.hub.leave(c)
		}
		time.Sleep(2 * hubEvery)
		synctest.Wait()
		before = r.asks.Load()
		time.Sleep(time.Minute)
		synctest.Wait()
		if r.asks.Load() != before {
			t.Errorf("nobody listens, and the loop was asked %d times", r.asks.Load()-before)
		}
	})
}

func drain(clients []*client) {
	for _, c := range clients {
		for len(c.out) > 0 {
			<-c.out
		}
	}
}

// TestEventsAreBounded: no more listen than may, and one who does not read holds nobody up.
func TestEventsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var clients []*client
		for i := range maxClients + 1 {
			c := &client{topics: []string{"overview"}, out: make(chan event, 16), sent: map[string]string{}}
			if joined := r.api.hub.join(c); joined != (i < maxClients) {
				t.Fatalf("client %d joined: %v", i, joined)
			}
			clients = append(clients, c)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(clients[0].out); n != cap(clients[0].out) {
			t.Errorf("%d events wait", n)
		}
		for _, c := range clients {
			r.api.hub.leave(c)
		}
		time.Sleep(2 * hubEvery)
		synctest.Wait()
	})
	r := newRig(t)
	if status, body := r.ask("GET", "/api/events?topics="+strings.Repeat("call:1,", maxTopics), ""); status != 400 {
		t.Errorf("%d %s", status, body)
	}
}

package phone

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/server"
	"minisip/digest"
	"minisip/rtprelay"
)

// serve starts a server for users 001, 002, and one whose name is no URI's, on loopback.
func serve(t *testing.T) netip.AddrPort {
	t.Helper()
	users, err := digest.ParseUsers("", nil, "mini_sip_proxy")
	if err == nil {
		err = users.AddJSON([]byte(`{"001":"one","002":"two","bär@5 <%>":"three"}`))
	}
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.Listen(server.Config{
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Proxy: proxy.Config{Realm: "mini_sip_proxy", Features: proxy.Features{
			Contact: true, SDP: true, Via: true, Duplicate: true, Silent: true,
		}},
		RTP:   rtprelay.Config{Low: 20000, High: 20100},
		Users: users, Auth: digest.NewServer(digest.Config{Realm: "mini_sip_proxy"}), Log: func(string) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		srv.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return srv.Addresses()[0]
}

func newPhone(t *testing.T, cfg Config) *Phone {
	t.Helper()
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestCall: two phones that claim private addresses register, call, hear each other's tone, and hang up.
func TestCall(t *testing.T) {
	at := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var mu sync.Mutex
	var course []string
	watch := func(m *Message) {
		mu.Lock()
		defer mu.Unlock()
		line, _, _ := strings.Cut(string(m.Bytes()), "\r\n")
		course = append(course, line)
	}
	claim := netip.MustParseAddr("192.168.1.2")
	a := newPhone(t, Config{Server: at, User: "001", Password: "one", Claim: claim, Watch: watch})
	b := newPhone(t, Config{Server: at, User: "002", Password: "two", Claim: claim})
	for _, p := range []*Phone{a, b} {
		if _, err := p.Register(ctx, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	answered := make(chan *Call, 1)
	go func() {
		c, err := b.Answer(ctx, 0)
		if err != nil {
			t.Error(err)
		}
		answered <- c
	}()
	c, err := a.Call(ctx, "002")
	if err != nil {
		t.Fatal(err)
	}
	d := <-answered
	if d == nil {
		t.FailNow()
	}
	Talk(ctx, 300*time.Millisecond, c.Media(), d.Media())
	if h := c.Media().Heard(false); h.Tone != 880 || h.Lost > 1 || h.MOS == 0 {
		t.Errorf("the caller hears %+v", h)
	}
	if h := d.Media().Heard(false); h.Tone != 440 {
		t.Errorf("the callee hears %+v", h)
	}
	if err := d.HangUp(ctx); err != nil {
		t.Error(err)
	}
	if why, err := c.Ended(ctx); err != nil || why != "hung up by the other side" {
		t.Errorf("%q, %v", why, err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"SIP/2.0 401 Unauthorized", "SIP/2.0 407 Proxy Authentication Required", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK"} {
		if !slices.Contains(course, want) {
			t.Errorf("no %q in %q", want, course)
		}
	}
}

// TestEcho: who echoes gives the caller a round trip, behind a NAT too, where he must be the first to send.
func TestEcho(t *testing.T) {
	at := serve(t)
	t.Run("reached", func(t *testing.T) { echoes(t, Config{Server: at, User: "001", Password: "one"}) })
	t.Run("behind a NAT", func(t *testing.T) {
		echoes(t, Config{Server: at, User: "001", Password: "one", Claim: netip.MustParseAddr("192.168.1.2")})
	})
	t.Run("a name to be escaped", func(t *testing.T) { echoes(t, Config{Server: at, User: "bär@5 <%>", Password: "three"}) })
}

func echoes(t *testing.T, cfg Config) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	a, b := newPhone(t, cfg), newPhone(t, cfg)
	if _, err := a.Register(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	go func() {
		if c, err := a.Answer(ctx, 0); err == nil {
			c.Media().Echo()
		}
	}()
	c, err := b.Call(ctx, a.URI())
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	Talk(ctx, 300*time.Millisecond, c.Media())
	if h := c.Media().Heard(true); h.Tone != 440 || h.RoundTrip > time.Since(begin) {
		t.Errorf("%+v", h)
	}
	if err := c.HangUp(ctx); err != nil {
		t.Error(err)
	}
}

// TestRefusals are told apart.
func TestRefusals(t *testing.T) {
	at := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	wrong := newPhone(t, Config{Server: at, User: "001", Password: "wrong"})
	var refused *Refused
	if _, err := wrong.Register(ctx, time.Minute); !errors.As(err, &refused) || refused.Status != 401 {
		t.Errorf("wrong password: %v", err)
	}
	right := newPhone(t, Config{Server: at, User: "001", Password: "one"})
	if _, err := right.Call(ctx, "002"); !errors.As(err, &refused) || refused.Status != 480 {
		t.Errorf("a user who is not there: %v", err)
	}
	if _, err := right.Ask(ctx); err != nil {
		t.Errorf("OPTIONS: %v", err)
	}
	nobody := newPhone(t, Config{Server: at, User: "999", Password: "x"})
	soon, hurry := context.WithTimeout(ctx, 100*time.Millisecond)
	defer hurry()
	if _, err := nobody.Register(soon, time.Minute); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("an unknown user in silent mode: %v", err)
	}
}

// TestMuLaw: what comes back is within half a step of what was encoded; a step is a sixteenth of its segment.
func TestMuLaw(t *testing.T) {
	for v := -32768; v < 32768; v += 7 {
		got := linear(muLaw(int16(v)))
		if math.Abs(got-float64(max(-32635, min(32635, v)))) > (math.Abs(float64(v))+0x84)/32 {
			t.Fatalf("%d came back as %v", v, got)
		}
	}
	// ITU-T G.711 table 2a: the ends and the middle.
	for v, want := range map[int16]byte{32767: 0x80, -32768: 0x00, 0: 0xff} {
		if got := muLaw(v); got != want {
			t.Errorf("%d: %#x, want %#x", v, got, want)
		}
	}
}

func TestEarMeasures(t *testing.T) {
	var e ear
	for i := range 100 {
		if i%10 != 5 { // every tenth is lost
			late := time.Duration(0)
			if i%2 == 1 {
				late = 4 * time.Millisecond
			}
			e.hear(time.Duration(i)*frame+late, uint16(65500+i), uint32(i*samples), make([]byte, samples))
		}
	}
	h := e.heard(false, 0)
	if h.Packets != 90 || h.Lost != 10 || h.LossPercent != 10 || h.Jitter < time.Millisecond || h.Jitter > 4*time.Millisecond || h.Tone != 0 || h.RoundTrip != 0 || h.MOS < 3.37 || h.MOS > 3.38 {
		t.Errorf("%+v", h)
	}
}

// A reason phrase is whatever a server wants; a terminal shows it.
func TestRefusedIsText(t *testing.T) {
	err := &Refused{Method: "REGISTER", Status: 403, Reason: "N\u00f6\x1b]0;x\a \u009b31m\u202e\xff"}
	if got, want := err.Error(), "REGISTER was refused: 403 N\u00f6.]0;x. .31m.\ufffd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

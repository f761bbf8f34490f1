package proxy

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/pack"
	"minisip/rtprelay"
	"minisip/session"
)

// sockets is a relay with real ones, on loopback.
type sockets struct{ *rtprelay.Relay }

func (r sockets) Open(_, _ Leg) (Stream, error) {
	leg := rtprelay.LegConfig{Local: netip.MustParseAddr("127.0.0.1")}
	s, err := r.Relay.Open(leg, leg)
	if err != nil {
		return nil, err
	}
	return socketStream{s}, nil
}

func (r sockets) Reopen(caller, callee Leg, _ time.Time, _ *pack.Reader) (Stream, error) {
	return r.Open(caller, callee)
}

type socketStream struct{ *rtprelay.Stream }

func (s socketStream) Port(side session.Role) uint16 { return s.Stream.Port(rtprelay.Side(side)) }
func (s socketStream) LastMedia(from session.Role) time.Time {
	return s.Stream.LastMedia(rtprelay.Side(from))
}
func (s socketStream) Flow(session.Role) Flow                      { return Flow{} }
func (s socketStream) Expect(session.Role, Peer, map[uint8]uint32) {}
func (s socketStream) MoveTo(session.Role, netip.Addr) netip.Addr  { return netip.Addr{} }
func (s socketStream) SetICE(session.Role, ICE)                    {}
func (s socketStream) AppendState(b []byte, _ time.Time) []byte    { return b }
func (s socketStream) Tap(Tap)                                     {}

// descriptors counts the open files of this process.
func descriptors(t *testing.T) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("open files cannot be counted here: %v", err)
	}
	return len(all)
}

// 3,000 calls through eight port pairs: every one of them gets ports, one too many at a
// time gets 503, and in the end the pool is full, and neither descriptors nor goroutines
// nor calls are left.
func TestNothingLeaks(t *testing.T) {
	const calls = 3000
	low := uint16(18000 + os.Getpid()%64*16)
	r, err := rtprelay.New(rtprelay.Config{Low: low, High: low + 15, Rest: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := newBench(t)
	b.core.relay = sockets{r}
	b.call()
	files, routines, pairs := descriptors(t), runtime.NumGoroutine(), r.Free()
	for n := range calls {
		b.call()
		if got := firstLine(string(b.latest[0])); got != "SIP/2.0 200 OK" {
			b.t.Errorf("call %d ended with %s", n, got)
		}
		if n%1000 == 0 {
			b.exhaust()
		}
	}
	if got := b.core.Counters(); got.Completed != calls+1+4*calls/1000 {
		t.Errorf("%d calls completed", got.Completed)
	}
	if r.Free() != pairs || r.InUse() != 0 || pairs != 8 {
		t.Errorf("%d port pairs are free of %d", r.Free(), pairs)
	}
	if got := descriptors(t); got != files {
		t.Errorf("%d descriptors, %d after the first call", got, files)
	}
	for runtime.NumGoroutine() > routines { // those of the last call are on their way out
		runtime.Gosched()
	}
	b.advance(time.Minute)
	if n := len(b.core.calls); n != 0 {
		t.Errorf("%d calls are left", n)
	}
}

// exhaust has as many calls up at once as there are ports for, and tries one more.
func (b *bench) exhaust() {
	var up [4][]byte
	for i := range len(up) + 1 {
		b.begin(10 * time.Millisecond)
		b.give(0, benchInvite)
		b.answerChallenge("INVITE", inviteURI)
		b.give(0, benchRefAck)
		b.give(0, benchAuth)
		if i == len(up) {
			break
		}
		b.takeVia()
		b.give(1, benchOK)
		b.give(0, benchAck)
		up[i] = bytes.Clone(b.number)
	}
	if got := string(b.latest[0]); !strings.HasPrefix(got, "SIP/2.0 503 ") || !strings.Contains(got, "\r\nRetry-After: ") {
		b.t.Fatalf("the call that finds no ports got\n%s", got)
	}
	b.give(0, benchRefAck)
	for _, b.number = range up {
		b.give(0, benchBye)
		b.takeVia()
		b.give(1, benchByeOK)
	}
}

// spent is a relay that the system gives no more sockets.
type spent struct{ Relay }

func (spent) Open(_, _ Leg) (Stream, error) { return nil, errors.New("socket: too many open files") }

// Other trouble than used-up ports is a 503 too, and told as what it is.
func TestNoSockets(t *testing.T) {
	s := stage(t, 1, nil)
	s.core.relay = spent{s.core.relay}
	s.do("001: INVITE 002 auth")
	if !s.said("call 1: media cannot be relayed: socket: too many open files") {
		t.Errorf("logged %q", s.logged())
	}
	if v := s.core.Call(s.now, "1", false); v == nil || v.Record.Why != "refused (503 Service Unavailable)" || len(v.Findings) == 0 || v.Findings[0].Code != "no-sockets" {
		t.Errorf("the call: %+v", v)
	}
	s.finish()
}

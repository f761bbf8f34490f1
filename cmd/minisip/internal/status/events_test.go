package status

import (
	"context"
	"slices"
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/proxy"
)

// TestSlowReader: one who had no room is told of it: log lines come late or are counted, and calls
// are to be asked for again.
func TestSlowReader(t *testing.T) {
	log := new(Tail)
	c := &client{topics: []string{"calls", "call:1", "log"}, out: make(chan event, 3), sent: map[string]string{}}
	n := &news{calls: []byte(`{"changed":[1]}`), details: map[string][]byte{"call:1": []byte("one")}}
	quiet := &news{}
	told := func() (all []string) {
		for len(c.out) > 0 {
			e := <-c.out
			all = append(all, e.name+" "+string(e.data))
		}
		return all
	}
	check := func(when string, want ...string) {
		t.Helper()
		if got := told(); !slices.Equal(got, want) {
			t.Errorf("%s: told %q, want %q", when, got, want)
		}
	}
	fill := func() {
		for len(c.out) < cap(c.out) {
			c.send("overview", nil)
		}
	}
	fill()
	log.Add("first")
	n.tell(c, log)
	told()
	(&news{details: n.details}).tell(c, log)
	check("with room again", "calls "+moved, "call one", `log {"lines":["first"]}`)
	quiet.tell(c, log)
	check("nothing new")
	for range maxTail + 5 {
		log.Add("more")
	}
	fill()
	quiet.tell(c, log)
	told()
	quiet.tell(c, log)
	got := told()
	if len(got) != 1 || !strings.HasPrefix(got[0], `log {"lines":["... 5 lines left out","more",`) || strings.Count(got[0], "more") != maxTail {
		t.Errorf("told %d events, %.80q", len(got), got)
	}
}

// TestBusyLoop: of a loop that does not answer nothing is told, and nothing is lost.
func TestBusyLoop(t *testing.T) {
	r := newRig(t)
	r.phone("INVITE", "001", "009")
	h := &r.api.hub
	do := r.api.cfg.Do
	r.api.cfg.Do = func(context.Context, func(*proxy.Core)) bool { return false }
	clients := []*client{{topics: []string{"calls", "call:r1"}}}
	if n := h.collect(clients, 0, false); n.changes != 0 || n.calls != nil || len(n.details) != 0 {
		t.Errorf("of a busy loop: %+v", n)
	}
	asked := 0
	r.api.cfg.Do = func(ctx context.Context, f func(*proxy.Core)) bool {
		asked++
		return asked == 1 && do(ctx, f)
	}
	if n := h.collect(clients, 0, false); n.changes != 0 || n.calls != nil || asked < 2 {
		t.Errorf("of a loop that knows which calls changed, and not how: %+v", n)
	}
	asked = 0
	r.api.cfg.Do = func(ctx context.Context, f func(*proxy.Core)) bool {
		asked++
		return asked != 2 && do(ctx, f)
	}
	if n := h.collect(clients, 0, false); n.changes != 0 || n.calls != nil || len(n.details) != 1 {
		t.Errorf("of a loop that has time for a call, and had none for the list: %+v", n)
	}
	r.api.cfg.Do = do
	if n := h.collect(clients, 0, false); n.changes == 0 || n.calls == nil || len(n.details) != 1 {
		t.Errorf("afterwards: %+v", n)
	}
}

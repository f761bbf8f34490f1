package status

import (
	"context"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

// TestCallEndsBetweenParts: a call that ends while the list is collected stands in it once.
func TestCallEndsBetweenParts(t *testing.T) {
	r := newRig(t)
	r.phone("REGISTER", "001", "001")
	r.phone("REGISTER", "002", "002")
	r.phone("INVITE", "001", "002")
	asked, ended := 0, false
	r.api.cfg.Do = func(ctx context.Context, f func(*proxy.Core)) bool {
		if asked++; asked == proxy.CallSlots+1 { // the live ones are through
			r.do(ctx, func(c *proxy.Core) { ended = c.HangUp(time.Now(), "1", "the operator") })
		}
		return r.do(ctx, f)
	}
	_, body := r.ask("GET", "/api/calls", "")
	if !ended || !strings.HasPrefix(body, `{"total":1,"matched":1,"offset":0,"calls":[{"id":"1","state":"ended"`) || strings.Count(body, `"id":`) != 1 {
		t.Errorf("ended: %v; %s", ended, body)
	}
}

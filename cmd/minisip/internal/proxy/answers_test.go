package proxy

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"minisip/session"
)

// Answers are found under their keys and no other for as long as copies may come, and then let go: compared with a
// plain list over random steps.
func TestAnswersAgainstList(t *testing.T) {
	type given struct {
		at             time.Time
		key            string
		status         int
		reason, fields string
	}
	c := newBench(t).core
	a := &c.answers
	rnd := rand.New(rand.NewPCG(1, 2))
	var list []given
	now := c.now
	for step := range 20_000 {
		now = now.Add(time.Duration(rnd.ExpFloat64() * float64(200*time.Millisecond)))
		if next := c.timers.Next(); !next.IsZero() && !next.After(now) {
			c.Tick(now)
		}
		g := given{now, fmt.Sprint("key ", step), 200 + rnd.IntN(500), strings.Repeat("r", rnd.IntN(9)), strings.Repeat("Field: x\r\n", rnd.IntN(50))}
		if rnd.IntN(1000) == 0 {
			g.fields = strings.Repeat("x", 2*answerBlock)
		}
		a.keep(now, []byte(g.key), g.status, g.reason, []byte(g.fields))
		list = append(list, g)
		for now.Sub(list[0].at) > session.Lifetime+answerStep {
			if status, _, _ := a.find([]byte(list[0].key)); status != 0 {
				t.Fatalf("step %d: the answer of %v ago is still there", step, now.Sub(list[0].at))
			}
			list = list[1:]
		}
		for range 5 {
			g := list[rnd.IntN(len(list))]
			status, reason, fields := a.find([]byte(g.key))
			if kept := now.Sub(g.at) <= session.Lifetime; !kept && status == 0 {
				continue
			}
			if status != g.status || reason != g.reason || !bytes.Equal(fields, []byte(g.fields)) {
				t.Fatalf("step %d: found %d %q and %d bytes, want %d %q and %d", step, status, reason, len(fields), g.status, g.reason, len(g.fields))
			}
		}
		if status, _, _ := a.find([]byte("another")); status != 0 {
			t.Fatalf("step %d: %d for a request that never came", step, status)
		}
	}
}

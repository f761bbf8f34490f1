//go:build interop

package interop

import (
	"fmt"
	"testing"
	"time"
)

// phone is what every phone here can do. Each method that waits fails the test
// when what it waits for does not come.
type phone interface {
	ear                      // its newest call
	tone() float64           // the frequency that it plays, in Hz
	tolerance() tolerance    // of its recording
	registered(t *testing.T) // waits until it is
	dial(t *testing.T, to string)
	ringing(t *testing.T) // waits for a call to come in
	answer(t *testing.T)
	connected(t *testing.T)     // waits until the call is up
	hangup(t *testing.T)        // ends, cancels or refuses the call
	closed(t *testing.T) string // waits until the call is over, and says why
}

// ear is what has heard something.
type ear interface {
	recorded() (recording, error) // all of it so far
}

// tolerance is what a recording may lack of a whole, clean tone.
type tolerance struct {
	missing time.Duration // of the time that the call was up
	other   time.Duration // with sound that is not the tone
	gaps    int
	breaks  int
}

// call lets the caller call the callee, who answers, and waits until the call is up.
func call(t *testing.T, caller, callee phone, to string) {
	t.Helper()
	caller.dial(t, to)
	callee.ringing(t)
	callee.answer(t)
	caller.connected(t)
	callee.connected(t)
}

// talk lets the caller call the callee, the two exchange their tones for d, and the one named
// hang up. Then it measures what each has heard.
func talk(t *testing.T, caller, callee, ender phone, to string, d time.Duration) {
	t.Helper()
	call(t, caller, callee, to)
	begin := time.Now()
	eventually(t, d+5*time.Second, "a phone hears anything", func() bool {
		return hears(caller, callee.tone()).tone >= d || hears(callee, caller.tone()).tone >= d
	})
	lasted := time.Since(begin)
	ender.hangup(t)
	caller.closed(t)
	callee.closed(t)
	measure(t, "caller", caller, callee, lasted)
	measure(t, "callee", callee, caller, lasted)
}

// hears measures what has been heard so far.
func hears(p ear, hz float64) heard {
	r, err := p.recorded()
	if err != nil {
		return heard{}
	}
	return listen(r, hz)
}

// of is what the recording of a tone may lack that another phone plays. One that plays unevenly, as linphonec does
// where it is done with ICE, and where the machine lets it wait, leaves no recording of it whole.
func (t tolerance) of(plays tolerance) tolerance {
	t.other, t.gaps, t.breaks = max(t.other, plays.other), max(t.gaps, plays.gaps), max(t.breaks, plays.breaks)
	return t
}

// measure fails the test when a phone did not hear the other one's tone, and nothing else,
// all the time that the call lasted, within the tolerance of the two.
func measure(t *testing.T, name string, p, from phone, lasted time.Duration) {
	t.Helper()
	hz, tol := from.tone(), p.tolerance().of(from.tolerance())
	want := lasted - tol.missing
	var h heard
	within(2*time.Second, func() bool { // the recording may still be written out
		h = hears(p, hz)
		return h.tone >= want
	})
	what := fmt.Sprintf("in %v the %s heard %v Hz for %v, other sound for %v, with %d gaps and %d breaks",
		lasted.Round(time.Millisecond), name, hz, h.tone, h.other, h.gaps, h.breaks)
	if h.tone < want || h.other > tol.other || h.gaps > tol.gaps || h.breaks > tol.breaks {
		t.Error(what)
	} else {
		t.Log(what)
	}
}

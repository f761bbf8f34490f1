package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"minisip/cmd/minisip/internal/phone"
	"minisip/sipmsg"
)

// shaft is how long the arrows of the ladder are.
const shaft = 26

// ladder draws the messages of two phones as they pass: one to the left of the server, one to its right.
type ladder struct {
	mu    sync.Mutex
	out   io.Writer
	begin time.Time
	kept  []*phone.Message // of the phone to the left and of the one to the right, in order
	right []bool
}

func newLadder(out io.Writer) *ladder { return &ladder{out: out, begin: time.Now()} }

// head writes the names over the columns.
func (l *ladder) head(left, right string) {
	fmt.Fprintf(l.out, "%10s%-*s%s%*s\n", "", shaft-2, left, "minisip", shaft+1, right)
}

// watch gives what a phone tells of its messages.
func (l *ladder) watch(right bool) func(*phone.Message) {
	return func(m *phone.Message) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.kept, l.right = append(l.kept, m), append(l.right, right)
		arrow := draw(m.Sent != right, m.Again, label(m.Message))
		gap := strings.Repeat(" ", shaft)
		if right {
			arrow = "|" + gap + "|" + arrow + "|"
		} else {
			arrow = "|" + arrow + "|" + gap + "|"
		}
		fmt.Fprintf(l.out, "%8.3f   %s\n", m.At.Sub(l.begin).Seconds(), arrow)
	}
}

// band writes a line of media between the columns.
func (l *ladder) band(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := []byte("|" + strings.Repeat("=", shaft) + "|" + strings.Repeat("=", shaft) + "|")
	copy(line[3:], " "+text+" ")
	fmt.Fprintf(l.out, "%8.3f   %s\n", time.Since(l.begin).Seconds(), line)
}

// draw gives one arrow with its label.
func draw(rightwards, again bool, text string) string {
	line := "-"
	if again {
		line = "~"
	}
	if len(text) > shaft-6 {
		text = text[:shaft-7] + "."
	}
	body := strings.Repeat(line, 2) + " " + text + " "
	body += strings.Repeat(line, shaft-1-len(body))
	if rightwards {
		return body + ">"
	}
	return "<" + body
}

// label names a message: its method, and whether it brings SDP or credentials; or its status.
func label(m *sipmsg.Message) string {
	if !m.IsRequest() {
		return fmt.Sprintf("%d %s", m.Status(), m.Reason())
	}
	text := string(m.MethodName())
	if m.Index(sipmsg.AuthorizationHdr) >= 0 || m.Index(sipmsg.ProxyAuthorizationHdr) >= 0 {
		text += " +digest"
	}
	if len(m.Body()) > 0 {
		text += " +SDP"
	}
	return text
}

// last gives the newest message of one side that fits, or nil.
func (l *ladder) last(right bool, fits func(*phone.Message) bool) *sipmsg.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.kept) - 1; i >= 0; i-- {
		if l.right[i] == right && fits(l.kept[i]) {
			return l.kept[i].Message
		}
	}
	return nil
}

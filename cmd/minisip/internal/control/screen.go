package control

import (
	"bytes"
	"strings"
)

// screen is what top has to draw on, and which part of the calls it shows there.
type screen struct {
	rows, columns int
	room          int // for calls
	first         int // call that is shown
}

// keys are what a terminal sends for those that mean something, in either of its modes, and what they do.
var keys = []struct {
	text string
	does func(s *screen) (end bool)
}{
	{"q", quit}, {"Q", quit}, {"\x03", quit},
	{"\x1b[A", by(-1, 0)}, {"\x1bOA", by(-1, 0)}, {"k", by(-1, 0)},
	{"\x1b[B", by(1, 0)}, {"\x1bOB", by(1, 0)}, {"j", by(1, 0)},
	{"\x1b[5~", by(0, -1)}, {"b", by(0, -1)},
	{"\x1b[6~", by(0, 1)}, {" ", by(0, 1)},
}

func quit(*screen) bool { return true }

// by moves by so many calls and pages.
func by(calls, pages int) func(*screen) bool {
	return func(s *screen) bool {
		s.first = max(0, s.first+calls+pages*s.room)
		return false
	}
}

// obey does what was typed, one key or several; what is none of them is passed over.
func (s *screen) obey(typed []byte) (end bool) {
next:
	for len(typed) > 0 {
		for _, k := range keys {
			if rest, ok := bytes.CutPrefix(typed, []byte(k.text)); ok {
				if k.does(s) {
					return true
				}
				typed = rest
				continue next
			}
		}
		typed = typed[1:]
	}
	return false
}

// cut leaves of a text what fits on the screen; the last line stays empty.
func (s *screen) cut(text string) []byte {
	var out bytes.Buffer
	rows := s.rows
	for line := range strings.Lines(text) {
		if rows--; rows <= 0 {
			break
		}
		line = strings.TrimSuffix(line, "\n")
		if r := []rune(line); len(r) > s.columns {
			line = string(r[:s.columns])
		}
		out.WriteString(line + "\n")
	}
	return out.Bytes()
}

package control

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

// writeCall shows a call: what it was, what went wrong, its media, its ladder.
func writeCall(w io.Writer, v *proxy.CallView) {
	fmt.Fprintf(w, "Call %s: %s calls %s, %s", v.ID, printable(v.From), printable(v.To), v.State)
	if v.Answer != nil {
		fmt.Fprintf(w, ", %s", span(time.Duration(v.Seconds*float64(time.Second))))
	}
	if v.Why != "" {
		fmt.Fprintf(w, ": %s", v.Why)
	}
	fmt.Fprintf(w, "\nbegan %s, Call-ID %s\n", v.Begin.Local().Format(stamp), printable(v.CallID))
	for _, f := range v.Findings {
		fmt.Fprintf(w, "\n%s: %s\n", f.Severity, f.Text)
		if f.Next != "" {
			fmt.Fprintf(w, "  %s\n", f.Next)
		}
	}
	if len(v.Media) > 0 {
		fmt.Fprintln(w)
		t := table{head: []string{"MEDIA", "FROM", "SOURCE", "PACKETS", "LOST", "JITTER", "RTT", "MOS", ""}}
		for i := range v.Media {
			d := &v.Media[i]
			rtt := ""
			if d.RTTMS > 0 {
				rtt = fmt.Sprintf("%.0f ms", d.RTTMS)
			}
			t.row(cmp.Or(d.Codec, d.Kind), d.From, cmp.Or(d.Source, "-"), fmt.Sprint(d.Packets), fmt.Sprintf("%.1f %%", d.LossPercent),
				fmt.Sprintf("%.0f ms", d.JitterMS), rtt, score(d.MOS), d.Verdict)
		}
		t.write(w)
	}
	fmt.Fprintln(w)
	writeLadder(w, v)
}

// How a ladder is laid out: the time, then a column for each who takes part.
const (
	timeWidth   = 10
	columnWidth = 28
)

// writeLadder draws the ladder of a call: arrows of "-", those of repetitions of "~", media of "=".
func writeLadder(w io.Writer, v *proxy.CallView) {
	if len(v.Columns) == 0 {
		return
	}
	var names, addrs canvas
	for i, c := range v.Columns {
		names.text(position(i)-len([]rune(c.Name))/2, printable(c.Name))
		addrs.text(position(i)-len(c.Addr)/2, c.Addr)
	}
	fmt.Fprintln(w, names.String())
	fmt.Fprintln(w, addrs.String())
	for _, s := range v.Steps {
		var line canvas
		for i := range v.Columns {
			line.text(position(i), "|")
		}
		line.text(0, fmt.Sprintf("%8.3f", float64(s.AtMS)/1000))
		switch from, to := position(s.From), position(s.To); {
		case from == to:
			line.text(from+2, "-- "+s.Label+" --")
		case from < to:
			line.arrow(from+1, to-1, dash(&s), 2, s.Label)
			line.text(to-1, ">")
		default:
			line.arrow(to+1, from-1, dash(&s), 3, s.Label)
			line.text(to+1, "<")
		}
		fmt.Fprintln(w, line.String())
	}
	if v.Skipped > 0 {
		fmt.Fprintf(w, "(%d steps in the middle are not kept)\n", v.Skipped)
	}
}

// position is where a column stands.
func position(column int) int { return timeWidth + 8 + column*columnWidth }

func dash(s *proxy.StepView) rune {
	switch {
	case strings.HasPrefix(s.Kind, "media"):
		return '='
	case s.Again:
		return '~'
	}
	return '-'
}

// canvas is one line that is drawn on.
type canvas []rune

// text puts text at a place.
func (c *canvas) text(at int, text string) {
	at = max(at, 0)
	for _, r := range text {
		for len(*c) <= at {
			*c = append(*c, ' ')
		}
		(*c)[at] = r
		at++
	}
}

// arrow draws a shaft with a label in it, so far from its left end.
func (c *canvas) arrow(from, to int, with rune, inset int, label string) {
	c.text(from, strings.Repeat(string(with), to-from+1))
	runes := []rune(printable(label))
	if most := min(to-from-7, columnWidth-8); len(runes) > most {
		runes = append(slices.Clone(runes[:most-1]), '.')
	}
	c.text(from+inset, " "+string(runes)+" ")
}

func (c canvas) String() string { return strings.TrimRight(string(c), " ") }

package control

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/status"
)

func (c *call) status() error {
	return answer(c, "/api/overview", func(o *status.Overview) { writeOverview(c.Out, o) })
}

// writeOverview is the state at a glance, a line a subject.
func writeOverview(w io.Writer, o *status.Overview) {
	fmt.Fprintf(w, "minisip %s, up %s\n", o.Version, span(time.Duration(o.Uptime)*time.Second))
	t := table{}
	t.row("users", fmt.Sprintf("%d with %d phones", o.Users, o.Bindings))
	t.row("calls", fmt.Sprintf("%d, of these %d ringing", o.Calls, o.Ringing))
	t.row("media", fmt.Sprintf("%.0f packets/s, %.1f %% lost, %d of %d port pairs free", o.Packets, o.Loss, o.PortsFree, o.PortsAll))
	t.row("event loop", fmt.Sprintf("lag %.1f ms, at most %.1f ms, %d datagrams dropped", o.Lag, o.MaxLag, o.QueueDrops))
	t.row("state", stateWords(o.State))
	t.row("features", words(o.Features))
	var dropped []string
	for _, reason := range slices.Sorted(maps.Keys(o.Dropped)) {
		dropped = append(dropped, fmt.Sprintf("%d %s", o.Dropped[reason], reason))
	}
	t.row("dropped", cmp.Or(strings.Join(dropped, ", "), "nothing"))
	for _, note := range o.Warnings {
		t.row("note", note)
	}
	t.write(w)
}

// stateWords says what a restart would find.
func stateWords(s status.State) string {
	switch {
	case !s.Kept:
		return "not kept: a restart loses registrations and calls"
	case s.Failing:
		return fmt.Sprintf("cannot be kept at present, %d changes lost", s.Lost)
	}
	return fmt.Sprintf("kept, %d changes lost", s.Lost)
}

// words lists what is on, and what is off.
func words(features map[string]bool) string {
	var on, off []string
	for _, w := range slices.Sorted(maps.Keys(features)) {
		if features[w] {
			on = append(on, w)
		} else {
			off = append(off, w)
		}
	}
	text := "on " + cmp.Or(strings.Join(on, " "), "none")
	if len(off) > 0 {
		text += "; off " + strings.Join(off, " ")
	}
	return text
}

func with(text string) string {
	if text == "" {
		return ""
	}
	return " with " + strconv.Quote(text) + " in it"
}

// writeCalls is a table of calls, one a line.
func writeCalls(w io.Writer, calls []*proxy.CallView) {
	t := table{head: []string{"CALL", "STATE", "FROM", "TO", "BEGAN", "LENGTH", "CODEC", "LOST", "MOS", ""}}
	for _, v := range calls {
		length := ""
		if v.Answer != nil {
			length = span(time.Duration(v.Seconds * float64(time.Second)))
		}
		codec, lost, mos := mediaOf(v)
		t.row(v.ID, v.State, v.From, v.To, v.Begin.Local().Format(time.TimeOnly), length, codec, lost, mos, verdictOf(v))
	}
	t.write(w)
}

// mediaOf is the audio of a call in three words: both directions, the caller's first.
func mediaOf(v *proxy.CallView) (codec, lost, mos string) {
	var losses, scores []string
	for i := range v.Media {
		if d := &v.Media[i]; d.Kind == "audio" {
			name, _, _ := strings.Cut(d.Codec, "/")
			codec = cmp.Or(codec, name)
			losses = append(losses, fmt.Sprintf("%.1f", d.LossPercent))
			scores = append(scores, cmp.Or(score(d.MOS), "-"))
		}
	}
	if len(losses) > 0 {
		lost = strings.Join(losses, "/") + " %"
	}
	return codec, lost, strings.Join(scores, "/")
}

func score(mos float64) string {
	if mos == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", mos)
}

// verdictOf is the gravest finding, else why the call ended.
func verdictOf(v *proxy.CallView) string {
	if len(v.Findings) > 0 {
		return v.Findings[0].Text
	}
	return cmp.Or(v.Why, v.Verdict)
}

func (c *call) call() error {
	path := "/api/calls/" + url.PathEscape(c.words[0])
	if c.json && c.whole {
		var v proxy.CallView
		if err := c.get(path, &v); err != nil {
			return err
		}
		return c.encode(struct {
			*proxy.CallView
			Messages []*status.Message `json:"messages"`
		}{&v, c.messages(&v)})
	}
	return answer(c, path, func(v *proxy.CallView) {
		writeCall(c.Out, v)
		if !c.whole {
			return
		}
		numbers := map[string]int{}
		for _, s := range v.Steps {
			numbers[s.Message] = s.N
		}
		for _, m := range c.messages(v) {
			fmt.Fprintf(c.Out, "\n%d  %s  %s -> %s\n%s", numbers[m.ID], m.Time.Local().Format(stamp), m.From, m.To, indented(m.Text))
		}
	})
}

// messages asks for the messages of a call, as far as they are still kept.
func (c *call) messages(v *proxy.CallView) []*status.Message {
	all := []*status.Message{}
	for _, s := range v.Steps {
		m := new(status.Message)
		if s.Message != "" && c.get("/api/messages/"+s.Message, m) == nil {
			all = append(all, m)
		}
	}
	return all
}

const stamp = "2006-01-02 15:04:05.000"

// indented is a message as it stands under a headline, without what a terminal would obey.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + printable(strings.TrimRight(line, "\r\n")) + "\n")
	}
	return b.String()
}

func (c *call) bans() error {
	return answer(c, "/api/bans", func(list *status.Bans) {
		if len(list.Bans) == 0 {
			fmt.Fprintln(c.Out, "Nobody is banned.")
			return
		}
		t := table{head: []string{"SOURCE", "UNTIL", "FAILURES", "LAST"}}
		for _, b := range list.Bans {
			t.row(b.IP.String(), b.Until.Local().Format(time.DateTime), strconv.Itoa(b.Failures), b.Why)
		}
		t.write(c.Out)
	})
}

func (c *call) log() error {
	if !c.follow {
		return answer(c, query("/api/log", "q", c.word(0)), func(l *status.Lines) { c.lines(l.Lines) })
	}
	// Follow first, then look back: so no line between the two is missing; one may come twice.
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	in, err := c.begin(ctx, "GET", "/api/events?topics=log", nil)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := answer(c, query("/api/log", "q", c.word(0), "limit", "20"), func(l *status.Lines) { c.lines(l.Lines) }); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var l status.Lines
		if err := json.Unmarshal([]byte(data), &l); err != nil {
			return fmt.Errorf("minisip answered what cannot be read: %w", err)
		}
		l.Lines = slices.DeleteFunc(l.Lines, func(s string) bool { return !strings.Contains(strings.ToLower(s), strings.ToLower(c.word(0))) })
		switch {
		case len(l.Lines) == 0:
		case c.json:
			if err := c.encode(l); err != nil {
				return err
			}
		default:
			if err := c.lines(l.Lines); err != nil {
				return err
			}
		}
	}
	return &failure{ExitNoServer, "minisip has ended"}
}

func (c *call) lines(lines []string) error {
	for _, l := range lines {
		if _, err := fmt.Fprintln(c.Out, l); err != nil {
			return err
		}
	}
	return nil
}

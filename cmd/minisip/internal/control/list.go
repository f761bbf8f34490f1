package control

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/status"
)

// Lists come in parts, since the server gives no more at once. Rows come and go between two parts:
// so each begins well within the one before, and what comes twice is left out.
const (
	rowsAtOnce = 200
	rowsTwice  = 50
)

// rows joins the parts of a list; ask gives one, and how many rows there are in all. With -limit it
// stops there.
func rows[T any](c *call, key func(*T) string, ask func(offset, limit string) (part []T, all int, err error)) ([]T, error) {
	list, seen := []T{}, map[string]bool{}
	for offset, most := 0, 0; ; offset += rowsAtOnce - rowsTwice {
		part, all, err := ask(strconv.Itoa(offset), strconv.Itoa(rowsAtOnce))
		if err != nil {
			return nil, err
		}
		for i := range part {
			if k := key(&part[i]); !seen[k] {
				seen[k] = true
				list = append(list, part[i])
			}
		}
		if c.limit > 0 && len(list) >= c.limit {
			return list[:c.limit], nil
		}
		if most = max(most, all); offset+rowsAtOnce >= most {
			return list, nil
		}
	}
}

func (c *call) users() (err error) {
	var p status.Phones
	p.Users, err = rows(c, func(u *proxy.PhoneView) string { return u.User + "\n" + u.Contact + "\n" + u.Source },
		func(offset, limit string) ([]proxy.PhoneView, int, error) {
			p.Users = nil
			err := c.get(query("/api/users", "q", c.word(0), "offset", offset, "limit", limit), &p)
			return p.Users, p.Matched, err
		})
	switch p.Offset = 0; {
	case err != nil:
		return err
	case c.json:
		return c.encode(p)
	case len(p.Users) == 0:
		fmt.Fprintln(c.Out, "No phone is registered"+with(c.word(0))+".")
		return nil
	}
	t := table{head: []string{"USER", "FROM", "NAT", "EXPIRES", "PING", "PHONE"}}
	for i := range p.Users {
		u := &p.Users[i]
		nat, ping := "", "-"
		if u.NAT {
			nat = "yes"
		}
		if u.Ping != nil {
			ping = fmt.Sprintf("%.0f ms", *u.Ping)
		}
		if u.Suspended {
			ping = "gone"
		}
		t.row(u.User, u.Source, nat, span(time.Duration(u.Expires)*time.Second), ping, u.Agent)
	}
	t.write(c.Out)
	c.older(p.Matched-len(p.Users), "more")
	return nil
}

func (c *call) calls() error {
	state, text := "live", c.word(0)
	if slices.Contains([]string{"live", "ended", "all"}, text) {
		state, text = text, c.word(1)
	} else if len(c.words) > 1 {
		return wrong("calls", "expected live, ended or all, found %q", c.words[0])
	}
	l, err := c.allCalls(state, text)
	switch {
	case err != nil:
		return err
	case c.json:
		return c.encode(l)
	case len(l.Calls) == 0:
		fmt.Fprintf(c.Out, "No calls (%s)%s.\n", state, with(text))
		return nil
	}
	slices.Reverse(l.Calls)
	writeCalls(c.Out, l.Calls)
	c.older(l.Matched-len(l.Calls), "older")
	return nil
}

// allCalls asks for the calls of a state with text in them, the newest first.
func (c *call) allCalls(state, text string) (l status.Calls, err error) {
	l.Calls, err = rows(c, func(v **proxy.CallView) string { return (*v).ID },
		func(offset, limit string) ([]*proxy.CallView, int, error) {
			l.Calls = nil
			err := c.get(query("/api/calls", "state", state, "q", text, "offset", offset, "limit", limit), &l)
			return l.Calls, l.Matched, err
		})
	l.Offset = 0
	return l, err
}

// older says how many rows -limit has left out.
func (c *call) older(n int, what string) {
	if c.limit > 0 && n > 0 {
		fmt.Fprintf(c.Out, "and %d %s\n", n, what)
	}
}

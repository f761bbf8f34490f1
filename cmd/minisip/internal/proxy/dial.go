package proxy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"minisip/dialcmd"
	"minisip/session"
	"minisip/sipmsg"
)

// dial carries out a service code (985-999) that an authenticated user has dialled. The
// final response's reason phrase says the result: phones show it.
func (c *Core) dial(in *inbound, user string, cmd dialcmd.Command) {
	switch {
	case len(c.where.Lookup(in.now, user)) == 0:
		c.logf("%d dialled by %s from %s: refused, %s is not registered", cmd.Code, user, in.src, user)
		c.reply(in, 403, "", "")
		return
	case len(c.cfg.DialAdmins) > 0 && !slices.Contains(c.cfg.DialAdmins, user):
		c.logf("%d dialled by %s from %s: refused, -dial-admins does not name %s", cmd.Code, user, in.src, user)
		c.reply(in, 403, "", "")
		return
	}
	c.logf("%s: %d dialled by %s", cmd.Phrase, cmd.Code, user)
	switch cmd.Kind {
	case dialcmd.Set:
		*c.cfg.Word(cmd.Word) = cmd.On
	case dialcmd.ShowCalls:
		if mayList(&c.lastList.calls, in.now) {
			c.logCalls(in)
		}
	case dialcmd.ShowUsers:
		if mayList(&c.lastList.users, in.now) {
			c.logUsers(in)
		}
	case dialcmd.NotifyUsers:
		if account := user + "\x00998"; c.notices[account] < oneList { // apart from what he watches
			c.notifyUsers(in, account)
		} else {
			c.logf("%s has not answered the NOTIFY before, and gets no other", user)
		}
	}
	c.reply(in, 404, cmd.Phrase, "")
}

// mayList says whether a list may go into the log again: one a second is as much as anybody can read, and a list is
// a thousand lines.
func mayList(last *time.Time, now time.Time) bool {
	if since := now.Sub(*last); since >= 0 && since < time.Second {
		return false
	}
	*last = now
	return true
}

// logCalls writes the table of calls into the log, the oldest first.
func (c *Core) logCalls(in *inbound) {
	calls := c.allCalls()
	c.logf("calls: %d; dropped since the start: %s", len(calls), c.count.Drops())
	for _, k := range calls[:min(len(calls), maxListed)] {
		callee := ""
		for _, d := range k.dialogs {
			if d.confirmed || callee == "" {
				callee = fmt.Sprintf(" (%s at %s)", d.callee.User, d.callee.Addr)
			}
		}
		media := "not relayed"
		if k.relayed() {
			media = "relayed"
			if last := k.lastMedia(); last.IsZero() {
				media += ", no packet yet"
			} else {
				media += ", last packet " + seconds(in.now.Sub(last)) + " ago"
			}
		}
		c.logf("call %s: %s at %s -> %s%s: %s, began %s, media %s",
			k.number, k.caller.User, k.caller.Addr, printable(k.dialled), callee, k.State,
			k.Created.Format("15:04:05"), media)
	}
	c.logMore(len(calls))
}

// allCalls lists the calls that have not ended, the oldest first.
func (c *Core) allCalls() (calls []*call) {
	for k := range c.everyCall() {
		if k.State != session.Ended {
			calls = append(calls, k)
		}
	}
	slices.SortFunc(calls, bySerial)
	return calls
}

// logUsers writes the registered users into the log.
func (c *Core) logUsers(in *inbound) {
	c.logf("registered users: %d, bindings: %d; dropped since the start: %s", c.where.Users(), c.where.Len(), c.count.Drops())
	for _, l := range c.userLines(in) {
		c.out.Log(l)
	}
	c.logMore(c.where.Len())
}

// maxListed bounds the lists of users and calls: they are made in the event loop.
const maxListed = 1000

// logMore says how many of a list's entries are not in the log.
func (c *Core) logMore(entries int) {
	if entries > maxListed {
		c.logf("and %d more", entries-maxListed)
	}
}

// userLines is one line a binding, sorted; of too many, some.
func (c *Core) userLines(in *inbound) (lines []string) {
	for b := range c.where.All() {
		if len(lines) == maxListed {
			break
		}
		left := max(0, c.where.Expires(b).Sub(in.now))
		lines = append(lines, fmt.Sprintf("%s -> %s, expires in %d", b.AOR(), b.Source(), int(left.Seconds())))
	}
	slices.Sort(lines)
	return lines
}

// maxNotify bounds the body of a NOTIFY, so that it fits a datagram.
const maxNotify = 60_000

// notifyUsers sends the registered users to the caller's learned address, in a request
// of its own outside any dialog.
func (c *Core) notifyUsers(in *inbound, account string) {
	var body strings.Builder
	lines, more := c.userLines(in), c.where.Len()
	for len(lines) > 0 && body.Len()+len(lines[0]) < maxNotify {
		body.WriteString(lines[0] + "\r\n")
		lines, more = lines[1:], more-1
	}
	if more > 0 {
		fmt.Fprintf(&body, "and %d more\r\n", more)
	}
	host := c.advertised(in.local)
	caller := session.Party{User: string(c.claimed(in)), Contact: string(contactOf(in.Message)), Addr: in.src}
	c.ownRequest(in.now, ownRequest{
		method: "NOTIFY", uri: c.remoteURI(in.now, &caller),
		from:   fmt.Sprintf("<sip:998@%s>;tag=%s", host, c.token()),
		to:     fmt.Sprintf("<%s>", in.From().URI),
		callID: c.token() + "@minisip", cseq: 1,
		header: "Event: registered-users\r\nSubscription-State: terminated\r\n" +
			fmt.Sprintf("Contact: <sip:998@%s>\r\n", host) + "Content-Type: text/plain\r\n",
		body: body.String(), dst: in.src, local: in.local, user: c.notice(account, ignore{}),
	})
}

// dialled finds the service code in a Request-URI, if it is one and names this server.
func (c *Core) dialled(in *inbound) (dialcmd.Command, bool) {
	if in.Method() != sipmsg.INVITE || !c.serves(in, in.meant()) {
		return dialcmd.Command{}, false
	}
	return dialcmd.Lookup(string(userOf(in.meant())))
}

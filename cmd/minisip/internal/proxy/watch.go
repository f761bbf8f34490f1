package proxy

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// SUBSCRIBE to the registrations of an address of record: RFC 3680, on RFC 6665. A user may watch
// his own; those of others are for users whom -dial-admins names. A subscription lives in memory alone:
// who stops minisip ends it, and a phone subscribes anew; after a crash it does when its refresh gets 481.

// Limits and times of subscriptions.
const (
	maxSubscribers = 10_000
	maxWatching    = 20                 // by one user
	watchDefault   = 3761 * time.Second // RFC 3680 4.4
	watchMost      = 2 * time.Hour
	watchLeast     = time.Minute
	watchInterval  = 5 * time.Second // RFC 3680 4.10: the least between two NOTIFYs
)

const reginfoType = "application/reginfo+xml"

// isWatch says whether a request outside a dialog asks for the reg event package.
func isWatch(in *inbound, uri *sipmsg.URI) bool {
	_, gruu := uri.Param("gr")
	return in.Method() == sipmsg.SUBSCRIBE && eventIs(in.Message, "reg") && !gruu
}

// eventIs compares the type in an Event field.
func eventIs(m *sipmsg.Message, name string) bool {
	kind, _, _ := bytes.Cut(m.Get(sipmsg.EventHdr), []byte(";"))
	return bytes.EqualFold(bytes.TrimSpace(kind), []byte(name))
}

// mayWatch says whether a user may watch the registrations of another.
func (c *Core) mayWatch(user, other string) bool {
	return user == other || slices.Contains(c.cfg.DialAdmins, user)
}

// watch takes a SUBSCRIBE of an authenticated user that begins a subscription.
func (c *Core) watch(in *inbound, user string, uri *sipmsg.URI) {
	watched := string(userOf(uri))
	refuse := func(status int, reason, header string) {
		c.logf("SUBSCRIBE from %s (%s) to the registrations of %s refused: %d", in.src, user, printable(uri.User), status)
		c.reply(in, status, reason, header)
	}
	contact := string(contactOf(in.Message))
	interval, brief := watchTime(in)
	switch {
	case c.users.Lookup([]byte(watched)) == nil || !c.serves(in, uri):
		refuse(404, "", "")
	case !c.mayWatch(user, watched):
		refuse(403, "", "")
	case len(unknownTags(in, sipmsg.RequireHdr, understood)) > 0:
		refuse(420, "", "Unsupported: "+strings.Join(unknownTags(in, sipmsg.RequireHdr, understood), ", ")+"\r\n")
	case !accepts(in.Message, reginfoType):
		refuse(406, "", "Accept: "+reginfoType+"\r\n")
	case contact == "":
		refuse(400, "Bad Request: Contact", "")
	case brief:
		refuse(423, "", minExpires)
	case c.merged(in, user):
		refuse(482, "", "")
	case len(c.subscribers.byKey) >= maxSubscribers, len(c.subscribers.by[user]) >= maxWatching, c.notices[user] >= maxNotices:
		c.drop(Overload)
		refuse(503, "", "Retry-After: 60\r\n")
	default:
		w := &subscriber{core: c, user: user, watched: watched, aor: addressOfRecord(uri), began: in.now}
		w.timer.Own(w)
		w.side.User, w.side.Tag, w.side.Contact, w.side.Routes = user, string(in.FromTag()), contact, routeSet(in.Message)
		w.callID, w.side.Identity = string(in.CallID()), string(in.Get(sipmsg.FromHdr))
		w.own = fmt.Sprintf("%s;tag=%s", in.Get(sipmsg.ToHdr), c.tagFor(in))
		w.event = string(in.Get(sipmsg.EventHdr))
		w.key = string(c.watchKey(in, c.tagFor(in)))
		if old := c.subscribers.byKey[w.key]; old != nil {
			// The same SUBSCRIBE, later than a transaction remembers it: one dialog, so its numbers go on.
			w.cseq, w.version = old.cseq, old.version
			old.drop("anew")
		}
		c.subscribers.add(w)
		c.logf("%s at %s watches the registrations of %s", user, in.src, watched)
		w.renew(in, interval)
	}
}

// merged says whether a SUBSCRIBE has come before, over another way, and begun a subscription (RFC 3261 8.2.2.2): its From tag,
// Call-ID and CSeq are those of a transaction that has not ended, "but the request does not match that transaction": our
// tag would be another one.
func (c *Core) merged(in *inbound, user string) bool {
	key := string(c.watchKey(in, c.tagFor(in)))
	return slices.ContainsFunc(c.subscribers.by[user], func(w *subscriber) bool {
		return w.key != key && w.callID == string(in.CallID()) && w.side.Tag == string(in.FromTag()) && w.side.CSeq == in.CSeq() &&
			in.now.Sub(w.began) < session.Lifetime
	})
}

var minExpires = "Min-Expires: " + strconv.Itoa(int(watchLeast/time.Second)) + "\r\n"

// watchTime is how long a subscription is to last; brief says that this is too short.
func watchTime(in *inbound) (interval time.Duration, brief bool) {
	interval = watchDefault
	if in.Index(sipmsg.ExpiresHdr) >= 0 {
		if n, err := strconv.ParseUint(string(in.Get(sipmsg.ExpiresHdr)), 10, 32); err == nil {
			interval = time.Duration(n) * time.Second
		}
	}
	// RFC 6665 4.2.1.1: refused is what is "greater than zero and smaller than the minimum"
	// that stands with the notifier, and below one hour.
	return min(interval, watchMost), interval > 0 && interval < watchLeast
}

// accepts says whether the sender of a request takes bodies of a type: what has no Accept takes
// what is usual for the event.
func accepts(m *sipmsg.Message, kind string) bool {
	none := true
	for i := range m.NumHeaders() {
		h := m.Header(i)
		if !strings.EqualFold(string(h.Name), "Accept") {
			continue
		}
		none = false
		for v := range strings.SplitSeq(string(h.Value), ",") {
			name, _, _ := strings.Cut(v, ";")
			if name = strings.TrimSpace(name); strings.EqualFold(name, kind) || name == "*/*" || strings.EqualFold(name, "application/*") {
				return true
			}
		}
	}
	return none
}

// watchKey is what a subscription is known by: Call-ID, our tag and the subscriber's.
func (c *Core) watchKey(in *inbound, ours []byte) []byte {
	c.key = append(append(c.key[:0], in.CallID()...), 0)
	c.key = append(append(c.key, ours...), 0)
	return append(c.key, in.FromTag()...)
}

// watching takes a request inside a subscription; it reports whether there is one.
func (c *Core) watching(in *inbound) bool {
	w := c.subscribers.byKey[string(c.watchKey(in, in.ToTag()))]
	if w == nil {
		return false
	}
	if in.src != w.side.Addr && !c.proves(in, []byte(w.user)) {
		return true
	}
	interval, brief := watchTime(in)
	switch {
	case in.Method() != sipmsg.SUBSCRIBE:
		c.reply(in, 405, "", "Allow: SUBSCRIBE\r\n")
	case !eventIs(in.Message, "reg"):
		c.reply(in, 489, "", "Allow-Events: reg\r\n")
	case in.CSeq() <= w.side.CSeq:
		// RFC 3261 12.2.2: lower is "out of order and MUST be rejected with a 500".
		c.reply(in, 500, "", "")
	case brief:
		c.reply(in, 423, "", minExpires)
	case !c.mayWatch(w.user, w.watched):
		c.reply(in, 403, "", "")
		w.end(in.now, "rejected", "not allowed any more")
	case c.notices[w.user] >= maxNotices:
		c.drop(Overload)
		c.reply(in, 503, "", "Retry-After: 60\r\n")
	default:
		if contact := string(contactOf(in.Message)); contact != "" {
			w.side.Contact = contact
		}
		w.renew(in, interval)
	}
	return true
}

// moveSubscribers lets the subscriptions of a user follow when his phone has registered from a new address.
func (c *Core) moveSubscribers(in *inbound, user string, old netip.AddrPort) {
	for _, w := range c.subscribers.by[user] {
		if w.side.Addr == old {
			w.side.Addr, w.side.Local = in.src, in.local
		}
	}
}

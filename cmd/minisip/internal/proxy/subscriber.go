package proxy

import (
	"fmt"
	"slices"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/session"
	"minisip/sipmsg"
)

// subscriber is one subscription to the registrations of an address of record: the notifier of RFC 6665
// 4.2. Every NOTIFY has the whole state, so a lost one does no harm; contacts that are gone
// stand in the next one and then no more. What changes within five seconds goes out together.
type subscriber struct {
	core      *Core
	timer     session.Timer
	key       string
	user      string        // who watches
	side      session.Party // his: Tag, Contact, Routes, Identity, the addresses; CSeq is of his SUBSCRIBEs
	watched   string        // whom
	aor       string        // the same, as a URI
	callID    string
	own       string // our side's identity, with its tag
	event     string // the Event field
	cseq      uint32 // of our NOTIFYs
	version   uint32 // of the document
	began     time.Time
	expires   time.Time
	notBefore time.Time
	news      bool // there is something to tell
	open      int  // NOTIFYs without a final response
	contacts  []watched
	gone      []watched
	made      int // contacts that got an id
}

// watched is a contact as a subscriber knows it.
type watched struct {
	binding *location.Binding
	id      int
	event   string // RFC 3680 3.4.1
}

// subscribers are all subscriptions.
type subscribers struct {
	byKey map[string]*subscriber
	of    map[string][]*subscriber // by whom they watch
	by    map[string][]*subscriber // by who watches
}

func (ws *subscribers) add(w *subscriber) {
	if ws.byKey == nil {
		*ws = subscribers{map[string]*subscriber{}, map[string][]*subscriber{}, map[string][]*subscriber{}}
	}
	ws.byKey[w.key] = w
	ws.of[w.watched] = append(ws.of[w.watched], w)
	ws.by[w.user] = append(ws.by[w.user], w)
}

func (ws *subscribers) remove(w *subscriber) {
	delete(ws.byKey, w.key)
	leave(ws.of, w.watched, w)
	leave(ws.by, w.user, w)
}

// leave takes a subscriber out of one of the lists.
func leave(lists map[string][]*subscriber, name string, w *subscriber) {
	left := slices.DeleteFunc(lists[name], func(o *subscriber) bool { return o == w })
	if len(left) == 0 {
		delete(lists, name)
		return
	}
	lists[name] = left
}

// tell notes for all who watch it that something happened to a binding.
func (c *Core) tell(b *location.Binding, event string) {
	for _, w := range c.subscribers.of[b.AOR()] {
		w.note(b, event)
	}
}

// maxGone bounds the contacts that are gone in one NOTIFY.
const maxGone = 20

func (w *subscriber) note(b *location.Binding, event string) {
	i := slices.IndexFunc(w.contacts, func(k watched) bool { return k.binding == b })
	switch {
	case event == "registered" || event == "refreshed":
		if i < 0 {
			w.made++
			w.contacts = append(w.contacts, watched{b, w.made, event})
		} else {
			w.contacts[i].event = event
		}
	case i >= 0:
		k := w.contacts[i]
		k.event = event
		w.contacts = slices.Delete(w.contacts, i, i+1)
		if len(w.gone) < maxGone {
			w.gone = append(w.gone, k)
		}
	}
	w.news = true
	w.arm()
}

// renew answers a SUBSCRIBE that begins, refreshes or ends the subscription.
func (w *subscriber) renew(in *inbound, interval time.Duration) {
	c := w.core
	w.side.Addr, w.side.Local, w.side.CSeq = in.src, in.local, in.CSeq()
	w.expires = in.now.Add(interval)
	header := fmt.Sprintf("Expires: %d\r\nContact: %s\r\n", interval/time.Second, w.contact())
	if len(in.ToTag()) == 0 {
		// RFC 3261 12.1.1: "the UAS MUST copy all Record-Route header field values from the
		// request into the response".
		for _, r := range w.side.Routes {
			header += "Record-Route: " + r + "\r\n"
		}
	}
	c.reply(in, 200, "", header)
	if interval == 0 {
		w.end(in.now, "timeout", "") // RFC 6665 4.4.3: with one last NOTIFY, which makes it a poll
		return
	}
	w.notify(in.now, fmt.Sprintf("active;expires=%d", interval/time.Second), w)
}

// contact is our own, for the subscriber's requests.
func (w *subscriber) contact() string {
	return fmt.Sprintf("<sip:reg@%s>", w.core.advertised(w.side.Local))
}

// notify sends the state.
func (w *subscriber) notify(now time.Time, state string, user clientUser) {
	c := w.core
	w.cseq++
	body := w.reginfo(now)
	w.version++
	w.news, w.gone = false, nil
	w.notBefore = now.Add(watchInterval)
	w.open++
	w.arm()
	c.ownRequest(now, ownRequest{
		method: "NOTIFY", uri: c.remoteURI(now, &w.side), from: w.own, to: w.side.Identity, callID: w.callID, cseq: w.cseq,
		routes: w.side.Routes,
		header: "Event: " + w.event + "\r\nSubscription-State: " + state + "\r\nContact: " + w.contact() +
			"\r\nContent-Type: " + reginfoType + "\r\n",
		body: string(body), dst: c.firstHop(&w.side), local: w.side.Local, user: c.notice(w.user, user),
	})
}

// end tells the subscriber that it is over, and forgets him.
func (w *subscriber) end(now time.Time, reason, why string) {
	w.notify(now, "terminated;reason="+reason, ignore{})
	w.drop(why)
}

// EndSubscriptions ends them all: nobody will know them any more. RFC 6665 4.1.3: who is told "deactivated" does not wait
// for his next refresh, he "SHOULD retry immediately with a new subscription".
func (c *Core) EndSubscriptions(now time.Time) {
	c.now = now
	c.madeOf(nil, 0)
	for _, w := range c.subscribers.byKey {
		w.end(now, "deactivated", "minisip was stopped")
	}
}

// drop forgets the subscription.
func (w *subscriber) drop(why string) {
	c := w.core
	c.timers.Stop(&w.timer)
	if c.subscribers.byKey[w.key] != w {
		return
	}
	c.subscribers.remove(w)
	if why != "" {
		why = ": " + why
	}
	c.logf("%s no longer watches the registrations of %s%s", w.user, w.watched, why)
}

// arm sets the timer to what comes next: the next NOTIFY or the end. A NOTIFY waits for the response to
// the one before, so they cannot overtake each other.
func (w *subscriber) arm() {
	at := w.expires
	if w.news && w.open == 0 && w.notBefore.Before(at) {
		at = w.notBefore
		if at.Before(w.core.now) {
			at = w.core.now
		}
	}
	w.core.timers.Set(&w.timer, at)
}

// Expire implements session.Expirer.
func (w *subscriber) Expire(now time.Time) {
	c := w.core
	switch {
	case c.users.Lookup([]byte(w.user)) == nil:
		w.end(now, "rejected", "the user is gone")
	case c.users.Lookup([]byte(w.watched)) == nil:
		w.end(now, "noresource", "the user is gone")
	case !now.Before(w.expires):
		w.end(now, "timeout", "not renewed")
	case w.news && w.open == 0:
		w.notify(now, fmt.Sprintf("active;expires=%d", secondsLeft(now, w.expires)), w)
	default:
		w.arm()
	}
}

// responded implements clientUser.
func (w *subscriber) responded(_ *clientTx, in *inbound) {
	switch status := in.Status(); {
	case status < 200 || w.core.subscribers.byKey[w.key] != w:
	case endsSubscription(status):
		w.drop(fmt.Sprintf("NOTIFY got %d %s", status, sipmsg.ReasonPhrase(status)))
	default:
		w.open--
		w.arm()
	}
}

// endsSubscription says which responses to a NOTIFY are about the subscription: those of RFC 6665 4.2.2, and 408,
// which is as good as none. Any other refuses the NOTIFY alone (RFC 5057 5.1), of which the next one has all.
func endsSubscription(status int) bool {
	switch status {
	case 404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604:
		return true
	}
	return false
}

// failed implements clientUser.
func (w *subscriber) failed(*clientTx, time.Time, session.Action) { w.drop("no answer to NOTIFY") }

// usersChanged lets the subscribers see who is gone.
func (c *Core) usersChanged() {
	for _, w := range c.subscribers.byKey {
		if c.users.Lookup([]byte(w.user)) == nil || c.users.Lookup([]byte(w.watched)) == nil {
			c.timers.Set(&w.timer, c.now)
		}
	}
}

// bindingsNow brings the contacts up to what is registered, and gives them.
func (w *subscriber) bindingsNow(now time.Time) []watched {
	for _, b := range w.core.where.Bindings(now, w.watched) {
		if !slices.ContainsFunc(w.contacts, func(k watched) bool { return k.binding == b }) {
			w.made++
			w.contacts = append(w.contacts, watched{b, w.made, "registered"})
		}
	}
	return w.contacts
}

package proxy

import (
	"net/netip"
	"time"

	"minisip/cmd/minisip/internal/location"
)

// PhoneView is one registered phone.
type PhoneView struct {
	User       string    `json:"user"`
	Contact    string    `json:"contact"`
	Source     string    `json:"source"`
	NAT        bool      `json:"nat"`
	Agent      string    `json:"agent"`
	Expires    int       `json:"expires_s"`
	Registered time.Time `json:"registered"`
	LastSeen   time.Time `json:"last_seen,omitzero"`
	Ping       *float64  `json:"ping_ms"` // null: it has answered none
	Suspended  bool      `json:"suspended"`
	Path       []string  `json:"path,omitempty"`
}

// PhoneKey is what registered phones are searched and sorted by.
type PhoneKey struct {
	User, Contact, Agent string
	Source               netip.AddrPort
	binding              *location.Binding
}

// phonesPart is how many phones one part holds.
const phonesPart = 2000

// Phones gives a part of the registered phones, from the i-th on, and where the next part
// begins; 0 where there is none.
func (c *Core) Phones(i int) (keys []PhoneKey, next int) {
	keys = make([]PhoneKey, 0, min(phonesPart, max(0, c.where.Len()-i)))
	for b := range c.where.Part(i, phonesPart) {
		keys = append(keys, PhoneKey{User: b.AOR(), Contact: b.Contact(), Agent: b.UserAgent(), Source: b.Source(), binding: b})
	}
	if next = i + phonesPart; next >= c.where.Len() {
		next = 0
	}
	return keys, next
}

// ViewPhones shows the phones meant by keys.
func (c *Core) ViewPhones(now time.Time, keys []PhoneKey) (views []PhoneView) {
	for _, k := range keys {
		b := k.binding
		v := PhoneView{
			User: b.AOR(), Contact: b.Contact(), Source: b.Source().String(), NAT: b.NAT, Agent: b.UserAgent(),
			Expires: int(max(0, c.where.Expires(b).Sub(now)).Seconds()), Registered: onWall(now, c.where.Registered(b)), LastSeen: onWall(now, c.where.LastSeen(b)),
			Suspended: b.Ping.Suspended, Path: b.Path(),
		}
		if b.Ping.Answered {
			ms := milliseconds(b.Ping.RTT)
			v.Ping = &ms
		}
		views = append(views, v)
	}
	return views
}

package trail

import (
	"net/netip"
	"time"

	"minisip/sipmsg"
)

// ID names a message that was noted; 0 is none. The lowest bit says in which ring.
type ID uint64

// Key stands for a Call-ID.
type Key uint64

// Message is one datagram as it came or as it went.
type Message struct {
	Key      Key
	At       time.Time
	Peer     netip.AddrPort // where it came from or went to
	Local    netip.AddrPort // our address
	Received bool
	Again    bool          // a repetition
	Method   sipmsg.Method // of the request, or of the request that the response is to
	Status   int           // of a response; 0: a request
	Before   ID            // the message that this one was made of
	Text     []byte
}

// ring keeps the newest messages: their texts end to end in one piece of memory, and an
// entry for each. Entries of one key are chained, the newest first.
type ring struct {
	text    []byte
	entries []entry
	heads   []uint64 // by the low bits of a key: the newest entry, counted from 1; 0: none
	next    uint64   // number of the next entry; the first is 1
	pos     uint64   // where the next text begins; modulo len(text) in memory
	base    time.Time
	zones   []string // of link-local addresses: what entries count from 1
}

// maxText is how much of one message is kept.
const maxText = 16 << 10

// bytesPerEntry is what a message is taken to need: fewer texts than entries is no loss, more
// would be.
const bytesPerEntry = 768

func newRing(text []byte) ring {
	if len(text) < 2*maxText {
		text = make([]byte, 2*maxText)
	}
	entries := 1
	for entries < len(text)/bytesPerEntry {
		entries *= 2
	}
	r := ring{text: text, entries: make([]entry, entries), heads: make([]uint64, entries), next: 1}
	// The memory is taken now, not by the calls that come.
	for i := 0; i < len(r.text); i += 4096 {
		r.text[i] = 1
	}
	for i := range r.entries {
		r.entries[i], r.heads[i] = entry{}, 0
	}
	return r
}

func (r *ring) slot(n uint64) *entry { return &r.entries[n&uint64(len(r.entries)-1)] }

func (r *ring) head(k Key) *uint64 { return &r.heads[uint64(k)&uint64(len(r.heads)-1)] }

// add copies a message into the ring.
func (r *ring) add(m *Message, sum uint32) uint64 {
	if r.base.IsZero() {
		r.base = m.At
	}
	n := r.next
	r.next++
	text := m.Text[:min(len(m.Text), maxText)]
	if at := r.pos % uint64(len(r.text)); int(at)+len(text) > len(r.text) {
		r.pos += uint64(len(r.text)) - at // no text wraps
	}
	copy(r.text[r.pos%uint64(len(r.text)):], text)
	e, head := r.slot(n), r.head(m.Key)
	*e = r.pack(m)
	e.pos, e.prev, e.sum = r.pos, *head, sum
	r.pos += uint64(len(text))
	*head = n
	return n
}

// get gives an entry that is still there, text included, or nil.
func (r *ring) get(n uint64) *entry {
	if n == 0 || n >= r.next || r.next-n > uint64(len(r.entries)) {
		return nil
	}
	if e := r.slot(n); r.pos-e.pos <= uint64(len(r.text)) {
		return e
	}
	return nil
}

// textOf gives an entry's text, valid until the next add.
func (r *ring) textOf(e *entry) []byte {
	at := e.pos % uint64(len(r.text))
	return r.text[at : int(at)+min(int(e.size), maxText)]
}

// chain yields the entries of a key, the newest first.
func (r *ring) chain(k Key, yield func(n uint64, e *entry) bool) {
	for n := *r.head(k); n != 0; {
		e := r.get(n)
		if e == nil || e.key == k && !yield(n, e) {
			return
		}
		n = e.prev
	}
}

// oldest is the number of the oldest entry that may still be there.
func (r *ring) oldest() uint64 {
	if n := uint64(len(r.entries)); r.next > n {
		return r.next - n
	}
	return 1
}

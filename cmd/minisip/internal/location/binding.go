package location

import (
	"fmt"
	"net/netip"
	"time"
	"unique"
)

// Binding ties one Contact to an address of record. Its fields belong to the Table, which changes
// them in place as the phone registers again; only Ping and Unsaved are the caller's. There can be
// hundreds of thousands, so it is small: its texts lie in one piece of memory, and times count from the Table's base.
type Binding struct {
	ID uint64 // counts the bindings of a table

	text  string // see text.go
	agent unique.Handle[string]
	local unique.Handle[netip.AddrPort]

	next  *Binding    // of the same address of record, in the order of Lookup
	alone [1]*Binding // the binding itself: what Lookup gives where there is no other
	links [numIndexes]link

	expires    time.Duration
	registered time.Duration // time of the last REGISTER
	seen       time.Duration // when anything last came from the phone

	ends     [numParts]uint16
	instance [2]uint16

	Q    uint16 // q-value times 1000: 0 to 1000
	Ping Ping

	CSeq  uint32
	RegID uint32 // reg-id, 0 when there is none
	place uint32 // in the expiry heap, counted from 1; 0: not in the table

	// NAT: the Contact or the Via sent-by differs from the source, now or at an
	// earlier registration of this binding.
	NAT bool

	Unsaved bool // its record is to be written

	sip bool // Contact is a sip or sips URI: requests can be sent to it
}

func newBinding(id uint64) *Binding {
	b := &Binding{ID: id}
	b.alone[0] = b
	return b
}

// Ping is what the keepalive knows about a binding. The Table keeps it and reads one thing:
// a suspended binding makes room for a new one where the limit of a user is reached.
type Ping struct {
	RTT       time.Duration
	Place     uint32 // of what pings it, in the caller's list; 0: nothing does
	Misses    uint8  // pings without an answer, in a row
	Answered  bool   // the phone has answered before
	Suspended bool   // taken out of routing
}

// Limits are the caps and times of a Table. A zero field means the default beside it.
type Limits struct {
	PerUser        int           // 10 bindings of one address of record
	Total          int           // 1,000,000 bindings in all
	MinExpires     time.Duration // 60 s; less is refused with 423
	MaxExpires     time.Duration // 2 h; more is shortened, as RFC 3261 10.3 step 7 allows
	DefaultExpires time.Duration // 1 h, where the request names no time
}

func (l *Limits) setDefaults() {
	if l.PerUser <= 0 {
		l.PerUser = 10
	}
	if l.Total <= 0 {
		l.Total = 1_000_000
	}
	if l.MinExpires <= 0 {
		l.MinExpires = time.Minute
	}
	if l.MaxExpires <= 0 {
		l.MaxExpires = 2 * time.Hour
	}
	if l.DefaultExpires <= 0 {
		l.DefaultExpires = time.Hour
	}
	l.MaxExpires = max(l.MaxExpires, l.MinExpires)
	l.DefaultExpires = min(l.DefaultExpires, l.MaxExpires)
}

// Update is one REGISTER, ready for [Table.Register]. [ReadRegister] fills what the message says.
type Update struct {
	AOR       string // canonical, unescaped; the caller's choice, compared byte by byte
	CallID    string
	UserAgent string
	CSeq      uint32
	Source    netip.AddrPort
	Local     netip.AddrPort
	Path      []string // as written, top first
	NAT       bool     // Contact or Via sent-by differs from Source
	Star      bool     // "Contact: *": remove all
	Contacts  []Contact

	Changes []Change // filled by Register: what it did to each binding
}

// Contact is one Contact value of a REGISTER.
type Contact struct {
	URI      string // without <>
	Params   string // header parameters as written, without expires
	Instance string // value of +sip.instance, or ""
	RegID    uint32 // 0: none; ignored without Instance
	Q        int    // q-value times 1000

	// Expires is the interval asked for, from the expires parameter or the Expires
	// header field; 0 removes, a negative value says that the request gave none.
	Expires time.Duration
}

// Event says what happened to a binding.
type Event uint8

const (
	Added Event = iota
	Refreshed
	Removed
)

// Change is one thing that a Register did.
type Change struct {
	Event   Event
	Binding *Binding
	From    netip.AddrPort // Refreshed: the Source before, to see whether the phone moved
}

// Error is a REGISTER refused: the response to give.
type Error struct {
	Status     int // 400, 403, 423, 500 or 503
	Reason     string
	MinExpires time.Duration // with 423: what Min-Expires has to say
}

func (e *Error) Error() string { return fmt.Sprintf("register: %d %s", e.Status, e.Reason) }

// refusals; RFC 3261 10.3 names the status of all but the limits. Over the limit
// of a user the answer is 403 and not 503: to wait and ask again, as 503 invites a phone to do, would not help
// before the user takes a binding away. A full table is the server's trouble: 503.
var (
	errStar     = &Error{Status: 400, Reason: "Contact * Needs Expires 0 Alone"}
	errContact  = &Error{Status: 400, Reason: "Bad Contact"}
	errPath     = &Error{Status: 400, Reason: "Bad Path"}
	errRegIDs   = &Error{Status: 400, Reason: "A Flow Registers Alone"}
	errTooLong  = &Error{Status: 400, Reason: "Contact Too Long"}
	errTooMany  = &Error{Status: 403, Reason: "Too Many Contacts"}
	errTooBrief = &Error{Status: 423, Reason: "Interval Too Brief"}
	errOrder    = &Error{Status: 500, Reason: "Registration Out Of Order"}
	errFull     = &Error{Status: 503, Reason: "Registrar Full"}
)

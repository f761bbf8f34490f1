package sipmsg

import "encoding/binary"

// ID names a header field; every name in its full and compact form maps to one ID.
type ID uint8

// The header fields that are told apart. All others are Other, to be found by name.
const (
	Other ID = iota
	ViaHdr
	FromHdr
	ToHdr
	CallIDHdr
	CSeqHdr
	ContactHdr
	MaxForwardsHdr
	RouteHdr
	RecordRouteHdr
	ContentTypeHdr
	ContentLengthHdr
	ContentEncodingHdr
	ExpiresHdr
	MinExpiresHdr
	AuthorizationHdr
	ProxyAuthorizationHdr
	WWWAuthenticateHdr
	ProxyAuthenticateHdr
	RequireHdr
	ProxyRequireHdr
	SupportedHdr
	UnsupportedHdr
	AllowHdr
	UserAgentHdr
	ServerHdr
	PathHdr
	EventHdr
	SubscriptionStateHdr
	ReferToHdr
	ReplacesHdr
	SessionExpiresHdr
	MinSEHdr
	RetryAfterHdr
	MaxBreadthHdr
	TimestampHdr
	ReasonHdr
	DateHdr
	numIDs
)

const maxIDs = 64 // that a field has room for

// How often a field may stand, and whether commas separate its values.
const (
	single = 1 << iota // at most one field in a message
	list               // commas separate values (RFC 3261 7.3.1)
)

var fields = [numIDs]struct {
	name  string
	flags uint8
}{
	ViaHdr:                {"Via", list},
	FromHdr:               {"From", single},
	ToHdr:                 {"To", single},
	CallIDHdr:             {"Call-ID", single},
	CSeqHdr:               {"CSeq", single},
	ContactHdr:            {"Contact", list},
	MaxForwardsHdr:        {"Max-Forwards", single},
	RouteHdr:              {"Route", list},
	RecordRouteHdr:        {"Record-Route", list},
	ContentTypeHdr:        {"Content-Type", single},
	ContentLengthHdr:      {"Content-Length", single},
	ContentEncodingHdr:    {"Content-Encoding", list},
	ExpiresHdr:            {"Expires", single},
	MinExpiresHdr:         {"Min-Expires", single},
	AuthorizationHdr:      {"Authorization", 0},
	ProxyAuthorizationHdr: {"Proxy-Authorization", 0},
	WWWAuthenticateHdr:    {"WWW-Authenticate", 0},
	ProxyAuthenticateHdr:  {"Proxy-Authenticate", 0},
	RequireHdr:            {"Require", list},
	ProxyRequireHdr:       {"Proxy-Require", list},
	SupportedHdr:          {"Supported", list},
	UnsupportedHdr:        {"Unsupported", list},
	AllowHdr:              {"Allow", list},
	UserAgentHdr:          {"User-Agent", 0},
	ServerHdr:             {"Server", 0},
	PathHdr:               {"Path", list},
	EventHdr:              {"Event", single},
	SubscriptionStateHdr:  {"Subscription-State", single},
	ReferToHdr:            {"Refer-To", single},
	ReplacesHdr:           {"Replaces", single},
	SessionExpiresHdr:     {"Session-Expires", single},
	MinSEHdr:              {"Min-SE", single},
	RetryAfterHdr:         {"Retry-After", 0},
	MaxBreadthHdr:         {"Max-Breadth", single},
	TimestampHdr:          {"Timestamp", 0},
	ReasonHdr:             {"Reason", list},
	DateHdr:               {"Date", 0},
}

// String gives the full name of the field, "" for Other.
func (id ID) String() string {
	if id >= numIDs {
		return ""
	}
	return fields[id].name
}

// compactForms are the one-letter names of the IANA registry whose fields have an ID.
var compactForms = map[byte]ID{
	'v': ViaHdr, 'f': FromHdr, 't': ToHdr, 'm': ContactHdr, 'i': CallIDHdr, 'e': ContentEncodingHdr,
	'l': ContentLengthHdr, 'c': ContentTypeHdr, 'k': SupportedHdr, 'o': EventHdr, 'r': ReferToHdr,
	'x': SessionExpiresHdr,
}

// shapes holds, by length and first letter (its low five bits), the first field of such a name;
// alike the next one of the same shape.
var shapes, alike = func() (shapes [20][32]ID, alike [numIDs]ID) {
	for id := Other + 1; id < numIDs; id++ {
		name := fields[id].name
		shape := &shapes[len(name)][name[0]&31]
		alike[id], *shape = *shape, id
	}
	for letter, id := range compactForms {
		shapes[1][letter&31] = id
	}
	return shapes, alike
}()

// spelling is how nearly all write the name of a field, with ": " behind it.
type spelling struct {
	low, lowMask   uint64 // the first 8 bytes of text, as words of memory
	high, highMask uint64 // the next 8
	text           string
	field          field     // of that name, at offset 0; 0 where text is longer than 16 bytes
	long           field     // the field of such a name
	next           *spelling // another that begins like it
}

// unnamed are fields without an ID that are often there.
var unnamed = [...]string{
	"Accept", "Accept-Language", "Allow-Events", "Content-Disposition", "Organization", "P-Asserted-Identity",
	"P-Preferred-Identity", "Privacy", "Referred-By",
}

// spellings are found by their first four bytes; no two that differ in these are in one list. The last of each
// list is empty and fits all.
var spellings = func() (lists [128]*spelling) {
	none := new(spelling)
	for i := range lists {
		lists[i] = none
	}
	add := func(name string, id ID) {
		s := &spelling{text: name + ": "}
		if f := newField(0, len(s.text), 0, len(name), id); len(s.text) <= 16 {
			s.field = f
		} else {
			s.long = f
		}
		var b, mask [16]byte
		for i := range copy(b[:], s.text) {
			mask[i] = 0xff
		}
		s.low, s.lowMask = binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(mask[:])
		s.high, s.highMask = binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(mask[8:])
		first := &lists[spread(s.low)]
		s.next, *first = *first, s
	}
	for _, name := range unnamed {
		add(name, Other)
	}
	for id := numIDs - 1; id > Other; id-- {
		add(fields[id].name, id)
	}
	return lists
}()

// spread gives the list of spellings for what begins with low. The factor is one that parts all these names.
func spread(low uint64) uint32 { return uint32(low) * 0x4f3f8777 >> 25 }

// lookup finds the field that a name stands for, in full or compact form, whatever its case.
func lookup(name []byte) ID {
	n := len(name)
	if n == 0 || n >= len(shapes) || n == 1 && !isLetter(name[0]) {
		return Other
	}
	id := shapes[n][name[0]&31]
	for n > 1 && id != Other && !equalFold(name, fields[id].name) {
		id = alike[id]
	}
	return id
}

// compactOf gives the one-letter form of names without an ID, 0 where there is none.
func compactOf(name string) byte {
	for _, c := range [...]struct {
		letter byte
		name   string
	}{
		{'a', "Accept-Contact"}, {'b', "Referred-By"}, {'d', "Request-Disposition"},
		{'j', "Reject-Contact"}, {'n', "Identity-Info"}, {'s', "Subject"},
		{'u', "Allow-Events"}, {'y', "Identity"},
	} {
		if equalFold([]byte(name), c.name) {
			return c.letter
		}
	}
	return 0
}

// Method is a request method; Unknown ones keep their name in Message.MethodName.
type Method uint8

// The methods of RFC 3261, 3262, 3265, 3311, 3428, 3515, 3903 and 6086.
const (
	UnknownMethod Method = iota
	INVITE
	ACK
	BYE
	CANCEL
	REGISTER
	OPTIONS
	INFO
	MESSAGE
	UPDATE
	PRACK
	REFER
	SUBSCRIBE
	NOTIFY
	PUBLISH
)

var methodNames = [...]string{
	UnknownMethod: "request", INVITE: "INVITE", ACK: "ACK", BYE: "BYE", CANCEL: "CANCEL", REGISTER: "REGISTER",
	OPTIONS: "OPTIONS", INFO: "INFO", MESSAGE: "MESSAGE", UPDATE: "UPDATE", PRACK: "PRACK", REFER: "REFER",
	SUBSCRIBE: "SUBSCRIBE", NOTIFY: "NOTIFY", PUBLISH: "PUBLISH",
}

// String names a method; an unknown one is just a request.
func (m Method) String() string {
	if int(m) >= len(methodNames) {
		m = UnknownMethod
	}
	return methodNames[m]
}

// methodOf finds a method by its name, in which case counts (RFC 3261 7.1).
func methodOf(name []byte) Method {
	switch string(name) {
	case "INVITE":
		return INVITE
	case "ACK":
		return ACK
	case "BYE":
		return BYE
	case "CANCEL":
		return CANCEL
	case "REGISTER":
		return REGISTER
	case "OPTIONS":
		return OPTIONS
	case "INFO":
		return INFO
	case "MESSAGE":
		return MESSAGE
	case "UPDATE":
		return UPDATE
	case "PRACK":
		return PRACK
	case "REFER":
		return REFER
	case "SUBSCRIBE":
		return SUBSCRIBE
	case "NOTIFY":
		return NOTIFY
	case "PUBLISH":
		return PUBLISH
	}
	return UnknownMethod
}

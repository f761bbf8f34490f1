package location

import (
	"bytes"
	"hash/maphash"
	"iter"
	"net/netip"
	"strconv"

	"minisip/sipmsg"
)

// The ways to a binding other than its address of record.
const (
	bySource  = iota // the address it registered from
	byWritten        // its Contact: user part, host and port as written
	bySeen           // its Contact: user part, with the source for host and port
	numIndexes
)

// link is a binding's place in one index: bindings with one key form a ring, the oldest first.
// Many may share a key (phones behind one gateway), so leaving a ring must not
// depend on its length.
type link struct{ prev, next *Binding }

// index finds bindings by the hash of a key; who looks up compares the key itself.
type index struct {
	which int
	heads map[uint64]*Binding
}

func (x *index) add(b *Binding, key uint64) {
	l := &b.links[x.which]
	head := x.heads[key]
	if head == nil {
		l.prev, l.next = b, b
		x.heads[key] = b
		return
	}
	tail := head.links[x.which].prev
	l.prev, l.next = tail, head
	tail.links[x.which].next = b
	head.links[x.which].prev = b
}

func (x *index) remove(b *Binding, key uint64) {
	l := &b.links[x.which]
	switch {
	case l.next == nil:
		return // not in the index
	case l.next == b:
		delete(x.heads, key)
	default:
		l.prev.links[x.which].next = l.next
		l.next.links[x.which].prev = l.prev
		if x.heads[key] == b {
			x.heads[key] = l.next
		}
	}
	*l = link{}
}

// ring yields at most maxRing bindings with a key, the oldest first; yield returns false to end. It gives the
// binding that it would have come to next, if there are more.
func (x *index) ring(key uint64, yield func(*Binding) bool) (next *Binding) {
	head := x.heads[key]
	b := head
	for range maxRing {
		if b == nil || !yield(b) {
			return nil
		}
		if b = b.links[x.which].next; b == head {
			return nil
		}
	}
	return b
}

// maxRing bounds the work of one look-up where many bindings share a key.
const maxRing = 64

// AtSource yields the bindings that registered from src, the oldest first and at most 64: a phone with several
// accounts has one for each, a gateway one for each of its users. Where there are more, the next look goes on
// with those that follow. The loop body must not change the table.
func (t *Table) AtSource(src netip.AddrPort) iter.Seq[*Binding] {
	src = canonical(src)
	return func(yield func(*Binding) bool) {
		x, key := &t.index[bySource], t.sourceKey(src)
		next := x.ring(key, func(b *Binding) bool { return b.Source() != src || yield(b) })
		if next != nil {
			x.heads[key] = next
		}
	}
}

// FindContact returns the binding whose Contact uri is, or nil: the user part is equal, and
// host and port are those the phone wrote or those it registered from (as re_contact writes them).
//
// Several phones behind different NATs may have written the same. Then the source decides, which nobody can
// choose freely; then equal URI parameters, which hold a random part in many phones; then
// the user who was there first, so that nobody takes a Contact over by registering it;
// of one user's bindings, the latest registered.
func (t *Table) FindContact(uri *sipmsg.URI) *Binding {
	t.key = appendURIKey(t.key[:0], uri)
	key := maphash.Bytes(t.seed, t.key)
	if b := t.find(bySeen, key, uri); b != nil {
		return b
	}
	return t.find(byWritten, key, uri)
}

// find looks for t.key in one of the two Contact indexes.
func (t *Table) find(which int, key uint64, uri *sipmsg.URI) (best *Binding) {
	exact := false
	t.index[which].ring(key, func(b *Binding) bool {
		t.buf = append(t.buf[:0], b.Contact()...)
		c, err := sipmsg.ParseURI(t.buf)
		if err != nil {
			return true
		}
		t.other = appendBindingKey(t.other[:0], which, b, &c)
		if !bytes.Equal(t.key, t.other) {
			return true
		}
		same := bytes.Equal(c.Params, uri.Params)
		switch {
		case best == nil, same && !exact:
			best, exact = b, same
		case same == exact && b.AOR() == best.AOR() && b.registered > best.registered:
			best = b
		}
		return true
	})
	return best
}

// link enters b into the indexes under its Contact and Source.
func (t *Table) link(b *Binding) {
	keys := t.keysOf(b)
	t.index[bySource].add(b, keys[bySource])
	t.index[bySeen].add(b, keys[bySeen])
	if keys[byWritten] != keys[bySeen] { // else it is found there
		t.index[byWritten].add(b, keys[byWritten])
	}
	if t.came != nil {
		t.came(b.Source())
	}
}

// unlink takes b out of the indexes; its texts are still those that it was entered under.
func (t *Table) unlink(b *Binding) {
	if b.links[bySource].next == nil {
		return
	}
	if t.went != nil {
		t.went(b.Source())
	}
	keys := t.keysOf(b)
	for i := range t.index {
		t.index[i].remove(b, keys[i])
	}
}

// keysOf gives the keys of b in all indexes.
func (t *Table) keysOf(b *Binding) (keys [numIndexes]uint64) {
	keys[bySource] = t.sourceKey(b.Source())
	t.buf = append(t.buf[:0], b.Contact()...)
	uri, _ := sipmsg.ParseURI(t.buf) // it was read before it came here
	for _, which := range [...]int{byWritten, bySeen} {
		t.key = appendBindingKey(t.key[:0], which, b, &uri)
		keys[which] = maphash.Bytes(t.seed, t.key)
	}
	return keys
}

func (t *Table) sourceKey(src netip.AddrPort) uint64 {
	t.key, _ = src.AppendBinary(t.key[:0])
	return maphash.Bytes(t.seed, t.key)
}

// appendBindingKey appends the key of b, whose Contact is uri, in one of the two Contact indexes.
func appendBindingKey(dst []byte, which int, b *Binding, uri *sipmsg.URI) []byte {
	if which == bySeen {
		return b.Source().AppendTo(append(sipmsg.AppendUnescaped(dst, uri.User), '@'))
	}
	return appendURIKey(dst, uri)
}

// appendURIKey appends user@host:port in one form for all spellings: the user part
// unescaped, the default port filled in, addresses in their shortest form, names in lower case.
func appendURIKey(dst []byte, uri *sipmsg.URI) []byte {
	dst = append(sipmsg.AppendUnescaped(dst, uri.User), '@')
	port := uri.Port
	if port == 0 {
		port = 5060
		if len(uri.Scheme) == len("sips") {
			port = 5061
		}
	}
	if addr, err := netip.ParseAddr(string(uri.Host)); err == nil {
		return netip.AddrPortFrom(addr.Unmap(), port).AppendTo(dst)
	}
	for _, c := range uri.Host {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return strconv.AppendUint(append(dst, ':'), uint64(port), 10)
}

// canonical is the one form in which sources are stored and compared: IPv4 as IPv4.
func canonical(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

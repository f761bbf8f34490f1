package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	mathrand "math/rand/v2"
	"net/netip"
	"time"
)

// A nonce is 24 bytes, 32 characters of URL-safe base64:
//
//	bytes 0-5    milliseconds since 1970
//	bytes 6-7    the process that made it: random, the same in all its nonces
//	bytes 8-11   randomness
//	bytes 12-23  HMAC-SHA-256 over those and the origin's IP, cut to 96 bits
const (
	idSize    = 12
	makerAt   = 6
	randomAt  = 8
	nonceSize = 24
	nonceText = nonceSize * 4 / 3
)

// nonceID is the part of a nonce that tells it from all others.
type nonceID [idSize]byte

func (id *nonceID) millis() int64 {
	var b [8]byte
	copy(b[2:], id[:makerAt])
	return int64(binary.BigEndian.Uint64(b[:]))
}

// key tells the nonces of one process apart that are less than a month old.
func (id *nonceID) key() uint64 {
	return uint64(binary.BigEndian.Uint32(id[makerAt-4:]))<<32 | uint64(binary.BigEndian.Uint32(id[randomAt:]))
}

// nonces makes nonces, knows them again, and sees to it that no count of one
// passes twice.
//
// A nonce costs memory only once a right digest was made with it, so strangers
// cannot fill the tables. There are two: used takes each nonce at its first use;
// before long it becomes old, and then it is forgotten as a whole, which takes no
// search for what has run out. A table is forgotten in two cases:
//
//   - Its last nonce was taken one life ago: all its nonces are past their age.
//   - The other one is full. Then nonces that are still young are forgotten, and
//     cannot be told from ones never used. All of them were given out before the
//     table was closed. So floor moves up to that moment, and a nonce from before
//     it that stands in neither table is refused as stale.
//
// What an earlier process gave out under the same key is refused as stale, since
// nobody knows any more what it was used for. Its maker tells, and its time, which alone would not do:
// the clock may have been set back in between.
//
// Ages are by the monotonic clock, where now and Config.Start have a reading of it: when the
// clock on the wall is set, no nonce becomes old or young by it.
type nonces struct {
	key   []byte
	mac   hash.Hash
	life  int64 // milliseconds
	limit int   // nonces in one table

	used, old map[uint64]window // by nonceID.key
	opened    int64             // when the table used was opened, milliseconds since 1970
	floor     int64             // a nonce not newer than this must be in a table

	base        time.Time // times are counted from here
	maker       [randomAt - makerAt]byte
	last, shift int64

	scratch [nonceSize + 16]byte // what the MAC is made over; here so that it is not allocated
	sum     [sha256.Size]byte
}

func newNonces(cfg Config) *nonces {
	if cfg.Start.IsZero() {
		cfg.Start = time.UnixMilli(0) // durations from year 1 on do not fit
	}
	key := cfg.Key
	if len(key) == 0 {
		key = make([]byte, sha256.Size)
		rand.Read(key)
	}
	before := cfg.Start.UnixMilli() - 1
	n := &nonces{
		key:    key,
		base:   cfg.Start,
		mac:    hmac.New(sha256.New, key),
		life:   cfg.NonceLife.Milliseconds(),
		limit:  cfg.MaxNonces,
		used:   make(map[uint64]window),
		old:    make(map[uint64]window),
		last:   before,
		opened: before,
		floor:  before,
	}
	rand.Read(n.maker[:])
	return n
}

// millis gives now in milliseconds since 1970, as a clock that nobody has set since the
// nonces' beginning would show it.
func (n *nonces) millis(now time.Time) int64 {
	return n.base.Add(now.Sub(n.base)).UnixMilli()
}

// clock gives now in milliseconds since 1970. It never runs back, even when now does:
// what has been forgotten must not become young again, and fresh nonces must lie above the floor.
func (n *nonces) clock(now time.Time) int64 {
	t := n.millis(now) + n.shift
	if t < n.last {
		n.shift += n.last - t
		t = n.last
	}
	n.last = t
	return t
}

// append appends a new nonce for origin.
func (n *nonces) append(dst []byte, now time.Time, origin netip.Addr) []byte {
	var b [nonceSize]byte
	var t [8]byte
	binary.BigEndian.PutUint64(t[:], uint64(n.clock(now)))
	copy(b[:makerAt], t[2:])
	copy(b[makerAt:], n.maker[:])
	binary.BigEndian.PutUint32(b[randomAt:], mathrand.Uint32())
	copy(b[idSize:], n.sign(nonceID(b[:idSize]), origin))
	return base64.RawURLEncoding.AppendEncode(dst, b[:])
}

// sign returns the MAC; it is good until the next call.
func (n *nonces) sign(id nonceID, origin netip.Addr) []byte {
	ip := origin.As16() // an IPv4 address mapped into IPv6 is the same origin
	b := append(n.scratch[:0], id[:]...)
	b = append(b, ip[:]...)
	n.mac.Reset()
	n.mac.Write(b)
	return n.mac.Sum(n.sum[:0])[:nonceSize-idSize]
}

// spend takes one count of a nonce; credentials without qop have count 0. It reports
// false if the nonce was not made here for that origin, is too old, or the count
// has been taken.
func (n *nonces) spend(now time.Time, origin netip.Addr, text []byte, count uint32) bool {
	millis := n.clock(now)
	n.rotate(millis)
	id, mac := decode(text)
	if [len(n.maker)]byte(id[makerAt:]) != n.maker || !hmac.Equal(mac[:], n.sign(id, origin)) {
		return false
	}
	made, key := id.millis(), id.key()
	if millis-made >= n.life {
		return false
	}
	for _, table := range [...]map[uint64]window{n.used, n.old} {
		if w, ok := table[key]; ok {
			ok = w.take(count)
			table[key] = w
			return ok
		}
	}
	if made <= n.floor {
		return false
	}
	n.used[key] = newWindow(count)
	return true
}

// decode takes a nonce apart. What has not the form of one becomes one that nobody has signed.
func decode(text []byte) (id nonceID, mac [nonceSize - idSize]byte) {
	var b [nonceSize]byte
	if len(text) == nonceText {
		base64.RawURLEncoding.Decode(b[:], text)
	}
	return nonceID(b[:idSize]), [nonceSize - idSize]byte(b[idSize:])
}

// madeAt says when a nonce that spend knows was made, in milliseconds since 1970.
func madeAt(nonce []byte) int64 {
	var id nonceID
	base64.RawURLEncoding.Decode(id[:], nonce[:idSize*4/3])
	return id.millis()
}

// rotate closes the table in use when it has been open for a life or is full, and
// forgets the other one.
func (n *nonces) rotate(now int64) {
	if len(n.used) < n.limit && now-n.opened < n.life {
		return
	}
	// Whatever stands in old was given out by the time that used was opened.
	n.floor = n.opened
	clear(n.old)
	n.used, n.old = n.old, n.used
	n.opened = now
}

// window remembers the highest count taken and which of the 63 below it were.
type window struct {
	seen uint64 // bit i: top-i was taken
	top  uint32
}

func newWindow(count uint32) window { return window{seen: 1, top: count} }

// take takes count. It reports false if that was taken before or is so far below
// the highest that nobody knows.
func (w *window) take(count uint32) bool {
	if count > w.top {
		w.seen = w.seen<<(count-w.top) | 1 // a shift by 64 or more leaves 0
		w.top = count
		return true
	}
	back := w.top - count
	if back >= 64 || w.seen&(1<<back) != 0 {
		return false
	}
	w.seen |= 1 << back
	return true
}

package pack

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Reader reads a record's fields in the order in which they were appended. At the end all
// fields are zero. What cannot be read ends the record too, and OK says so.
type Reader struct {
	rest string
	bad  bool
}

// NewReader reads record; the texts it gives share its memory.
func NewReader(record string) Reader { return Reader{rest: record} }

// OK says whether all that was read so far could be.
func (r *Reader) OK() bool { return !r.bad }

// More says whether there is more to read.
func (r *Reader) More() bool { return len(r.rest) > 0 }

func (r *Reader) fail() { r.rest, r.bad = "", true }

// take gives the next n bytes.
func (r *Reader) take(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.fail()
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// Uint reads a number.
func (r *Reader) Uint() (v uint64) {
	for i := range len(r.rest) {
		c := r.rest[i]
		if i == binary.MaxVarintLen64-1 && c > 1 {
			break // over 64 bits
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return v
		}
	}
	if len(r.rest) > 0 {
		r.fail()
	}
	return 0
}

// Int reads a number that may be negative.
func (r *Reader) Int() int64 {
	u := r.Uint()
	return int64(u>>1) ^ -int64(u&1)
}

// Bool reads a truth.
func (r *Reader) Bool() bool { return r.Uint() != 0 }

// String reads a text.
func (r *Reader) String() string { return r.take(r.Uint()) }

// Strings reads a list of texts; nil if it is empty.
func (r *Reader) Strings() (list []string) {
	for n := r.Uint(); n > 0 && r.More(); n-- {
		list = append(list, r.String())
	}
	return list
}

// Addr reads an IP address.
func (r *Reader) Addr() (a netip.Addr) {
	if !r.More() {
		return a
	}
	n := r.take(1)
	if a.UnmarshalBinary([]byte(r.take(uint64(n[0])))) != nil {
		r.fail()
	}
	return a
}

// AddrPort reads an address with its port.
func (r *Reader) AddrPort() netip.AddrPort {
	a := r.Addr()
	port := r.Uint()
	if port > 65535 {
		r.fail()
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, uint16(port))
}

// Time reads a time that was written as its distance from epoch.
func (r *Reader) Time(epoch time.Time) time.Time {
	d := r.Int()
	if d == 0 {
		return time.Time{}
	}
	return epoch.Add(time.Duration(d))
}

// Section reads what stands in one field of its own.
func (r *Reader) Section() Reader {
	if !r.More() {
		return Reader{}
	}
	n := r.take(4)
	if r.bad {
		return Reader{}
	}
	return Reader{rest: r.take(uint64(n[0]) | uint64(n[1])<<8 | uint64(n[2])<<16 | uint64(n[3])<<24)}
}

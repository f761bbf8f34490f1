// Package pack writes plain values into a record and reads them back: numbers as varints,
// strings with their length, addresses and times in as few bytes. It is pure.
//
// A record has no names and no version. What makes it last is one rule: fields are only ever
// added, at the end. A field that an older version did not write reads as zero, and what a
// newer one added is left unread. What repeats or nests stands in a Section, which
// follows the same rule by itself.
package pack

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// AppendUint appends a number.
func AppendUint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// AppendInt appends a number that may be negative.
func AppendInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// AppendBool appends a truth.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendString appends a text.
func AppendString(b []byte, s string) []byte { return append(AppendUint(b, uint64(len(s))), s...) }

// AppendStrings appends a list of texts.
func AppendStrings(b []byte, list []string) []byte {
	b = AppendUint(b, uint64(len(list)))
	for _, s := range list {
		b = AppendString(b, s)
	}
	return b
}

// maxZone is the longest zone kept: names of interfaces have 15 bytes.
const maxZone = 64

// AppendAddr appends an IP address, with its zone; an invalid one too.
func AppendAddr(b []byte, a netip.Addr) []byte {
	if len(a.Zone()) > maxZone {
		a = a.WithZone("")
	}
	at := len(b)
	b, _ = a.AppendBinary(append(b, 0)) // never fails
	b[at] = byte(len(b) - at - 1)
	return b
}

// AppendAddrPort appends an address with its port.
func AppendAddrPort(b []byte, a netip.AddrPort) []byte {
	return AppendUint(AppendAddr(b, a.Addr()), uint64(a.Port()))
}

// AppendTime appends a time as its distance from epoch; the zero time is kept as such.
func AppendTime(b []byte, epoch, t time.Time) []byte {
	if t.IsZero() {
		return AppendInt(b, 0)
	}
	d := t.Sub(epoch)
	if d == 0 {
		d = 1
	}
	return AppendInt(b, int64(d))
}

// AppendSection appends what fill appends, as one field.
func AppendSection(b []byte, fill func(b []byte) []byte) []byte {
	at := len(b)
	b = fill(append(b, 0, 0, 0, 0))
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

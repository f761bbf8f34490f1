// Package pack writes plain values into a record and reads them back: numbers as varints,
// strings with their length, addresses and times in as few bytes. It is pure.
//
// A record has no names and no version. What makes it last is one rule: fields are only ever
// added, at the end. A field that an older version did not write reads as zero, and what a
// newer one added is left unread. What repeats or nests stands in a Section, which
// follows the same rule by itself.
package pack

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"time"
)

// AppendUint appends numbers, each a field.
func AppendUint(b []byte, numbers ...uint64) []byte {
	for _, v := range numbers {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

// AppendInt appends a number that may be negative.
func AppendInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// AppendBool appends truths, each a field.
func AppendBool(b []byte, truths ...bool) []byte {
	for _, v := range truths {
		if v {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	return b
}

// AppendString appends texts, each a field.
func AppendString(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = append(AppendUint(b, uint64(len(s))), s...)
	}
	return b
}

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

// AppendAddrPort appends addresses with their ports, each a field.
func AppendAddrPort(b []byte, addrs ...netip.AddrPort) []byte {
	for _, a := range addrs {
		b = AppendUint(AppendAddr(b, a.Addr()), uint64(a.Port()))
	}
	return b
}

// AppendTime appends times, each a field, as their distance from epoch; the zero time is kept as such.
func AppendTime(b []byte, epoch time.Time, times ...time.Time) []byte {
	for _, t := range times {
		d := int64(0)
		if !t.IsZero() {
			d = cmp.Or(int64(t.Sub(epoch)), 1)
		}
		b = AppendInt(b, d)
	}
	return b
}

// AppendSection appends what fill appends, as one field.
func AppendSection(b []byte, fill func(b []byte) []byte) []byte {
	at := len(b)
	b = fill(append(b, 0, 0, 0, 0))
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

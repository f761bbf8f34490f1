package state

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// Record is what was kept under a key.
type Record struct {
	Key
	Data []byte
}

// replay makes the records out of the files' bytes.
type replay struct {
	records map[Key]version
	begin   int // counts the 'B' seen
	last    moment
	timed   bool // last was read
}

// version is a record, and after how many 'B' it was written.
type version struct {
	data  []byte
	begin int
}

// fault is what is wrong with a file.
type fault int

const (
	none   fault = iota
	alien        // no file of this version
	broken       // cut where it could not be read on
)

// file takes the next file in. With a fault, at is where.
func (r *replay) file(b []byte) (f fault, at int) {
	begin := b[:min(len(b), len(magic))]
	switch {
	case !strings.HasPrefix(magic, string(begin)):
		return alien, 0
	case len(begin) < len(magic):
		return broken, 0
	}
	boot := ""
	for rest := b[len(magic):]; len(rest) > 0; {
		m, body, next, ok := nextFrame(rest)
		if !ok || !r.frame(m, body, &boot) {
			return broken, len(b) - len(rest)
		}
		rest = next
	}
	return none, len(b)
}

// frame takes one frame in; false if it makes no sense.
func (r *replay) frame(m mark, body []byte, boot *string) bool {
	switch m {
	case stamped:
		at, ok := readMoment(body)
		if !ok {
			return false
		}
		if at.bootID != "" {
			*boot = at.bootID
		}
		at.bootID = *boot
		r.last, r.timed = at, true
		return true
	case begun:
		r.begin++
		return true
	case whole:
		for k, v := range r.records {
			if v.begin < r.begin {
				delete(r.records, k)
			}
		}
		return true
	}
	if len(body) < keySize-1 {
		return false
	}
	k := Key{body[0], binary.LittleEndian.Uint64(body[1:])}
	switch m {
	case put:
		r.records[k] = version{body[keySize-1:], r.begin}
	case dropped:
		delete(r.records, k)
	default:
		return false
	}
	return true
}

// sorted gives all records, by kind and id.
func (r *replay) sorted() []Record {
	out := make([]Record, 0, len(r.records))
	for k, v := range r.records {
		out = append(out, Record{k, v.data})
	}
	slices.SortFunc(out, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return out
}

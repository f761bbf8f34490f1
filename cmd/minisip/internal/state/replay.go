package state

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
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

var errNoFile = errors.New("not a plain file")

// open takes the next file in: see file. size is how long it is.
func (r *replay) open(path string) (f fault, at, size int64, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return none, 0, 0, err
	case info.IsDir():
		return none, 0, 0, syscall.EISDIR
	case !info.Mode().IsRegular():
		return none, 0, 0, errNoFile // to open a pipe is to wait for somebody who writes
	}
	in, err := os.Open(path)
	if err != nil {
		return none, 0, 0, err
	}
	defer in.Close()
	f, at, err = r.file(in)
	return f, at, info.Size(), err
}

// file takes the next file in. With a fault, at is where. What follows is not read: what was spoilt may be of any length.
func (r *replay) file(in io.Reader) (f fault, at int64, err error) {
	b := bufio.NewReaderSize(in, 64<<10)
	var begin [len(magic)]byte
	n, err := io.ReadFull(b, begin[:])
	switch {
	case failed(err):
		return none, 0, err
	case !strings.HasPrefix(magic, string(begin[:n])):
		return alien, 0, nil
	case n < len(magic):
		return broken, 0, nil
	}
	boot := ""
	for at = int64(n); ; {
		m, body, err := nextFrame(b)
		switch {
		case err == io.EOF:
			return none, at, nil
		case failed(err):
			return none, at, err
		case err != nil || !r.frame(m, body, &boot):
			return broken, at, nil
		}
		at += int64(headSize + 1 + len(body))
	}
}

// failed tells that a file could not be read from that it has ended or is spoilt.
func failed(err error) bool {
	return err != nil && err != io.EOF && err != io.ErrUnexpectedEOF && err != errSpoilt
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

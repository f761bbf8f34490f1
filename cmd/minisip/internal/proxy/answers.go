package proxy

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"time"

	"minisip/session"
)

// answers remember what we have answered to requests other than INVITE, for as long as copies of them may
// come: they are server transactions in Completed, until timer J (RFC 3261 17.2.2). After a burst
// of registrations there are more of them than of anything else, so they are small: of an answer only that is
// kept which the copy does not say itself, and of a request two hashes of its key under seeds of our own.
type answers struct {
	core  *Core
	timer session.Timer
	seeds [2]maphash.Seed
	base  time.Time // times are counted from here
	at    map[uint64]answerPlace

	// Records lie one behind the other, the oldest first, in blocks without a pointer.
	blocks [][]byte
	first  uint32 // number of blocks[0]
	oldest int    // in blocks[0]
	size   int    // of all
}

// answerPlace is where a record begins.
type answerPlace struct{ block, offset uint32 }

const (
	answerBlock = 16 << 10
	answerHead  = 8 + 8 + 8 + 4 + 2 // the two hashes, when it was given, the size of the text, status

	// Those of so long a time are forgotten together, and of a burst so many.
	answerStep = time.Second / 2
	mostAtOnce = 1000
)

func newAnswers(c *Core) answers {
	return answers{core: c, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, at: map[uint64]answerPlace{}}
}

// len is how many there are.
func (a *answers) len() int { return len(a.at) }

// keep notes the answer to the request under key.
func (a *answers) keep(now time.Time, key []byte, status int, reason string, fields []byte) {
	if a.base.IsZero() {
		a.base = now
	}
	hash := maphash.Bytes(a.seeds[0], key)
	size := answerHead + len(reason) + 1 + len(fields)
	last := len(a.blocks) - 1
	if last < 0 || len(a.blocks[last])+size > cap(a.blocks[last]) {
		block := max(answerBlock, size)
		if last >= 0 && a.size+block > a.core.cfg.MaxTransactions*ordinaryAnswer {
			a.core.drop(Overload)
			return // a copy of the request will be answered anew
		}
		a.blocks = append(a.blocks, make([]byte, 0, block))
		a.size += block
		last++
	}
	a.at[hash] = answerPlace{a.first + uint32(last), uint32(len(a.blocks[last]))}
	b := binary.NativeEndian.AppendUint64(a.blocks[last], hash)
	b = binary.NativeEndian.AppendUint64(b, maphash.Bytes(a.seeds[1], key))
	b = binary.NativeEndian.AppendUint64(b, uint64(now.Sub(a.base)))
	b = binary.NativeEndian.AppendUint32(b, uint32(size-answerHead))
	b = binary.NativeEndian.AppendUint16(b, uint16(status))
	a.blocks[last] = append(append(append(b, reason...), '\n'), fields...)
	if a.timer.At().IsZero() {
		a.core.timers.Set(&a.timer, now.Add(session.Lifetime))
	}
}

// find gives the answer to the request under key, valid until the next keep; status 0 says that there is none.
func (a *answers) find(key []byte) (status int, reason string, fields []byte) {
	place, ok := a.at[maphash.Bytes(a.seeds[0], key)]
	if !ok {
		return 0, "", nil
	}
	b := a.blocks[place.block-a.first][place.offset:]
	if binary.NativeEndian.Uint64(b[8:]) != maphash.Bytes(a.seeds[1], key) {
		return 0, "", nil
	}
	size := binary.NativeEndian.Uint32(b[24:])
	text, fields, _ := bytes.Cut(b[answerHead:answerHead+size], []byte("\n"))
	return int(binary.NativeEndian.Uint16(b[28:])), string(text), fields
}

// Expire implements session.Expirer: it forgets what is older than timer J.
func (a *answers) Expire(now time.Time) {
	over := now.Sub(a.base) - session.Lifetime
	for range mostAtOnce {
		for len(a.blocks) > 0 && a.oldest == len(a.blocks[0]) {
			a.size -= cap(a.blocks[0])
			a.blocks[0] = nil
			a.blocks, a.first, a.oldest = a.blocks[1:], a.first+1, 0
		}
		if len(a.blocks) == 0 {
			a.at = map[uint64]answerPlace{} // a map keeps the size that it once had
			return
		}
		b := a.blocks[0][a.oldest:]
		hash, given := binary.NativeEndian.Uint64(b), time.Duration(binary.NativeEndian.Uint64(b[16:]))
		if given > over {
			a.core.timers.Set(&a.timer, now.Add(max(given-over, answerStep)))
			return
		}
		if place := a.at[hash]; place == (answerPlace{a.first, uint32(a.oldest)}) {
			delete(a.at, hash)
		}
		a.oldest += answerHead + int(binary.NativeEndian.Uint32(b[24:]))
	}
	a.core.timers.Set(&a.timer, now)
}

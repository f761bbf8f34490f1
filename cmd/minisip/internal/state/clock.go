package state

import (
	"encoding/binary"
	"time"
)

// moment is one instant by three clocks.
type moment struct {
	since  time.Duration // the epoch
	wall   int64         // Unix time in ns
	boot   int64         // ns since the machine was booted; with bootID alone
	bootID string        // which boot that was; "": not known, or in a file the one before
}

func appendMoment(b []byte, at moment) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(at.since))
	b = binary.LittleEndian.AppendUint64(b, uint64(at.wall))
	b = binary.LittleEndian.AppendUint64(b, uint64(at.boot))
	return append(b, at.bootID...)
}

func readMoment(b []byte) (at moment, ok bool) {
	if len(b) < 24 {
		return at, false
	}
	return moment{
		since: time.Duration(binary.LittleEndian.Uint64(b)), wall: int64(binary.LittleEndian.Uint64(b[8:])),
		boot: int64(binary.LittleEndian.Uint64(b[16:])), bootID: string(b[24:]),
	}, true
}

// away is how long it was from then to now. A machine that was booted meanwhile has only the clock on the
// wall; where that was not right yet, then or now, nobody knows, and nothing ends for it.
func away(then, now moment) time.Duration {
	if sameBoot(then, now) {
		return time.Duration(now.boot - then.boot)
	}
	if min(then.wall, now.wall) < leastWall {
		return 0
	}
	return max(0, time.Duration(now.wall-then.wall))
}

// leastWall is 2020: a clock that shows less has not been set since the machine was switched on.
const leastWall = 1_577_836_800 * int64(time.Second)

func sameBoot(then, now moment) bool {
	return then.bootID != "" && then.bootID == now.bootID && now.boot >= then.boot
}

// step is by how much the clock was set forward from then to now, as far as one can know; back, where it is less than 0.
func step(then, now moment) time.Duration {
	if !sameBoot(then, now) {
		return 0
	}
	by := time.Duration((now.wall - then.wall) - (now.boot - then.boot))
	if by.Abs() < 2*time.Second { // it was made to run a little faster or slower
		return 0
	}
	return by.Round(time.Second)
}

// moment reads the clocks. The boot's name is asked for once.
func (s *Store) moment() moment {
	now := time.Now()
	return moment{since: now.Sub(s.epoch), wall: now.UnixNano(), boot: sinceBoot()}
}

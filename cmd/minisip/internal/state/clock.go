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

// away is how long it was from then to now.
func away(then, now moment) time.Duration {
	if then.bootID != "" && then.bootID == now.bootID && now.boot >= then.boot {
		return time.Duration(now.boot - then.boot)
	}
	return max(0, time.Duration(now.wall-then.wall))
}

// moment reads the clocks. The boot's name is asked for once.
func (s *Store) moment() moment {
	now := time.Now()
	return moment{since: now.Sub(s.epoch), wall: now.UnixNano(), boot: sinceBoot()}
}

// Package clockstep makes times for tests as they are when somebody has set the clock on the wall: the monotonic
// clock goes on, the other has stepped. Package time makes no such values.
package clockstep

import (
	"fmt"
	"time"
	"unsafe"
)

// Step is t by a clock on the wall that has been set forward by d, in whole seconds; back where d is negative. t must
// have a reading of the monotonic clock, as from time.Now; it stays.
func Step(t time.Time, d time.Duration) time.Time {
	was := t
	// In a time with a monotonic reading, seconds lie above 30 bits of nanoseconds.
	*(*uint64)(unsafe.Pointer(&t)) += uint64(d/time.Second) << 30
	if t.Sub(was) != 0 || t.Round(0).Sub(was.Round(0)) != d {
		panic(fmt.Sprintf("%v cannot be stepped by %v: it is %v", was, d, t))
	}
	return t
}

package rtprelay

import "runtime/debug"

// survive, deferred by a goroutine of a stream, lets an error in this program cost that stream
// alone, where somebody is told of it.
func (s *Stream) survive() {
	if s.relay.crashed == nil {
		return
	}
	if r := recover(); r != nil {
		stack := debug.Stack()
		s.Close()
		s.relay.crashed(r, stack)
	}
}

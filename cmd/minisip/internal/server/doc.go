// Package server is the one place with a clock and sockets: readers take datagrams in and
// parse them, one goroutine - THE event loop - owns the proxy core and all signalling
// state, and datagrams go out from the address that the other side knows. Media never
// pass through the loop; the relay's own goroutines carry them.
//
// A reader never waits for the loop: what finds no room it drops and counts, as the network
// would; SIP's own retransmissions bring it back. While the loop does not keep up it decides
// before parsing, by source and kind, what goes first (reader.go, package guard); when the loop lags
// all the same, new calls get 503 (health.go). Whoever else
// wants to see or change signalling state hands the loop a func with Do.
//
// On Linux a busy server looks at its SIP sockets every 2 to 8 ms, for all that came meanwhile (pace.go); one
// that is not busy looks at once. Elsewhere each datagram wakes it.
//
// On Linux a socket bound to a wildcard address answers from the address it was asked
// at (IP_PKTINFO, RFC 3542 6.1); elsewhere the kernel chooses.
package server

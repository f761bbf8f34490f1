// Package server is the one place with a clock and sockets: readers take datagrams in and
// parse them, one goroutine - THE event loop - owns the proxy core and all signalling
// state, and datagrams go out from the address that the other side knows. Media never
// pass through the loop; the relay's own goroutines carry them.
//
// A reader never waits for the loop: when the queue is full it drops the datagram and
// counts it, as the network would; UDP's own retransmissions bring it back. Whoever else
// wants to see or change signalling state hands the loop a func with Do.
//
// On Linux a socket bound to a wildcard address answers from the address it was asked
// at (IP_PKTINFO, RFC 3542 6.1); elsewhere the kernel chooses.
package server

package server

import "syscall"

// letFragment lets routers cut an IPv4 datagram that is too large for their link (RFC 791 2.3). Linux forbids it to those that fit
// the first link and waits to be told of a narrower one (RFC 1191); where a firewall keeps that from coming, an INVITE of
// 1,450 bytes would be lost again and again on a way that takes one of 3,000, sent in fragments. An IPv6 socket that
// carries IPv4 heeds it.
func letFragment(raw syscall.RawConn) {
	raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER, syscall.IP_PMTUDISC_DONT)
	})
}

package server

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
)

// askDestination lets the kernel say with each datagram which address it was sent to.
func askDestination(conn *net.UDPConn, six bool) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		if six {
			failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_RECVPKTINFO, 1)
		} else {
			failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1)
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// destination reads the address out of a control message: struct in_pktinfo is interface
// index, local address, header destination; struct in6_pktinfo address and index. Where the latter is the address of a group
// (of all nodes of a link, RFC 4291 2.7.1), nothing can leave from it, and the kernel chooses.
func destination(oob []byte) (netip.Addr, bool) {
	if len(oob) < syscall.SizeofCmsghdr {
		return netip.Addr{}, false
	}
	level := binary.NativeEndian.Uint32(oob[syscall.SizeofCmsghdr-8:])
	kind := binary.NativeEndian.Uint32(oob[syscall.SizeofCmsghdr-4:])
	data := oob[syscall.CmsgLen(0):]
	switch {
	case level == syscall.IPPROTO_IP && kind == syscall.IP_PKTINFO && len(data) >= syscall.SizeofInet4Pktinfo:
		return netip.AddrFrom4([4]byte(data[4:8])), true
	case level == syscall.IPPROTO_IPV6 && kind == syscall.IPV6_PKTINFO && len(data) >= 16:
		ip := netip.AddrFrom16([16]byte(data[:16]))
		return ip, !ip.IsMulticast()
	}
	return netip.Addr{}, false
}

// appendSource appends the control message that makes a datagram leave from ip.
func appendSource(oob []byte, ip netip.Addr) []byte {
	size, level, kind := syscall.SizeofInet4Pktinfo, syscall.IPPROTO_IP, syscall.IP_PKTINFO
	if ip.Is6() {
		size, level, kind = syscall.SizeofInet6Pktinfo, syscall.IPPROTO_IPV6, syscall.IPV6_PKTINFO
	}
	oob = oob[:syscall.CmsgSpace(size)]
	clear(oob)
	if syscall.SizeofCmsghdr == 16 {
		binary.NativeEndian.PutUint64(oob, uint64(syscall.CmsgLen(size)))
	} else {
		binary.NativeEndian.PutUint32(oob, uint32(syscall.CmsgLen(size)))
	}
	binary.NativeEndian.PutUint32(oob[syscall.SizeofCmsghdr-8:], uint32(level))
	binary.NativeEndian.PutUint32(oob[syscall.SizeofCmsghdr-4:], uint32(kind))
	data := oob[syscall.CmsgLen(0):]
	if ip.Is6() {
		a := ip.As16()
		copy(data, a[:])
	} else {
		a := ip.As4()
		copy(data[4:], a[:])
	}
	return oob
}

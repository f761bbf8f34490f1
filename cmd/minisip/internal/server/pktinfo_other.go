//go:build !linux

package server

import (
	"net"
	"net/netip"
)

func askDestination(*net.UDPConn, bool) error { return nil }

func destination([]byte) (netip.Addr, bool) { return netip.Addr{}, false }

func appendSource(oob []byte, _ netip.Addr) []byte { return nil }

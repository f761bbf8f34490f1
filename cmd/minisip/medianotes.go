package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"minisip/cmd/minisip/internal/config"
)

// mediaNotes warns of what would make calls go without media once there are many: a range of
// ports that other programs get theirs from, and too few descriptors. The limit on those has
// been raised as far as the system lets us: package os does it at start.
func mediaNotes(cfg *config.Config) (notes []string) {
	if !cfg.Features.SDP {
		return nil
	}
	kernel, _ := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	reserved, _ := os.ReadFile("/proc/sys/net/ipv4/ip_local_reserved_ports")
	if n := portsNote(cfg.RTPLow, cfg.RTPHigh, string(kernel), string(reserved)); n != "" {
		notes = append(notes, n)
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		if n := descriptorsNote(cfg.RTPLow, cfg.RTPHigh, uint64(limit.Cur)); n != "" {
			notes = append(notes, n)
		}
	}
	return notes
}

// portsNote is the warning where the media ports lie among those that the kernel gives to
// whoever asks for none in particular, unless they are reserved. Elsewhere than on Linux both
// texts are empty, and there is none.
func portsNote(low, high uint16, kernel, reserved string) string {
	f := strings.Fields(kernel)
	if len(f) != 2 {
		return ""
	}
	from, err1 := strconv.ParseUint(f[0], 10, 16)
	to, err2 := strconv.ParseUint(f[1], 10, 16)
	if err1 != nil || err2 != nil || to < uint64(low) || from > uint64(high) {
		return ""
	}
	shared := func(port uint64) bool { return port >= from && port <= to && !inPortList(port, reserved) }
	for port := uint64(low); port <= uint64(high); port++ {
		if shared(port) {
			return fmt.Sprintf("the media ports %d-%d overlap those that the kernel gives to any program (%d-%d): calls may find theirs taken; "+
				"choose others with -rtp LO-HI, or: sysctl net.ipv4.ip_local_reserved_ports=%d-%d", low, high, from, to, low, high)
		}
	}
	return ""
}

// inPortList says whether a port stands in a list such as 8080,10000-20000.
func inPortList(port uint64, list string) bool {
	for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		lo, hi, isRange := strings.Cut(part, "-")
		if !isRange {
			hi = lo
		}
		from, err1 := strconv.ParseUint(lo, 10, 16)
		to, err2 := strconv.ParseUint(hi, 10, 16)
		if err1 == nil && err2 == nil && port >= from && port <= to {
			return true
		}
	}
	return false
}

// A call with audio takes four sockets, RTP and RTCP towards each side; spare are those that
// everything else takes: SIP, the log, the page and who looks at it.
const (
	socketsOfCall = 4
	spare         = 100
)

// descriptorsNote is the warning where the limit on descriptors does not hold as many calls as
// there are ports for.
func descriptorsNote(low, high uint16, limit uint64) string {
	ports := uint64(high) + 1 - (uint64(low)+1)&^1
	calls := ports / socketsOfCall
	if need := calls*socketsOfCall + spare; limit < need {
		holds := (max(limit, spare) - spare) / socketsOfCall
		return fmt.Sprintf("the limit of %d open files holds %d calls with audio at once, while -rtp %d-%d has ports for %d: "+
			"raise it to %d (LimitNOFILE= in the unit, or ulimit -n)", limit, holds, low, high, calls, need)
	}
	return ""
}

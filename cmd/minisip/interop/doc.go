// Package interop tests minisip with real phones: baresip, linphonec and SIPp, in network namespaces
// behind masquerading NATs, as a person would use it. It has no code of its own, only tests.
//
// Run them as root with `make interop`, which is
//
//	go test -tags interop -count=1 -v ./cmd/minisip/interop/
//
// They need what .ci/run installs, and fail with the line that installs what is missing. Where the machine lets no systemd be started, as in a container, that one test is skipped and
// says so. MINISIP=/path/to/minisip tests that binary instead of a fresh build.
//
// The network, all in namespaces of the run's own, never a packet outside:
//
//	phone a 192.168.1.2 -- NAT A 203.0.113.2 --+
//	                                           ISP -- server 198.51.100.10
//	phone b 192.168.1.2 -- NAT B 192.0.2.2 ----+
//	                       pub 198.18.0.2 -----+
//
// Between ISP and server the network can lose, repeat and reorder what passes (air_test.go).
// Both NATs give every flow a random port and let in only answers to what went out.
// Each phone plays a tone of its own, and what the other one records is measured.
package interop

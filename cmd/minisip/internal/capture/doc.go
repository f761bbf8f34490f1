// Package capture writes datagrams into a file that Wireshark and tcpdump open: the classic
// pcap format (draft-ietf-opsawg-pcap) of link type RAW, each datagram under an IPv4 or IPv6
// header (RFC 791, 8200) and a UDP header (RFC 768) made for it, checksums included.
//
// A [File] is bounded in size and time. What it is given is copied into memory, of a fixed size
// too, and written by a goroutine of its own: whoever gives never waits, and what finds the
// memory full is dropped and counted. The file is readable for its owner alone.
//
// What it does not do: fragments, other transports than UDP, pcapng.
package capture

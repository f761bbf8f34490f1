// Package rtprelay relays RTP and RTCP between two phones that cannot, or
// should not, reach each other directly.
//
// A [Relay] owns a range of UDP ports. [Relay.Open] takes four of them for one
// media stream: a pair for the leg that faces each side, RTP on the even port
// and RTCP on the next (RFC 3550 11). What arrives at one leg leaves from the
// other. The datagrams are not changed: SRTP (RFC 3711), DTLS, STUN, T.38 over
// UDPTL and RTCP on the RTP port (RFC 5761) pass as well, up to 2048 bytes.
//
// # Who is listened to
//
// Each socket listens and talks to one address (symmetric RTP, RFC 4961). It
// is the one that the SDP names, once something arrives from there; else the
// first whose IP is the one that the side signals from, or for RTCP the one
// its RTP comes from. Until something arrives, packets go to the SDP's address
// if its IP is trusted in that way, and nowhere else. So a phone behind a NAT
// is found, and neither can a stranger who sprays the ports hear or say
// anything, nor an SDP aim the relay at a third party. An SDP that names a leg of another stream which
// faces the same side joins the two, as a PBX does that leaves the media to its phones, or a controller of
// calls (RFC 3725; join.go).
//
// The address changes only after new signalling ([Stream.Expect]), or when it
// has been silent for 2 s and two packets in a row come from elsewhere that
// carry on its SSRC and sequence numbers, or RTCP of its SSRC from a trusted IP:
// a NAT that has rebound. While no one with a better claim is heard, who was
// listened to stays.
//
// A side may come to reach us at another of our addresses: then its leg moves there ([Stream.MoveTo]), on the
// same ports, and goes on hearing what comes to the address before.
//
// # ICE
//
// A leg that was given credentials ([Stream.SetICE]) is an ICE-lite agent (RFC
// 8445 2.5): it answers connectivity checks (7.3, 7.3.2) with short-term
// credentials (RFC 8489 9.1), and makes none. A source that passes a check has
// the best claim of all: before nomination the first that does; then the one
// that USE-CANDIDATE nominates, of several within 2 s the highest PRIORITY; a
// later nomination moves the leg at once, and any check that passes does while
// the source is silent. RFC 8489 9.1.3's errors 400 and 401 go only to who is at
// an IP that is trusted: strangers get no answer. STUN of such a leg is not
// relayed. The first flight of a DTLS handshake that comes before the other
// phone can be reached waits for it.
//
// # What is measured
//
// [Stream.Stats] gives for each direction packets, loss, duplicates and
// reordering (RFC 3550 A.1 and A.3; what is lost for longer than these believe in
// is known by the timestamps), interarrival jitter (A.8, with the clock rates of
// RFC 3551 6 and of a=rtpmap; now, and on average), the round trip between the relay and
// the phone where RTCP tells it (6.4.1), and who was refused. Under SRTCP the
// round trip is not to be seen. Several SSRCs that alternate on one port are
// counted as changes of one, so their loss and jitter mean little.
//
// # What it does not do
//
// It does not make checks of its own or send keepalives (a phone's checks and
// what the other phone sends do that), take MESSAGE-INTEGRITY-SHA256 for a
// proof, transcode, or speak SIP or SDP. It does not record, but shows what
// passes to who does ([Stream.Tap]); while nobody looks, that costs one comparison.
// A leg that is bound to a link-local address of IPv6 hears the one interface that its side signals from.
//
// # How it is made, and what was tried
//
// Each socket has a goroutine, parked in Go's poller by a RawConn. It reads
// and sends by raw non-blocking system calls, which the scheduler is not told
// of. One lock a stream, one buffer a core: packets of who is listened to share no
// lock or cache line with other streams (others ask whether a leg of ours sent them),
// and nothing is allocated per packet. A stream takes 13 KB
// of heap and stacks, a goroutine's stack staying at 2 KB, and 2 KB of Go's
// poller.
//
// CPU per packet over loopback, pinned to one core, as a ratio to a bare C loop
// of epoll_wait, recvfrom and sendto under the same load (500 streams, bursts
// of 25, the least of 8 runs each; the machine was busy, so about 0.1 is noise):
//
//   - net.UDPConn's ReadFromUDPAddrPort and WriteToUDPAddrPort: 1.9.
//     This is what other systems than Linux get, and Linux with the build tag
//     portable.
//   - Raw recvfrom until the socket is empty, raw sendto: 1.5. Kept.
//   - Raw recvmmsg of 2, which spares the read that finds the socket empty
//     (0.4 us): 1.4, but 1.5 against 1.35 in bursts of 50. Of 4: 1.6.
//   - Epoll instances of our own, polled in turn by Go's, one goroutine for
//     many sockets: 1.1. Not kept: it is a second scheduler beside Go's.
//     For the RTCP sockets alone, heard by one goroutine, it saves 7 of the 23 KB
//     of memory that a call takes; for all sockets, 12. Not kept either: a
//     goroutine a socket is the one way in which this relay reads.
//   - connect(2) on the sending socket: no difference that could be measured,
//     and the kernel would hide the strangers that are to be counted, and the
//     NAT that has rebound.
//   - All sockets that have a packet are read first, and what they had is sent then (an
//     outbox a core, emptied by who filled it first, after runtime.Gosched): 3 to 5 %
//     less at 1,000 calls on one core, since who receives wakes up once for several
//     packets; with a second core 10 % more at 100 calls, since Gosched wakes it up.
//     Not kept.
//
// Four fifths of what remains are the system calls, and half of those the
// waking of who receives. Go's poller asks for writability too, so each packet
// sent makes an event that nobody waits for; to spare it gained nothing that
// could be measured over loopback, neither by an epoll instance for each socket
// that lets only readability through to Go's, nor by a second socket on the
// same port to send from. The read that finds the socket empty is 0.14 us.
//
// A packet's own work is 0.1 us while its stream is in the core's cache, and
// was 0.3 us in a relay of thousands: the order of the fields, and a buffer for
// each core instead of each stream, made that 0.15 (BenchmarkReceiveOfMany).
//
// Opening and closing the four sockets of a stream takes 51 us, of which the
// kernel's socket, setsockopt, bind and close are 31 us and joining the poller
// 12; net.ListenUDP would add about 5.
package rtprelay

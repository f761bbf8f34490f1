// Package nat repairs what a NAT breaks in a SIP message: the addresses that a phone
// writes into Via, Contact and SDP as it sees them, and that nobody outside its own
// network can reach. Everything here is an edit: what a function does not name keeps its
// bytes, its order and its line endings.
//
//	Via      FixVia writes received and rport as RFC 3261 18.2.1 and RFC 3581 4 say, and,
//	         forced, where nobody asked for them.
//	Contact  FixContact puts the address a message came from in place of the host and port
//	         of each sip and sips URI but a GRUU (RFC 5627). Behind tells whether a NAT stands in between.
//	SDP      SDP.Parse reads what a relay must know of a session description (RFC 8866):
//	         streams, addresses, a=rtcp (RFC 3605), rtcp-mux (RFC 5761), direction and hold
//	         (RFC 3264 8.4), credentials of ICE (RFC 8839). SDP.AppendRewritten writes it again with the relay's
//	         addresses, with ICE of the relay's own or without any (RFC 8839), and without
//	         BUNDLE (RFC 8843).
//	Body     FindSDP finds the session description in a body, alone or as a part of a
//	         multipart one (RFC 2046 5.1, RFC 5621); ReplaceSDP puts another in its place.
//
// How SDP is rewritten, for each stream that has a Leg:
//
//   - the port of m= and of a=rtcp become the leg's; port 0 is a refusal and stays 0; an
//     a=rtcp that names the port of m= goes on naming it;
//   - the address of the stream's own c= and of a=rtcp become the leg's, with its address
//     type; 0.0.0.0 and :: in c= mean hold and stay what they are, in the leg's address type, as they do
//     in a=rtcp then;
//   - the c= of the session becomes the address of the first leg, whether a stream needs
//     it or not, so that no private address shows. A stream for which it is wrong
//     afterwards gets a c= of its own;
//   - ICE lines, a=group:BUNDLE and a=bundle-only are taken out of the whole description: a
//     relay has a port for each stream, and candidates would lead media past it;
//   - a stream whose Leg has credentials gets them at its end, with one host candidate for
//     each component, as an ICE-lite agent has (RFC 8839 5.1, 5.4); the session says a=ice-lite
//     (5.3) and the option ice2 (RFC 8445 10). These and c= are the only lines ever added;
//   - 0.0.0.0 with port 9 in a stream that does ICE means that no candidate is known yet
//     (RFC 8840 4.1.3): it becomes the leg's address, and is no hold.
//
// A stream whose Leg is Refused gets port 0, and the leg's address where it shows one. One that is [SDP.Cut]
// goes with all its lines.
//
// A stream without a Leg, and one whose address is multicast or not of the Internet, keeps
// its lines. Where no stream has a leg nothing changes at all. o= never changes.
//
// Not done here: checks of ICE (package rtprelay answers them); trickling candidates in INFO
// (RFC 8840: nobody who gets a description from here is told that he may); SDP in encoded
// parts (Content-Encoding, base64); the early-session disposition of RFC 3959; and a=rtcp at
// session level, which RFC 3605 does not know.
package nat

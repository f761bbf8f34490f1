// Package phone is a small SIP phone for those who have none at hand: it registers and calls with
// digest authentication (RFC 3261 10.2, 13.2, 22; RFC 7616), answers, sends a tone or sends back what it
// hears (RTP with PCMU, RFC 3550 and 3551), measures what it hears, and hangs up. The demonstration
// and the probe are made of two of them.
//
// It repeats its requests, its 2xx until the ACK comes, and its ACK when a 2xx comes again, as RFC 3261 17, 13.3.1.4 and
// 13.2.2.4 say, follows route sets (12.2.1), takes BYE and CANCEL, and cancels what its caller gives up (9.1). With
// [Config].Claim it writes another address than its own into Via, Contact and SDP, as a phone behind a NAT does.
//
// What it does not do: re-INVITE, REFER, several calls of one Call-ID, RTCP, codecs but PCMU, TCP and TLS. It trusts
// the one server it speaks with, and takes nothing from any other address.
package phone

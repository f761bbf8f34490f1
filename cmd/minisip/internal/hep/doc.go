// Package hep sends a copy of all signalling, and a report on the media of each call at its end, to a Homer
// server: HEP version 3 (EEP) over UDP, as sipcapture's description of the protocol has it.
//
// SIP goes as it came and as it went (payload type 1), with Call-ID as correlation ID; what is secret in it is
// masked first. A report (payload type 0x22) is a JSON object a direction, with the field names of
// Homer's RTP agent. Nobody ever waits for the server: what finds no room in the queue is lost and counted.
//
// What it does not do: HEP over TCP and TLS, the authentication key, compression, versions 1 and 2, RTCP as it passes.
package hep

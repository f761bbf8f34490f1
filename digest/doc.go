// Package digest is the server side of digest authentication for SIP, and the
// file its users live in.
//
// What it implements:
//
//   - RFC 3261 22.4, RFC 7616 and RFC 8760: challenges with qop="auth", MD5 and
//     SHA-256, one challenge for each algorithm in order of preference;
//     verification of qop=auth and qop=auth-int.
//   - RFC 2069 (RFC 2617 3.2.2.1, RFC 3261 22.4): credentials without qop.
//     They carry no count, so a nonce serves them once; the next request gets
//     stale=true and comes back with the fresh nonce by itself.
//   - Nonces that need no memory until they have been used: time and randomness
//     with an HMAC over them and the address they were given to. A used nonce is
//     remembered with a window of 64 counts (RFC 7616 5.4 and 5.5), so requests
//     that overtake each other pass and a replay does not.
//   - stale=true whenever the digest is right and only the nonce (its age, its
//     address, its count) is not, so that a phone retries without asking anyone
//     for a password (RFC 7616 3.3). Not where a challenge was answered with an algorithm that it
//     did not name: a phone that knows no other would answer so without end.
//   - htdigest user files: lines user:realm:MD5-hash[:SHA-256-hash], mode 0600,
//     changed in place without touching any other line.
//
// The digest URI must name the same resource as the Request-URI: same scheme,
// user and host. Port and parameters may differ, as phones disagree on them; a URI
// without a user, which names the whole server, serves any user there.
//
//   - Names as they were chosen: quoted pairs are undone (RFC 3261 25.1), username* (RFC 7616
//     3.4) is read, and the digest is made over the name so (RFC 7616 3.4.2).
//
// qop=auth alone is offered: some phones answer auth-int when it stands beside auth and hash
// a body that a proxy in between has changed. Who chooses auth-int by himself is taken at his word.
//
// What it does not do: the -sess algorithms and userhash (neither is ever offered), opaque and
// domain (nothing here needs them), and Authentication-Info with nextnonce: phones count nc
// up or take stale=true, few read it, and it would not fit the 2xx of another phone.
//
// A Server is used by one goroutine. Users may be read by several.
package digest

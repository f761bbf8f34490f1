// Package location knows who is where: it maps an address of record to the bindings
// that REGISTER made, and finds a binding again by its source address or by its Contact.
// It is pure: the time comes in, nothing goes out, and one goroutine owns a Table.
//
// Implemented:
//   - RFC 3261 10.3 steps 6 to 8: refresh, removal, "*", query, expires per contact and
//     header, 423 with Min-Expires, Call-ID and CSeq order; a REGISTER is
//     carried out as a whole or not at all.
//   - RFC 3261 19.1.4 equality of Contacts, with the exception of [Table.Register] for two
//     phones behind two NATs that have the same private address.
//   - RFC 5626 6: a Contact with the +sip.instance and reg-id of a binding replaces it,
//     whatever its URI. A Contact with an instance and no reg-id does the same among such
//     bindings, so that a phone that restarts does not ring twice.
//   - RFC 5627, the public form: [AppendGRUU] writes the URI that stands for one instance of an
//     address of record, [Table.Instance] finds its bindings. It needs no memory: the
//     instance's name is in it.
//   - RFC 3327 5.3: the Path of a binding is kept as it came.
//
// Left to the caller: steps 1 to 5 (domain, Require, authentication, the address of
// record itself), the 200 and its header fields, the keepalive kept in [Ping], and keeping
// what [Table.AppendRecord] gives until [Table.Restore] wants it.
// Not implemented: temporary GRUUs (RFC 5627 3.1.2: they hide who is called, which nobody here
// asks for, and need memory for as long as a registration lasts); event packages (RFC 3680).
//
// Limits. An address of record has at most [Limits.PerUser] bindings, and a Table at most
// [Limits.Total]; the texts of a binding are at most 2 KB. A binding costs 0.4 to 0.6 KB in all.
// No operation depends on the number of users but by the logarithm in the expiry heap.
// What a Table returns never depends on the order of a Go map.
package location

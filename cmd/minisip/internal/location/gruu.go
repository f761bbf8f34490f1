package location

import (
	"strings"
	"time"

	"minisip/sipmsg"
)

// AppendGRUU appends the public GRUU (RFC 5627 3.1.1) of an instance: the address of record,
// given as it stands in a URI, with the instance's name as "gr" parameter.
func AppendGRUU(dst []byte, aor, instance string) []byte {
	dst = append(append(dst, aor...), ";gr="...)
	for _, c := range []byte(instanceName(instance)) {
		if plainInParam(c) {
			dst = append(dst, c)
		} else {
			const hex = "0123456789ABCDEF"
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// plainInParam says which bytes stand for themselves in a URI parameter: paramchar of
// RFC 3261 25.1.
func plainInParam(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("[]/:&+$-_.!~*'()", c) >= 0
}

// instanceName is the URN of an instance: +sip.instance has it in <> (RFC 5626 4.1).
func instanceName(instance string) string {
	return strings.TrimSuffix(strings.TrimPrefix(instance, "<"), ">")
}

// SameInstance says whether two values of +sip.instance name one instance. RFC 5626 4.1 has them compared as
// URNs of their scheme; case makes no difference in those of urn:uuid, which phones have (RFC 4122 3),
// nor in a GRUU made of any.
func SameInstance(a, b string) bool { return strings.EqualFold(a, b) }

// Instance returns the bindings to which a request for one instance of aor can be sent, in the
// order of Lookup; gr is the value of the "gr" parameter as written. Several are
// flows of one phone.
func (t *Table) Instance(now time.Time, aor string, gr []byte) []*Binding {
	t.buf = sipmsg.AppendUnescaped(t.buf[:0], gr)
	return keep(t.Lookup(now, aor), func(b *Binding) bool {
		// RFC 3261 19.1.4: parameters compare without regard to case.
		return b.instance[0] < b.instance[1] && SameInstance(instanceName(b.Instance()), string(t.buf))
	})
}

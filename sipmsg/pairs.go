package sipmsg

import (
	"bytes"
	"hash/maphash"
)

// equalPairs says that names which stand in both lists have the same value there, and that none that must stand in both
// stands in one alone.
func equalPairs(a, b []byte, sep byte, must func(name []byte) bool) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var names pairTable
	if !names.read(a, sep) {
		return false
	}
	for rest := b; len(rest) > 0; {
		var name, value []byte
		name, value, rest = cutPair(rest, sep)
		if len(name) == 0 {
			continue
		}
		if same, ok := names.agrees(name, value); ok && !same || !ok && must(name) {
			return false
		}
	}
	return names.allMet(must)
}

// pairTable finds the pairs of one list by their names. Whoever compares lists of 64 pairs name by name takes thousands of
// steps, and a registrar compares each Contact with many.
type pairTable struct {
	pairs []byte
	sep   byte
	begin [2 * MaxParams]uint16 // 1 + where a pair begins, at the first free place from its hash on
	met   [2 * MaxParams]bool   // its name stands in the other list too
}

// read enters all pairs; false where they are more than a URI may have.
func (t *pairTable) read(pairs []byte, sep byte) bool {
	t.pairs, t.sep = pairs, sep
	if atLeast(MaxParams, pairs, sep) {
		return false
	}
	for rest := pairs; len(rest) > 0; {
		at := len(pairs) - len(rest)
		var name []byte
		if name, _, rest = cutPair(rest, sep); len(name) == 0 {
			continue
		}
		i := placeOf(name)
		for t.begin[i] != 0 {
			i = t.after(i)
		}
		t.begin[i] = uint16(1 + at)
	}
	return true
}

func (t *pairTable) after(i int) int { return (i + 1) % len(t.begin) }

// at gives the pair at a place.
func (t *pairTable) at(i int) (name, value []byte) {
	name, value, _ = cutPair(t.pairs[t.begin[i]-1:], t.sep)
	return name, value
}

// agrees says whether the name is there, and whether it has that value wherever it is.
func (t *pairTable) agrees(name, value []byte) (same, ok bool) {
	same = true
	for i := placeOf(name); t.begin[i] != 0; i = t.after(i) {
		if n, v := t.at(i); equalEscaped(n, name, true) {
			t.met[i], ok = true, true
			same = same && equalEscaped(v, value, true)
		}
	}
	return same, ok
}

// allMet says whether all that must stand in both lists have been met.
func (t *pairTable) allMet(must func(name []byte) bool) bool {
	for i := range t.begin {
		if t.begin[i] == 0 || t.met[i] {
			continue
		}
		if name, _ := t.at(i); must(name) {
			return false
		}
	}
	return true
}

// placeOf is where a name is looked for first: one place for all its spellings.
func placeOf(name []byte) int {
	h := nameSeed
	for len(name) > 0 {
		c, n, _ := unescape(name)
		h = (h ^ uint64(lower(c))) * 0x9e3779b97f4a7c15
		name = name[n:]
	}
	return int((h >> 32) % (2 * MaxParams))
}

// nameSeed is a start that nobody knows, so nobody finds names for one place.
var nameSeed = maphash.Comparable(maphash.MakeSeed(), 0)

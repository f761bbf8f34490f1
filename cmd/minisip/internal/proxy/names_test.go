package proxy

import (
	"fmt"
	"regexp"
)

// names gives what the core draws at random a stable name, in order of appearance.
type names struct {
	given map[string]string
	count map[string]int // by kind
}

// random are the shapes of random values; what the first group holds stays.
var random = []struct {
	kind  string
	shape *regexp.Regexp
}{
	{"z9hG4bK", regexp.MustCompile(`()z9hG4bK[0-9a-f]{24}`)},
	{"tag", regexp.MustCompile(`(tag=)[0-9a-f]{16}\b`)},
	{"nonce", regexp.MustCompile(`(nonce=")[A-Za-z0-9_-]{32}`)},
	{"digest", regexp.MustCompile(`(response=")(?:[0-9a-f]{32}){1,2}`)},
	{"ufrag", regexp.MustCompile(`(ufrag:)[A-Za-z0-9+/]{8}`)},
	{"pwd", regexp.MustCompile(`(pwd:)[A-Za-z0-9+/]{24}`)},
	{"id", regexp.MustCompile(`()[0-9a-f]{16}@minisip`)},
}

func (n *names) replace(s string) string {
	for _, r := range random {
		s = r.shape.ReplaceAllStringFunc(s, func(found string) string {
			if n.given[found] == "" {
				n.count[r.kind]++
				keep := r.shape.FindStringSubmatch(found)[1]
				n.given[found] = fmt.Sprintf("%s%s-%d", keep, r.kind, n.count[r.kind])
			}
			return n.given[found]
		})
	}
	return s
}

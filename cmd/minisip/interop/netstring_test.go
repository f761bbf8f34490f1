//go:build interop

package interop

import (
	"bytes"
	"fmt"
	"strconv"
)

// netstrings cuts what is written to it into netstrings: length, colon, content, comma.
type netstrings struct {
	b       []byte
	deliver func([]byte)
}

func (n *netstrings) Write(p []byte) (int, error) {
	n.b = append(n.b, p...)
	for {
		head, rest, ok := bytes.Cut(n.b, []byte(":"))
		if !ok {
			return len(p), nil
		}
		size, err := strconv.Atoi(string(head))
		if err != nil {
			return 0, fmt.Errorf("netstring: %w", err)
		}
		if len(rest) < size+1 {
			return len(p), nil
		}
		n.deliver(rest[:size])
		n.b = rest[size+1:]
	}
}

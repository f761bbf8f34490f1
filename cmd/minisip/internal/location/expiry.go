package location

import "time"

// expiry is a heap of bindings by time, four children to a node. An entry may be earlier than
// its binding's Expires: a refresh, which is by far the most frequent event, leaves
// the entry where it is, and the entry moves when it comes to the top.
type expiry struct{ heap []entry }

type entry struct {
	at time.Duration // since the table's base
	b  *Binding
}

const arity = 4

// schedule enters b, or follows a change of its Expires.
func (h *expiry) schedule(b *Binding) {
	at := b.expires
	if b.place == 0 {
		h.heap = append(h.heap, entry{})
		b.place = uint32(len(h.heap))
	} else if at >= h.heap[b.place-1].at {
		return
	}
	h.up(int(b.place)-1, entry{at, b})
}

// remove takes b out.
func (h *expiry) remove(b *Binding) {
	i, last := int(b.place)-1, len(h.heap)-1
	b.place = 0
	e := h.heap[last]
	h.heap[last] = entry{}
	h.heap = h.heap[:last]
	if i == last {
		return
	}
	h.down(i, e)
	h.up(int(e.b.place)-1, e)
}

// first returns the binding that runs out first, or nil.
func (h *expiry) first() *Binding {
	for len(h.heap) > 0 {
		e := h.heap[0]
		if e.b.expires == e.at {
			return e.b
		}
		h.down(0, entry{e.b.expires, e.b})
	}
	return nil
}

// due returns a binding that has run out at now, or nil.
func (h *expiry) due(now time.Duration) *Binding {
	if b := h.first(); b != nil && b.expires <= now {
		return b
	}
	return nil
}

// up puts e into the free place i or above it.
func (h *expiry) up(i int, e entry) {
	for i > 0 {
		parent := (i - 1) / arity
		if h.heap[parent].at <= e.at {
			break
		}
		h.set(i, h.heap[parent])
		i = parent
	}
	h.set(i, e)
}

// down puts e into the free place i or below it.
func (h *expiry) down(i int, e entry) {
	for {
		least := arity*i + 1
		if least >= len(h.heap) {
			break
		}
		for c := least + 1; c < min(arity*i+1+arity, len(h.heap)); c++ {
			if h.heap[c].at < h.heap[least].at {
				least = c
			}
		}
		if e.at <= h.heap[least].at {
			break
		}
		h.set(i, h.heap[least])
		i = least
	}
	h.set(i, e)
}

func (h *expiry) set(i int, e entry) {
	h.heap[i] = e
	e.b.place = uint32(i + 1)
}

package proxy

// texts are strings that live equally long, end to end in one piece of memory.
type texts string

// copied makes strings of parts of a message, which cut then gives in the same order.
func (c *Core) copied(parts ...[]byte) texts {
	c.head = c.head[:0]
	for _, p := range parts {
		c.head = append(c.head, p...)
	}
	return texts(c.head)
}

// cut takes the next text off, which is as long as part.
func (t *texts) cut(part []byte) string {
	s := (*t)[:len(part)]
	*t = (*t)[len(part):]
	return string(s)
}

// learn puts what a phone says in the place of what it said before, if it is news.
func learn(s *string, now []byte) {
	if *s != string(now) {
		*s = string(now)
	}
}

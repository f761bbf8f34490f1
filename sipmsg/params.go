package sipmsg

// Param looks a parameter up in raw ";"-separated parameters, by name without regard to case;
// quoted values come without quotes. The value of a parameter without "=" is nil.
func Param(params []byte, name string) (value []byte, ok bool) {
	for i := 0; i >= 0; {
		n, v, next, ok := nextParam(params, i)
		if !ok {
			return nil, false
		}
		if equalFold(n, name) {
			return v, true
		}
		i = next
	}
	return nil, false
}

// nextParam reads the parameter at b[i:]: token [EQUAL (token / host / quoted-string)], with white space where
// RFC 3261 25.1 allows it. next is where the following one begins, -1 after the
// last. Where ok is false, next is the offset that could not be read.
func nextParam(b []byte, i int) (name, value []byte, next int, ok bool) {
	p, next, ok := paramAt(b, i)
	if !ok {
		return nil, nil, next, false
	}
	return b[p.name:p.nameEnd], p.of(b), next, true
}

// param is where a parameter stands; value is -1 where it has none.
type param struct{ name, nameEnd, value, valueEnd int }

// of gives the value, nil where there is none.
func (p param) of(b []byte) []byte {
	if p.value < 0 {
		return nil
	}
	return b[p.value:p.valueEnd]
}

// paramAt is nextParam by offsets. Nearly all parameters have neither white space nor quotes in them.
func paramAt(b []byte, i int) (p param, next int, ok bool) {
	p = param{name: i, nameEnd: nameEnd(b, i), value: -1}
	end := p.nameEnd
	if end < len(b) && b[end] == '=' {
		p.value = end + 1
		end = run(valueChar, b, p.value)
		p.valueEnd = end
	}
	if p.nameEnd > p.name && p.valueEnd > p.value {
		if end == len(b) {
			return p, -1, true
		}
		if b[end] == ';' {
			return p, end + 1, true
		}
	}
	return looseParamAt(b, i)
}

// nameEnd is where the parameter name at b[i:] ends. These two stand in every message.
func nameEnd(b []byte, i int) int {
	switch s := b[i:]; {
	case len(s) > 4 && string(s[:4]) == "tag=":
		return i + 3
	case len(s) > 7 && string(s[:7]) == "branch=":
		return i + 6
	}
	return run(tokenChar, b, i)
}

// looseParamAt reads one that may.
func looseParamAt(b []byte, i int) (p param, next int, ok bool) {
	p.name = skipLWS(b, i)
	if i = run(tokenChar, b, p.name); i == p.name {
		return p, i, false
	}
	p.nameEnd, p.value = i, -1
	if i = skipLWS(b, i); i < len(b) && b[i] == '=' {
		p.value = skipLWS(b, i+1)
		if i = p.value; i < len(b) && b[i] == '"' {
			if i = quotedEnd(b, i); i < 0 {
				return p, p.value, false
			}
			p.value, p.valueEnd = p.value+1, i-1
		} else {
			if i = run(valueChar, b, i); i == p.value {
				return p, i, false
			}
			p.valueEnd = i
		}
		i = skipLWS(b, i)
	}
	if i == len(b) {
		return p, -1, true
	}
	if b[i] != ';' {
		return p, i, false
	}
	return p, i + 1, true
}

// checkParams gives the value of the first tag among parameters, and the offset and the reason where they
// cannot be read, or a nil error.
func checkParams(b []byte) (tag []byte, offset int, err error) {
	tags := 0
	for i, count := 0, 1; i >= 0; count++ {
		p, next, ok := paramAt(b, i)
		if !ok {
			return nil, next, ErrMalformed
		}
		if count > MaxParams {
			return nil, i, ErrTooMany
		}
		if name := b[p.name:p.nameEnd]; string(name) == "tag" || equalFold(name, "tag") {
			if p.value < 0 {
				return nil, i, ErrMalformed
			}
			if tags++; tags == 1 {
				tag = b[p.value:p.valueEnd]
			}
		}
		i = next
	}
	return tag, 0, nil
}

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
	i = skipLWS(b, i)
	start := i
	if i = run(tokenChar, b, i); i == start {
		return nil, nil, i, false
	}
	name = b[start:i]
	i = skipLWS(b, i)
	if i < len(b) && b[i] == '=' {
		i = skipLWS(b, i+1)
		start = i
		if i < len(b) && b[i] == '"' {
			if i = quotedEnd(b, i); i < 0 {
				return nil, nil, start, false
			}
			value = b[start+1 : i-1]
		} else {
			if i = run(valueChar, b, i); i == start {
				return nil, nil, i, false
			}
			value = b[start:i]
		}
		i = skipLWS(b, i)
	}
	if i == len(b) {
		return name, value, -1, true
	}
	if b[i] != ';' {
		return nil, nil, i, false
	}
	return name, value, i + 1, true
}

// checkParams gives the offset and the reason where parameters cannot be read, or a nil error.
func checkParams(b []byte) (offset int, err error) {
	for i, count := 0, 1; i >= 0; count++ {
		_, _, next, ok := nextParam(b, i)
		if !ok {
			return next, ErrMalformed
		}
		if count > MaxParams {
			return i, ErrTooMany
		}
		i = next
	}
	return 0, nil
}

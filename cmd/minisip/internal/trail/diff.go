package trail

import "bytes"

// Line is one line of two messages laid side by side.
type Line struct {
	Op   byte // ' ': in both; '-': only before; '+': only after
	Text []byte
}

// Diff lays two messages side by side, line by line, in order.
func Diff(before, after []byte) (out []Line) {
	a, b := lines(before), lines(after)
	// common[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if bytes.Equal(a[i], b[j]) {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && bytes.Equal(a[i], b[j]):
			out = append(out, Line{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, Line{'-', a[i]})
			i++
		default:
			out = append(out, Line{'+', b[j]})
			j++
		}
	}
	return out
}

// maxLines bounds what is compared: the work grows with its square.
const maxLines = 512

func lines(b []byte) (out [][]byte) {
	for line := range bytes.Lines(b) {
		if len(out) == maxLines {
			break
		}
		out = append(out, bytes.TrimRight(line, "\r\n"))
	}
	return out
}

package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// byteOrderMark is what editors of Windows write in front of UTF-8. It is not seen, and no part of a name.
var byteOrderMark = []byte("\ufeff")

// entry is one line of a user file that is neither blank nor a comment.
type entry struct {
	realm string
	user  User
}

// parseLine reads one line. It returns nil for a blank line and a comment. Errors
// show nothing behind the realm, since that may be a password in the wrong place.
func parseLine(text string) (*entry, error) {
	text = strings.TrimRight(text, "\r\n")
	if bare := strings.TrimSpace(text); bare == "" || bare[0] == '#' {
		return nil, nil
	}
	fields := strings.Split(text, ":")
	if len(fields) < 3 || len(fields) > 4 {
		return nil, fmt.Errorf("expected user:realm:MD5-hash or user:realm:MD5-hash:SHA-256-hash, found %s", count(len(fields), "field"))
	}
	e := &entry{realm: fields[1], user: User{Name: fields[0]}}
	if err := checkName(e.user.Name); err != nil {
		return nil, err
	}
	if err := checkRealm(e.realm); err != nil {
		return nil, err
	}
	if err := readHash(e.user.md5[:], fields[2], MD5); err != nil {
		return nil, err
	}
	if len(fields) == 4 {
		e.user.sha256 = new([sha256.Size]byte)
		if err := readHash(e.user.sha256[:], fields[3], SHA256); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func readHash(dst []byte, text string, a Algorithm) error {
	if len(text) != 2*len(dst) {
		return fmt.Errorf("expected %d hexadecimal digits of the %s hash, found %s; make the line with: minisip user add",
			2*len(dst), a, count(len(text), "character"))
	}
	if _, err := hex.Decode(dst, []byte(text)); err != nil {
		return fmt.Errorf("expected %d hexadecimal digits of the %s hash, found another character in it", 2*len(dst), a)
	}
	return nil
}

// line is what newUser's result looks like in the file.
func (e *entry) line() string {
	b := []byte(e.user.Name + ":" + e.realm + ":")
	b = append(e.user.appendHA1(b, MD5), ':')
	b = e.user.appendHA1(b, SHA256)
	return string(append(b, '\n'))
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// shell quotes a word for a command line where it must be.
func shell(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

package digest

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// User is someone who may authenticate. Only hashes are kept of the password.
type User struct {
	Name   string
	md5    [md5.Size]byte
	sha256 *[sha256.Size]byte // nil: there is none
}

func newUser(realm string, a Account) *User {
	text := []byte(a.Name + ":" + realm + ":" + a.Password)
	sum := sha256.Sum256(text)
	return &User{Name: a.Name, md5: md5.Sum(text), sha256: &sum}
}

// appendHA1 appends H(A1) in hexadecimal.
func (u *User) appendHA1(dst []byte, a Algorithm) []byte {
	if a == SHA256 {
		return hex.AppendEncode(dst, u.sha256[:])
	}
	return hex.AppendEncode(dst, u.md5[:])
}

// Users are all who may authenticate in one realm. Once filled they are only
// read; a reload makes new ones.
type Users struct {
	realm    string
	list     []User
	index    index
	names    strings.Builder // of many users at a time: one piece of memory for each would cost more than they do
	noSHA256 int             // users without that hash
}

// LoadUsers reads a user file. The error unwraps to fs.ErrNotExist if there is
// none; every other names file, line and what was expected there.
func LoadUsers(path, realm string) (*Users, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseUsers(path, data, realm)
}

// ParseUsers reads the content of a user file: lines user:realm:MD5-hash, with
// :SHA-256-hash behind or not, blank lines, and comments that begin with '#'. name
// is the file's in errors. No data gives no users.
func ParseUsers(name string, data []byte, realm string) (*Users, error) {
	us := &Users{realm: realm, list: make([]User, 0, bytes.Count(data, []byte("\n"))+1)}
	data = bytes.TrimPrefix(data, byteOrderMark)
	number := 0
	for text := range bytes.Lines(data) {
		number++
		e, err := parseLine(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		if e == nil {
			continue
		}
		if e.realm != realm {
			return nil, fmt.Errorf("%s:%d: user %q is of realm %q, but the realm served is %q; "+
				"start with -realm %s, or set the password anew: minisip user passwd -users %s -realm %s %s",
				name, number, e.user.Name, e.realm, realm, shell(e.realm), shell(name), shell(realm), shell(e.user.Name))
		}
		if us.Lookup([]byte(e.user.Name)) != nil {
			return nil, fmt.Errorf("%s:%d: user %q is on line %d already; remove one of the two lines",
				name, number, e.user.Name, lineNumber(data, e.user.Name))
		}
		us.put(&e.user)
	}
	return us, nil
}

// lineNumber gives the number of the first line of a user.
func lineNumber(data []byte, name string) (number int) {
	for text := range bytes.Lines(data) {
		if number++; isOf(text, name) {
			break
		}
	}
	return number
}

// AddJSON adds the users of a JSON object, name to clear password, which is hashed
// at once. A user who is there already gets the new password.
func (us *Users) AddJSON(data []byte) error {
	var passwords map[string]string
	if err := json.Unmarshal(data, &passwords); err != nil || passwords == nil {
		// The decoder's own words could hold a piece of a password.
		return errors.New(`expected a JSON object of names and passwords, such as {"001":"secret"}`)
	}
	var accounts []Account
	for _, name := range slices.Sorted(maps.Keys(passwords)) {
		accounts = append(accounts, Account{Name: name, Password: passwords[name]})
	}
	return us.Add(accounts)
}

// Add adds accounts, hashing their passwords at once. A user who is there already gets
// the new password. Those after a name that is not allowed are left out.
func (us *Users) Add(accounts []Account) error {
	for _, a := range accounts {
		if err := a.check(us.realm); err != nil {
			return err
		}
		us.put(newUser(us.realm, a))
	}
	return nil
}

// put enters a copy of u, or puts it in the place of the user of that name.
func (us *Users) put(u *User) {
	if u.sha256 == nil {
		us.noSHA256++
	}
	if before := us.Lookup([]byte(u.Name)); before != nil {
		if before.sha256 == nil {
			us.noSHA256--
		}
		name := before.Name
		*before = *u
		before.Name = name
		return
	}
	us.list = append(us.list, *u)
	us.list[len(us.list)-1].Name = us.keep(u.Name)
	us.index.add(us.list)
}

// keep copies a name.
func (us *Users) keep(name string) string {
	const many = 4 << 10
	if us.names.Cap()-us.names.Len() < len(name) {
		us.names = strings.Builder{}
		us.names.Grow(max(len(name), many))
	}
	start := us.names.Len()
	us.names.WriteString(name)
	return us.names.String()[start:]
}

// Lookup finds a user by name, case counting; nil if there is none.
func (us *Users) Lookup(name []byte) *User {
	if i := us.index.find(us.list, name); i >= 0 {
		return &us.list[i]
	}
	return nil
}

// Len is the number of users.
func (us *Users) Len() int { return len(us.list) }

// HasAll reports whether a hash by that algorithm is there for every user.
func (us *Users) HasAll(a Algorithm) bool {
	return a == MD5 || a == SHA256 && us.noSHA256 == 0
}

// Account is a name with its clear password, on the way to its hashes.
type Account struct{ Name, Password string }

func (a *Account) check(realm string) error {
	if err := checkName(a.Name); err != nil {
		return err
	}
	if a.Password == "" {
		return fmt.Errorf("user %q has an empty password; give one", a.Name)
	}
	return checkRealm(realm)
}

// checkName accepts every printable byte but the colon, which ends a name in the
// file. A '#' in front would make the line a comment, and a space at an end is
// seen by nobody.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the user name is empty")
	case name[0] == '#':
		return fmt.Errorf("user name %q begins with '#', which makes a line a comment; choose another", name)
	case strings.Trim(name, " ") != name:
		return fmt.Errorf("user name %q begins or ends with a space; leave that out", name)
	}
	return checkPrintable("user name", name)
}

func checkRealm(realm string) error {
	if realm == "" {
		return errors.New("the realm is empty")
	}
	return checkPrintable("realm", realm)
}

func checkPrintable(what, text string) error {
	for i := range len(text) {
		if b := text[i]; b < ' ' || b == 0x7f || b == ':' {
			return fmt.Errorf("%s %q has a character %q in it; any printable one but ':' may be used", what, text, b)
		}
	}
	return nil
}

// RandomPassword makes a password of 14 small letters and digits, without those
// that look alike: 69 bits, as much as MD5 digests on the wire call for.
func RandomPassword() string {
	const alphabet = "23456789abcdefghjkmnpqrstuvwxyz"
	const fair = 256 / len(alphabet) * len(alphabet)
	password := make([]byte, 0, 14)
	var b [32]byte
	for {
		rand.Read(b[:])
		for _, x := range b {
			if int(x) < fair {
				password = append(password, alphabet[int(x)%len(alphabet)])
			}
			if len(password) == cap(password) {
				return string(password)
			}
		}
	}
}

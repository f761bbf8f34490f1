package digest

import (
	"path/filepath"
	"strconv"
	"testing"
)

// TestCreateAndAdd: accounts that were made stay, whoever adds one at the same time.
func TestCreateAndAdd(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		path := filepath.Join(dir, strconv.Itoa(i))
		added := make(chan error, 1)
		go func() { added <- AddUser(path, "r", Account{Name: "003", Password: "three"}) }()
		made := CreateUsers(path, "r", []Account{{Name: "001", Password: "one"}})
		if err := <-added; err != nil {
			t.Fatal(err)
		}
		users, err := LoadUsers(path, "r")
		if err != nil || users.Lookup([]byte("003")) == nil || made == nil && users.Lookup([]byte("001")) == nil {
			t.Fatalf("round %d: made: %v; %d users, %v", i, made, users.Len(), err)
		}
	}
}

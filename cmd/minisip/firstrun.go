package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/server"
	"minisip/digest"
)

// usersVariable holds users as JSON, name -> password.
const usersVariable = "AUTH_USERS_ENV"

// loadUsers reads the users. Where there is no user file, and nobody said that there
// shall be none, two accounts are made up; keepUsers writes them once it is certain that
// somebody gets to see their passwords.
func loadUsers(cfg *config.Config) (users *digest.Users, made []digest.Account, err error) {
	if cfg.Users != "" {
		if _, err := os.Stat(cfg.Users); errors.Is(err, fs.ErrNotExist) {
			made = []digest.Account{{Name: "001", Password: digest.RandomPassword()}, {Name: "002", Password: digest.RandomPassword()}}
		}
	}
	users, err = readUsers(cfg, made)
	return users, made, err
}

// keepUsers writes the accounts of a first run into the user file.
func keepUsers(cfg *config.Config, made []digest.Account) error {
	if len(made) == 0 {
		return nil
	}
	return digest.CreateUsers(cfg.Users, cfg.Realm, made)
}

// readUsers reads the user file, or takes the accounts just made, and the environment.
func readUsers(cfg *config.Config, made []digest.Account) (*digest.Users, error) {
	users, err := digest.ParseUsers("", nil, cfg.Realm)
	switch {
	case len(made) > 0:
		err = users.Add(made)
	case cfg.Users != "":
		users, err = digest.LoadUsers(cfg.Users, cfg.Realm)
	}
	if err != nil {
		return nil, err
	}
	if v, ok := os.LookupEnv(usersVariable); ok && v != "" {
		if err := users.AddJSON([]byte(v)); err != nil {
			return nil, fmt.Errorf("%s: %w", usersVariable, err)
		}
	}
	if users.Len() == 0 {
		return nil, fmt.Errorf("there are no users: name a file with -users FILE, or set %s to JSON like {\"001\":\"password\"}", usersVariable)
	}
	return users, nil
}

// nonceKey is the key that signs nonces: kept in the state directory, so that a nonce
// from before a restart is known as ours and its phone told that it is stale, not wrong.
func nonceKey(dir string) ([]byte, error) {
	key := make([]byte, 32)
	rand.Read(key)
	if dir == "" {
		return key, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot keep state in %s: %w; choose another directory with -state DIR, or none with -state \"\"", dir, err)
	}
	path := filepath.Join(dir, "nonce.key")
	old, err := os.ReadFile(path)
	if err == nil && len(old) == len(key) {
		return old, nil
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(path, key, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot keep the nonce key: %w; choose another directory with -state DIR, or none with -state \"\"", err)
	}
	return key, nil
}

// welcome prints what a person types into the phones, and what is to be known at start.
func welcome(w io.Writer, cfg *config.Config, srv *server.Server, users *digest.Users, created []digest.Account) {
	at := phoneAddress(cfg, srv.Addresses())
	fmt.Fprintf(w, "minisip %s\n\n", version)
	if len(created) > 0 {
		fmt.Fprintf(w, "Made %s with two accounts. Type one of them into each phone:\n\n", cfg.Users)
		for _, a := range created {
			fmt.Fprintf(w, "    server    %s\n    user      %s\n    password  %s\n\n", shortAddress(at), a.Name, a.Password)
		}
		fmt.Fprintf(w, "The passwords are shown only now. More users: minisip user add NAME\n")
	} else {
		fmt.Fprintf(w, "Server for the phones: %s (%d users in %s)\n", shortAddress(at), users.Len(), usersFrom(cfg))
	}
	fmt.Fprintf(w, "Public address: %s, SIP on UDP port %d, media on UDP ports %d-%d\n", at.Addr(), at.Port(), cfg.RTPLow, cfg.RTPHigh)
	fmt.Fprintf(w, "Features on: %s\n", featureList(cfg))
	switch ip := at.Addr(); {
	case ip.IsLoopback():
		fmt.Fprintf(w, "Warning: %s reaches this machine only. Listen on an address of the network with -listen.\n", ip)
	case ip.IsPrivate() || ip.IsLinkLocalUnicast() || sharedSpace.Contains(ip):
		fmt.Fprintf(w, "Warning: %s is a private address: phones elsewhere cannot reach it. If a router in front\n"+
			"forwards the ports to this machine, give the router's public address with -public IP.\n", ip)
	}
	for _, n := range cfg.Notes {
		fmt.Fprintf(w, "Note: %s\n", n)
	}
}

// sharedSpace is RFC 6598's, behind a provider's NAT.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func usersFrom(cfg *config.Config) string {
	if cfg.Users == "" {
		return usersVariable
	}
	return cfg.Users
}

// phoneAddress is the address that phones shall use: -public, else the one bound, else
// the one that packets to the Internet leave from.
func phoneAddress(cfg *config.Config, bound []netip.AddrPort) netip.AddrPort {
	first := bound[0]
	switch {
	case cfg.Public4.IsValid():
		return netip.AddrPortFrom(cfg.Public4, first.Port())
	case cfg.Public6.IsValid():
		return netip.AddrPortFrom(cfg.Public6, first.Port())
	case !first.Addr().IsUnspecified():
		return first
	}
	return netip.AddrPortFrom(outbound(), first.Port())
}

// outbound asks the routing table which address packets to the Internet leave from; none
// is sent.
func outbound() netip.Addr {
	for _, to := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		conn, err := net.Dial("udp", to)
		if err != nil {
			continue
		}
		defer conn.Close()
		if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			return a.AddrPort().Addr().Unmap()
		}
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if p, ok := a.(*net.IPNet); ok && p.IP.IsGlobalUnicast() {
			ip, _ := netip.AddrFromSlice(p.IP)
			return ip.Unmap()
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// shortAddress leaves SIP's own port out, as phones do.
func shortAddress(at netip.AddrPort) string {
	if at.Port() != 5060 {
		return at.String()
	}
	return at.Addr().String()
}

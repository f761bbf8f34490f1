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
	"strings"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/server"
	"minisip/digest"
)

// usersVariable holds users as JSON, name -> password.
const usersVariable = "AUTH_USERS_ENV"

// loadUsers reads the users. Where there is no user file, and nobody said that there
// shall be none or gave users by the environment, two accounts are made up; keepUsers
// writes them once it is certain that somebody gets to see their passwords.
func loadUsers(cfg *config.Config) (users *digest.Users, made []digest.Account, err error) {
	if cfg.Users != "" && os.Getenv(usersVariable) == "" {
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
	if err := digest.CreateUsers(cfg.Users, cfg.Realm, made); err != nil {
		return userFileTrouble("make", cfg.Users, err)
	}
	return nil
}

// userFileTrouble says what could not be done with the user file, and the way out.
func userFileTrouble(do, path string, err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return fmt.Errorf("cannot %s the user file %s (%w): put that right, or name another file with -users FILE", do, path, pe.Err)
	}
	return err // it names file and line
}

// readUsers reads the user file, or takes the accounts just made, and the environment.
// With users in the environment there need not be a file.
func readUsers(cfg *config.Config, made []digest.Account) (*digest.Users, error) {
	users, err := digest.ParseUsers("", nil, cfg.Realm)
	inEnv := os.Getenv(usersVariable)
	switch {
	case len(made) > 0:
		err = users.Add(made)
	case cfg.Users != "":
		fromFile, failed := digest.LoadUsers(cfg.Users, cfg.Realm)
		if inEnv == "" || !errors.Is(failed, fs.ErrNotExist) {
			users, err = fromFile, failed
		}
	}
	if err != nil {
		return nil, userFileTrouble("read", cfg.Users, err)
	}
	if inEnv != "" {
		if err := users.AddJSON([]byte(inEnv)); err != nil {
			return nil, fmt.Errorf("environment variable %s: %w", usersVariable, err)
		}
	}
	switch {
	case users.Len() > 0:
		return users, nil
	case cfg.Users != "":
		return nil, fmt.Errorf("there are no users in %s: add one with: minisip user add 001 -users %s", cfg.Users, cfg.Users)
	}
	return nil, fmt.Errorf("there are no users: name a file with -users FILE, or set the environment variable %s to JSON such as {\"001\":\"password\"}", usersVariable)
}

// nonceKey is the key that signs nonces: kept with the state, so that a nonce
// from before a restart is known as ours and its phone told that it is stale, not wrong.
func nonceKey(kept *keptState) []byte {
	key := make([]byte, 32)
	rand.Read(key)
	if kept.Store == nil {
		return key
	}
	return kept.Beside("nonce.key", key)
}

// welcome prints what a person types into the phones, and what is to be known at start.
func welcome(w io.Writer, cfg *config.Config, srv *server.Server, users *digest.Users, created []digest.Account, notes []string) {
	at := phoneAddress(cfg, srv.Addresses())
	fmt.Fprintf(w, "minisip %s\n\n", version)
	if len(created) > 0 {
		fmt.Fprintf(w, "Made %s with two accounts. Type one of them into each phone:\n\n", cfg.Users)
		for _, a := range created {
			fmt.Fprintf(w, "    server    %s\n    user      %s\n    password  %s\n\n", shortAddress(at), a.Name, a.Password)
		}
		fmt.Fprintf(w, "The passwords are shown only now. More users: minisip user add NAME, then kill -HUP %d\n", os.Getpid())
	} else {
		fmt.Fprintf(w, "Server for the phones: %s (users: %d, from %s)\n", shortAddress(at), users.Len(), usersFrom(cfg))
	}
	fmt.Fprintf(w, "Public address: %s, SIP on UDP port %d, media on UDP ports %d-%d\n", at.Addr(), at.Port(), cfg.RTPLow, cfg.RTPHigh)
	fmt.Fprintf(w, "Features on: %s\n", featureList(proxyConfig(cfg).Features))
	switch ip := at.Addr(); {
	case ip.IsLoopback():
		fmt.Fprintf(w, "Warning: %s is reached from this machine only. For phones elsewhere the machine needs a\n"+
			"network address (see: ip address); give that with -listen, or leave -listen out.\n", ip)
	case ip.IsPrivate() || ip.IsLinkLocalUnicast() || sharedSpace.Contains(ip):
		fmt.Fprintf(w, "Warning: %s is a private address: phones elsewhere cannot reach it. If a router in front\n"+
			"forwards the ports to this machine, give the router's public address with -public IP.\n", ip)
	}
	for _, n := range cfg.Notes {
		fmt.Fprintf(w, "Note: %s\n", n)
	}
	for _, n := range notes {
		fmt.Fprintln(w, n)
	}
}

// sharedSpace is RFC 6598's, behind a provider's NAT.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// usersNote warns of a user file that anybody on the machine can read or change: who has a hash can log in with it.
func usersNote(cfg *config.Config) []string {
	info, err := os.Stat(cfg.Users)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o007 == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the mode %04o of %s lets everybody on this machine at the hashes of the passwords, which are as good as these: chmod 600 %s",
		info.Mode().Perm(), cfg.Users, cfg.Users)}
}

// stateNote warns of a state directory that anybody on the machine can write in: what he puts there, the next start believes.
func stateNote(cfg *config.Config) []string {
	info, err := os.Stat(cfg.State)
	if err != nil || info.Mode()&0o002 == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the mode %04o of %s lets everybody on this machine put registrations and calls there, and take the place of %s: chmod 700 %s",
		info.Mode().Perm(), cfg.State, socketName, cfg.State)}
}

// usersFrom names where the users came from.
func usersFrom(cfg *config.Config) string {
	inEnv := os.Getenv(usersVariable) != ""
	_, err := os.Stat(cfg.Users)
	switch {
	case inEnv && err == nil:
		return cfg.Users + " and " + usersVariable
	case inEnv:
		return usersVariable
	}
	return cfg.Users
}

// phoneAddress is the address that phones shall use: -public, else the one bound, else
// the one that packets to the Internet leave from.
func phoneAddress(cfg *config.Config, bound []netip.AddrPort) netip.AddrPort {
	for _, at := range bound {
		public := cfg.Public4
		if at.Addr().Is6() {
			public = cfg.Public6
		}
		if public.IsValid() {
			return netip.AddrPortFrom(public, at.Port())
		}
	}
	for _, at := range bound {
		if !at.Addr().IsUnspecified() {
			return at
		}
		if ip := outbound(at.Addr()); ip.IsValid() {
			return netip.AddrPortFrom(ip, at.Port())
		}
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if bound[0].Addr().Is6() {
		loopback = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(loopback, bound[0].Port())
}

// outbound asks the routing table which address of wildcard's family packets to the
// Internet leave from; none is sent. It is invalid where the machine has none.
func outbound(wildcard netip.Addr) netip.Addr {
	network, to := "udp4", "192.0.2.1:9"
	if wildcard.Is6() {
		network, to = "udp6", "[2001:db8::1]:9"
	}
	if conn, err := net.Dial(network, to); err == nil {
		defer conn.Close()
		if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			return a.AddrPort().Addr().Unmap()
		}
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		p, ok := a.(*net.IPNet)
		if !ok || !p.IP.IsGlobalUnicast() {
			continue
		}
		if ip, _ := netip.AddrFromSlice(p.IP); ip.Unmap().Is6() == wildcard.Is6() {
			return ip.Unmap()
		}
	}
	return netip.Addr{}
}

// shortAddress leaves SIP's own port out, as phones do.
func shortAddress(at netip.AddrPort) string {
	return strings.TrimSuffix(at.String(), ":5060")
}

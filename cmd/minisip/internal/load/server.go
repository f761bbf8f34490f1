//go:build linux

package main

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// The realm and the password of all users.
const (
	realm    = "load"
	password = "secret"
)

// process is a minisip that was started to be measured.
type process struct {
	cmd *exec.Cmd
	dir string
}

// startServer starts minisip with users a0.. and b0.. and waits until it answers.
func startServer(o *options) (*process, error) {
	dir, err := os.MkdirTemp("", "minisip-load")
	if err != nil {
		return nil, err
	}
	s := &process{dir: dir}
	users := filepath.Join(dir, "users.conf")
	if err := os.WriteFile(users, userFile(o.users), 0o600); err != nil {
		s.stop()
		return nil, err
	}
	binary, err := filepath.Abs(o.minisip)
	if err != nil {
		s.stop()
		return nil, err
	}
	args := append([]string{"-listen", o.server.String(), "-realm", realm, "-users", users, "-rtp", "30000-60000",
		"-state", "", "-log", filepath.Join(dir, "sip_server.log")}, strings.Fields(o.words)...)
	s.cmd = exec.Command(binary, args...)
	s.cmd.Dir, s.cmd.Stderr = dir, os.Stderr
	// A process inherits the CPUs of the thread that starts it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err = pinThread(0, o.serverCPU); err == nil {
		err = s.cmd.Start()
	}
	if err == nil {
		err = s.answers(o)
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// answers waits until the server answers an OPTIONS as phones send them: a very short one gets
// no answer.
func (s *process) answers(o *options) error {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(o.server))
	if err != nil {
		return err
	}
	defer conn.Close()
	for range 100 {
		fmt.Fprintf(conn, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bKoptions\r\nMax-Forwards: 1\r\n"+
			"From: <sip:a0@load>;tag=o\r\nTo: <sip:load>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n"+
			"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nSupported: path\r\n\r\n", o.server, conn.LocalAddr())
		conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if n, err := conn.Read(make([]byte, 2000)); err == nil && n > 0 {
			return nil
		}
		time.Sleep(50 * time.Millisecond) // refused at once while nobody listens
	}
	return fmt.Errorf("%s does not answer at %s", o.minisip, o.server)
}

func (s *process) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		s.cmd.Process.Signal(syscall.SIGTERM)
		s.cmd.Wait()
	}
	os.RemoveAll(s.dir)
}

func userFile(users int) []byte {
	var b bytes.Buffer
	for i := range users {
		for _, side := range []string{"a", "b"} {
			fmt.Fprintf(&b, "%s%d:%s:%x\n", side, i, realm, md5.Sum(fmt.Appendf(nil, "%s%d:%s:%s", side, i, realm, password)))
		}
	}
	return b.Bytes()
}

// cpu is how long the server's threads have run.
func (o *options) cpu() (sum time.Duration) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", o.pid))
	for _, file := range tasks {
		b, _ := os.ReadFile(file)
		first, _, _ := strings.Cut(string(b), " ")
		ns, _ := strconv.ParseInt(first, 10, 64)
		sum += time.Duration(ns)
	}
	return sum
}

// memory is how many KB of the server are resident.
func (o *options) memory() (kb int) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.pid))
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	fmt.Sscan(rest, &kb)
	return kb
}

// pin binds all threads of this process to a CPU; below zero, to any.
func pin(cpu int) error {
	tasks, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, t := range tasks {
		tid, _ := strconv.Atoi(filepath.Base(t))
		if err := pinThread(tid, cpu); err != nil {
			return err
		}
	}
	return nil
}

// pinThread binds a thread, 0 being this one, to a CPU: sched_setaffinity(2).
func pinThread(tid, cpu int) error {
	var set [1024 / 64]uint64
	if cpu < 0 {
		for i := range set {
			set[i] = ^uint64(0)
		}
	} else {
		set[cpu/64%len(set)] = 1 << (cpu % 64)
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
	if errno != 0 {
		return fmt.Errorf("this machine has no CPU %d to pin to: %w", cpu, errno)
	}
	return nil
}

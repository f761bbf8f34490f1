package systemd

import (
	"os"
	"strconv"
	"time"
)

// sendWait bounds a notification: the event loop sends them and must not wait
// for a service manager that hangs.
const sendWait = 100 * time.Millisecond

// Notify tells the service manager a state: lines of the form NAME=value such
// as "READY=1\nSTATUS=2 users, 1 call" (sd_notify(3)). Without a service
// manager it does nothing and returns nil.
func Notify(state string) error { return send(state, nil, time.Now().Add(sendWait)) }

// WatchdogInterval is the time within which the service manager wants to hear
// WATCHDOG=1, and whether it wants to (sd_watchdog_enabled(3)). Half of it is
// the pace to send at. env is os.LookupEnv or its like.
func WatchdogInterval(env func(string) (string, bool)) (time.Duration, bool) {
	if pid, ok := env("WATCHDOG_PID"); ok && pid != strconv.Itoa(os.Getpid()) {
		return 0, false // meant for another process
	}
	value, _ := env("WATCHDOG_USEC")
	usec, err := strconv.ParseInt(value, 10, 64)
	const most = int64(24 * time.Hour / time.Microsecond)
	if err != nil || usec <= 0 || usec > most {
		return 0, false
	}
	return time.Duration(usec) * time.Microsecond, true
}

// Package dialcmd names the service codes 985 to 999: numbers that a user dials to
// switch a feature of the running proxy or to ask it what it knows.
//
// A code is the whole user part of the Request-URI, exactly three digits. 900 to 984 are
// ordinary numbers, and so is everything else. The package is a table: who may dial a code, and
// what carrying it out means, is the caller's business.
package dialcmd

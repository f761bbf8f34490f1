// Package rtprelay relays RTP and RTCP between two phones.
package rtprelay

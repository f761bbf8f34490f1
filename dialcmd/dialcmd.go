package dialcmd

// Kind says what a code asks for.
type Kind uint8

const (
	Set         Kind = iota // switch the feature Word on or off
	ShowCalls               // write the calls into the log
	NotifyUsers             // send the registered users to the caller by NOTIFY
	ShowUsers               // write the registered users into the log
)

// Command is one service code.
type Command struct {
	Code int // 985 to 999
	Kind Kind
	Word string // Set: the feature word, as on the command line: "silent", "re_via" ...; otherwise ""
	On   bool   // Set: the new state of Word

	// Phrase is the reason phrase of the final response (404), which phones
	// show on their display: it tells the caller the result.
	Phrase string
}

// First and last are the ends of the range of codes, which has no gap.
const (
	first = 985
	last  = 999
)

var commands = [last - first + 1]Command{
	{985, Set, "silent", false, "silent OFF"},
	{986, Set, "silent", true, "silent ON"},
	{987, Set, "duplicate", false, "duplicate OFF"},
	{988, Set, "duplicate", true, "duplicate ON"},
	{989, Set, "debug", false, "log brief"},
	{990, Set, "debug", true, "log debug"},
	{991, Set, "re_via", false, "Via OFF"},
	{992, Set, "re_via", true, "Via ON"},
	{993, Set, "re_sdp", false, "SDP OFF"},
	{994, Set, "re_sdp", true, "SDP ON"},
	{995, Set, "re_contact", false, "Contact OFF"},
	{996, Set, "re_contact", true, "Contact ON"},
	{997, ShowCalls, "", false, "calls logged"},
	{998, NotifyUsers, "", false, "users sent"},
	{999, ShowUsers, "", false, "users logged"},
}

// Lookup returns the command that number dials. number is the user part of a
// Request-URI; ok is false for an ordinary number.
func Lookup(number string) (c Command, ok bool) {
	if len(number) != 3 {
		return Command{}, false
	}
	code := 0
	for i := range len(number) {
		d := number[i] - '0'
		if d > 9 {
			return Command{}, false
		}
		code = code*10 + int(d)
	}
	if code < first || code > last {
		return Command{}, false
	}
	return commands[code-first], true
}

package multiwa

import (
	"fmt"
	"strconv"
)

// Ids of messages and conversations are UUIDs here: their numbers, in the form of version 8,
// which is free for that. They say nothing, because whoever uses one must be allowed to see
// what it names.

// noun is what a UUID names.
type noun uint16

const (
	nounConversation noun = 0xc0c
	nounMessage      noun = 0xc0d
)

const uuidForm = "%08x-%04x-8%03x-8%03x-%012x"

// uuid returns the UUID of what has a number.
func uuid(n noun, number int64) string {
	return fmt.Sprintf(uuidForm, 0, 0, uint16(n), number>>48&0xfff, number&(1<<48-1))
}

// parseUUID returns the number of what a UUID names, and whether it is one of this server's.
func parseUUID(n noun, text string) (number int64, ok bool) {
	if len(text) != 36 {
		return 0, false
	}
	high, err1 := strconv.ParseUint(text[20:23], 16, 64)
	low, err2 := strconv.ParseUint(text[24:], 16, 64)
	number = int64(high<<48 | low)
	return number, err1 == nil && err2 == nil && number > 0 && uuid(n, number) == text
}

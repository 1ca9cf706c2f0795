// Package bridge is the messenger of lines that a program of the user's own connects
// to the outside. That program posts inbound messages to .../inbound and reads
// outgoing ones from the journal (GET /v1/events, or the line's channel). A bridge
// needs no phone, so it also serves demos, tests and benchmarks.
//
// The package keeps no state and starts no goroutine.
package bridge

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"chatcast/crm"
)

// Messenger serves lines of any type as bridges.
type Messenger struct{}

var _ crm.Messenger = Messenger{}

// Status always returns connected: the server cannot know whether the user's own
// program is running, and messages wait for it in the journal.
func (Messenger) Status(context.Context, crm.Line) (crm.LineStatus, error) {
	return crm.LineStatus{
		State: "connected", Connected: true, Via: crm.ViaBridge,
		Detail: "messages come in through POST .../inbound and go out through GET /v1/events",
	}, nil
}

// MessageID returns a new id in the style of the line: 3EB0 and hex digits for
// WhatsApp, a number for the others. Numbers are at least 2^52, so that they do not
// collide with the small numbers that messengers count with, and below 2^53, so that
// every JSON reader keeps them exactly.
func (Messenger) MessageID(l crm.Line) string {
	var b [9]byte
	rand.Read(b[:]) // never fails
	if crm.IsWhatsApp(l.Messenger) {
		return "3EB0" + strings.ToUpper(hex.EncodeToString(b[:]))
	}
	const bit52 = 1 << 52
	return strconv.FormatUint(bit52|binary.BigEndian.Uint64(b[:])&(bit52-1), 10)
}

// Typing does nothing: the journal, which is the only way out, is not for notices.
func (Messenger) Typing(context.Context, crm.Line, string, string) error { return nil }

// Pair returns CodeUnavailable, because a bridge has no account.
func (Messenger) Pair(context.Context, crm.Line, string) (crm.Pairing, error) {
	return crm.Pairing{}, crm.Unavailable(noAccount)
}

// Logout returns CodeUnavailable, because a bridge has no account.
func (Messenger) Logout(context.Context, crm.Line) error { return crm.Unavailable(noAccount) }

const noAccount = "this messenger is served by a bridge: there is no account to pair; " +
	"bring messages with POST .../inbound and take them with GET /v1/events"

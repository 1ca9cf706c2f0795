package socketio

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
)

// A client that supports the recovery of connections sends, when it comes back, the pid
// that it got with its CONNECT, and the offset of the last event that it got. If the server
// answers with the same pid, the client knows that it has missed nothing.
//
// A pid says who may go on where, and is signed; so any node can read it, and none has to
// remember it. It has no end of its own: a client keeps its pid for as long as it recovers,
// be it for years, and what it has missed is there as long as the journal reaches back.
//
//	version 1 | position 8 | user 8 | sid 15 | signature 16 bytes, as hex
//
// The signature is also over the channel and the name of the namespace, which are not in it.

const (
	pidVersion   = 2
	sidBytes     = 15
	pidBytes     = 1 + 8 + 8 + sidBytes
	pidSignature = 16
)

// ticket is what a pid says.
type ticket struct {
	position int64 // of the journal when the client entered
	userID   int64
	sid      string // the client's name in the namespace, which it keeps
}

// pid returns the text of a ticket for a namespace.
func (s *Server) pid(t ticket, namespace, channel string) string {
	b := make([]byte, 0, pidBytes+pidSignature)
	b = append(b, pidVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(t.position))
	b = binary.BigEndian.AppendUint64(b, uint64(t.userID))
	sid, _ := base64.RawURLEncoding.DecodeString(t.sid) // made by randomName
	b = append(b, sid...)
	return hex.EncodeToString(append(b, s.signature(b, namespace, channel)...))
}

func (s *Server) signature(b []byte, namespace, channel string) []byte {
	mac := hmac.New(sha256.New, s.pidSecret)
	mac.Write([]byte("socketio pid\x00" + namespace + "\x00" + channel + "\x00"))
	mac.Write(b)
	return mac.Sum(nil)[:pidSignature]
}

// ticket reads a pid that a user shows for a namespace.
func (s *Server) ticket(pid, namespace, channel string, userID int64) (t ticket, ok bool) {
	b, err := hex.DecodeString(pid)
	if err != nil || len(b) != pidBytes+pidSignature || s.pidSecret == nil {
		return t, false
	}
	b, signature := b[:pidBytes], b[pidBytes:]
	if !hmac.Equal(signature, s.signature(b, namespace, channel)) || b[0] != pidVersion {
		return t, false
	}
	t = ticket{
		position: int64(binary.BigEndian.Uint64(b[1:])), userID: int64(binary.BigEndian.Uint64(b[9:])),
		sid: base64.RawURLEncoding.EncodeToString(b[17:]),
	}
	return t, t.userID == userID
}

// cursors are where a client says that it is, in the payload of its CONNECT.
type cursors struct {
	PID         string          `json:"pid"`
	Offset      string          `json:"offset"`
	LastEventID json.RawMessage `json:"last_event_id"`
}

// cursorsOf reads what auth says about the place of the client. Members of another kind
// are the business of others.
func cursorsOf(auth json.RawMessage) (c cursors) {
	var members map[string]json.RawMessage
	if len(auth) == 0 || json.Unmarshal(auth, &members) != nil {
		return c
	}
	_ = json.Unmarshal(members["pid"], &c.PID)
	_ = json.Unmarshal(members["offset"], &c.Offset)
	c.LastEventID = members["last_event_id"]
	return c
}

// parsePlace reads an offset.
func parsePlace(s string) (p place, ok bool) {
	seq, emits, some := strings.Cut(s, ".")
	n, err := strconv.ParseUint(seq, 10, 63)
	if err != nil {
		return place{}, false
	}
	p.seq = int64(n)
	if !some {
		return p, true
	}
	k, err := strconv.ParseUint(emits, 10, 16)
	p.emits = int(k)
	return p, err == nil && k > 0 && n > 0
}

// start is how a client begins in a namespace.
type start struct {
	sid, pid  string // pid is empty without recovery
	recovered bool   // the client goes on with the sid and pid that it had
	place     place
	resume    bool // it gets what it has missed after the place
	begins    bool // it begins at the place, which is now
	lost      bool // it has asked for a place, and what came after that is no longer kept
}

// start decides how a client begins.
func (s *Server) start(ctx context.Context, r Request, e *Entry, lastEventID string) (start, error) {
	if s.pidSecret == nil || e.UserID == 0 || e.Channel == "" {
		return start{sid: randomName(sidBytes)}, nil
	}
	said := cursorsOf(r.Auth)
	if t, ok := s.ticket(said.PID, r.Namespace, e.Channel, e.UserID); ok {
		at, named := parsePlace(said.Offset)
		if said.Offset == "" {
			at, named = place{seq: t.position}, true // it got no event
		}
		if kept, err := s.kept(ctx, e, at, named); err != nil || kept {
			return start{sid: t.sid, pid: said.PID, recovered: true, place: at, resume: true}, err
		}
		s.counters.notRecovered()
	} else if said.PID != "" {
		s.counters.notRecovered()
	}
	position, err := s.opt.History.Position(ctx)
	if err != nil {
		return start{}, err
	}
	begin := start{sid: randomName(sidBytes), place: place{seq: position}, resume: true, begins: true}
	begin.pid = s.pid(ticket{position, e.UserID, begin.sid}, r.Namespace, e.Channel)
	if said.PID != "" { // the client has learnt that it begins anew
		return begin, nil
	}
	if id := strings.Trim(string(said.LastEventID), `"`); id != "" && id != "null" {
		lastEventID = id
	}
	if lastEventID == "" {
		return begin, nil
	}
	at, named := parsePlace(lastEventID)
	kept, err := s.kept(ctx, e, at, named)
	if kept {
		begin.place, begin.begins = at, false
	}
	begin.lost = !kept
	return begin, err
}

// kept reports whether the journal has all that came after a place. named says whether the
// client has named one.
func (s *Server) kept(ctx context.Context, e *Entry, at place, named bool) (bool, error) {
	if !named {
		return false, nil
	}
	view, err := s.opt.History.View(ctx, strconv.FormatInt(e.UserID, 10), e.Channel)
	if err != nil {
		return false, err
	}
	missed, err := s.opt.History.Since(ctx, e.Channel, view, at.after(), 1)
	return err == nil && !missed.Lost, err
}

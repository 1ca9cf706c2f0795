package whatsapp

import (
	"context"
	"fmt"
	"strconv"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
)

// ending is how a connection ended. It decides what happens next.
//
//	            lost, broken                        Pair
//	connecting <------------- connected    none ----------> pairing --scanned--> connecting
//	    |                        |                             |
//	    +-- replaced, banned, outdated, logged out <-----------+-- not scanned: disconnected
//
// A replaced line waits for a request to connect again. A banned line waits until the
// ban is over. An outdated line waits for a new version, and is tried again each hour.
// Logged out is the end of the session.
type ending struct {
	kind   endKind
	detail string    // for a person
	until  time.Time // end of the ban; zero: not known
	blocks bool      // the ban is because people blocked the account
}

type endKind int

const (
	endLost      endKind = iota // the socket is gone
	endBroken                   // an event could not be saved: connect again with a new client
	endRelogin                  // paired: WhatsApp wants a new connection at once
	endReplaced                 // the session was opened elsewhere
	endLoggedOut                // the session is over
	endBanned
	endOutdated
	endUnpaired // nobody scanned the code
)

// end reports that the connection is over. Only the first reason counts.
func (s *session) end(e ending) {
	select {
	case s.ends <- e:
	default:
	}
}

// reasonGrace is how long the last node of a connection may take to be decrypted.
const reasonGrace = 300 * time.Millisecond

// reason returns why a connection was cut. WhatsApp names the reason in the last node,
// which whatsmeow handles while it reports the cut.
func (s *session) reason(ctx context.Context) ending {
	grace := time.NewTimer(reasonGrace)
	defer grace.Stop()
	select {
	case end := <-s.ends:
		return end
	case <-grace.C:
	case <-ctx.Done():
	}
	return ending{kind: endLost}
}

// follow acts on the ending of a connection, and reports whether to connect again.
func (s *session) follow(ctx context.Context, end ending) (again bool) {
	if end.kind == endUnpaired && s.paired() { // the phone signed just as the last code expired
		end.kind = endRelogin
	}
	if end.kind != endRelogin || s.paired() { // a client that is not paired yet keeps showing codes
		s.dropClient()
	}
	again = end.kind == endRelogin || end.kind == endBroken || end.kind == endLost && s.paired()
	s.over.Store(!again) // before anybody sees the state
	switch end.kind {
	case endRelogin:
	case endLost:
		if !again {
			s.unpaired(ctx, end.detail)
			break
		}
		detail := "The connection to WhatsApp was lost; it is being renewed."
		if end.detail != "" {
			detail = end.detail + " It is tried again."
		}
		s.set(ctx, crm.LineState{State: crm.StateDisconnected, Detail: detail})
	case endBroken:
		s.set(ctx, crm.LineState{State: crm.StateDisconnected, Detail: detailDatabase})
	case endUnpaired:
		s.unpaired(ctx, end.detail)
	case endReplaced:
		s.settle(ctx, crm.LineState{State: crm.StateReplaced, Detail: detailReplaced})
	case endBanned:
		st := crm.LineState{State: crm.StateBanned, Detail: end.detail, Blocked: end.blocks}
		if !end.until.IsZero() {
			until := end.until.Unix()
			st.BannedUntil = &until
		}
		s.settle(ctx, st)
	case endOutdated:
		s.m.tooOld()
		s.settle(ctx, crm.LineState{State: crm.StateOutdated, Detail: detailOutdated})
	case endLoggedOut:
		s.loggedOut(ctx, end.detail)
	}
	return again
}

// settle sets a state in which the line stays. Callers that wait for a code to pair with
// get its detail.
func (s *session) settle(ctx context.Context, st crm.LineState) {
	s.endPairing(crm.Unavailable(st.Detail))
	s.set(ctx, st)
}

// loggedOut ends the session for good: a device that was removed must never be
// used again.
func (s *session) loggedOut(ctx context.Context, detail string) {
	s.mu.Lock()
	device := s.device
	s.mu.Unlock()
	if device != "" {
		if err := s.m.forget(ctx, device); err != nil {
			s.log.Warn("the keys of an ended session could not be removed", "error", err)
		}
	}
	none := ""
	s.mu.Lock()
	s.device = ""
	s.mu.Unlock()
	s.settle(ctx, crm.LineState{State: crm.StateLoggedOut, Device: &none, Detail: detail})
}

// finalEnding returns the ending of a stream error after which the line must not connect
// again. Any other error is met again by the next connection.
func finalEnding(n *waBinary.Node) (end ending, ok bool) {
	conflict, _ := n.GetOptionalChildByTag("conflict")
	switch conflict.Attrs["type"] {
	case "replaced":
		return ending{kind: endReplaced}, true
	case "device_removed":
		return ending{kind: endLoggedOut, detail: detailLoggedOut}, true
	}
	return ending{}, false
}

func banned(e *events.TemporaryBan, now time.Time) ending {
	end := ending{kind: endBanned, detail: "WhatsApp has banned the account for a while: " + banReason(e.Code) + ".", blocks: e.Code == events.TempBanBlockedByUsers}
	if e.Expire > 0 {
		end.until = now.Add(e.Expire)
	}
	return end
}

func banReason(code events.TempBanReason) string {
	reason := map[events.TempBanReason]string{
		events.TempBanSentToTooManyPeople:    "too many messages to people who do not have it in their address books",
		events.TempBanBlockedByUsers:         "too many people blocked it",
		events.TempBanCreatedTooManyGroups:   "too many groups with people who do not have it in their address books",
		events.TempBanSentTooManySameMessage: "the same message to too many people",
		events.TempBanBroadcastList:          "too many messages to a broadcast list",
	}[code]
	if reason == "" {
		reason = "it may have violated the terms of service"
	}
	return reason + " (code " + strconv.Itoa(int(code)) + ")"
}

func refused(e *events.ConnectFailure) ending {
	return ending{kind: endLost, detail: fmt.Sprintf("WhatsApp refused the connection (%d).", int(e.Reason))}
}

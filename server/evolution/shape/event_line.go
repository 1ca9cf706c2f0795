package shape

import (
	"encoding/json"
	"strings"

	"chatcast/crm"
)

// States of a connection.
const (
	StateOpen       = "open"
	StateConnecting = "connecting"
	StateClose      = "close"
	StateRefused    = "refused" // only in events: nobody paired an account in time
)

// State returns the state of an instance's connection. It says that a line is open only
// while its account is connected. What reconnects by itself is connecting.
func State(state string) string {
	switch state {
	case crm.StateConnected:
		return StateOpen
	case crm.StateConnecting, crm.StatePairing, crm.StatePasskey, crm.StateDisconnected:
		return StateConnecting
	}
	return StateClose
}

// LineState is State for the status of a line, which tells more: what is disconnected and
// has no account stays so, and so does for now what has not come back within a minute.
func LineState(s crm.LineStatus) string {
	if s.State == crm.StateDisconnected && !s.Reconnects || s.LostSince != nil {
		return StateClose
	}
	return State(s.State)
}

// reasons are the codes of connections that are closed.
var reasons = map[string]int64{
	crm.StateLoggedOut: 401, crm.StateBanned: 403, crm.StateReplaced: 440, crm.StateOutdated: 500,
}

// reasonRefused is the code when nobody paired an account in time, reasonLost when a connection
// did not come back within a minute; reasonNone tells of no end.
const (
	reasonNone    = 200
	reasonLost    = 408
	reasonClosed  = 428
	reasonRefused = 428
)

// messengerStatus renders a new state of the line. What else changed in it, such as its
// rating, is nothing to Evolution's clients.
func (r *rendering) messengerStatus(data string) {
	for _, s := range items[crm.MessengerStatusItem](r, data) {
		if s.Was == nil {
			continue
		}
		state, reason := State(s.State), int64(reasonNone)
		unpaired := s.State == crm.StateDisconnected && (*s.Was == crm.StatePairing || *s.Was == crm.StatePasskey)
		switch {
		case unpaired && strings.HasSuffix(s.Detail, crm.NothingPaired): // it failed, and no code was the last one
			state, reason = StateClose, reasonClosed
		case unpaired:
			r.emit("qrcode.updated", qrLimit)
			state, reason = StateRefused, reasonRefused
		case s.LostSince != nil: // it goes on being tried, so the session has not ended
			state, reason = StateClose, reasonLost
		case state == State(*s.Was):
			continue
		case state == StateClose:
			reason = r.closed(&s)
		}
		r.emit("connection.update", func(w *writer) { r.connection(w, &s, state, reason) })
	}
}

func qrLimit(w *writer) {
	w.object("")
	w.str("message", "QR code limit reached, please login again")
	w.int("statusCode", 500)
	w.end()
}

func (r *rendering) connection(w *writer, s *crm.MessengerStatusItem, state string, reason int64) {
	w.object("")
	w.str("instance", r.in.Name)
	if state == StateOpen && r.shape != V1 {
		phone := value(s.Phone)
		if phone == "" {
			phone = r.in.Phone
		}
		w.orNull("wuid", JID(phone))
		w.orNull("profileName", r.in.ProfileName)
		w.null("profilePictureUrl")
	}
	w.str("state", state)
	w.int("statusReason", reason)
	w.end()
}

// Disconnection returns the code of an account that was disconnected, and the text of JSON that
// says more.
func Disconnection(state, detail string) (reason int64, object string) {
	switch reason = reasons[state]; {
	case state == crm.StateDisconnected: // it did not come back within a minute
		reason = reasonLost
	case reason == 0:
		reason = reasonClosed
	}
	why, err := json.Marshal(struct {
		State  string `json:"state"`
		Detail string `json:"detail"`
	}{state, detail})
	if err != nil { // cannot happen for two strings
		why = []byte("{}")
	}
	return reason, string(why)
}

// closed renders that a session has ended for good, and that somebody ended it here.
func (r *rendering) closed(s *crm.MessengerStatusItem) (reason int64) {
	reason, why := Disconnection(s.State, s.Detail)
	if s.State == crm.StateLoggedOut && s.Edited != nil {
		r.emit("logout.instance", func(w *writer) { w.null("") })
	}
	r.emit("status.instance", func(w *writer) {
		w.object("")
		w.str("instance", r.in.Name)
		w.str("status", "closed")
		if r.shape != V1 {
			w.str("disconnectionAt", iso(s.Time))
			w.int("disconnectionReasonCode", reason)
			w.str("disconnectionObject", why)
		}
		w.end()
	})
	return reason
}

// instance renders that an instance was made or deleted. Its name is that of then.
func (r *rendering) instance(data string) {
	for _, x := range items[crm.InstanceItem](r, data) {
		r.in.Name = x.Instance.Name
		name := "instance.create"
		if x.Type == crm.TypeDestroy {
			name = "instance.delete"
		}
		r.emit(name, func(w *writer) {
			w.object("")
			w.str("instanceName", x.Instance.Name)
			w.str("instanceId", x.Instance.ID)
			w.end()
		})
		switch {
		case x.Type == crm.TypeDestroy:
			r.emit("remove.instance", func(w *writer) { w.null("") })
		case r.shape == V1:
			r.emit("status.instance", func(w *writer) {
				w.object("")
				w.str("instance", x.Instance.Name)
				w.str("status", "created")
				w.end()
			})
		}
	}
}

// qr renders a code to pair an account with. That of a passkey has no form in Evolution.
func (r *rendering) qr(data string) {
	for _, q := range items[crm.QRItem](r, data) {
		if q.QR == nil && q.Code == nil {
			continue
		}
		r.emit("qrcode.updated", func(w *writer) {
			w.object("")
			w.object("qrcode")
			w.str("instance", r.in.Name)
			w.orNull("pairingCode", PairingCode(value(q.Code)))
			w.orNull("code", value(q.QR))
			w.orNull("base64", q.PictureURL())
			w.end()
			w.end()
		})
	}
}

// PairingCode returns a code to type into the phone as Evolution has it: without the dash.
func PairingCode(code string) string { return strings.ReplaceAll(code, "-", "") }
